"""What a routing table of a guest means for answers from an address."""

from __future__ import annotations

import pytest

from diagnostics.errors import ParseError
from diagnostics.network.probes import GuestOutput
from diagnostics.runbooks.guest.routes import GuestRoutes, Way, judge
from diagnostics.runbooks.guest.tables import read_routes
from tests.runbooks.guest.world import recorded

SECOND = "10.0.2.4"


@pytest.mark.parametrize(
    ("name", "address", "peer", "way", "certain"),
    [
        ("linux_no_gateway", SECOND, "10.0.0.4", Way.NONE, True),
        ("linux_no_gateway", SECOND, "10.0.2.77", Way.SAME_SUBNET, True),
        ("linux_no_gateway", SECOND, "", Way.NONE, True),
        ("linux_no_gateway", "10.0.1.4", "10.0.0.4", Way.OUT, True),
        ("linux_policy", SECOND, "10.0.0.4", Way.OUT, True),
        ("linux_policy", "10.0.1.4", "10.0.0.4", Way.OUT, True),
        ("linux_table_without_rule", SECOND, "10.0.0.4", Way.ASTRAY, True),
        ("linux_two_defaults", SECOND, "10.0.0.4", Way.ASTRAY, True),
        ("linux_nothing_for_it", SECOND, "10.0.0.4", Way.NONE, True),
        ("linux_only_primary_up", SECOND, "10.0.0.4", Way.DOWN, True),
        ("linux_address_missing", SECOND, "10.0.0.4", Way.NOT_CONFIGURED, True),
        ("linux_ipv6", "fd00:2:0::4", "fd00::4", Way.NONE, True),
        ("linux_ipv6", "fd00:1::4", "10.0.0.4", Way.OUT, True),
        ("linux_busybox", SECOND, "10.0.0.4", Way.NONE, False),
        ("linux_old", SECOND, "10.0.0.4", Way.OUT, False),
        ("windows_no_gateway", SECOND, "10.0.0.4", Way.NONE, True),
        ("windows_no_gateway", SECOND, "10.0.2.77", Way.SAME_SUBNET, True),
        ("windows_no_gateway", "10.0.1.4", "10.0.0.4", Way.OUT, True),
        ("windows_good", SECOND, "10.0.0.4", Way.OUT, True),
        ("windows_single_objects", SECOND, "10.0.0.4", Way.OUT, True),
        ("windows_counted", SECOND, "10.0.0.4", Way.NONE, True),
        ("windows_no_routes", SECOND, "10.0.0.4", Way.NONE, True),
        ("windows_down", SECOND, "10.0.0.4", Way.DOWN, True),
        ("windows_address_missing", SECOND, "10.0.0.4", Way.NOT_CONFIGURED, True),
        ("windows_specific_route", SECOND, "10.0.0.4", Way.OUT, False),
        ("windows_specific_route", SECOND, "10.7.0.4", Way.NONE, False),
        ("windows_ipv6", "fd00:2::4", "fd00::4", Way.NONE, True),
        ("windows_localised", SECOND, "10.0.0.4", Way.NONE, True),
        ("route_print_english", SECOND, "10.0.0.4", Way.NONE, True),
        ("route_print_english", "10.0.2.9", "10.0.0.4", Way.NONE, True),
        ("route_print_english", "10.0.2.255", "", Way.NOT_CONFIGURED, True),
        ("route_print_english", "fd00:2::4", "", Way.NOT_CONFIGURED, False),
        ("route_print_german", SECOND, "10.0.0.4", Way.OUT, True),
    ],
)
def test_what_becomes_of_an_answer(name: str, address: str, peer: str, way: Way, certain: bool) -> None:  # noqa: FBT001
    judgement = judge(read_routes(recorded(name)), address, peer)
    assert (judgement.way, judgement.certain) == (way, certain)


@pytest.mark.parametrize(
    ("name", "interface", "gateway"),
    [
        ("linux_policy", ("eth1", 3), "10.0.2.1"),
        ("windows_good", ("Ethernet 2", 14), "10.0.2.1"),
        ("windows_single_objects", ("Ethernet 2", 14), "10.0.2.1"),
        ("route_print_german", ("10.0.2.4", None), "10.0.2.1"),
    ],
)
def test_interface_and_gateway(name: str, interface: tuple[str, int | None], gateway: str) -> None:
    judgement = judge(read_routes(recorded(name)), SECOND)
    assert judgement.interface is not None
    assert judgement.route is not None
    assert (judgement.interface.name, judgement.interface.index) == interface
    assert judgement.route.gateway == gateway


def _linux(routes: str, rules: str = "32766:\tfrom all lookup main") -> GuestRoutes:
    text = f"#addresses\neth0 10.0.1.4/24\neth1 10.0.2.4/24\n#routes4\n{routes}\n#rules4\n{rules}\n#routes6\n#rules6\n"
    return read_routes(GuestOutput(f"vmreach: begin\n{text}vmreach: end", ""))


_BOTH = "default via 10.0.2.1 dev eth1 table 7\ndefault via 10.0.1.1 dev eth0"
_MAIN = "\n32766:\tfrom all lookup main"


