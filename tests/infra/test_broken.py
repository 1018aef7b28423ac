"""Copies of the templates with one thing broken: the checks fail, and say what and where."""

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from sandbox.arm import Call
from tests.conftest import ROOT
from tests.infra import plans, roles
from tests.infra import test_bicep as app
from tests.infra import test_bicep_access as access
from tests.infra import test_bicep_watch as watch
from tools.infra import bicep, checkov, documented, parity, terraform
from tools.infra.outcome import Outcome, Result
from tools.infra.programs import lent

pytestmark = pytest.mark.tools

INFRA, PAGE = ROOT / "infra", ROOT / "docs" / "settings.md"
NIC = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic"

MAIN, SITE, STORAGE = "bicep/main.bicep", "bicep/modules/function-app.bicep", "bicep/modules/storage.bicep"
RULES, EVENTS, WATCH = "bicep/modules/alerts.bicep", "bicep/modules/events.bicep", "bicep/watch.bicep"
ACCOUNT, LOCALS, VARIABLES = "terraform/storage.tf", "terraform/locals.tf", "terraform/variables.tf"
APP, CONNECTIONS = "terraform/app.tf", "terraform/modules/watch/connections.tf"

UNEQUAL = [
    (MAIN, "  VMREACH_HISTORY_HOURS: string(historyHours)\n", "", "app setting VMREACH_HISTORY_HOURS: Bicep lacks it"),
    (LOCALS, '"closure-requests", ', "", "queue closure-requests-poison: Terraform lacks it"),
    (LOCALS, '"vmreachleases"', '"leases"', "table vmreachleases: Terraform lacks it"),
    (
        MAIN,
        "param historyHours int = 12",
        "param historyHours int = 24",
        "parameter history_hours has the default 24 in ",
    ),
    (MAIN, "param runCommand string", "param runCommands string", "parameter run_command: Bicep lacks it"),
    (
        MAIN,
        "@maxValue(2160)",
        "@maxValue(999)",
        "parameter history_hours goes up to 999 in Bicep and 2160 in Terraform",
    ),
    (ACCOUNT, '"Storage Table Data Contributor",', "", "role Storage Table Data Contributor: Terraform lacks it"),
    (ACCOUNT, "shared_access_key_enabled        = false", "", 'allowSharedKeyAccess is ["false"] in Bicep and nothing'),
    (
        "terraform/outputs.tf",
        'output "alert_endpoint"',
        'output "endpoint"',
        "output alert_endpoint: Terraform lacks it",
    ),
    (CONNECTIONS, "local.test_alert.aggregation", '"Average"', 'timeAggregation is [".aggregation"] in Bicep and [".'),
    (RULES, "availability.frequency", "availability.window", 'evaluationFrequency is [".frequency", ".window"] in '),
    ("terraform/alerts.tf", '["diagnosis-requests"]', '["closure-requests"]', 'and ["closure-requests"] in Terraform'),
    (WATCH, "events bool = true", "events bool = false", "parameter of watch events has the default false in Bicep "),
    ("bicep/modules/network.bicep", "'443'", "'*'", "destinationPortRange is "),
    (SITE, "type: 'UserAssigned'\n", "type: 'SystemAssigned'\n", 'identity.type is ["SystemAssigned"] in Bicep and ["'),
    ("shared/alerts.json", '"statuses"', '"status"', "alerts.json: Bicep does not read 'status'"),
]

