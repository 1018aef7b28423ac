"""What is read around a connection: all that the engine needs, nothing twice, and what could not be read is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.findings import Outcome
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.questions import FindByAddress, ReadBody, Unread, answer_all
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.situation import Situation
from tests.network.arm import Json, body, machine, network, nsg, part, ref, rule, subnet, table
from tests.runbooks.azure import Azure, key, step, vm

HUB = {"hub": "10.9.0.0/16"}
TO_FIREWALL = "0.0.0.0/0 VirtualAppliance 10.9.1.4"


def two(*more: Json, a: Json | None = None, b: Json | None = None, peers: dict[str, str] | None = None) -> Azure:
    """web in subnet a, sql in subnet b of one network."""
    home = network(
        "v",
        "10.0.0.0/16",
        a or subnet("a", "10.0.1.0/24", nsg="nsg-a"),
        b or subnet("b", "10.0.2.0/24", nsg="nsg-b"),
        peers=peers,
    )
    ends = machine("web", "v/a", "10.0.1.4", nsg="nsg-nic"), machine("sql", "v/b", "10.0.2.4")
    groups = nsg("nsg-a"), nsg("nsg-b"), nsg("nsg-nic")
    return Azure.of(home, *ends, vm("vm-web", "web"), vm("vm-sql", "sql"), *groups, *more)


def hub(*, nva: str = "10.9.1.4", of: str = "nva-table", back: bool = True) -> tuple[Json, ...]:
    """A peered network with an appliance."""
    inside = subnet("fw", "10.9.1.0/24", table=of)
    peers = {"v": "10.0.0.0/16"} if back else {}
    forwarding = machine("nva", "hub/fw", nva)
    forwarding["properties"]["enableIPForwarding"] = True
    return network("hub", "10.9.0.0/16", inside, peers=peers), forwarding, vm("vm-nva", "nva"), table(of)


def surveyed(
    azure: Azure, target: str | None = "10.0.2.4", source: str = "vm-web", to: str | None = "vm-sql"
) -> Situation:
    return azure.run(gather.survey(azure.situation(source, to), target))


def read(azure: Azure) -> list[str]:
    return [question.resource.name for question in azure.of_type(ReadBody)]


def test_both_ends_with_all_that_filters_and_routes() -> None:
    azure = two()
    known = surveyed(azure)
    told = step(known, gather.NAME)
    assert (told.outcome, told.summary) == (Outcome.PASSED, "2 VMs, 2 NICs, 3 NSGs, 1 virtual network read")
    assert sorted(read(azure)) == ["nsg-a", "nsg-b", "nsg-nic", "sql", "v", "vm-sql", "vm-web", "web"]
    assert known.survey.gaps == ()


def test_a_forbidden_nsg_is_named_with_the_permission() -> None:
    azure = two()
    action = "Microsoft.Network/networkSecurityGroups/read"
    azure.change(
        Unread("reading nsg-b was refused.", action, "/subscriptions/s"), key("networkSecurityGroups", "nsg-b")
    )
    known = surveyed(azure)
    told = step(known, gather.NAME)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert told.summary.endswith("not read: nsg-b")
    assert told.evidence == (f"nsg-b: reading nsg-b was refused. Grant {action} on /subscriptions/s.",)


def test_a_body_that_is_not_understood_is_named() -> None:
    azure = two()
    azure.bodies[key("networkSecurityGroups", "nsg-b")]["properties"]["securityRules"] = 7
    told = step(surveyed(azure), gather.NAME)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert any(line.startswith("nsg-b properties.securityRules") for line in told.evidence)


def test_nothing_is_read_twice_and_peers_that_do_not_matter_are_not_read() -> None:
    azure = two(*hub(), peers=HUB)
    surveyed(azure)
    assert len(read(azure)) == len(set(read(azure)))
    assert "hub" not in read(azure)


@pytest.mark.parametrize(
    ("found", "table_of"),
    [(("nva", "vm-nva", "hub", "nva-table"), TO_FIREWALL), ((), "0.0.0.0/0 Internet"), ((), "10.7.0.0/16 None")],
    ids=["to an appliance in a peer", "to the internet", "another prefix"],
)
def test_the_appliance_that_the_default_route_leads_to(found: tuple[str, ...], table_of: str) -> None:
    azure = two(*hub(), table("rt", out=table_of), a=subnet("a", "10.0.1.0/24", table="rt"), peers=HUB)
    known = surveyed(azure, "203.0.113.9", to=None)
    assert {name for name in ("nva", "vm-nva", "hub", "nva-table") if name in read(azure)} == set(found)
    assert step(known, gather.NAME).outcome is Outcome.PASSED


def test_no_target_counts_as_the_internet() -> None:
    azure = two(*hub(), table("rt", out=TO_FIREWALL), a=subnet("a", "10.0.1.0/24", table="rt"), peers=HUB)
    surveyed(azure, None, to=None)
    assert "nva" in read(azure)


def test_a_default_route_is_not_followed_to_a_destination_inside() -> None:
    azure = two(*hub(), table("rt", out=TO_FIREWALL), a=subnet("a", "10.0.1.0/24", table="rt"), peers=HUB)
    surveyed(azure)
    assert "nva" not in read(azure)


def test_an_appliance_of_the_same_address_in_a_foreign_network_is_none() -> None:
    foreign = network("other", "10.9.0.0/16", subnet("x", "10.9.1.0/24"))
    there = machine("stranger", "other/x", "10.9.1.4")
    azure = two(
        *hub(nva="10.9.1.5"),
        foreign,
        there,
        table("rt", out=TO_FIREWALL),
        a=subnet("a", "10.0.1.0/24", table="rt"),
        peers=HUB,
    )
    known = surveyed(azure, "203.0.113.9", to=None)
    assert key("networkInterfaces", "stranger") not in known.survey.configured.nics
    assert key("virtualNetworks", "hub") in known.survey.configured.networks


def test_two_appliances_are_followed_and_no_more() -> None:
    chain: list[Json] = []
    for number in (1, 2, 3):
        chain += [machine(f"nva{number}", f"v/n{number}", f"10.0.9{number}.4"), vm(f"vm-nva{number}", f"nva{number}")]
        chain.append(table(f"rt{number}", on=f"10.0.2.0/24 VirtualAppliance 10.0.9{number + 1}.4"))
    subnets = [subnet(f"n{number}", f"10.0.9{number}.0/24", table=f"rt{number}") for number in (1, 2, 3)]
    azure = two(
        *chain, table("rt", on="10.0.2.0/24 VirtualAppliance 10.0.91.4"), a=subnet("a", "10.0.1.0/24", table="rt")
    )
    home = azure.bodies[key("virtualNetworks", "v")]
    home["properties"]["subnets"] += network("v", "", *subnets)["properties"]["subnets"]
    surveyed(azure)
    assert [name for name in read(azure) if name.startswith("nva")] == ["nva1", "nva2"]


def test_a_destination_that_is_only_an_address_is_found() -> None:
    azure = two()
    known = surveyed(azure, to=None)
    assert known.survey.configured.vms.keys() == {key("virtualMachines", "vm-web"), key("virtualMachines", "vm-sql")}
    assert [question.address for question in azure.of_type(FindByAddress)] == ["10.0.2.4"]


def test_whoever_cannot_be_looked_up_is_said() -> None:
    azure = two()
    refused = Unread("Resource Graph was refused", "Microsoft.ResourceGraph/resources/read")

    def answer(question: Any) -> Any:
        return refused if isinstance(question, FindByAddress) else azure(question)

    situation = azure.situation("vm-web")
    told = step(answer_all(gather.survey(situation, "10.0.2.4"), answer), gather.NAME)
    assert told.outcome is Outcome.INCONCLUSIVE
    assert told.evidence == (f"who has 10.0.2.4: {refused}",)


def balancer(*, probe_port: int = 8080, members: tuple[str, ...] = ("sql",), private: str = "") -> Json:
    """A load balancer over NICs' first configurations, with a health probe."""
    front = {"privateIPAddress": private, "subnet": ref("virtualNetworks", "v/subnets/b")} if private else {}
    if not private:
        front = {"publicIPAddress": ref("publicIPAddresses", "pip")}
    listed = [ref("networkInterfaces", f"{each}/ipConfigurations/ip0") for each in members]
    return body(
        "loadBalancers",
        "lb",
        sku="Standard",
        frontendIPConfigurations=[part("loadBalancers/lb/frontendIPConfigurations", "front", **front)],
        backendAddressPools=[part("loadBalancers/lb/backendAddressPools", "pool", backendIPConfigurations=listed)],
        probes=[part("loadBalancers/lb/probes", "alive", protocol="Tcp", port=probe_port)],
        loadBalancingRules=[
            part(
                "loadBalancers/lb/loadBalancingRules",
                "web",
                protocol="Tcp",
                frontendPort=443,
                backendPort=443,
                probe=ref("loadBalancers", "lb/probes/ALIVE"),
                backendAddressPool=ref("loadBalancers", "lb/backendAddressPools/pool"),
                frontendIPConfiguration=ref("loadBalancers", "lb/frontendIPConfigurations/front"),
            )
        ],
    )


