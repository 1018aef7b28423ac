"""What Azure said about flows, and by which rule, against the engine's own answer for the same configuration.

Every answer of which question and configuration are in the corpus is asked again. The tables hold all disagreements:
a test fails when there is a new one, and when one is gone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from diagnostics.network.estate import Estate, Point
from diagnostics.network.filters import Filtered, Filters
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityRule
from diagnostics.network.path import Path as Reached
from diagnostics.network.reach import Reach
from diagnostics.network.reading import read_objects
from diagnostics.network.security import Flow, Terms, ports
from tests.corpus.recordings import Answer, answers, points_of

type Rule = tuple[str, int, bool, bool, str, str]

AZURE = {"Allow": "allowed", "Deny": "denied"}
CONNECTIONS = {
    "sequence/037.json#69": "Azure says Unknown, NoRouteLearned: both VMs have 10.0.0.4, in networks without a peering",
}
RULES = {
    "sequence/037.json#45": "a policy of the subscription put one more NSG on the subnet, after it was written",
}
EXTRA = {"defaultoutbounddenyall", "defaultinbounddenyall"}  # older answers show the platform's own end of the list


def plain(name: str) -> str:
    """A rule's name without where it stands: Azure has spelled that in three ways."""
    return name.rsplit("/", 1)[-1].removeprefix("DefaultRule_").removeprefix("UserRule_").lower()


def port(text: Any) -> int | None:
    return int(text) if str(text or "*").isdecimal() else None


def of(corpus: Path, operation: str) -> list[tuple[Answer, Estate, Point]]:
    """The answers of which question and configuration are known."""
    found = []
    for answer in answers(corpus):
        if answer.operation == operation and answer.asked:
            known = answer.estate()
            if (point := answer.point(known)) and known.subnet_of(point):
                found.append((answer, known, point))
    return found


def verified(known: Estate, point: Point, asked: dict[str, Any]) -> Filtered:
    """The engine's answer to an ipFlowVerify."""
    local, remote = (ipaddress.ip_address(asked[key]) for key in ("localIPAddress", "remoteIPAddress"))
    here, there = port(asked["localPort"]), port(asked["remotePort"])
    if asked["direction"] == "Inbound":
        return Filters(known).inbound(point, Flow(remote, local, asked["protocol"], here, there))
    return Filters(known).outbound(point, Flow(local, remote, asked["protocol"], there, here))


def by(mine: Filtered) -> list[str]:
    return [stage.rule.name.lower() for stage in mine.stages if stage.rule]


def test_flows_are_decided_as_azure_decides_them_by_the_same_rule(corpus: Path) -> None:
    compared = of(corpus, "ipflowverify")
    for answer, known, point in compared:
        mine = verified(known, point, answer.asked)
        assert mine.verdict == AZURE[answer.said["access"]], answer.where
        assert plain(answer.said["ruleName"]) in by(mine), answer.where
    assert len(compared) == 10


def told(view: Answer, address: str) -> Estate:
    """An estate of nothing but a NIC and the rules that Azure says work at it."""
    nic = view.said["networkInterfaces"][0]
    rules = nic["securityRuleAssociations"]["effectiveSecurityRules"]
    group = f"{nic['id'].rsplit('/', 2)[0]}/networkSecurityGroups/told"
    properties = {
        "ipConfigurations": [{"name": "it", "properties": {"privateIPAddress": address}}],
        "networkSecurityGroup": {"id": group},
    }
    beside = {"networkSecurityGroup": {"id": group}, "association": {"networkInterface": {"id": nic["id"]}}}
    return read_objects(
        [{"id": nic["id"], "properties": properties}, {"value": [beside | {"effectiveSecurityRules": rules}]}]
    )


def test_what_azure_says_works_at_a_nic_decides_as_azure_does(corpus: Path) -> None:
    """Without any configuration; where its rules keep their tags, only their meaning is missing."""
    views = {answer.recording: answer for answer in answers(corpus) if answer.operation == "securitygroupview"}
    ended = []
    for answer in answers(corpus):
        view = views.get(answer.recording)
        if answer.operation != "ipflowverify" or not answer.asked or not view or not view.said["networkInterfaces"]:
            continue
        known = told(view, answer.asked["localIPAddress"])
        mine = verified(known, next(iter(known.points)), answer.asked)
        expanded = "expandedSourceAddressPrefix" in str(view.said)
        assert mine.verdict == (AZURE[answer.said["access"]] if expanded else "unknown"), answer.where
        assert not expanded or plain(answer.said["ruleName"]) in by(mine), answer.where
        ended.append(mine.verdict.value)
    assert (ended.count("allowed"), ended.count("unknown")) == (3, 4)


