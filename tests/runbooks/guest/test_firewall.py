"""What a guest's own firewall says, rule by rule."""

from __future__ import annotations

import pytest

from diagnostics.runbooks.guest import chains
from diagnostics.runbooks.guest.chains import Packet
from diagnostics.runbooks.guest.listeners import Listening
from diagnostics.runbooks.guest.windows_firewall import FirewallRule, Profile, judge

PACKET = Packet(1433, "10.0.0.4")
DROP = "-P INPUT DROP"


@pytest.mark.parametrize(
    ("rules", "blocks", "sure"),
    [
        (["-A INPUT -p tcp -m tcp --dport 1433 -j ACCEPT"], False, True),
        (["-A INPUT -p tcp -m tcp ! --dport 1433 -j ACCEPT"], True, True),
        (["-A INPUT -p tcp --dport 1433 -m conntrack --ctstate NEW -j ACCEPT"], False, True),
        (["-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"], True, True),
        (["-A INPUT -s 10.0.0.0/16 -j ACCEPT"], False, True),
        (["-A INPUT ! -s 10.0.0.0/16 -j ACCEPT"], True, True),
        (["-A INPUT -s 192.168.0.0/16 -j ACCEPT"], True, True),
        (["-A INPUT -i eth0 -j ACCEPT"], True, False),
        (["-A INPUT -m limit --limit 3/min -j ACCEPT"], True, False),
        (['-A INPUT -m comment --comment "it\'s for -j DROP" -j ACCEPT'], False, True),
        (["-A INPUT -j LOG", "-A INPUT -j ACCEPT"], False, True),
        (["-A INPUT -j other", "-A other -p tcp --dport 1:65535 -j ACCEPT"], False, True),
        (["-A INPUT -j other", "-A other -j RETURN", "-A other -j ACCEPT"], True, True),
        (["-A INPUT -j other", "-A other -j INPUT"], True, True),
        (["-A INPUT -j gone"], True, True),
        (["-A INPUT -p udp -j ACCEPT", "-A INPUT -p tcp --syn -j ACCEPT"], False, True),
    ],
)
def test_iptables_first_match_decides(rules: list[str], blocks: bool, sure: bool) -> None:  # noqa: FBT001
    verdict = chains.iptables([DROP, *rules], PACKET)
    assert verdict is not None
    assert (verdict.blocks, verdict.sure) == (blocks, sure)


def test_without_a_policy_iptables_says_nothing() -> None:
    assert chains.iptables(["-A INPUT -j DROP"], PACKET) is None


@pytest.mark.parametrize(
    ("lines", "blocks"),
    [
        (["tcp dport 1433 accept"], False),
        (["tcp dport { 80, 1400-1500 } counter packets 0 bytes 0 drop"], True),
        (["tcp dport 22 accept", "type filter hook input priority 0; policy drop;"], True),
        (["type filter hook input priority 0; policy accept;"], None),
        (["no rules"], False),
        ([], None),
    ],
)
def test_nftables_is_guessed(lines: list[str], blocks: bool | None) -> None:  # noqa: FBT001
    verdict = chains.nftables(lines, PACKET)
    assert (verdict.blocks if verdict else None) is blocks


@pytest.mark.parametrize(
    ("lines", "blocks", "sure"),
    [
        (["public default 0 1433/tcp"], False, True),
        (["public default 0 1433/udp"], True, True),
        (["public default 2 22/tcp"], True, False),
        (["public default ? 22/tcp"], True, False),
        (["trusted ACCEPT 0"], False, True),
        (["public default 0 22/tcp", "trusted ACCEPT 0"], True, False),
    ],
)
def test_firewalld_zones(lines: list[str], blocks: bool, sure: bool) -> None:  # noqa: FBT001
    verdict = chains.firewalld(lines, PACKET)
    assert verdict is not None
    assert (verdict.blocks, verdict.sure) == (blocks, sure)


PUBLIC, DOMAIN = Profile("Public", enabled=True, inbound="Block"), Profile("Domain", enabled=False)
ALLOW = FirewallRule("allow", "Allow")


@pytest.mark.parametrize(
    ("rules", "blocks", "sure"),
    [
        ([ALLOW], False, True),
        ([ALLOW, FirewallRule("no", "Block")], True, True),
        ([ALLOW, FirewallRule("no", "Block", remote=("10.0.0.0/255.0.0.0",))], True, True),
        ([ALLOW, FirewallRule("no", "Block", remote=("10.9.0.0-10.9.0.9",))], False, True),
        ([ALLOW, FirewallRule("no", "Block", remote=("LocalSubnet",))], False, False),
        ([ALLOW, FirewallRule("no", "Block", own=False)], False, True),
        ([FirewallRule("some", "Allow", remote=("10.0.0.1-10.0.0.9",))], False, True),
        ([FirewallRule("some", "Allow", remote=("10.9.0.0/16",), more=True)], True, False),
        ([FirewallRule("some", "Allow", profile="Private, Domain")], True, True),
        ([], True, True),
    ],
)
def test_windows_block_rules_win(rules: list[FirewallRule], blocks: bool, sure: bool) -> None:  # noqa: FBT001
    verdict = judge([PUBLIC, DOMAIN], ["Public"], rules, "10.0.0.4")
    assert verdict is not None
    assert (verdict.blocks, verdict.sure) == (blocks, sure)


def test_windows_profiles_that_differ_are_not_sure_where_the_active_one_is_not_known() -> None:
    verdict = judge([PUBLIC, DOMAIN], [], [], "10.0.0.4")
    assert verdict is not None
    assert (verdict.blocks, verdict.sure) == (True, False)
    assert judge([], [], [], "") is None
    off = judge([PUBLIC, DOMAIN], ["DomainAuthenticated"], [], "")
    assert off is not None
    assert (off.blocks, off.sure) == (False, True)


@pytest.mark.parametrize(
    ("listening", "address", "heard"),
    [
        ("0.0.0.0", "10.0.2.4", True),
        ("0.0.0.0", "fd00:2::4", False),
        ("::", "10.0.2.4", True),
        ("*", "fd00:2::4", True),
        ("10.0.2.4", "10.0.2.4", True),
        ("10.0.1.4", "10.0.2.4", False),
        ("127.0.0.1", "10.0.2.4", False),
        ("127.0.0.1", None, False),
        ("10.0.1.4", None, True),
        ("junk", None, False),
    ],
)
def test_on_which_address_it_listens(listening: str, address: str | None, heard: bool) -> None:  # noqa: FBT001
    assert Listening((listening,)).on(address) is heard
