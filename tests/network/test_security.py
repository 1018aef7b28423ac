"""What an NSG decides: tables of the traps, and every flow against an interpreter written independently."""

import ipaddress
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.errors import ParseError
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import Context, Flow, Verdict, decide, in_order, ports
from tests.network.brute_force import allowed

GROUP = ResourceId.parse("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg")
WEB = ResourceId.parse(
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/applicationSecurityGroups/asg-web"
)
VNET = Bounds.exactly(AddressSet.parse("10.0.0.0/16"))
TAGS = {
    "virtualnetwork": VNET,
    "internet": ~VNET,
    "azureloadbalancer": Bounds.exactly(AddressSet.parse("168.63.129.16")),
}
CONTEXT = Context(
    tag=lambda name: TAGS.get(name.lower()),
    members=lambda group: Bounds.exactly(AddressSet.parse("10.0.1.4")) if group == WEB else None,
)


def rule(name: str, priority: int, access: str = "Allow", **more: Any) -> SecurityRule:
    return SecurityRule(name, priority, more.pop("direction", "Inbound"), access, default=False, **more)


def flow(source: str, destination: str = "10.0.2.4", port: int | None = 443, protocol: str = "Tcp") -> Flow:
    return Flow(ipaddress.ip_address(source), ipaddress.ip_address(destination), protocol, port, 50_000)


DENY_WEB = rule("deny", 200, "Deny", sources=("10.0.1.0/24",))
CASES = {
    "the VNet is open": ([], flow("10.0.1.4"), "allowed", "AllowVnetInBound"),
    "the internet is shut": ([], flow("203.0.113.9"), "denied", "DenyAllInBound"),
    "the load balancer probes": ([], flow("168.63.129.16"), "allowed", "AllowAzureLoadBalancerInBound"),
    "a deny above the default allow": ([DENY_WEB], flow("10.0.1.4"), "denied", "deny"),
    "the lower number wins": ([DENY_WEB, rule("allow", 100)], flow("10.0.1.4"), "allowed", "allow"),
    "whatever their order": ([rule("allow", 300), DENY_WEB], flow("10.0.1.4"), "denied", "deny"),
    "plural ports": (
        [rule("deny", 200, "Deny", destination_ports=("80", "440-450"))], flow("10.0.1.4"), "denied", "deny",
    ),
    "another port": (
        [rule("deny", 200, "Deny", destination_ports=("80",))], flow("10.0.1.4"), "allowed", "AllowVnetInBound",
    ),
    "protocol in another case": ([rule("deny", 200, "Deny", protocol="TCP")], flow("10.0.1.4"), "denied", "deny"),
    "another protocol": ([rule("deny", 200, "Deny", protocol="Udp")], flow("10.0.1.4"), "allowed", "AllowVnetInBound"),
    "ICMP has no ports": (
        [rule("deny", 200, "Deny", protocol="Icmp", destination_ports=("80",))],
        flow("10.0.1.4", port=None, protocol="Icmp"), "denied", "deny",
    ),
    "two halves of the internet": (
        [rule("allow", 100, sources=("0.0.0.0/1", "128.0.0.0/1"))], flow("203.0.113.9"), "allowed", "allow",
    ),
    "IPv4's everything is not IPv6's": (
        [rule("allow", 100, sources=("0.0.0.0/0",))], flow("2001:db8::9", "fd00::4"), "denied", "DenyAllInBound",
    ),
    "a star is both": ([rule("allow", 100)], flow("2001:db8::9", "fd00::4"), "allowed", "allow"),
    "a tag in another case": (
        [rule("deny", 100, "Deny", sources=("VIRTUALNETWORK",))], flow("10.0.1.4"), "denied", "deny",
    ),
    "an application security group": (
        [rule("deny", 100, "Deny", sources=(), source_groups=(WEB,))], flow("10.0.1.4"), "denied", "deny",
    ),
    "not a member of it": (
        [rule("deny", 100, "Deny", sources=(), source_groups=(WEB,))], flow("10.0.1.5"), "allowed", "AllowVnetInBound",
    ),
    "the other direction": (
        [rule("deny", 100, "Deny", direction="Outbound")], flow("10.0.1.4"), "allowed", "AllowVnetInBound",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "asked", "verdict", "by"), CASES.values(), ids=CASES.keys())
def test_what_is_decided_and_by_which_rule(rules: list[SecurityRule], asked: Flow, verdict: str, by: str) -> None:
    decision = decide(SecurityGroup(GROUP, tuple(rules)), asked, inbound=True, context=CONTEXT)
    assert (decision.verdict, decision.rule.name) == (verdict, by)