def test_the_load_balancer_of_a_member_with_its_health_probe() -> None:
    azure = two(balancer(), body("publicIPAddresses", "pip", sku="Standard", ipAddress="203.0.113.1"))
    pooled = machine(
        "sql", "v/b", "10.0.2.4", loadBalancerBackendAddressPools=[ref("loadBalancers", "lb/backendAddressPools/pool")]
    )
    azure.change(pooled)
    known = surveyed(azure).survey
    (probe,) = known.health_probes
    assert (probe.balancer.name, probe.pool.name, probe.port, probe.name) == ("lb", "pool", 8080, "alive")
    assert [each.name for each in known.configured.public_ips] == ["pip"]


def test_a_private_frontend_brings_its_members() -> None:
    azure = two(balancer(private="10.0.2.100"))
    known = surveyed(azure, "10.0.2.100", to=None)
    assert {"lb", "sql", "vm-sql", "nsg-b"} <= set(read(azure))
    assert known.survey.gaps == ()


def test_the_bound_on_reads_is_said() -> None:
    azure = two()
    many = [ref("networkInterfaces", f"nic-{number}") for number in range(100)]
    azure.bodies[key("virtualMachines", "vm-web")]["properties"]["networkProfile"]["networkInterfaces"] += many
    situation = azure.situation("vm-web", "vm-sql")
    here = situation.source
    assert here
    azure.asked.clear()
    known = azure.run(gather.survey(replace(situation, source=replace(here, nics=here.nics[:1])), "10.0.2.4"))
    assert len(read(azure)) == gather.MOST_READS
    (gap,) = [line for line in step(known, gather.NAME).evidence if "are the most" in line]
    assert "80 resources around one connection are the most" in gap


