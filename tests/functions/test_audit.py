"""The audit on its timer, over HTTP to Azure and storage: four reports, what is news on the queue, one card."""

import json
from collections.abc import Iterator

import pytest
from azure.storage.blob import ContainerClient

from sandbox.scenario import scenarios
from tests.conftest import Wait
from tests.functions.conftest import Stack

SCENARIO = next(each for each in scenarios() if each.name == "vm-to-vm-nsg")
NSG = "nsg-orders-data"
FORMS = {"txt", "json", "sarif", "csv"}
SHOWN = ("critical", "high", "medium")


@pytest.fixture(scope="module")
def stack(eventually: Wait) -> Iterator[Stack]:
    with Stack(eventually, VMREACH_SCOPES=f"/subscriptions/{SCENARIO.subscription}") as stack:
        yield stack


def audit(stack: Stack) -> None:
    """Run it, and wait until it has ended well."""
    before = stack.host.output().count("Executed 'Functions.audit' (Succeeded")
    stack.host.run("audit")
    stack.eventually(lambda: stack.host.output().count("Executed 'Functions.audit' (Succeeded") > before)


def reports(stack: Stack) -> dict[str, str]:
    with ContainerClient.from_connection_string(stack.azurite.connection_string, "reports") as client:
        return {name: client.download_blob(name).readall().decode() for name in client.list_blob_names()}


def test_audits_from_timer_to_reports_queue_and_card(stack: Stack) -> None:
    audit(stack)
    kept = reports(stack)
    assert {name.removeprefix("audit/latest.") for name in kept if "latest" in name} == FORMS
    assert len(kept) == 2 * len(FORMS)
    found = [each for each in json.loads(kept["audit/latest.json"])["findings"] if each["severity"] in SHOWN]
    told = {finding["findingId"] for finding in stack.read()}
    assert told == {finding["findingId"] for finding in found} != set()
    assert len(stack.cards(f"Audit: {len(found)} new, 0 resolved, 0 known")) == len(stack.sandbox.teams) == 1

    audit(stack)
    assert (len(stack.read()), len(stack.sandbox.teams)) == (len(found), 1)

    for state, wanted in (("Failed", f"1 new, 0 resolved, {len(found)} known"), ("Succeeded", "0 new, 1 resolved")):
        stack.sandbox.change(stack.id(NSG), {"properties.provisioningState": state})
        audit(stack)
        assert len(stack.cards(f"Audit: {wanted}")) == 1
    assert [each["status"] for each in stack.all(check="NSG001", resource=NSG)] == ["open", "resolved"]
    assert len(stack.sandbox.teams) == 3
