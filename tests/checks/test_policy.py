"""What an owner decided: severities, and findings left out until a day."""

from datetime import UTC, date, datetime

import pytest

from diagnostics.checks.audit import Audit, audit
from diagnostics.checks.policy import Policy
from diagnostics.errors import ParseError
from diagnostics.findings import Severity
from diagnostics.network.reading import read_objects
from tests.checks.audited import Body, estate, resource, subnet, vnet

KNOWN = ["NIC001", "NET001", "NSG001"]
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def failed(**others: object) -> Body:
    return resource("nic", "nic-web-01", {"provisioningState": "Failed"}, **others)


def nic(name: str) -> Body:
    rid = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-1/providers/Microsoft.Network/networkInterfaces/{name}"
    return {"id": rid, "properties": {"provisioningState": "Failed"}}


def made(policy: str, *resources: Body, now: datetime | None = NOW) -> Audit:
    return audit(estate(resources or [failed()]), Policy.read(policy, "policy.toml", KNOWN), now, only=KNOWN)


def suppressing(resource: str, until: str = "2026-11-25", check: str = "NIC001") -> str:
    return f'[[suppress]]\ncheck = "{check}"\nresource = "{resource}"\nreason = "planned"\nuntil = {until}\n'


@pytest.mark.parametrize(
    ("resource", "check"),
    [
        ("nic-web-01", "NIC001"),
        ("NIC-WEB-01", "NIC001"),
        ("nic-web-*", "NIC001"),
        ("nic-web-01", "NIC*"),
        ("/subscriptions/*/providers/microsoft.network/networkinterfaces/nic-web-01", "NIC001"),
        ("/subscriptions/*/resourceGroups/*", "*"),
        ("/Subscriptions/*/resourcegroups/*/", "N*1"),
    ],
)
def test_a_finding_is_left_out_and_told(resource: str, check: str) -> None:
    found = made(suppressing(resource, check=check))
    assert found.findings == ()
    assert [(each.reason, each.until) for each in found.suppressed] == [("planned", date(2026, 11, 25))]


@pytest.mark.parametrize(
    ("resource", "check"),
    [
        ("nic-web-02", "NIC001"),
        ("nic-web-01", "NSG001"),
        ("nic-web", "NIC001"),
        ("/subscriptions/other/*", "NIC001"),
    ],
)
def test_another_resource_or_check_is_not_meant(resource: str, check: str) -> None:
    found = made(suppressing(resource, check=check))
    assert [each.check for each in found.findings] == ["NIC001"]
    assert found.suppressed == ()


@pytest.mark.parametrize(("until", "back"), [("2026-11-24", True), ("2026-11-25", False), ("2026-11-26", False)])
def test_a_suppression_ends_with_its_day_and_the_finding_says_so(until: str, *, back: bool) -> None:
    found = made(suppressing("nic-web-01", until))
    assert bool(found.findings) is back
    assert ["has passed" in each.because[-1].text for each in found.findings] == ([True] if back else [])


@pytest.mark.parametrize(
    ("resource", "left_out"),
    [
        ("nic-[0]", ["nic-[0]"]),
        ("nic-[0]*", ["nic-[0]"]),
        ("/subscriptions/*/networkInterfaces/nic-[0]", ["nic-[0]"]),
        ("nic-?", []),
        ("nic-*", ["nic-0", "nic-[0]"]),
    ],
)
def test_only_a_star_stands_for_anything(resource: str, left_out: list[str]) -> None:
    bodies = [nic(name) for name in ("nic-0", "nic-[0]")]
    found = audit(read_objects(bodies), Policy.read(suppressing(resource), "policy.toml", KNOWN), NOW, only=["NIC001"])
    assert [each.finding.resource.name for each in found.suppressed] == left_out


GROUP_ID = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-1"


@pytest.mark.parametrize(
    ("check", "resource", "left_out"),
    [
        ("LOC001", "rg-1", True),
        ("LOC001", "RG-*", True),
        ("LOC001", GROUP_ID.upper(), True),
        ("LOC001", f"/subscriptions/{SUBSCRIPTION}", True),
        ("LOC001", "rg-2", False),
        ("LOC001", f"{GROUP_ID}0", False),
        ("ALR001", SUBSCRIPTION, True),
        ("ALR001", f"/subscriptions/{SUBSCRIPTION}", True),
        ("ALR001", GROUP_ID, False),
    ],
)
def test_a_finding_about_a_group_or_subscription_is_left_out(check: str, resource: str, *, left_out: bool) -> None:
    bodies = [{"id": f"{GROUP_ID}/providers/Microsoft.Network/networkSecurityGroups/n", "properties": {}}]
    policy = Policy.read(suppressing(resource, check=check), "policy.toml", [check])
    found = audit(read_objects(bodies, complete=True), policy, NOW, only=[check])
    assert (len(found.findings), len(found.suppressed)) == ((0, 1) if left_out else (1, 0))


