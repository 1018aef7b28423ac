"""What Azure says that tags mean at a NIC, against what the engine makes of the configuration: must ⊆ Azure's ⊆ may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diagnostics.network.intervals import V6_TOP, Intervals
from diagnostics.network.meaning import context_at
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.tags import Meaning
from tests.corpus.recordings import Answer, answers


def expansions(answer: Answer) -> Iterator[tuple[str, AddressSet]]:
    """Each tag of an answer once, with the addresses that Azure expanded it to."""
    found: dict[str, set[str]] = {}
    for rule in rules(answer):
        for end in ("source", "destination"):
            expanded = rule.get(f"expanded{end.title()}AddressPrefix")
            if expanded:
                found.setdefault(rule[f"{end}AddressPrefix"], set()).update(expanded)
    yield from ((tag, AddressSet.union(map(AddressSet.parse, prefixes))) for tag, prefixes in found.items())


def rules(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.operation == "effectivenetworksecuritygroups":
        for group in answer.said["value"]:
            yield from group["effectiveSecurityRules"]
    if answer.operation == "securitygroupview":
        for nic in answer.said["networkInterfaces"]:
            yield from nic["securityRuleAssociations"].get("effectiveSecurityRules", [])


def test_tags_mean_what_azure_says(corpus: Path) -> None:
    """For configurations in the corpus: all three tags of every answer lie between the engine's bounds."""
    compared = []
    for answer in answers(corpus):
        known = answer.estate()
        point = answer.point(known)
        if point and known.subnet_of(point):
            for tag, told in expansions(answer):
                assert fits(told, context_at(known, point).prefix(tag)), (answer.where, tag)
                compared.append(tag)
    assert Counter(compared) == {"VirtualNetwork": 7, "AzureLoadBalancer": 7, "Internet": 7}


def test_what_is_no_tag_of_a_network_is_the_same_everywhere(corpus: Path) -> None:
    """For networks that are not in the corpus: with the space that Azure says the network's tag has."""
    compared = []
    for answer in answers(corpus):
        told = dict(expansions(answer))
        for tag in ("AzureLoadBalancer", "Internet") if told else ():
            mine = Meaning(Bounds.exactly(told["VirtualNetwork"])).of(tag)
            assert mine, tag
            assert fits(told[tag], mine), (answer.where, tag)
            compared.append(tag)
    assert Counter(compared) == {"AzureLoadBalancer": 20, "Internet": 20}


def test_a_route_to_an_appliance_is_in_the_tag_of_the_network(corpus: Path) -> None:
    """Two recorded networks have a route table: Azure's expansion has the prefix of its route."""
    for where in ("sequence/033.json#19", "sequence/035.json#19"):
        (answer,) = (each for each in answers(corpus) if each.where == where)
        ((route,),) = (table.routes for table in answer.estate().route_tables.values())
        assert route.next_hop_type == "VirtualAppliance"
        assert AddressSet.parse(route.prefix) <= dict(expansions(answer))["VirtualNetwork"]


def fits(told: AddressSet, mine: Bounds) -> bool:
    return v4(mine.must) <= told <= mine.may


def v4(addresses: AddressSet) -> AddressSet:
    """Its IPv4 part: the recorded answers, the newest of 2018, show nothing else."""
    return AddressSet(addresses.v4, Intervals.none(V6_TOP))