def test_the_nics_of_a_uniform_scale_set_are_not_asked_for() -> None:
    azure = two()
    instance = ResourceId.parse(
        f"{key('virtualMachines', 'x').text.rpartition('/virtualMachines/')[0]}"
        "/virtualMachineScaleSets/s/virtualMachines/0/networkInterfaces/n"
    )
    azure.bodies[key("virtualMachines", "vm-web")]["properties"]["networkProfile"]["networkInterfaces"].append(
        {"id": instance.text}
    )
    told = step(surveyed(azure), gather.NAME)
    assert told.summary.endswith("not read: n")
    assert "n" not in read(azure)


def test_neither_end_known_is_no_survey() -> None:
    azure = Azure.of()
    told = step(surveyed(azure, "10.0.2.4", to=None), gather.NAME)
    assert told.outcome is Outcome.SKIPPED


TAGS = {"values": [{"name": "Sql.WestEurope", "properties": {"addressPrefixes": ["203.0.113.0/24"]}}]}


@pytest.mark.parametrize(
    ("missing", "asks"),
    [({"Sql.WestEurope"}, True), ({"service tag Sql.WestEurope"}, True), ({"vm-nva"}, False), ({"Internet"}, False)],
)
def test_service_tags_are_asked_for_only_where_an_answer_depends_on_one(missing: set[str], asks: bool) -> None:  # noqa: FBT001
    azure = two()
    azure.tags = TAGS
    azure.change(nsg("nsg-b", rule("to-sql", 100, "Allow", sourceAddressPrefix="Sql.WestEurope")))
    known = azure.run(gather.with_tags(surveyed(azure), missing))
    assert bool(known.survey.configured.service_tags.prefixes) is asks


@pytest.mark.parametrize("tags", [{"value": []}, Unread("503 from Azure")])
def test_why_service_tags_are_not_known_is_kept(tags: object) -> None:
    azure = two()
    azure.tags = tags
    known = azure.run(gather.with_tags(surveyed(azure), {"service tag Sql"}))
    (gap,) = known.survey.gaps
    assert gap.startswith("service tags sql: ")
    assert ("503 from Azure" if isinstance(tags, Unread) else "list of service tags is not understood: $") in gap