def test_every_rule_matches_what_azure_says_it_matches(corpus: Path) -> None:
    compared = 0
    for answer, known, point in of(corpus, "networkconfigurationdiagnostic"):
        for result in answer.said["results"]:
            asked, evaluated = result["profile"], result["networkSecurityGroupResult"]
            source, destination = (ipaddress.ip_address(asked[key]) for key in ("source", "destination"))
            flow = Flow(source, destination, asked["protocol"], port(asked["destinationPort"]))
            mine = Filters(known).inbound(point, flow)
            assert mine.verdict == AZURE[evaluated["securityRuleAccessResult"]], answer.where
            for group in evaluated["evaluatedNetworkSecurityGroups"]:
                assert plain(group["matchedRule"]["ruleName"]) in by(mine), answer.where
                ((_, _, rules),) = Filters(known).lists(point, inbound=True)
                terms = {rule.name.lower(): each for rule, each in rules or ()}
                for said in group["rulesEvaluationResult"]:
                    compared += matched(said, terms[plain(said["name"])], flow)
    assert compared == 9


def matched(said: dict[str, Any], terms: Terms, flow: Flow) -> int:
    """How many of the terms were compared: all of them as Azure has them."""
    assert said["sourceMatched"] is terms.sources.holds(flow.source), said
    assert said["destinationMatched"] is terms.destinations.holds(flow.destination), said
    assert said["destinationPortMatched"] is ((flow.destination_port or 0) in terms.destination_ports), said
    return 3


def reached(answer: Answer, known: Estate) -> Reached | None:
    """The engine's answer to a connectivity check, between the ends that Azure names."""
    first, last = answer.said["hops"][0], answer.said["hops"][-1]
    source = next(iter(points_of(known, first.get("resourceId"))), None)
    if source is None or known.subnet_of(source) is None:
        return None
    asked = answer.asked.get("destination", {}).get("port", 80)
    address = source.address or ipaddress.ip_address(first["address"])
    flow = Flow(address, ipaddress.ip_address(last["address"]), "Tcp", asked)
    destination = next(iter(points_of(known, last.get("resourceId"))), None)
    return Reach(known).path(flow, source=source, destination=destination)


def test_connections_are_judged_as_azure_found_them(corpus: Path) -> None:
    checks = [(a, a.estate()) for a in answers(corpus) if a.operation == "connectivitycheck"]
    pairs = [(answer, mine) for answer, known in checks if (mine := reached(answer, known))]
    verdicts = {"Reachable": "allowed", "Unreachable": "denied", "Unknown": "unknown"}
    other = {a.where for a, mine in pairs if mine.verdict != verdicts[a.said["connectionStatus"]]}
    assert other == CONNECTIONS.keys()
    assert len(pairs) == 6


def test_the_rules_at_a_nic_are_those_that_azure_says_work_there(corpus: Path) -> None:
    compared, other = 0, {}
    for answer in answers(corpus):
        for groups, said in effective(answer, known := answer.estate()):
            own = {terms(rule) for group in groups for rule in known.security_groups[group].rules}
            compared += 1
            if own != said:
                other[answer.where] = said ^ own
    assert other.keys() == RULES.keys(), other
    assert compared == 12


def effective(answer: Answer, known: Estate) -> Iterator[tuple[list[ResourceId], set[Rule]]]:
    """The NSGs of an answer that are in the estate, and the rules that Azure says they have there."""
    if answer.operation == "effectivenetworksecuritygroups":
        for each in answer.said["value"]:
            if (group := ResourceId.parse(each["networkSecurityGroup"]["id"])) in known.security_groups:
                yield [group], shown(each["effectiveSecurityRules"])
    if answer.operation == "securitygroupview" and answer.said["networkInterfaces"]:
        nic = answer.said["networkInterfaces"][0]
        seen = nic.get("id") or answer.asked["targetResourceId"]  # one api-version left it out
        for point in points_of(known, seen):
            subnet = known.subnet_of(point)
            groups = [group for group in (point.nic.security_group, subnet and subnet.security_group) if group]
            if subnet and all(group in known.security_groups for group in groups):
                yield groups, shown(nic["securityRuleAssociations"]["effectiveSecurityRules"])


def terms(rule: SecurityRule) -> Rule:
    protocol = "all" if rule.protocol == "*" else rule.protocol.lower()
    return rule.name.lower(), rule.priority, rule.allows, rule.inbound, protocol, str(ports(rule.destination_ports))


def shown(rules: Iterable[dict[str, Any]]) -> set[Rule]:
    """Rules as Azure shows them."""
    return {
        (
            plain(each["name"]),
            each["priority"],
            each["access"] == "Allow",
            each["direction"] == "Inbound",
            each["protocol"].lower(),
            str(ports(each.get("destinationPortRanges") or [each["destinationPortRange"]])),
        )
        for each in rules
        if plain(each["name"]) not in EXTRA
    }
