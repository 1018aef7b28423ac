"""Which DNS servers a VM asks, and what keeps it from asking them."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

import pytest

from diagnostics.findings import Cause, Confidence, Finding, Outcome, Remedy, Resource, Severity
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.outside.dns import dns
from diagnostics.runbooks.outside.dns_reading import MOST_READS, Servers
from diagnostics.runbooks.probed import Probed
from diagnostics.runbooks.questions import FindByAddress, ReadBody, Unread, answer_all
from diagnostics.runbooks.situation import Situation
from diagnostics.runbooks.survey import Survey
from tests.runbooks.outward import (
    Json,
    Outside,
    at,
    body,
    home,
    key,
    machine,
    network,
    part,
    ref,
    rid,
    rule,
    subnet,
    table,
    told,
    vm,
    web,
)
from tests.runbooks.world import check

WEB_1 = vm("web-1", "web")
HUB = network("hub", "10.9.0.0/16", subnet("dns", "10.9.5.0/24"), peers={"v": "10.0.0.0/16"})
PEERED = {
    "virtualNetworkPeerings": network("v", "", peers={"hub": "10.9.0.0/16"})["properties"]["virtualNetworkPeerings"]
}


def server(name: str, address: str, where: str = "v/dns", **more: Any) -> Json:
    return machine(name, where, address, **more)


def spoke(*servers: str, peered: bool = False, **more: Any) -> Json:
    made = home(subnet("dns", "10.0.5.0/24"), dns=servers, **more)
    return made | {"properties": made["properties"] | (PEERED if peered else {})}


def with_dns(nic: Json, *servers: str) -> Json:
    return nic | {"properties": nic["properties"] | {"dnsSettings": {"dnsServers": list(servers)}}}


def rules(name: str, *listed: Json) -> Json:
    return body("networkSecurityGroups", name, securityRules=list(listed))


def run(*surveyed: Json, **more: Any) -> Situation:
    world = Outside((WEB_1, *surveyed), **more)
    return world.run(dns(world.situation()))


NO_DNS = rules("nsg", rule("no-dns", 100, destinationAddressPrefix="AzurePlatformDNS", direction="Outbound", nsg="nsg",
                           protocol="*"))  # fmt: skip
NO_53 = rules("nsg", rule("no-53", 200, destinationPortRange="53", direction="Outbound", nsg="nsg", protocol="*"))
NO_TCP = rules("nsg", rule("no-tcp", 100, destinationPortRange="53", direction="Outbound", nsg="nsg"))
DC = server("dc", "10.0.5.4")
UP, OFF = vm("vm-dc", "dc"), vm("vm-dc", "dc", state="deallocated")
TO_NOWHERE = table("rt", dns="10.0.5.0/24 None")
CASES = [
    ("Azure's own", (home(), web()), "passed", "Azure's own resolver"),
    ("Azure's own, denied", (home(nsg="nsg"), web(), NO_DNS), "failed", "no-dns (priority 100, Deny)"),
    ("Azure's own, port 53 of others denied", (home(nsg="nsg"), web(), NO_53), "passed", "Azure's own resolver"),
    ("Azure's own by address", (home(dns=["168.63.129.16"]), web()), "passed", "Azure's own resolver"),
    ("a server in order", (spoke("10.0.5.4"), web(), DC, UP), "passed", "10.0.5.4 (vm-dc)"),
    ("a server that is off", (spoke("10.0.5.4"), web(), DC, OFF), "failed", "the only DNS server can't be asked"),
    ("a rule in the way", (spoke("10.0.5.4", nsg="nsg"), web(), DC, UP, NO_53), "failed", "rule no-53"),
    ("TCP denied", (spoke("10.0.5.4", nsg="nsg"), web(), DC, UP, NO_TCP), "passed", "but not over TCP"),
    ("a route to nowhere", (spoke("10.0.5.4", table="rt"), web(), DC, UP, TO_NOWHERE), "failed", "route dns for 10.0"),
    ("a public server", (home(dns=["8.8.8.8"]), web()), "passed", "8.8.8.8: rules and routes lead there"),
    ("a public server, denied", (home(dns=["8.8.8.8"], nsg="nsg"), web(), NO_53), "failed", "rule no-53"),
    (
        "a public server without a way out",
        (home(dns=["1.1.1.1"], defaultOutboundAccess=False), web()),
        "failed",
        "no way out to the internet",
    ),
    ("nobody's address", (spoke("10.0.5.9"), web()), "inconclusive", "nothing that was read has the address 10.0.5.9"),
    ("the guest itself", (home(dns=["127.0.0.1"]), web()), "inconclusive", "the guest asks itself"),
    ("no address", (home(dns=["dns.example"]), web()), "inconclusive", "it is no IP address"),
    ("of the other family", (home(dns=["fd00:1::5"]), web()), "inconclusive", "web-1 has no IPv6 address"),
    ("its own", (home(dns=["10.0.1.4"]), web()), "passed", "10.0.1.4 (web-1)"),
    ("the network's not read", (web(),), "inconclusive", "virtual network v could not be read"),
    ("the NIC's are known all the same", (with_dns(web(), "8.8.8.8"),), "inconclusive", "8.8.8.8"),
    ("an NSG not read", (spoke("10.0.5.4", nsg="lost"), web(), DC, UP), "inconclusive", "lost"),
]


@pytest.mark.parametrize(("surveyed", "outcome", "said"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_servers(surveyed: tuple[Json, ...], outcome: str, said: str) -> None:
    situation = run(*surveyed)
    found, text = told(situation, "DNS")
    assert found == outcome
    assert said in text
    assert [f.check for f in situation.findings] == (["CON019"] if outcome == "failed" else [])


def test_servers_of_the_nic_stand_in_place_of_the_networks() -> None:
    situation = run(spoke("10.0.5.4"), with_dns(web(), "8.8.8.8"), DC, OFF)
    outcome, text = told(situation, "DNS")
    assert outcome == "passed"
    assert "DNS servers of network interface web, in place of its virtual network's: 8.8.8.8" in text
    outcome, text = told(run(spoke("10.0.5.4"), with_dns(web(), "AzureProvidedDNS"), DC, OFF), "DNS")
    assert outcome == "passed"
    assert "168.63.129.16" in text


def test_a_server_that_is_off() -> None:
    (finding,) = run(spoke("10.0.5.4"), web(), DC, OFF).findings
    assert (finding.severity, finding.confidence) == (Severity.HIGH, Confidence.LIKELY)
    assert finding.resource.name == "vm-dc"
    assert finding.title.startswith("web-1 can't ask DNS server 10.0.5.4 (vm-dc): VM vm-dc of dc does not run")
    start, change = finding.remedy.az_cli.splitlines()
    assert re.fullmatch("az vm start .* --name vm-dc", start)
    assert re.fullmatch("# or .*: az network vnet update .* --name v --dns-servers ADDRESS", change)


def test_whoever_asks_a_server_that_is_off_it_is_one_fault() -> None:
    first = run(spoke("10.0.5.4"), web(), DC, OFF).findings[0]
    second = run(home(subnet("dns", "10.0.5.0/24")), with_dns(web(), "10.0.5.4"), DC, OFF).findings[0]
    assert first.finding_id == second.finding_id
    assert "az network nic update" in second.remedy.az_cli


def test_one_of_two_servers_is_off() -> None:
    situation = run(spoke("10.0.5.4", "10.0.5.5"), web(), DC, OFF, server("dc2", "10.0.5.5"), vm("vm-dc2", "dc2"))
    (finding,) = situation.findings
    assert finding.severity is Severity.MEDIUM
    assert "10.0.5.5 (vm-dc2) still can" in finding.because[-1].text
    assert "1 of 2 DNS servers can't be asked" in told(situation, "DNS")[1]


def test_all_of_two_servers_are_off() -> None:
    situation = run(
        spoke("10.0.5.4", "10.0.5.5"), web(), DC, OFF, server("dc2", "10.0.5.5"), vm("vm-dc2", "dc2", state="stopped")
    )
    assert [(f.resource.name, f.severity) for f in situation.findings] == [
        ("vm-dc", Severity.HIGH),
        ("vm-dc2", Severity.HIGH),
    ]
    assert "all 2 DNS servers" in told(situation, "DNS")[1]


def test_one_rule_before_two_servers_is_one_fault() -> None:
    situation = run(spoke("10.0.5.4", "8.8.8.8", nsg="nsg"), web(), DC, UP, NO_53)
    (finding,) = situation.findings
    assert finding.title.startswith("web-1 can't ask DNS servers 10.0.5.4 (vm-dc), 8.8.8.8: rule no-53 (priority 200")
    assert finding.severity is Severity.HIGH


@pytest.mark.parametrize(
    ("surveyed", "command"),
    [
        ((spoke("10.0.5.4", nsg="nsg"), web(), DC, UP, NO_53),
         "az network nsg rule create .* --access Allow --protocol Udp .* --destination-port-ranges 53"),
        ((home(nsg="nsg"), web(), NO_DNS), "az network nsg rule (show|delete) .* --name no-dns"),
        ((spoke("10.0.5.4", table="rt"), web(), DC, UP, TO_NOWHERE), "az network route-table route .* --name dns"),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_named(surveyed: tuple[Json, ...], command: str) -> None:
    (finding,) = run(*surveyed).findings
    assert finding.resource.name == "web-1"
    assert re.search(command, finding.remedy.az_cli), finding.remedy.az_cli


def test_a_server_in_a_peered_network_is_looked_up() -> None:
    world = Outside(
        (WEB_1, spoke("10.9.5.4", peered=True), web()),
        (HUB, server("dc", "10.9.5.4", "hub/dns"), vm("vm-dc", "dc", state="stopped")),
    )
    situation = world.run(dns(world.situation()))
    assert FindByAddress("10.9.5.4") in world.asked
    assert {key("virtualNetworks", "hub"), key("virtualMachines", "vm-dc")} <= {
        each.resource for each in world.asked if isinstance(each, ReadBody)
    }
    assert "10.9.5.4 (vm-dc): VM vm-dc of dc does not run: it is stopped" in told(situation, "DNS")[1]
    assert situation.survey == world.situation().survey


def test_rules_at_a_server_that_was_looked_up_count() -> None:
    closed = rules("nsg-dc", rule("no-spokes", 200, sourceAddressPrefix="10.0.0.0/16", nsg="nsg-dc", protocol="*"))
    world = Outside(
        (WEB_1, spoke("10.9.5.4", peered=True), web()),
        (HUB, server("dc", "10.9.5.4", "hub/dns", nsg="nsg-dc"), vm("vm-dc", "dc"), closed),
    )
    situation = world.run(dns(world.situation()))
    assert "rule no-spokes" in told(situation, "DNS")[1]
    assert situation.findings[0].because[0].resource_id == rid("networkSecurityGroups", "nsg-dc")


def test_two_that_are_far_away_are_neither() -> None:
    others = [
        *(network(name, "10.7.0.0/16", subnet("x", "10.7.5.0/24")) for name in ("w1", "w2")),
        *(server(f"far-{name}", "10.7.5.4", f"{name}/x") for name in ("w1", "w2")),
    ]
    world = Outside((WEB_1, spoke("10.7.5.4"), web()), tuple(others))
    situation = world.run(dns(world.situation()))
    assert "far-w1" not in told(situation, "DNS")[1]
    assert key("virtualNetworks", "w1") not in {each.resource for each in world.asked if isinstance(each, ReadBody)}


FRONT, POOL = rid("loadBalancers", "ilb/frontendIPConfigurations/f"), rid("loadBalancers", "ilb/backendAddressPools/p")
ILB = body(
    "loadBalancers", "ilb", sku="Standard",
    frontendIPConfigurations=[part("loadBalancers/ilb/frontendIPConfigurations", "f", privateIPAddress="10.0.5.100",
                                   subnet=ref("virtualNetworks", "v/subnets/dns"))],
    backendAddressPools=[part("loadBalancers/ilb/backendAddressPools", "p", loadBalancerBackendAddresses=[
        {"properties": {"ipAddress": "10.0.5.4"}}])],
    loadBalancingRules=[part("loadBalancers/ilb/loadBalancingRules", "dns", frontendIPConfiguration={"id": FRONT},
                             protocol="Udp", frontendPort=53, backendPort=53, backendAddressPool={"id": POOL})],
)  # fmt: skip


@pytest.mark.parametrize(
    ("elsewhere", "outcome", "said"),
    [
        ((ILB, DC, UP), "passed", "10.0.5.100 (load balancer ilb)"),
        ((ILB, DC, OFF), "failed", "no member behind load balancer ilb"),
        ((ILB,), "inconclusive", "which members load balancer ilb has is not known: 10.0.5.4"),
    ],
)
def test_servers_behind_a_load_balancer(elsewhere: tuple[Json, ...], outcome: str, said: str) -> None:
    situation = run(spoke("10.0.5.100"), web(), elsewhere=elsewhere)
    found, text = told(situation, "DNS")
    assert found == outcome
    assert said in text


def test_what_could_not_be_looked_up_is_said() -> None:
    situation = run(spoke("10.0.5.4"), web(), refused=Unread("forbidden", "Microsoft.ResourceGraph/resources/read"))
    outcome, text = told(situation, "DNS")
    assert outcome == "inconclusive"
    assert "who has 10.0.5.4: forbidden" in text
    world = Outside((WEB_1, spoke("10.0.5.4"), web()), (DC,))
    text = told(world.run(dns(world.situation())), "DNS")[1]
    assert "vm-dc: vm-dc was not found" in text


def test_a_server_in_a_uniform_scale_set_is_said_not_to_be_read() -> None:
    sets = key("virtualMachines", "x").text.replace("virtualMachines/x", "virtualMachineScaleSets/s")
    nic = ResourceId.parse(f"{sets}/virtualMachines/0/networkInterfaces/n")
    reading = Servers(Survey(), key("networkInterfaces", "web"))
    unread = Unread("forbidden")
    asked = reading.find(ipaddress.ip_address("10.0.5.4"))
    answer_all(asked, lambda question: (nic,) if isinstance(question, FindByAddress) else unread)
    assert list(reading.gaps) == [
        "web: forbidden",
        "n: what belongs to a uniform scale set is no resource of its own, and not read",
    ]


def test_reading_is_bounded() -> None:
    many = tuple(server(f"dc-{n}", f"10.0.5.{n}") for n in range(4, 4 + MOST_READS))
    world = Outside((WEB_1, spoke(*(f"10.0.5.{n}" for n in range(4, 4 + MOST_READS))), web()), many)
    situation = world.run(dns(world.situation()))
    assert sum(isinstance(each, ReadBody) for each in world.asked) == MOST_READS
    assert f"{MOST_READS} resources around DNS servers are the most" in told(situation, "DNS")[1]


def test_ids_in_another_case() -> None:
    loud = OFF | {"id": OFF["id"].replace("vm-dc", "VM-DC").replace("resourceGroups", "RESOURCEGROUPS")}
    assert told(run(spoke("10.0.5.4"), web(), DC, loud), "DNS")[0] == "failed"


UNRESOLVED = Finding(
    finding_id="f",
    check="CON006",
    title="The name does not resolve",
    severity=Severity.HIGH,
    confidence=Confidence.PROVEN,
    resource=Resource.of(ResourceId.parse(rid("virtualMachines", "web-1"))),
    because=(Cause(kind="dns-name", text="", name="api.payments.example"),),
    remedy=Remedy(summary=""),
)


def test_a_name_that_did_not_resolve_names_its_servers() -> None:
    situation = run(spoke("10.0.5.4"), web(), DC, OFF, findings=(UNRESOLVED,))
    outcome, text = told(situation, "DNS")
    assert outcome is Outcome.FAILED
    assert text.startswith("the connectivity check could not resolve api.payments.example; the only DNS server can't")
    assert [f.check for f in situation.findings] == ["CON019", "CON006"]
    assert situation.findings[0].confidence is Confidence.PROVEN
    outcome, text = told(run(home(), web(), findings=(UNRESOLVED,)), "DNS")
    assert outcome is Outcome.PASSED
    assert "asked, it does not know the name, or does not answer" in text


def test_a_name_that_resolved_all_the_same() -> None:
    world = Outside((WEB_1, spoke("10.0.5.4"), web(), DC, OFF), address=None)
    (finding,) = world.run(dns(at(world.situation(), probed=Probed(check("Reachable"))))).findings
    assert finding.confidence is Confidence.POSSIBLE
    assert "resolved all the same" in finding.because[-1].text


def test_a_source_that_is_off_or_not_known() -> None:
    world = Outside((vm("web-1", "web", state="deallocated"), spoke("10.0.5.4"), web(), DC, UP))
    assert told(world.run(dns(world.situation())), "DNS")[0] is Outcome.PASSED
    assert told(world.run(dns(at(world.situation(), source=None))), "DNS")[0] is Outcome.SKIPPED
    assert told(run(home()), "DNS")[0] is Outcome.INCONCLUSIVE
