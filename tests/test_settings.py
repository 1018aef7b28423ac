from __future__ import annotations

import re
from pathlib import Path

import pytest

from diagnostics.app import App
from diagnostics.errors import ParseError, SettingsError
from diagnostics.findings import Severity
from diagnostics.settings import CLOUDS, RemediationMode, Settings, Target, is_loopback

SUBSCRIPTION = "11111111-aaaa-4bbb-8ccc-000000000001"
STORAGE = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=c2VjcmV0LWtleQ==;EndpointSuffix=core.windows.net"
GOOD = {"VMREACH_SCOPES": SUBSCRIPTION, "AzureWebJobsStorage": STORAGE}
WRONG = {
    "VMREACH_SCOPES": "everything",
    "VMREACH_REMEDIATION_MODE": "yolo",
    "VMREACH_SWEEP_SCHEDULE": "*/15 * * * *",
    "VMREACH_AUDIT_SCHEDULE": "daily",
    "VMREACH_AUDIT_SEVERITY": "severe",
    "VMREACH_AUDIT_POLICY": "@nowhere.toml",
    "VMREACH_REPORTS_CONTAINER": "$logs",
    "VMREACH_FINDINGS_QUEUE": "Findings!",
    "VMREACH_TEAMS_WEBHOOK_URL": "http://hook.example/hidden-signature",
    "VMREACH_INTERNET_TARGET": "https://www.example.com",
    "VMREACH_RUN_COMMAND": "maybe",
    "VMREACH_CHECKS_PER_REGION": "101",
    "VMREACH_RECHECK_MINUTES": "1441",
    "VMREACH_HISTORY_HOURS": "2161",
    "VMREACH_CLOUD": "mars",
    "VMREACH_ARM_ENDPOINT": "http://arm.example",
    "VMREACH_POLL_SECONDS": "soon",
    "VMREACH_WAIT_SECONDS": "-1",
}


def read(**more: str) -> Settings:
    return Settings.from_env(GOOD | more)


def error(env: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(env)
    return str(refused.value)


def test_the_defaults_are_careful() -> None:
    settings = read()
    assert settings.remediation_mode is RemediationMode.DRY_RUN
    assert settings.internet_target == Target("www.microsoft.com", 443)
    assert (settings.cloud, settings.arm_endpoint) == (CLOUDS["public"], "https://management.azure.com")
    assert not settings.run_command
    assert (settings.checks_per_region, settings.recheck_minutes, settings.history_hours) == (4, 15, 12)
    assert (settings.audit_severity, settings.audit_policy, settings.reports_container) == ("medium", None, "reports")
    assert (settings.findings_queue, settings.teams_webhook_url, settings.client_id) == ("findings", "", None)


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = error(WRONG)
    assert [name for name in (*WRONG, "AzureWebJobsStorage") if name not in said] == []
    assert "hidden" not in said
    assert [value for name, value in WRONG.items() if "URL" not in name and value not in said] == []


def test_nothing_at_all_is_said_clearly() -> None:
    said = error({})
    assert "VMREACH_SCOPES: names no subscription" in said
    assert "AzureWebJobsStorage__accountName" in said


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("VMREACH_POLL_SECONDS", "nan"),
        ("VMREACH_POLL_SECONDS", "inf"),
        ("VMREACH_POLL_SECONDS", "0"),
        ("VMREACH_POLL_SECONDS", "3601"),
        ("VMREACH_WAIT_SECONDS", "721"),
        ("VMREACH_INTERNET_TARGET", "www.example.com:0"),
        ("VMREACH_INTERNET_TARGET", "www.example.com:" + "9" * 5_000),
        ("VMREACH_INTERNET_TARGET", "a b:443"),
        ("VMREACH_INTERNET_TARGET", "www.example.com"),
        ("VMREACH_RUN_COMMAND", "true"),
        ("VMREACH_CHECKS_PER_REGION", "0"),
        ("VMREACH_CHECKS_PER_REGION", "-1"),
        ("VMREACH_CHECKS_PER_REGION", "4.0"),
        ("VMREACH_CHECKS_PER_REGION", "many"),
        ("VMREACH_RECHECK_MINUTES", "9" * 5_000),
        ("VMREACH_RECHECK_MINUTES", "1e3"),
        ("VMREACH_HISTORY_HOURS", "0"),
        ("VMREACH_FINDINGS_QUEUE", "ab"),
        ("VMREACH_FINDINGS_QUEUE", "a--b"),
        ("VMREACH_FINDINGS_QUEUE", "q" * 64),
        ("VMREACH_SWEEP_SCHEDULE", "0 */15 * * * ; rm"),
        ("VMREACH_AUDIT_SCHEDULE", "0 0 5 * *"),
        ("VMREACH_AUDIT_SEVERITY", "none"),
        ("VMREACH_AUDIT_POLICY", "severity"),
        ("VMREACH_AUDIT_POLICY", "severity.NSG001 = 'bad'"),
        ("VMREACH_AUDIT_POLICY", "severity.XXX999 = 'low'"),
        ("VMREACH_AUDIT_POLICY", "[[suppress]]\ncheck = 'NSG001'\nresource = 'a'\nuntil = 2027-01-31"),
        ("VMREACH_REPORTS_CONTAINER", "Reports"),
        ("VMREACH_REPORTS_CONTAINER", "r" * 64),
        ("VMREACH_ARM_ENDPOINT", "ftp://arm"),
        ("VMREACH_ARM_ENDPOINT", "https://[x"),
        ("VMREACH_ARM_ENDPOINT", "http://127.0.0.1.evil.example"),
        ("VMREACH_TEAMS_WEBHOOK_URL", "https://"),
        ("VMREACH_TEAMS_WEBHOOK_URL", "http://example.com/x"),
        ("VMREACH_TEAMS_WEBHOOK_URL", "https://contoso.webhook.office.com/x"),
        ("AzureWebJobsStorage__queueServiceUri", "http://account.queue.core.windows.net"),
        ("AzureWebJobsStorage__blobServiceUri", "http://account.blob.core.windows.net"),
    ],
)
def test_a_wrong_value_is_named(name: str, bad: str) -> None:
    assert error(GOOD | {name: bad}).startswith(f"settings: {name}: ")


