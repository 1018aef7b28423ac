"""Where the route to the internet leads: straight out, to an appliance in whatever state, to a gateway, or nowhere."""

from __future__ import annotations

import re

import pytest

from diagnostics.findings import Confidence, Finding, Outcome, Severity
from diagnostics.network.connectivity import Issue, IssueType
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.diagnosis import blocked
from diagnostics.runbooks.outside.outbound import outbound
from diagnostics.runbooks.outside.way_out import way_out
from diagnostics.runbooks.ranking import ranked
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.rules.denials import denials
from diagnostics.runbooks.rules.way_findings import denied_on_the_way
from diagnostics.runbooks.situation import Situation
from tests.runbooks.outward import (
    Json,
    Outside,
    at,
    body,
    home,
    key,
    rid,
    step,
    subnet,
    table,
    told,
    vm,
    web,
)
from tests.runbooks.ways import (
    NAT,
    OFF,
    PIP,
    ROUTE,
    ROUTED,
    TO_FW,
    TO_ILB,
    WAY,
    WEB_1,
    appliance,
    inner_balancer,
    run,
)

ROUTES = [
    ("in order", (ROUTED, web(), TO_FW, appliance(), vm("vm-fw", "fw"), NAT, PIP), "passed", "not seen here", None),
    ("off", (ROUTED, web(), TO_FW, appliance(), OFF), "failed", "it is stopped", "CON018"),
    (
        "not forwarding",
        (ROUTED, web(), TO_FW, appliance(forwards=False), vm("vm-fw", "fw")),
        "failed",
        "IP forwarding is off",
        "CON018",
    ),
    ("missing", (ROUTED, web(), TO_FW), "failed", "next hop 10.0.9.4 does not exist", "CON018"),
    (
        "beyond the network",
        (ROUTED, web(), table("rt", out="0.0.0.0/0 VirtualAppliance 172.16.0.4")),
        "failed",
        "out of reach",
        "CON018",
    ),
    (
        "behind a load balancer, all off",
        (ROUTED, web(), TO_ILB, inner_balancer("10.0.9.4", "10.0.9.5"), appliance(), appliance("fw2", "10.0.9.5"),
         vm("vm-fw", "fw", state="deallocated"), vm("vm-fw2", "fw2", state="stopped")),
        "failed",
        "no member behind load balancer ilb",
        "CON018",
    ),
    (
        "behind a load balancer, one off",
        (ROUTED, web(), TO_ILB, inner_balancer("10.0.9.4", "10.0.9.5"), appliance(), appliance("fw2", "10.0.9.5"),
         vm("vm-fw", "fw", state="deallocated"), vm("vm-fw2", "fw2"), NAT, PIP),
        "passed",
        "member vm-fw is deallocated",
        None,
    ),
    (
        "behind a load balancer without a rule for the port",
        (ROUTED, web(), TO_ILB, inner_balancer("10.0.9.4", port=80), appliance(), vm("vm-fw", "fw")),
        "failed",
        "load balancer ilb has no rule for Tcp 443",
        "CON018",
    ),
    ("to nowhere", (home(table="rt"), web(), table("rt", no="0.0.0.0/0 None")), "failed", "drops it", "CON002"),
    (
        "a longer prefix to nowhere",
        (home(table="rt"), web(), table("rt", no="8.8.0.0/16 None", out="0.0.0.0/0 Internet")),
        "failed",
        "route no of route table rt (8.8.0.0/16)",
        "CON002",
    ),
    (
        "another prefix to nowhere",
        (home(table="rt"), web(), table("rt", no="9.9.0.0/16 None", out="0.0.0.0/0 Internet")),
        "passed",
        "route out of route table rt (0.0.0.0/0) leads 8.8.8.8 straight to the internet",
        None,
    ),
    (
        "two halves in place of 0.0.0.0/0",
        (ROUTED, web(), table("rt", low="0.0.0.0/1 VirtualAppliance 10.0.9.4", high="128.0.0.0/1 None")),
        "failed",
        "route low of route table rt (0.0.0.0/1)",
        "CON018",
    ),
    (
        "a gateway",
        (home(subnet("GatewaySubnet", "10.0.8.0/27", ipConfigurations=[{"id": rid("x", "y")}]), table="rt"), web(),
         table("rt", back="0.0.0.0/0 VirtualNetworkGateway")),
        "inconclusive",
        "forced tunnelling",
        None,
    ),
    (
        "a gateway that is not there",
        (home(table="rt"), web(), table("rt", back="0.0.0.0/0 VirtualNetworkGateway")),
        "failed",
        "no virtual network gateway",
        "CON002",
    ),
    ("a table that was not read", (home(table="rt"), web()), "inconclusive", "route table rt", None),
    (
        "Azure Firewall",
        (ROUTED, web(), TO_FW, body("azureFirewalls", "afw", ipConfigurations=[
            {"name": "f", "properties": {"privateIPAddress": "10.0.9.4"}}
        ])),
        "passed",
        "leads 8.8.8.8 to afw (10.0.9.4)",
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("surveyed", "outcome", "said", "check"), [r[1:] for r in ROUTES], ids=[r[0] for r in ROUTES])
def test_default_route(surveyed: tuple[Json, ...], outcome: str, said: str, check: str | None) -> None:
    situation = run(*surveyed)
    found, text = told(situation, ROUTE)
    assert found == outcome
    assert said in text
    assert [f.check for f in situation.findings] == ([check] if check else [])
    assert outcome == "passed" or step(situation, WAY).outcome in {Outcome.SKIPPED, Outcome.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("name", "command", "about"),
    [
        ("off", "az vm start .* --name vm-fw\n# or lead the route .* route update .* --name out", "vm-fw"),
        ("not forwarding", "az network nic update .* --name fw --ip-forwarding true\n# or lead", "fw"),
        ("missing", "az network route-table route update .* --name out .*--next-hop-ip-address ADDRESS", "rt"),
        ("behind a load balancer, all off", "--name vm-fw\naz vm start .* --name vm-fw2\n# or lead", "ilb"),
        ("behind a load balancer without a rule for the port", "az network lb rule list .* --lb-name ilb", "ilb"),
    ],
)
def test_an_appliance_is_mended(name: str, command: str, about: str) -> None:
    (finding,) = run(*next(surveyed for case, surveyed, *_ in ROUTES if case == name)).findings
    assert finding.severity is Severity.HIGH
    assert finding.resource.name == about
    assert re.search(command, finding.remedy.az_cli), finding.remedy.az_cli
    route = next(cause for cause in finding.because if cause.kind == "route")
    assert "route out of route table rt" in route.text
    assert "10.0.9." in route.text


def test_one_of_two_equal_next_hops_is_off() -> None:
    equal = body("routeTables", "rt", routes=[
        {"name": "out", "properties": {"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualApplianceEcmp",
                                       "nextHop": {"nextHopIpAddresses": ["10.0.9.4", "10.0.9.5"]}}}
    ])  # fmt: skip
    situation = run(ROUTED, web(), equal, appliance(), vm("vm-fw", "fw", state="stopped"),
                    appliance("fw2", "10.0.9.5"), vm("vm-fw2", "fw2"), NAT, PIP)  # fmt: skip
    (finding,) = situation.findings
    assert (finding.check, finding.resource.name) == ("CON018", "vm-fw")
    assert "some get through" in finding.because[-1].text
    assert "next-hop-ip-address" not in finding.remedy.az_cli
    assert "on one of the ways" in told(situation, ROUTE)[1]


def test_a_name_is_judged_by_an_address_that_most_of_the_internet_is_like() -> None:
    situation = run(home(table="rt"), web(), table("rt", no="8.0.0.0/8 None"), address=None)
    outcome, text = told(situation, ROUTE)
    assert outcome == "passed"
    assert "stands for any address on the internet" in text
    assert "8.8.8.8 " not in text


def test_halves_that_lead_the_same_way_are_one() -> None:
    halves = table("rt", low="0.0.0.0/1 VirtualAppliance 10.0.9.4", high="128.0.0.0/1 VirtualAppliance 10.0.9.4")
    situation = run(ROUTED, web(), halves, appliance(), vm("vm-fw", "fw"), NAT, PIP, address=None)
    text = told(situation, ROUTE)[1]
    assert "8.8.8.8 stands for any address" in text
    assert "but not" not in text
    split = table("rt", low="0.0.0.0/1 VirtualAppliance 10.0.9.4", high="128.0.0.0/1 None")
    text = told(run(ROUTED, web(), split, appliance(), vm("vm-fw", "fw"), NAT, PIP, address=None), ROUTE)[1]
    assert "but not 128.0.0.0/1 to None" in text


def route_issue(situation: Situation, table: ResourceId) -> Finding:
    """What a connectivity check's issue about the route becomes."""
    issue = Issue(IssueType.USER_DEFINED_ROUTE, "UserDefinedRoute", "Outbound", "Error", (("RouteType", "User"),))
    found = Blocker(issue, key("virtualMachines", "web-1"), owner=table, item="out")
    return blocked(situation, found, key("virtualMachines", "web-1"), "westeurope")


def test_azure_names_the_route_and_configuration_its_next_hop_in_one_finding() -> None:
    world = Outside((WEB_1, ROUTED, web(), TO_FW))
    before = world.situation()
    probed = route_issue(before, key("routeTables", "rt"))
    situation = world.run(way_out(at(before, findings=(probed,)), "8.8.8.8"))
    (finding,) = ranked(situation.findings)
    assert (finding.check, finding.confidence) == ("CON018", Confidence.PROVEN)
    assert probed.because[0] in finding.because
    other = route_issue(before, key("routeTables", "other"))
    situation = world.run(way_out(at(before, findings=(other,)), "8.8.8.8"))
    assert [f.check for f in ranked(situation.findings)] == ["CON002", "CON018"]


def test_the_route_that_drops_it_has_the_id_of_the_check() -> None:
    world = Outside((WEB_1, home(table="rt"), web(), table("rt", out="0.0.0.0/0 None")))
    situation = world.run(way_out(world.situation(), "8.8.8.8"))
    assert situation.findings[0].finding_id == route_issue(situation, key("routeTables", "rt")).finding_id


@pytest.mark.parametrize("name", ["off", "not forwarding", "missing", "behind a load balancer, all off"])
def test_the_rules_step_finds_the_same_fault(name: str) -> None:
    surveyed = next(surveyed for case, surveyed, *_ in ROUTES if case == name)
    world = Outside((WEB_1, *surveyed))
    situation = world.run(way_out(world.situation(), "8.8.8.8"))
    remedy = situation.findings[0].remedy
    outside = outbound(situation, "8.8.8.8")
    assert not isinstance(outside, str)
    again = [denied_on_the_way(situation, outside.asked, each, None)
             for each in denials(situation.survey.configured, outside.path)]  # fmt: skip
    whole = ranked((*situation.findings, *(each for each in again if each)))
    assert len(whole) == 1
    assert whole[0].remedy == remedy
