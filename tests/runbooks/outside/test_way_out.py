"""Where what a VM sends to the internet goes, and with which public address it leaves."""

from __future__ import annotations

import re

import pytest

from diagnostics.findings import Confidence, Severity
from diagnostics.runbooks.outside.way_out import way_out
from diagnostics.runbooks.probed import Probed
from diagnostics.runbooks.questions import Unread
from tests.runbooks.outward import (
    Json,
    Outside,
    at,
    body,
    home,
    key,
    machine,
    ref,
    rid,
    rule,
    step,
    subnet,
    told,
    vm,
    web,
)
from tests.runbooks.ways import (
    BEHIND_NAT,
    HAS_PIP,
    MEMBER,
    NAT,
    PIP,
    PRIVATE,
    ROUTE,
    ROUTED,
    TO_FW,
    WAY,
    WEB_1,
    appliance,
    balancer,
    run,
)
from tests.runbooks.world import check

PIP6 = body("publicIPAddresses", "pip6", sku="Standard", ipAddress="2a01:111::7")
V6 = "2606:4700:4700::1111"


WAYS = [
    ("default outbound access", (home(), web()), "passed", "Azure retires it: virtual networks made with API versions"),
    ("a public IP", (home(**PRIVATE), web(**HAS_PIP), PIP), "passed", "public IP pip, as 203.0.113.7"),
    ("a NAT gateway in a private subnet", (home(**PRIVATE, **BEHIND_NAT), web(), NAT, PIP), "passed", "as 203.0.113.7"),
    ("both", (home(**BEHIND_NAT), web(**HAS_PIP), NAT, PIP), "passed", "public IP pip of web is not used for it"),
    ("an outbound rule", (home(**PRIVATE), web(**MEMBER), balancer(outbound=True), PIP), "passed", "load balancer lb"),
    ("a rule with SNAT", (home(), web(**MEMBER), balancer(snat=True), PIP), "passed", "load balancer lb, as 203.0.113"),
    ("a Basic load balancer", (home(), web(**MEMBER), balancer(sku="Basic"), PIP), "passed", "default outbound access"),
    ("a private subnet", (home(**PRIVATE), web()), "failed", "subnet a is private: no default outbound access"),
    ("no rule for it", (home(), web(**MEMBER), balancer(), PIP), "failed", "members of the Standard load balancer lb"),
    ("NAT without address", (home(**BEHIND_NAT), web(), body("natGateways", "nat")), "failed", "has no public address"),
    ("NAT not read", (home(**BEHIND_NAT), web()), "inconclusive", "NAT gateway nat cannot be seen"),
    ("pool not read", (home(), web(**MEMBER)), "inconclusive", "load balancer lb cannot be seen"),
]


@pytest.mark.parametrize(("surveyed", "outcome", "said"), [w[1:] for w in WAYS], ids=[w[0] for w in WAYS])
def test_ways_out(surveyed: tuple[Json, ...], outcome: str, said: str) -> None:
    situation = run(*surveyed)
    assert told(situation, ROUTE)[0] == "passed"
    found, text = told(situation, WAY)
    assert found == outcome
    assert said in text
    assert [f.check for f in situation.findings] == (["CON017"] if outcome == "failed" else [])


def test_what_is_denied_by_a_rule_is_evidence_only() -> None:
    deny = rule("no-internet", 100, destinationAddressPrefix="Internet", direction="Outbound", nsg="nsg")
    group = body("networkSecurityGroups", "nsg", securityRules=[deny])
    situation = run(home(nsg="nsg"), web(), group)
    outcome, text = told(situation, WAY)
    assert (outcome, situation.findings) == ("passed", ())
    assert "rule no-internet (priority 100, Deny) of NSG nsg" in text


V6_WAYS = [
    ("none", (home(), web("10.0.1.4", "fd00:1::4")), "failed", "no public IPv6 address leads out"),
    ("NAT carries IPv4 only", (home(**BEHIND_NAT), web("10.0.1.4", "fd00:1::4"), NAT, PIP), "failed", "no public IPv6"),
    (
        "of its own",
        (home(), web("fd00:1::4", publicIPAddress=ref("publicIPAddresses", "pip6")), PIP6),
        "passed",
        "as 2a01:111::7",
    ),
]


@pytest.mark.parametrize(("surveyed", "outcome", "said"), [w[1:] for w in V6_WAYS], ids=[w[0] for w in V6_WAYS])
def test_ipv6(surveyed: tuple[Json, ...], outcome: str, said: str) -> None:
    situation = run(*surveyed, address=V6)
    found, text = told(situation, WAY)
    assert found == outcome
    assert said in text
    if outcome == "failed":
        assert "--version IPv6" in situation.findings[0].remedy.az_cli


def test_no_way_out_is_likely_and_its_remedy_is_exact() -> None:
    (finding,) = run(home(**PRIVATE), web()).findings
    assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.LIKELY)
    assert finding.title == "web-1 has no way out to the internet: subnet a is private: no default outbound access"
    assert finding.because[0].resource_id == rid("virtualNetworks", "v/subnets/a")
    create, gateway, update = finding.remedy.az_cli.splitlines()
    assert create.startswith("az network public-ip create")
    assert gateway.endswith("--name nat-a --public-ip-addresses pip-nat-a --location westeurope")
    assert update.endswith("--vnet-name v --name a --nat-gateway nat-a")
    assert re.search(r"'10.0.1.0/24'[^=]*natGateway: \{", finding.remedy.bicep)


