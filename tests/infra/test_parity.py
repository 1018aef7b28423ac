"""Bicep and Terraform deploy the same, and what vmreach works with."""

import json
from pathlib import Path

import pytest

from diagnostics.cloud import queues, store
from tests.conftest import ROOT
from tools.infra import parity, twins
from tools.infra.deployment import Way, bicep, terraform
from tools.infra.nodes import literal
from tools.infra.parity import alert_fields, built_in, files

INFRA = ROOT / "infra"
WAYS = {"Bicep": bicep, "Terraform": terraform}

WORK = (queues.DIAGNOSIS, queues.CLOSURE, queues.REMEDIATION)
NAMES = {
    "queue": {*WORK, *(f"{name}-poison" for name in WORK), "<findings_queue>"},
    "table": {store.REQUESTS, store.FINDINGS, store.ALERTS, store.ATTEMPTS, store.JOURNAL, store.LEASES},
    "container": {"app-package", "<reports_container>"},
    "secret": {"teams-webhook-url", "function--alerts--actiongroup"},
}
ROLES = {"Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor"}
ROLES |= {"Key Vault Secrets Officer", "Monitoring Metrics Publisher"}
SETTINGS = {"APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "APPLICATIONINSIGHTS_CONNECTION_STRING", "AZURE_CLIENT_ID"}
SETTINGS |= {f"AzureWebJobsSecretStorage{name}" for name in ("KeyVaultClientId", "KeyVaultUri", "Type")}
SETTINGS |= {f"AzureWebJobsStorage__{name}" for name in ("clientId", "credential")}
SETTINGS |= {f"AzureWebJobsStorage__{kind}ServiceUri" for kind in ("blob", "queue", "table")}


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param](INFRA)


def test_both_ways_deploy_the_same() -> None:
    found = parity.differences(INFRA)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("what", NAMES)
def test_each_way_makes_the_storage_that_vmreach_works_with(way: Way, what: str) -> None:
    assert parity.named(way, what) == NAMES[what]


def test_each_way_assigns_these_roles_of_azure_and_no_others(way: Way) -> None:
    assert built_in(way) == ROLES


def test_the_app_is_told_these_things_beside_its_settings(way: Way) -> None:
    assert {name for name in way.settings() if not name.startswith("VMREACH_")} == SETTINGS


def test_each_way_reads_all_that_both_share(way: Way) -> None:
    assert files(way) == {path.name for path in (INFRA / "shared").iterdir()}


def test_custom_roles_have_the_actions_of_the_shared_file_alone(way: Way) -> None:
    assert parity.actions(way) == {"all of roles.json"}


def test_events_of_a_further_subscription_go_to_the_queue_of_diagnoses() -> None:
    default = terraform(INFRA, "modules/watch").parameters["queue_name"].default
    assert literal(default) == (True, queues.DIAGNOSIS)


def test_a_field_of_an_alert_rule_that_nobody_reads_is_told(tmp_path: Path) -> None:
    rules = json.loads((INFRA / "shared" / "alerts.json").read_text())
    rules["metric"]["vm-availability"]["urgency"] = "high"
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "alerts.json").write_text(json.dumps(rules))
    told = [*alert_fields(tmp_path, bicep(INFRA), terraform(INFRA))]
    assert told == [f"alerts.json: {name} does not read 'urgency'" for name in WAYS]


@pytest.mark.parametrize(
    "table", ["TERRAFORM_ONLY", "BICEP_ONLY", "PARAMETERS", "WATCH", "DEFAULTS", "WATCH_DEFAULTS", "OUTPUTS"]
)
def test_what_one_way_has_alone_has_its_reason(table: str) -> None:
    assert [name for name, reason in getattr(twins, table).items() if len(reason.split()) < 4] == []
