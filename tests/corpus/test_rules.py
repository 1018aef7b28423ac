"""Every rule of every real NSG can be gone through, and what is not known in it is only ever a name."""

import ipaddress
from pathlib import Path

from diagnostics.network.model import SecurityGroup
from diagnostics.network.security import Context, Flow, Terms, Verdict, decide, in_order

FLOW = Flow(ipaddress.ip_address("203.0.113.9"), ipaddress.ip_address("10.0.0.4"), "Tcp", 3389, 50_000)


def groups(corpus: Path) -> list[SecurityGroup]:
    return [SecurityGroup.decode(file.read_bytes()) for file in sorted((corpus / "nsg").glob("*.json"))]


def test_what_is_not_known_of_a_rule_is_a_name(corpus: Path) -> None:
    rules = [
        rule for group in groups(corpus) for inbound in (True, False) for rule in in_order(group.rules, inbound=inbound)
    ]
    terms = [Terms.of(rule, Context()) for rule in rules]
    missing = {name for each in terms for name in each.sources.missing | each.destinations.missing}
    assert {"VirtualNetwork", "Internet", "AzureLoadBalancer"} <= missing
    assert all("/" not in name and ":" not in name for name in missing)


def test_every_group_decides_or_says_what_is_missing(corpus: Path) -> None:
    decisions = [decide(group, FLOW, inbound=inbound) for group in groups(corpus) for inbound in (True, False)]
    assert len(decisions) > 100
    assert all(bool(decision.missing) == (decision.verdict is Verdict.UNKNOWN) for decision in decisions)