@pytest.mark.parametrize(
    ("surveyed", "command"),
    [
        (
            (home(), web(**MEMBER), balancer(), PIP),
            "# or: az network lb outbound-rule create .* --frontend-ip-configs front --address-pool p --protocol All",
        ),
        (
            (home(**BEHIND_NAT), web(), body("natGateways", "nat")),
            "az network nat gateway update .* --name nat --public-ip-addresses pip-nat-1",
        ),
    ],
)
def test_remedies_for_what_is_there(surveyed: tuple[Json, ...], command: str) -> None:
    (finding,) = run(*surveyed).findings
    assert re.search(command, finding.remedy.az_cli)


def test_the_appliance_leaves_in_place_of_the_source() -> None:
    situation = run(ROUTED, web(), TO_FW, appliance(), vm("vm-fw", "fw"), NAT, PIP)
    outcome, text = told(situation, WAY)
    assert outcome == "passed"
    assert text.startswith("fw reaches the internet through NAT gateway nat, as 203.0.113.7")
    assert "the route leads past what web has of its own: subnet a is private" in text


def test_an_appliance_without_a_way_out() -> None:
    closed = home(subnet("fw", "10.0.9.0/24", **PRIVATE), table="rt")
    situation = run(closed, web(), TO_FW, appliance(), vm("vm-fw", "fw"))
    (finding,) = situation.findings
    assert (finding.check, finding.resource.name) == ("CON017", "vm-fw")
    assert "which web sends by" in finding.title
    assert told(situation, WAY)[0] == "failed"


def test_an_appliance_leaves_by_the_interface_that_leads_out() -> None:
    inside = home(subnet("fw", "10.0.9.0/24", **PRIVATE), subnet("edge", "10.0.10.0/24", **PRIVATE, **BEHIND_NAT),
                  table="rt")  # fmt: skip
    edge = machine("fw-out", "v/edge", "10.0.10.4")
    edge["properties"] |= {
        "enableIPForwarding": True,
        "primary": False,
        "virtualMachine": ref("virtualMachines", "vm-fw"),
    }
    situation = run(inside, web(), TO_FW, appliance(), edge, vm("vm-fw", "fw", "fw-out"), NAT, PIP)
    assert situation.findings == ()
    assert "fw-out reaches the internet through NAT gateway nat" in told(situation, WAY)[1]


def test_a_probe_that_got_out_contradicts_the_configuration() -> None:
    for surveyed, name in (((home(**PRIVATE), web()), WAY), ((ROUTED, web(), TO_FW), ROUTE)):
        world = Outside((WEB_1, *surveyed))
        probed = at(world.situation(), probed=Probed(check("Reachable")))
        situation = world.run(way_out(probed, "8.8.8.8"))
        outcome, text = told(situation, name)
        assert (outcome, situation.findings) == ("inconclusive", ())
        assert "but the probe got out all the same" in text


def test_ids_in_another_case() -> None:
    loud = [each | {"id": each["id"].upper().replace("/SUBSCRIPTIONS", "/subscriptions")} for each in (TO_FW, NAT, PIP)]
    situation = run(ROUTED, web(), *loud, appliance(), vm("vm-fw", "fw"))
    assert situation.findings == ()
    assert told(situation, WAY)[1].startswith("fw reaches the internet through NAT gateway nat, as 203.0.113.7")


def test_a_machine_with_ipv6_only() -> None:
    situation = run(home(), web("fd00:1::4"), address=None)
    assert "2001:4860:4860::8888 stands for" in told(situation, ROUTE)[1]
    assert told(situation, WAY)[0] == "failed"


def test_a_source_that_is_off_is_judged_as_if_it_ran() -> None:
    world = Outside((vm("web-1", "web", state="deallocated"), home(), web()))
    situation = world.run(way_out(world.situation(), "8.8.8.8"))
    assert [each.outcome for each in situation.steps] == ["passed", "passed"]


@pytest.mark.parametrize(
    ("address", "surveyed", "said"),
    [
        ("10.7.7.7", (home(), web()), "10.7.7.7 is no address of the internet"),
        (V6, (home(), web()), "web-1 has no IPv6 address"),
        ("8.8.8.8", (home(),), "no address of web-1 is known"),
    ],
)
def test_nothing_to_speak_of(address: str, surveyed: tuple[Json, ...], said: str) -> None:
    situation = run(*surveyed, address=address)
    assert [each.outcome for each in situation.steps] == ["inconclusive", "skipped"]
    assert said in step(situation, ROUTE).summary


def test_what_could_not_be_read_says_why() -> None:
    refused = ((key("natGateways", "nat"), Unread("forbidden", "Microsoft.Network/natGateways/read")),)
    text = told(run(home(**BEHIND_NAT), web(), unread=refused), WAY)[1]
    assert "nat: forbidden Grant Microsoft.Network/natGateways/read." in text


def test_an_unread_network_leaves_both_open() -> None:
    situation = run(web())
    assert [each.outcome for each in situation.steps] == ["inconclusive", "inconclusive"]
    assert situation.findings == ()