def test_a_tag_on_a_network_leaves_out_what_is_found_of_its_subnets() -> None:
    tags = {"vmreach-suppress-NET002": "2026-12-31 planned"}
    network = vnet("v", subnet("s", "10.0.0.0/24"))
    found = [audit(estate([{**network, **more}]), only=["NET002"]) for more in ({}, {"tags": tags})]
    assert [(len(each.findings), len(each.suppressed)) for each in found] == [(1, 0), (0, 1)]


def test_a_day_may_be_in_quotes() -> None:
    assert made(suppressing("nic-web-01", '"2026-11-25"')).findings == ()


def test_without_a_time_no_suppression_has_ended() -> None:
    assert made(suppressing("nic-web-01", "2020-01-01"), now=None).findings == ()


@pytest.mark.parametrize(
    ("tags", "left_out"),
    [
        ({"vmreach-suppress-NIC001": "2026-12-31 planned"}, True),
        ({"VMREACH-Suppress-nic001": "2026-12-31: planned"}, True),
        ({"vmreach-suppress-NIC001": "2026-01-31 planned"}, False),
        ({"vmreach-suppress-NSG001": "2026-12-31 planned"}, False),
        ({"vmreach-suppress-NIC001": "2026-12-31"}, False),
        ({"vmreach-suppress-NIC001": "planned"}, False),
        ({"vmreach-suppress-NIC001": "2026-13-31 planned"}, False),
    ],
)
def test_a_tag_leaves_out(tags: dict[str, str], *, left_out: bool) -> None:
    found = made("", failed(tags=tags))
    assert (len(found.findings), len(found.suppressed)) == ((0, 1) if left_out else (1, 0))


def test_a_tag_for_a_check_that_there_is_none_of_is_told() -> None:
    (told,) = made("", failed(tags={"vmreach-suppress-NIC999": "2026-12-31 planned"})).unknown
    assert "there is no check 'NIC999'" in told.missing[0]


@pytest.mark.parametrize("value", ["2026-12-31", "planned", "2026-13-31 planned"])
def test_a_tag_that_says_no_day_or_no_reason_is_told(value: str) -> None:
    (told,) = made("", failed(tags={"vmreach-suppress-NIC001": value})).unknown
    assert (told.check, told.resource.name) == ("*", "nic-web-01")
    assert "vmreach-suppress-NIC001" in told.missing[0]


def test_a_severity_is_set_and_a_check_is_off() -> None:
    found = made('[severity]\nNIC001 = "low"\nNET001 = "off"\n', failed(), vnet("v", provisioningState="Failed"))
    assert [(each.check, each.severity) for each in found.findings] == [("NIC001", Severity.LOW)]
    assert [each.id for each in found.checks] == ["NIC001", "NSG001"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("severity = [", "policy.toml: is not TOML"),
        ('[severity]\nNIC999 = "low"', "policy.toml: severity: there is no check 'NIC999'"),
        ('[severity]\nNIC001 = "bad"', "policy.toml: severity.NIC001: 'bad' is none of critical"),
        ("[severity]\nNIC001 = 3", "policy.toml: severity.NIC001: 3 is none of"),
        ("severity = 3", "policy.toml: severity: is not a table"),
        ("[other]", "policy.toml: other: is neither"),
        ('suppress = "x"', "policy.toml: suppress: write [[suppress]]"),
        ("suppress = [3]", "policy.toml: suppress[0]: 3 is not a table"),
        (suppressing("x").replace("reason", "why"), "policy.toml: suppress[0].why: is none of check, reason"),
        (suppressing("x").replace('"planned"', '" "'), "policy.toml: suppress[0].reason: ' ' is no text"),
        (suppressing("x").replace("2026-11-25", '"soon"'), "policy.toml: suppress[0].until: 'soon' is no day"),
        (suppressing("x").replace("2026-11-25", "2026-11-25T01:00:00"), "policy.toml: suppress[0].until: "),
        (suppressing("x", check="NIC0"), "policy.toml: suppress[0].check: there is no check 'NIC0'"),
        (suppressing("x", check="INTO*"), "policy.toml: suppress[0].check: there is no check 'INTO*'"),
        (suppressing("x", check="NIC00[1]"), "policy.toml: suppress[0].check: there is no check 'NIC00[1]'"),
        (
            '[[suppress]]\ncheck = "NIC001"\nresource = "x"\nreason = "y"',
            "policy.toml: suppress[0].until: None is no day",
        ),
    ],
)
def test_a_policy_that_does_not_fit_is_one_clear_error(text: str, told: str) -> None:
    with pytest.raises(ParseError) as error:
        Policy.read(text, "policy.toml", KNOWN)
    assert str(error.value).startswith(told)