UNDOCUMENTED = [
    (MAIN, "'0 */15 * * * *'", "'*/15 * * * *'", "Bicep VMREACH_SWEEP_SCHEDULE: the default is no schedule: "),
    (VARIABLES, '"0 0 5 * * *"', '"0 0 25 * * *"', "Terraform VMREACH_AUDIT_SCHEDULE: the default is no schedule: "),
    (MAIN, "VMREACH_CLOUD: cloud", "VMREACH_CLOUDS: cloud", "Bicep VMREACH_CLOUDS: docs/settings.md does not have it"),
    (MAIN, "VMREACH_CLOUD: cloud", "VMREACH_CLOUD: runCommand", "is not made of the parameter cloud"),
    (APP, "= var.cloud", '= "public"', "is not made of the parameter cloud"),
    (MAIN, "@maxValue(720)", "@maxValue(721)", "lets 721 pass, and vmreach refuses it: "),
    (MAIN, "@allowed(['on', 'off'])", "@allowed(['on'])", "Bicep VMREACH_RUN_COMMAND: allows ['on'], and vmreach "),
    ("bicep/app.bicep", "@secure()\n", "", "Bicep app.bicep: teamsWebhookUrl is given teams_webhook_url, and is not "),
    (VARIABLES, "VMREACH_CLOUD, and the", "VMREACH_CLOUD, the", ""),
]


ELSEWHERE = [
    (
        (MAIN, "string(pollSeconds)"),
        "string(pollSeconds + 1)",
        app.test_settings_that_are_not_given_have_their_defaults,
    ),
    ((MAIN, "policySetting, endpointSetting"), "policySetting", app.test_each_setting_is_what_its_parameter_says),
    ((SITE, "'ActionGroup'"), "'AzureCloud'", app.test_the_app_lets_azure_monitor_in_and_takes_no_password),
    (
        (SITE, "AZURE_CLIENT_ID: identityClientId"),
        "AZURE_CLIENT_ID: name",
        app.test_the_host_is_told_whose_identity_to_use,
    ),
    ((SITE, "'FunctionAppLogs'"), "'FunctionLogs'", access.test_app_storage_and_vault_log_to_the_workspace),
    ((SITE, "Authentication: !empty"), "Authentication: empty", app.test_with_entra_id_only_action_groups_may_call),
    ((STORAGE, "publicAccess: 'None'"), "publicAccess: 'Blob'", access.test_storage_is_what_vmreach_works_with),
    ((MAIN, "if (watch)"), "if (!watch)", watch.test_nothing_is_watched_where_nothing_is_to_be),
    ((WATCH, "=> !empty(act"), "=> rule.key != 'x' && empty(act", watch.test_there_is_a_rule_for_each_of_the_file),
    ((EVENTS, "Interfaces/write"), "Interfaces/delete", watch.test_failed_writes_of_nics_go_to_the_queue),
]
"""Texts of Bicep that both the checker and the comparison take, and the test of what is deployed that does not."""


def broken(folder: Path, name: str, old: str, new: str) -> Path:
    """A copy of the templates in which one text stands for another."""
    copy = folder / "infra"
    shutil.copytree(INFRA, copy, ignore=shutil.ignore_patterns(".terraform"))
    text = (copy / name).read_text()
    assert old in text, f"{name} has no {old!r} any more: break something else"
    (copy / name).write_text(text.replace(old, new))
    return copy


def failed(outcomes: Iterable[Outcome]) -> str:
    return "\n".join(outcome.output for outcome in outcomes if outcome.result is Result.FAILED)