def test_the_documentation_has_every_setting_with_its_default() -> None:
    text = (Path(__file__).parents[1] / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(VMREACH_\w+)` \| (.+?) \|", text, re.MULTILINE))
    spelled = {name: default.strip("`") for name, default in rows.items() if default.startswith("`")}
    assert sorted(rows) == sorted(WRONG)
    assert read(**spelled) == read()


def test_blank_is_not_set() -> None:
    assert read(VMREACH_REMEDIATION_MODE="  ", VMREACH_FINDINGS_QUEUE="") == read()


def test_secrets_do_not_show() -> None:
    settings = read(VMREACH_TEAMS_WEBHOOK_URL="https://hook.example/?sig=secret-signature")
    assert settings.teams_webhook_url.endswith("secret-signature")
    assert "secret" not in repr(settings)
    assert "c2VjcmV0" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "mode"),
    [("AUTO", RemediationMode.AUTO), ("Dry-Run", RemediationMode.DRY_RUN), ("off", RemediationMode.OFF)],
)
def test_modes_in_any_case(text: str, mode: RemediationMode) -> None:
    assert read(VMREACH_REMEDIATION_MODE=text).remediation_mode is mode


@pytest.mark.parametrize(("text", "on"), [("on", True), ("ON", True), ("Off", False), (" ", False)])
def test_a_switch_in_any_case(text: str, *, on: bool) -> None:
    assert read(VMREACH_RUN_COMMAND=text).run_command is on


@pytest.mark.parametrize(
    ("text", "severity"), [("High", Severity.HIGH), ("info", Severity.INFO), ("OFF", None), ("", Severity.MEDIUM)]
)
def test_a_severity_in_any_case(text: str, severity: Severity | None) -> None:
    assert read(VMREACH_AUDIT_SEVERITY=text).audit_severity is severity


@pytest.mark.parametrize(("text", "container"), [("Off", ""), ("off-site", "off-site"), ("", "reports")])
def test_reports_may_be_off(text: str, container: str) -> None:
    assert read(VMREACH_REPORTS_CONTAINER=text).reports_container == container


POLICY = "severity.NSG001 = 'off'\n[[suppress]]\ncheck = 'INT*'\nresource = 'a'\nreason = 'b'\nuntil = 2027-01-31\n"


def from_file(path: str) -> str:
    if path != "policy/audit.toml":
        raise ParseError("No such file")
    return POLICY


@pytest.mark.parametrize("text", [POLICY, "@policy/audit.toml"])
def test_a_policy_as_text_or_file(text: str) -> None:
    policy = Settings.from_env(GOOD | {"VMREACH_AUDIT_POLICY": text}, from_file).audit_policy
    assert policy is not None
    assert (policy.off, [each.resource for each in policy.suppressions]) == (frozenset({"NSG001"}), ["a"])


def test_a_policy_that_is_no_file_of_the_package_is_named() -> None:
    with pytest.raises(SettingsError, match=r"VMREACH_AUDIT_POLICY: '@no.toml': No such file or directory in the"):
        App(GOOD | {"VMREACH_AUDIT_POLICY": "@no.toml"})


def test_a_file_of_the_package_that_is_no_policy_is_named() -> None:
    with pytest.raises(SettingsError, match=r"VMREACH_AUDIT_POLICY: @pyproject.toml: \S+: is neither"):
        App(GOOD | {"VMREACH_AUDIT_POLICY": "@pyproject.toml"})


@pytest.mark.parametrize("minutes", [0, 1, 1_440])
def test_bounds_are_within(minutes: int) -> None:
    assert read(VMREACH_RECHECK_MINUTES=str(minutes)).recheck_minutes == minutes


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_plain_http_is_for_loopback(host: str) -> None:
    settings = read(VMREACH_ARM_ENDPOINT=f"http://{host}/", VMREACH_TEAMS_WEBHOOK_URL=f"http://{host}/hook")
    assert settings.arm_endpoint == f"http://{host}"
    assert is_loopback(settings.teams_webhook_url)


ADDRESSES = {f"{kind}ServiceUri": f"https://{kind}.example" for kind in ("queue", "table", "blob")}


@pytest.mark.parametrize(
    ("more", "uris"),
    [
        ({"accountName": "stvm"}, [f"https://stvm.{kind}.core.windows.net" for kind in ("queue", "table", "blob")]),
        (ADDRESSES, list(ADDRESSES.values())),
        (
            {"accountName": "stvm", "queueServiceUri": "https://queue.example"},
            ["https://queue.example", "https://stvm.table.core.windows.net", "https://stvm.blob.core.windows.net"],
        ),
    ],
    ids=["account name", "addresses", "both"],
)
def test_storage_by_identity(more: dict[str, str], uris: list[str]) -> None:
    named = {f"AzureWebJobsStorage__{name}": value for name, value in more.items()}
    identity = {"AzureWebJobsStorage__clientId": "id-1"}
    storage = Settings.from_env({"VMREACH_SCOPES": SUBSCRIPTION} | named | identity).storage
    assert ([storage.queue_uri, storage.table_uri, storage.blob_uri], storage.client_id) == (uris, "id-1")
    assert storage.connection_string == ""


@pytest.mark.parametrize(("container", "wanting"), [("", True), ("off", False)], ids=["reports", "no reports"])
def test_blobs_are_needed_for_reports_only(container: str, *, wanting: bool) -> None:
    named = {f"AzureWebJobsStorage__{name}": value for name, value in ADDRESSES.items() if "blob" not in name}
    env = {"VMREACH_SCOPES": SUBSCRIPTION, "VMREACH_REPORTS_CONTAINER": container, **named}
    if wanting:
        assert "__tableServiceUri and __blobServiceUri" in error(env)
    else:
        assert Settings.from_env(env).storage.blob_uri == ""


def test_half_of_a_storage_account_is_none() -> None:
    half = {"VMREACH_SCOPES": SUBSCRIPTION, "AzureWebJobsStorage__queueServiceUri": "https://q.example"}
    assert "__tableServiceUri" in error(half)


@pytest.mark.parametrize("name", CLOUDS)
def test_sovereign_clouds(name: str) -> None:
    env = {"VMREACH_SCOPES": SUBSCRIPTION, "AzureWebJobsStorage__accountName": "stvm", "VMREACH_CLOUD": name.upper()}
    settings = Settings.from_env(env)
    assert settings.cloud == CLOUDS[name]
    assert settings.arm_endpoint == CLOUDS[name].arm
    assert settings.storage.queue_uri == f"https://stvm.queue.{CLOUDS[name].storage_suffix}"
    assert settings.cloud.audience == f"{CLOUDS[name].arm}/.default"
