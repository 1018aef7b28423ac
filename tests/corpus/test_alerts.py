"""Real alert payloads: what each should lead to, judged by reading it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.intake import alerts

SAMPLE = "Test action group"
# What stands in each file, and what an Azure engineer would have done with it. Most are about other services: a real
# alert about a VM is among them only as Resolved, and as the portal's samples.
IGNORED = {
    "012": "microsoft.foo/sites",
    "013": "microsoft.foo/sites",
    "016": "microsoft.foo/sites",
    "018": "resourceId-1",
    "019": "microsoft.datafactory/factories",
    "020": "microsoft.datafactory/factories",
    "021": "microsoft.datafactory/factories",
    "023": "microsoft.insights/components",
    "024": "microsoft.insights/components",
    "028": "no target",  # an alertContext without its essentials
    "029": "microsoft.network/expressroutecircuits",
    "030": "microsoft.network/expressroutecircuits",
    "032": "microsoft.network/expressroutecircuits",
    "034": "service health",
    "035": "microsoft.resources/deployments",
    "036": "no target",
    "037": "no target",
    "038": "no target",
    "039": "microsoft.storage/storageaccounts/queueservices",
    "040": "no target",
    "041": "no target",
    "042": "microsoft.insights/components",
    "043": "service health",
    "044": SAMPLE,
    "045": SAMPLE,
    "046": "cost alert",
    "047": "microsoft.insights/webtests",
    "048": SAMPLE,
    "049": "service health",
    "050": "microsoft.operationalinsights/workspaces",
    "051": "cost alert",
    "052": SAMPLE,
    "055": "service health",
    "056": "service health",
}
CLOSED = {
    "014": "ruleName1",
    "015": "ruleName1",
    "017": "b9569717-bc32-442f-add5-83a997729330",
    "022": "1e0c65b5-9c9d-4481-9a0c-dedcbfa2b8c4",
    "031": "91e53143-9914-472c-932c-a21db54972f9",
    "033": "91e53143-9914-472c-932c-a21db54972f9",
    "053": "b9569717-bc32-442f-add5-83a997729330",
    "054": "b9569717-bc32-442f-add5-83a997729330",
}
VM = "/subscriptions/s1/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachines/web-1"


def load(corpus: Path, number: str) -> bytes:
    return (corpus / "alert_payload" / f"{number}.json").read_bytes()


def test_every_payload_is_in_the_table_or_read_all_the_same(corpus: Path) -> None:
    files = {file.stem: file for file in (corpus / "alert_payload").glob("*.json")}
    others = [alerts.read(file.read_bytes()) for number, file in files.items() if number not in IGNORED | CLOSED]
    assert files
    assert all(isinstance(answer, alerts.Accepted | alerts.Closed | alerts.Ignored) for answer in others)


@pytest.mark.parametrize(("number", "reason"), IGNORED.items(), ids=list(IGNORED))
def test_ignored(corpus: Path, number: str, reason: str) -> None:
    answer = alerts.read(load(corpus, number))
    assert isinstance(answer, alerts.Ignored), answer
    assert reason in answer.reason


@pytest.mark.parametrize(("number", "tail"), CLOSED.items(), ids=list(CLOSED))
def test_closed(corpus: Path, number: str, tail: str) -> None:
    answer = alerts.read(load(corpus, number))
    assert isinstance(answer, alerts.Closed), answer
    assert answer.request.alert_id.endswith(f"/{tail}")


def aimed(value: Any) -> Any:
    """The same payload about a VM of one's own: every id of a resource that is alerted on becomes its id."""
    match value:
        case dict():
            return {
                key: VM if key in {"resourceId", "entity", "scope"} else aimed(item) for key, item in value.items()
            } | ({"alertTargetIDs": [VM.lower()]} if "alertTargetIDs" in value else {})
        case list():
            return [aimed(item) for item in value]
    return value


@pytest.mark.parametrize(
    "number", ["012", "019", "020", "023", "029", "035", "039", "042", "044", "047", "048", "050", "052"]
)
def test_aimed_at_a_real_vm_each_kind_asks_for_its_diagnosis(corpus: Path, number: str) -> None:
    answer = alerts.read(json.dumps(aimed(json.loads(load(corpus, number)))).encode())
    assert isinstance(answer, alerts.Accepted), answer
    assert [str(request.source.resource_id).lower() for request in answer.requests] == [VM.lower()]