@pytest.mark.parametrize(("name", "old", "new", "said"), UNEQUAL)
def test_a_difference_is_told(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    assert said in "\n".join(parity.differences(broken(tmp_path, name, old, new)))


@pytest.mark.parametrize(("name", "old", "new", "said"), UNDOCUMENTED)
def test_a_setting_that_is_not_as_documented_is_told(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    found = "\n".join(documented.problems(broken(tmp_path, name, old, new), PAGE))
    assert said in found if said else not found


@pytest.mark.parametrize(("where", "new", "test"), ELSEWHERE)
def test_bicep_that_deploys_something_else_is_told(
    tmp_path: Path, where: tuple[str, str], new: str, test: Callable[[], None]
) -> None:
    with plans.of(broken(tmp_path, *where, new) / "bicep"), pytest.raises(AssertionError):
        test()


def test_a_parameter_that_says_nothing_of_itself_is_told(tmp_path: Path) -> None:
    copy = broken(tmp_path, SITE, "@description('Azure region.')\n", "")
    told = "bicep/modules/function-app.bicep: parameter location has no description"
    assert [*documented.undescribed(copy)] == [told]


def test_an_action_that_a_role_lacks_is_told(tmp_path: Path) -> None:
    copy = broken(
        tmp_path, "shared/roles.json", '"Microsoft.Network/networkInterfaces/read"', '"Microsoft.Network/x/read"'
    )
    calls = [Call("GET", NIC, {}, None, 200)]
    assert roles.lacking(calls, ["diagnose"]) == []
    action, left = "Microsoft.Network/networkInterfaces/read", json.loads((copy / "shared/roles.json").read_text())
    assert roles.lacking(calls, ["diagnose"], left) == [f"role diagnose lacks {action}, needed for GET {NIC}"]


def test_an_action_beside_the_shared_file_is_told(tmp_path: Path) -> None:
    old = "actions = keys(each.value.actions)"
    new = 'actions = concat(keys(each.value.actions), ["Microsoft.Network/*/read"])'
    copy = broken(tmp_path, "terraform/modules/roles/main.tf", old, new)
    assert "role action Microsoft.Network/*/read: Bicep lacks it" in parity.differences(copy)


def test_a_suppression_without_a_reason_is_told(tmp_path: Path) -> None:
    reason = ":private endpoints are there where private_network is on"
    copy = broken(tmp_path, ACCOUNT, f"CKV2_AZURE_33{reason}", "CKV2_AZURE_33")
    (told,) = checkov.bare_skips(copy)
    assert told.startswith("terraform/storage.tf:")
    assert ": CKV2_AZURE_33 is suppressed without a reason" in told


def test_a_file_that_checkov_cannot_read_may_deploy_nothing_it_checks(tmp_path: Path) -> None:
    copy = broken(tmp_path, STORAGE, "param containers array", "param containers string[]")
    (told,) = checkov.unread([copy / MAIN, copy / STORAGE])
    assert told.startswith(
        "storage.bicep: Checkov cannot read it, and it deploys Microsoft.Insights/diagnosticSettings"
    )


@pytest.mark.skipif(not checkov.PROGRAM.exists(), reason="Checkov is not installed")
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (ACCOUNT, '"TLS1_2"', '"TLS1_0"', "azurerm_storage_account.this: CKV_AZURE_44 "),
        (STORAGE, "'TLS1_2'", "'TLS1_0'", "account: CKV_AZURE_44 "),
        (STORAGE, "param containers array", "param containers string[]", "storage.bicep: Checkov cannot read it"),
    ],
)
def test_checkov_tells_what_is_not_safe(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    way = name.partition("/")[0]
    assert said in failed([checkov.scanned(broken(tmp_path, name, old, new) / way, way)])


@pytest.mark.skipif(not lent("bicep-check"), reason="bicep-check is not in VMREACH_TOOLS")
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (SITE, "httpsOnly: true", "httpOnly: true", "function-app.bicep:site.properties: no property 'httpOnly'"),
        (MAIN, "    name: name\n", "    nam: name\n", "declares no parameter 'nam'"),
        (STORAGE, "account '", "account ", "storage.bicep: does not parse: Unexpected token"),
        (
            "bicep/modules/network.bicep",
            "registrationEnabled",
            "registrationEnable",
            "no property 'registrationEnable'",
        ),
    ],
)
def test_bicep_with_a_misspelt_word_is_told(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    checker = lent("bicep-check")
    assert checker is not None
    assert said in failed([bicep.checked(broken(tmp_path, name, old, new) / "bicep", checker)])


@pytest.mark.skipif(not shutil.which("terraform"), reason="Terraform is not installed")
def test_terraform_with_a_misspelt_word_is_told(tmp_path: Path) -> None:
    copy = broken(tmp_path, "terraform/app.tf", "  https_only   ", "  http_only    ")
    for name in ("tests", "examples"):
        shutil.rmtree(copy / "terraform" / name)
    outcomes = [*terraform.checks(copy)]
    assert 'An argument named "http_only" is not expected here' in failed(outcomes)
    assert [each.what for each in outcomes if each.result is Result.FAILED] == ["validate"]