UNKNOWN = {
    "it decides": ([rule("deny", 100, "Deny", sources=("Contoso",))], "unknown", {"Contoso"}),
    "it decides the same": ([rule("allow", 100, sources=("Contoso",))], "allowed", set()),
    "it comes too late": ([rule("allow", 100), rule("deny", 200, "Deny", sources=("Contoso",))], "allowed", set()),
    "another port": (
        [rule("deny", 100, "Deny", sources=("Contoso",), destination_ports=("80",))], "allowed", set(),
    ),
    "beside a prefix that matches": (
        [rule("deny", 100, "Deny", sources=("Contoso", "10.0.1.4"))], "denied", set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "verdict", "missing"), UNKNOWN.values(), ids=UNKNOWN.keys())
def test_an_unknown_tag_makes_unknown_what_depends_on_it(
    rules: list[SecurityRule], verdict: str, missing: set[str]
) -> None:
    decision = decide(SecurityGroup(GROUP, tuple(rules)), flow("10.0.1.4"), inbound=True, context=CONTEXT)
    assert (decision.verdict, set(decision.missing)) == (verdict, missing)


def test_a_source_port_that_is_not_given_may_be_any() -> None:
    shut = SecurityGroup(GROUP, (rule("deny", 100, "Deny", source_ports=("1000-2000",)),))
    asked = Flow(ipaddress.ip_address("10.0.1.4"), ipaddress.ip_address("10.0.2.4"), "Tcp", 443)
    decision = decide(shut, asked, inbound=True, context=CONTEXT)
    assert (decision.verdict, set(decision.missing)) == (Verdict.UNKNOWN, {"source port"})


PREFIXES = ["*", "10.0.0.0/30", "10.0.0.2/31", "10.0.0.1/32", "::/127", "Contoso"]
ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.1.1", "::1"]
PORTS = ["*", "80", "80-81", "81"]
RULES = st.builds(
    lambda priority, **fields: SecurityRule(f"r{priority}", priority, "Inbound", default=False, **fields),
    priority=st.integers(100, 110),
    access=st.sampled_from(["Allow", "Deny"]),
    protocol=st.sampled_from(["*", "Tcp", "Udp", "Icmp"]),
    sources=st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=2).map(tuple),
    destinations=st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=2).map(tuple),
    source_ports=st.lists(st.sampled_from(PORTS), min_size=1, max_size=2).map(tuple),
    destination_ports=st.lists(st.sampled_from(PORTS), min_size=1, max_size=2).map(tuple),
)
LAST = SecurityRule("DenyAllInBound", 65_500, "Inbound", "Deny", default=True)
FLOWS = st.fixed_dictionaries(
    {
        "source": st.sampled_from(ADDRESSES),
        "destination": st.sampled_from(ADDRESSES),
        "protocol": st.sampled_from(["Tcp", "Udp", "Icmp"]),
        "source_port": st.sampled_from([80, 81, 82]),
        "destination_port": st.sampled_from([80, 81, 82]),
    }
)


@given(st.lists(RULES, max_size=6, unique_by=lambda rule: rule.priority), FLOWS)
def test_every_decision_is_that_of_an_interpreter_written_independently(
    rules: list[SecurityRule], asked: dict[str, Any]
) -> None:
    """Of an unknown tag the interpreter tries every truth: what is decided must be so in all of them."""
    ends = {name: ipaddress.ip_address(asked[name]) for name in ("source", "destination")}
    nothing = Context(tag=lambda name: None if name == "Contoso" else Bounds.exactly(AddressSet.none()))
    decision = decide(SecurityGroup(GROUP, (*rules, LAST)), Flow(**{**asked, **ends}), inbound=True, context=nothing)
    keys = [("Contoso", asked["source"]), ("Contoso", asked["destination"])]
    truths = [dict(zip(keys, values, strict=True)) for values in product([True, False], repeat=2)]
    possible = {allowed([*rules, LAST], asked, truth) for truth in truths}
    if decision.verdict is Verdict.UNKNOWN:
        assert decision.missing == {"Contoso"}
    else:
        assert possible == {decision.verdict is Verdict.ALLOWED}


def test_default_rules_are_there_though_the_body_leaves_them_out() -> None:
    assert [rule.name for rule in in_order((), inbound=False)] == [
        "AllowVnetOutBound", "AllowInternetOutBound", "DenyAllOutBound",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["http", "70000", "5-4", "-", "1-2-3"])
def test_a_port_range_that_is_none_is_named(text: str) -> None:
    with pytest.raises(ParseError, match=f"port range: '{text}'"):
        ports([text])
