"""Whether connections failed for want of a port, by the metrics of what translates their addresses."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from diagnostics.findings import Confidence, Finding, Outcome, Severity
from diagnostics.runbooks.outside.snat import FAILED, snat
from diagnostics.runbooks.questions import ReadMetrics, Unread
from diagnostics.runbooks.situation import Situation
from tests.runbooks.outward import MOMENT, Json, Outside, at, body, home, ref, rid, told, vm, web
from tests.runbooks.ways import (
    BEHIND_NAT,
    HAS_PIP,
    MEMBER,
    NAT,
    PIP,
    PRIVATE,
    ROUTED,
    TO_FW,
    WEB_1,
    appliance,
    balancer,
)

DIRECT = (home(**BEHIND_NAT), web(), NAT, PIP)
BALANCED = (home(**PRIVATE), web(**MEMBER), balancer(outbound=True), PIP)
type Metrics = dict[tuple[str, str, str], list[float | None]]

BROKEN: Metrics = {
    ("nat", "SNATConnectionCount", FAILED): [0.0, 310.0, 2240.0],
    ("nat", "TotalConnectionCount", ""): [18220.0, 64512.0, 64512.0],
    ("nat", "DatapathAvailability", ""): [100.0, 100.0, 99.0],
    ("nat", "PacketDropCount", ""): [0.0, 900.0, 900.0],
}
WELL: Metrics = BROKEN | {("nat", "SNATConnectionCount", FAILED): [0.0, 0.0, None]}
SILENT: Metrics = {name: values for name, values in WELL.items() if name[1] != "SNATConnectionCount"}
DOWN: Metrics = WELL | {("nat", "DatapathAvailability", ""): [100.0, 20.0, 30.0]}
LB_BROKEN: Metrics = {
    ("lb", "SnatConnectionCount", FAILED): [5.0, 7.0],
    ("lb", "AllocatedSnatPorts", ""): [1024.0, 1024.0],
    ("lb", "UsedSnatPorts", ""): [1000.0, 1024.0],
}
LB_WELL: Metrics = LB_BROKEN | {("lb", "SnatConnectionCount", FAILED): []}


def run(surveyed: tuple[Json, ...], metrics: Metrics, refused: Unread | None = None) -> tuple[Situation, Outside]:
    world = Outside((WEB_1, *surveyed), metrics=metrics, refused=refused)
    return world.run(snat(world.situation())), world


CASES = [
    ("a NAT gateway out of ports", DIRECT, BROKEN, "failed", "NAT gateway nat ran out of ports: 2,550 connections"),
    ("a NAT gateway in order", DIRECT, WELL, "passed", "no connection failed for want of a port at NAT gateway nat"),
    ("no series of failures, though of others", DIRECT, SILENT, "passed", "0 connections failed"),
    ("no values", DIRECT, {}, "inconclusive", "no values of SNATConnectionCount between 08:44 and 09:16 UTC"),
    ("not available", DIRECT, DOWN, "failed", "NAT gateway nat itself was available to 50 % only"),
    (
        "a load balancer out of ports",
        BALANCED,
        LB_BROKEN,
        "failed",
        "load balancer lb ran out of ports: 12 connections",
    ),
    ("a load balancer in order", BALANCED, LB_WELL, "passed", "at most 1,024 of them were used"),
    ("a load balancer without values", BALANCED, {}, "inconclusive", "no values of SnatConnectionCount"),
    ("a public IP", (home(), web(**HAS_PIP), PIP), {}, "skipped", "Azure has no metric of that way out"),
    ("default outbound access", (home(), web()), {}, "skipped", "default outbound access"),
    ("no way out", (home(**PRIVATE), web()), {}, "skipped", "there is no way out whose ports could be used up"),
    ("a way out that is not read", (home(**BEHIND_NAT), web()), {}, "inconclusive", "NAT gateway nat cannot be seen"),
    ("nowhere", (ROUTED, web(), TO_FW), {}, "skipped", "does not leave by a NAT gateway or load balancer"),
    ("no source address", (home(),), {}, "skipped", "no address of web-1 is known"),
    (
        "a Basic load balancer",
        (home(), web(**MEMBER), balancer(sku="Basic", outbound=True), PIP),
        {},
        "skipped",
        "a Basic load balancer has no metrics",
    ),
    (
        "the NAT gateway of an appliance",
        (ROUTED, web(), TO_FW, appliance(), vm("vm-fw", "fw"), NAT, PIP),
        BROKEN,
        "failed",
        "NAT gateway nat ran out of ports",
    ),
]


@pytest.mark.parametrize(("surveyed", "metrics", "outcome", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_ports(surveyed: tuple[Json, ...], metrics: Metrics, outcome: str, said: str) -> None:
    situation, _ = run(surveyed, metrics)
    found, text = told(situation, "SNAT ports")
    assert found == outcome
    assert said in text
    assert bool(situation.findings) == (outcome == "failed")


def only(surveyed: tuple[Json, ...], metrics: Metrics) -> Finding:
    situation, _ = run(surveyed, metrics)
    assert len(situation.findings) == 1
    return situation.findings[0]


def test_a_nat_gateway_gets_more_addresses() -> None:
    finding = only(DIRECT, BROKEN)
    assert (finding.check, finding.severity, finding.confidence) == ("CON020", Severity.HIGH, Confidence.LIKELY)
    assert finding.resource.name == "nat"
    assert "at most 64,512 connections at a time" in finding.because[0].text
    create, update = finding.remedy.az_cli.splitlines()
    assert re.fullmatch("az network public-ip create .* --name pip-nat-2 --sku Standard --location westeurope", create)
    assert update.endswith(f"--public-ip-addresses {rid('publicIPAddresses', 'pip')} pip-nat-2")
    assert rid("publicIPAddresses", "pip") in finding.remedy.bicep


def test_prefixes_of_a_nat_gateway_are_kept() -> None:
    prefixed = body("natGateways", "nat", publicIpPrefixes=[ref("publicIPPrefixes", "range")])
    finding = only((home(**BEHIND_NAT), web(), prefixed), BROKEN)
    assert "publicIpPrefixes: [" in finding.remedy.bicep
    assert finding.remedy.az_cli.endswith("--public-ip-addresses pip-nat-1")


def test_a_load_balancer_gives_way_to_a_nat_gateway_or_hands_out_more_ports() -> None:
    finding = only(BALANCED, LB_BROKEN)
    assert finding.check == "CON020"
    lines = finding.remedy.az_cli.splitlines()
    assert lines[1].startswith("az network nat gateway create")
    assert re.fullmatch("# or: az network lb outbound-rule update .* --name out --outbound-ports PORTS", lines[-1])


def test_a_load_balancer_without_outbound_rules() -> None:
    finding = only((home(), web(**MEMBER), balancer(snat=True), PIP), LB_BROKEN)
    assert "# look: az network lb rule list" in finding.remedy.az_cli


def test_a_gateway_that_was_down_may_be_the_cause() -> None:
    finding = only(DIRECT, DOWN)
    assert (finding.check, finding.confidence) == ("CON010", Confidence.POSSIBLE)
    assert "while no VM in its subnets is healthy" in finding.remedy.summary


def test_failures_are_asked_for_around_the_alert_and_never_beyond_now() -> None:
    _, world = run(DIRECT, BROKEN)
    asked = [each for each in world.asked if isinstance(each, ReadMetrics)]
    assert [each.filter for each in asked] == ["ConnectionState eq 'Failed'", ""]
    assert {(each.since, each.until) for each in asked} == {
        (MOMENT - timedelta(minutes=30), MOMENT + timedelta(minutes=2))
    }
    before = world.situation()
    late = at(before, conditions=replace(before.conditions, now=MOMENT + timedelta(hours=3)))
    world.asked.clear()
    world.run(snat(late))
    until = {each.until for each in world.asked if isinstance(each, ReadMetrics)}
    assert until == {MOMENT + timedelta(minutes=5)}


def test_metrics_that_were_refused() -> None:
    situation, _ = run(DIRECT, {}, Unread("forbidden", "Microsoft.Insights/metrics/read"))
    outcome, text = told(situation, "SNAT ports")
    assert outcome is Outcome.INCONCLUSIVE
    assert "Grant Microsoft.Insights/metrics/read" in text