@pytest.mark.parametrize(
    ("rules", "way", "certain"),
    [
        ("100:\tfrom 10.0.2.4 lookup 7" + _MAIN, Way.OUT, True),
        ("100:\tfrom all lookup 7" + _MAIN, Way.OUT, True),
        ("100:\tfrom 10.0.2.0/24 to 10.0.0.0/16 lookup 7" + _MAIN, Way.OUT, True),
        ("100:\tfrom 10.0.2.4 to 10.9.0.0/16 lookup 7" + _MAIN, Way.ASTRAY, True),
        ("40000:\tfrom 10.0.2.4 lookup 7" + _MAIN, Way.ASTRAY, True),
        ("100:\tnot from 10.0.1.0/24 lookup 7" + _MAIN, Way.OUT, True),
        ("100:\tnot from 10.0.2.0/24 lookup 7" + _MAIN, Way.ASTRAY, True),
        ("100:\tfrom all fwmark 0x1/0xff lookup 7" + _MAIN, Way.ASTRAY, False),
        ("100:\tfrom all iif eth0 lookup 7" + _MAIN, Way.ASTRAY, True),
        ("100:\tfrom all iif lo lookup 7" + _MAIN, Way.ASTRAY, False),
        ("100:\tfrom all lookup [l3mdev-table]" + _MAIN, Way.ASTRAY, False),
        ("100:\tfrom 10.0.2.4 unreachable" + _MAIN, Way.NONE, True),
        ("100:\tfrom all goto 200" + _MAIN, Way.ASTRAY, False),
        ("9:\tfrom all lookup main suppress_prefixlength 0\n100:\tfrom 10.0.2.4 lookup 7" + _MAIN, Way.OUT, True),
        ("100:\tfrom 10.0.2.4 lookup 8", Way.NONE, True),
    ],
)
def test_rules_decide_in_their_order(rules: str, way: Way, certain: bool) -> None:  # noqa: FBT001
    judgement = judge(_linux(_BOTH, rules), SECOND, "10.0.0.4")
    assert (judgement.way, judgement.certain) == (way, certain)


@pytest.mark.parametrize(
    ("routes", "way"),
    [
        ("default via 10.0.1.1 dev eth0 metric 200\ndefault via 10.0.2.1 dev eth1 metric 100", Way.OUT),
        ("default metric 9 \\\tnexthop via 10.0.1.1 dev eth0 weight 1 \\\tnexthop via 10.0.2.1 dev eth1", Way.OUT),
        ("default via 10.0.1.1 dev eth0\n10.0.0.0/16 via 10.0.2.1 dev eth1", Way.OUT),
        ("default via 10.0.2.1 dev eth1\n10.0.0.0/16 via 10.0.1.1 dev eth0", Way.ASTRAY),
        ("default via 10.0.2.1 dev eth1\nblackhole 10.0.0.0/16", Way.NONE),
        ("default via 10.0.2.1 dev eth1\nthrow 10.0.0.0/16", Way.NONE),
        ("default dev eth1 scope link", Way.OUT),
        ("", Way.NONE),
    ],
)
def test_the_longest_prefix_decides_then_the_metric(routes: str, way: Way) -> None:
    assert judge(_linux(routes), SECOND, "10.0.0.4").way is way


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (recorded("truncated"), "its beginning is missing: Azure keeps the last 4,096 bytes"),
        (recorded("unfinished"), "its end is missing"),
        (recorded("linux_no_ip"), "no ip"),
        (recorded("windows_wrong_type"), r"\$\.addresses\[0\]\.ifIndex: Expected `int`, got `str`: 'six'"),
        (GuestOutput("", ""), "printed nothing"),
        (GuestOutput("", "sh: 1: Syntax error\nmore"), "printed nothing; it complained: sh: 1: Syntax error"),
        (GuestOutput("Kernel IP routing table", "odd"), "not what the script prints: 'Kernel IP routing table'"),
        (GuestOutput('vmreach: begin\n#windows\n{"inter\nvmreach: end', ""), "not readable as JSON"),
        (GuestOutput('vmreach: begin\n#windows\n{"interfaces":[],"addresses":[]}\nvmreach: end', ""), "`routes`"),
        (
            GuestOutput(
                "vmreach: begin\n#addresses\ne 10.0.0.4/24\n#routes4\ndefault via fe80:$(id)\nvmreach: end", ""
            ),
            "is no IP address",
        ),
        (GuestOutput("vmreach: begin\n#routeprint\nnichts\nvmreach: end", ""), "no route in what `route print -4`"),
        (GuestOutput("vmreach: begin\n#addresses\nvmreach: end", ""), "no interface in it has an address"),
        (GuestOutput("vmreach: begin\n#addresses\neth0 10.0.1/24\nvmreach: end", ""), "'10.0.1' is no IP address"),
        (GuestOutput("vmreach: begin\n#addresses\neth0\nvmreach: end", ""), "'eth0' does not have 2 fields"),
        (
            GuestOutput("vmreach: begin\n#addresses\ne 10.0.0.4/24\n#routes4\nx via y\nvmreach: end", ""),
            "'x' is no pref",
        ),
        (GuestOutput("vmreach: begin\n#addresses\ne 10.0.0.4/24\n#rules4\nold\nvmreach: end", ""), "'old' is no rule"),
        (GuestOutput("vmreach: begin\n#addresses\ne 10.0.0.4/24\n#rules4\na: from all\nvmreach: end", ""), "is no num"),
    ],
)
def test_what_does_not_fit_is_named(output: GuestOutput, said: str) -> None:
    with pytest.raises(ParseError, match=said):
        read_routes(output)
