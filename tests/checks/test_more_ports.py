"""What an NSG lets in from the internet that is no service with a check of its own."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.checks.audit import audit
from diagnostics.network.model import SecurityRule
from tests.checks.audited import Body, audited, estate, nsg, ref, subnet, vnet
from tests.checks.rules_written import HALVES, allow, deny, halves, outbound

HIGH = "12345"


@pytest.mark.parametrize(
    ("rules", "ports"),
    [
        pytest.param([allow("r", 100, HIGH)], "TCP 12345", id="one port"),
        pytest.param([allow("r", 100, HIGH, "iNTERNET", protocol="Udp")], "UDP 12345", id="UDP, a tag in another case"),
        pytest.param([allow("r", 100, HIGH, "::/0")], "TCP 12345", id="IPv6"),
        pytest.param([halves("r", 100, "Allow", HIGH)], "TCP 12345, UDP 12345", id="two halves, every protocol"),
        pytest.param(
            [allow("r", 100, destinationPortRange="", destinationPortRanges=["22", HIGH])],
            "TCP 12345",
            id="plural ports, and one that another check tells of",
        ),
        pytest.param([allow("r", 100, "12300-12400")], "TCP 12300-12400", id="a range"),
        pytest.param([allow("r", 100, "443")], "", id="a service with its own check"),
        pytest.param([allow("r", 100, "123", protocol="Udp")], "", id="a UDP service with its own check"),
        pytest.param([allow("r", 100, "30000-32767")], "", id="a broad range has its own check"),
        pytest.param([allow("r", 100, "30000-32767", protocol="Udp")], "", id="a broad range of UDP has, too"),
        pytest.param(
            [deny(f"d{n}", 90 + n, f"{30_000 + 500 * n}") for n in range(5)] + [allow("r", 100, "30000-32499")],
            "",
            id="a broad range, in pieces by what stands above it",
        ),
        pytest.param([allow("r", 100, "*")], "", id="every port has its own check"),
        pytest.param([allow("r", 100, HIGH, "203.0.113.0/24")], "", id="an office"),
        pytest.param([allow("r", 100, HIGH, "AzureCloud")], "", id="all of Azure"),
        pytest.param([allow("r", 100, protocol="Icmp")], "", id="ICMP has no ports"),
        pytest.param([outbound("r", 100, "Allow", HIGH)], "", id="outbound"),
        pytest.param([halves("d", 90, "Deny"), allow("r", 100, HIGH, "0.0.0.0/0")], "", id="Deny above, as two halves"),
        pytest.param([halves("d", 90, "Deny"), allow("r", 100, HIGH)], "TCP 12345", id="of IPv4 alone"),
        pytest.param([deny("d", 110), allow("r", 100, HIGH)], "TCP 12345", id="Deny below"),
        pytest.param(
            [allow("r", 100, HIGH, "", sourceAddressPrefixes=HALVES)], "TCP 12345", id="two halves in one field"
        ),
    ],
)
def test_ports_that_no_other_check_tells_of(rules: list[Body], ports: str) -> None:
    expected = [f"NSG nsg-1 lets the internet in to other ports ({ports})"] if ports else []
    assert [each.title for each in audited("INT027", [nsg("nsg-1", *rules)]).findings] == expected


def test_a_source_without_a_value_makes_it_unknown() -> None:
    made = estate([nsg("nsg-1")])
    (group,) = made.security_groups.values()
    terms: Any = {"sources": ("[parameters('from')]",), "destination_ports": (HIGH,)}
    asked = SecurityRule("r", 100, "Inbound", "Allow", default=False, protocol="Tcp", **terms)
    found = audit(replace(made, security_groups={group.id: replace(group, rules=(asked,))}), only=["INT027"])
    assert (found.findings, [each.resource.name for each in found.unknown]) == ((), ["nsg-1"])


def test_an_nsg_that_lets_the_internet_in_is_told_where_it_stands() -> None:
    on = {"networkSecurityGroup": ref("nsg", "nsg-1")}
    listed = [nsg("nsg-1", allow("r", 100, HIGH)), vnet("vnet", subnet("web", "10.0.1.0/24", **on))]
    assert [each.severity for each in audited("INT027", listed).findings] == ["info"]
