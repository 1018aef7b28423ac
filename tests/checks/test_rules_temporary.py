"""Rules that were meant for a while."""

from datetime import UTC, datetime

import pytest

from diagnostics.checks.audit import audit
from diagnostics.checks.rules_temporary import words_of
from diagnostics.network.estate import Estate
from diagnostics.network.facts import Facts, Written
from tests.checks.audited import Body, estate, nic, nsg, public_ip, ref, subnet, vm, vnet
from tests.checks.rules_written import allow, deny, halves, outbound

NOW = datetime(2026, 11, 25, tzinfo=UTC)
RULE = "/securityRules/"


def around(rule: Body, *, public: bool = True) -> Estate:
    """An NSG with a rule, on the subnet of a VM with a public address or without one."""
    at = ref("subnet", "vnet", "web")
    configuration = {"publicIPAddress": ref("public", "pip")} if public else {}
    return estate(
        [
            vnet("vnet", subnet("web", "10.0.1.0/24", networkSecurityGroup=ref("nsg", "nsg"))),
            nsg("nsg", rule),
            nic("nic", "10.0.1.4", at, "vm", configuration),
            vm("vm", "nic"),
            public_ip("pip"),
        ]
    )


def severities(of: Estate, now: datetime | None = NOW) -> list[str]:
    return [each.severity for each in audit(of, now=now, only=["NSG008"]).findings]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param(allow("temp-ssh", 100, "22"), ["high"], id="temp, SSH, everybody"),
        pytest.param(allow("TempAllowAll", 100, "*", "0.0.0.0/0"), ["high"], id="camel case, all ports"),
        pytest.param(halves("temp-ssh", 100, "Allow", "22"), ["high"], id="everybody as two /1s"),
        pytest.param(
            allow("temp-ssh", 100, "", "INTERNET", destinationPortRanges=["22"]), ["high"], id="a plural port"
        ),
        pytest.param(allow("temp-web", 100, "443"), ["medium"], id="everybody, to a web server"),
        pytest.param(allow("tmp", 100, "*", "10.1.0.0/16"), ["medium"], id="every port"),
        pytest.param(allow("tmp", 100, "443", "VirtualNetwork"), ["medium"], id="the whole network"),
        pytest.param(allow("tmp", 100, "443", "10.1.0.0/16"), ["low"], id="a narrow one"),
        pytest.param(deny("tmp", 100, "443"), ["low"], id="a Deny"),
        pytest.param(outbound("tmp-out", 100, "Allow"), ["medium"], id="outbound"),
        pytest.param(allow("ssh", 100, "22", "10.1.0.9", description="Delete me after the demo"), ["low"], id="words"),
        pytest.param(allow("test-ssh", 100, "22"), ["high"], id="test, wide open"),
        pytest.param(allow("test-web", 100, "443"), [], id="test is an environment too"),
        pytest.param(allow("test-ssh", 100, "22", "10.1.0.0/16"), [], id="test, narrow"),
        pytest.param(allow("template-latest", 100, "22"), [], id="words within words"),
        pytest.param(allow("ssh", 100, "22", description="for the contest; attempt 2"), [], id="more of them"),
        pytest.param(allow("ssh", 100, "22", description="INC0012345"), ["high"], id="a ticket, wide open"),
        pytest.param(allow("ssh", 100, "22", "10.1.0.9", description="INC0012345"), [], id="a ticket, narrow"),
        pytest.param(
            allow("x", 100, "22", "10.1.0.9", description="valid until 2026-03-01"), ["low"], id="its day is over"
        ),
        pytest.param(allow("x-until-20260301", 100, "22", "10.1.0.9"), ["low"], id="in its name"),
        pytest.param(allow("x", 100, "22", "10.1.0.9", description="expires 1 March 2026"), ["low"], id="in words"),
        pytest.param(allow("x", 100, "22", "10.1.0.9", description="remove by 01.03.2026"), ["low"], id="day first"),
        pytest.param(allow("temp", 100, "22", description="until 2027-03-01"), [], id="its day is to come"),
        pytest.param(allow("x", 100, "22", "10.1.0.9", description="since 2021-03-01"), [], id="a date that is no end"),
    ],
)
def test_what_was_meant_for_a_while_is_told_by_what_it_opens(rule: Body, expected: list[str]) -> None:
    assert severities(around(rule)) == expected


def test_what_no_public_address_leads_to_is_not_high() -> None:
    assert severities(around(allow("temp-ssh", 100, "22"), public=False)) == ["medium"]


def test_what_guards_nothing_is_low() -> None:
    assert severities(estate([nsg("nsg", allow("temp-ssh", 100, "22"))])) == ["low"]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        pytest.param(datetime(2026, 11, 20, tzinfo=UTC), [], id="five days old"),
        pytest.param(datetime(2026, 9, 1, tzinfo=UTC), [("low", "likely")], id="three months old"),
        pytest.param(None, [("low", "possible")], id="not known"),
    ],
)
def test_its_age_counts(when: datetime | None, expected: list[tuple[str, str]]) -> None:
    plain = around(allow("tmp", 100, "443", "10.1.0.0/16"))
    group = next(iter(plain.security_groups))
    rule = type(group).parse(f"{group.text.upper().replace('/SUBSCRIPTIONS', '/subscriptions')}{RULE}TMP")
    facts = Facts(plain.facts.resources, writes=(Written(rule, when),) if when else (), complete=True)
    found = audit(
        Estate(plain.networks, plain.nics, plain.vms, plain.security_groups, facts=facts), now=NOW, only=["NSG008"]
    )
    assert [(each.severity, each.confidence) for each in found.findings] == expected


def test_without_the_time_a_date_tells_nothing() -> None:
    assert severities(around(allow("x", 100, "22", "10.1.0.9", description="until 2026-03-01")), now=None) == []


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("TMP_rule", ("tmp",)),
        ("SSHTemp", ("temp",)),
        ("please remove me", ("remove me", "please remove")),
        ("DeleteMe", ("delete me",)),
        ("contemporary temperature", ()),
    ],
)
def test_words_have_edges(text: str, sure: tuple[str, ...]) -> None:
    assert words_of(text)[0] == sure


def test_the_remedy_takes_it_away() -> None:
    (found,) = audit(around(allow("temp-ssh", 100, "22")), now=NOW, only=["NSG008"]).findings
    assert "az network nsg rule delete" in found.remedy.az_cli
