"""Checks of DNS servers: one only, absent, off, far away, kept from by rules and routes."""

from typing import Any

import pytest

from tests.checks.audited import Body, Told, audited, nic, nsg, ref, resource, rule, subnet, table, told, vm, vnet

NONE = Told([], [])
WEB, DNS = ref("subnet", "vnet-1", "web"), ref("subnet", "vnet-1", "dns")
RESOLVER = {"delegations": [{"properties": {"serviceName": "Microsoft.Network/dnsResolvers"}}]}
FRONT = {"frontendIPConfigurations": [{"name": "f", "properties": {"privateIPAddress": "10.0.1.10", "subnet": DNS}}]}
BALANCER = resource("balancer", "lb", FRONT)
FIREWALL = resource(
    "firewall", "fw", {"ipConfigurations": [{"name": "i", "properties": {"privateIPAddress": "10.0.1.10"}}]}
)


def home(*servers: str, web: Body | None = None, dns: Body | None = None, peer: str = "") -> Body:
    listed: Body = {"dhcpOptions": {"dnsServers": list(servers)}}
    if peer:
        space = {"remoteAddressSpace": {"addressPrefixes": ["10.8.0.0/16"]}, "peeringState": "Connected"}
        listed["virtualNetworkPeerings"] = [
            {"name": "p", "properties": {"remoteVirtualNetwork": ref("vnet", peer), **space}}
        ]
    subnets = subnet("web", "10.0.0.0/24", **(web or {})), subnet("dns", "10.0.1.0/24", **(dns or {}))
    return vnet("vnet-1", *subnets, **listed)


def server(address: str = "10.0.1.10", power: str = "running", **properties: Any) -> list[Body]:
    name = f"dns-{address.rpartition('.')[2]}"
    return [nic(name, address, DNS, f"vm-{name}", **properties), vm(f"vm-{name}", name, power=power)]


ONE, TWO = server(), server("10.0.1.11")
ASKER = [nic("n", "10.0.0.4", WEB, "vm"), vm("vm", "n")]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        pytest.param([home("10.0.1.10"), *ONE], Told(["vnet-1"], []), id="a machine"),
        pytest.param([home("10.0.1.10", "10.0.1.11"), *ONE, *TWO], NONE, id="two"),
        pytest.param([home()], NONE, id="Azure's own"),
        pytest.param([home("168.63.129.16")], NONE, id="Azure's own, by address"),
        pytest.param([home("10.0.1.10"), BALANCER], NONE, id="a load balancer"),
        pytest.param([home("10.0.1.10"), FIREWALL], NONE, id="a firewall"),
        pytest.param([home("10.0.1.10", dns=RESOLVER)], NONE, id="a resolver"),
        pytest.param([home("192.168.1.1")], Told(["vnet-1"], []), id="on-premises"),
        pytest.param([home("10.8.0.4", peer="hub")], Told([], ["vnet-1"]), id="in an unseen hub"),
    ],
)
def test_single_servers(resources: list[Body], expected: Told) -> None:
    assert told("NET003", resources) == expected


@pytest.mark.parametrize(
    ("resources", "complete", "expected"),
    [
        pytest.param([home("10.0.1.10"), *ONE], True, NONE, id="it runs"),
        pytest.param([home("10.0.1.10"), *server(power="stopped")], True, Told(["vm-dns-10"], []), id="it is off"),
        pytest.param([home("10.0.1.10"), ONE[0], vm("vm-dns-10", power="")], True, Told([], ["vnet-1"]), id="perhaps"),
        pytest.param([home("10.0.1.10")], True, Told(["vnet-1"], []), id="nobody has it"),
        pytest.param([home("10.0.1.10")], False, Told([], ["vnet-1"]), id="perhaps somebody has it"),
        pytest.param([home("10.0.99.10")], True, Told(["vnet-1"], []), id="in no subnet"),
        pytest.param([home("10.0.1.10", dns=RESOLVER)], True, NONE, id="a resolver"),
        pytest.param([home("10.0.1.10"), BALANCER], True, NONE, id="a load balancer"),
        pytest.param([home("192.168.1.1")], True, NONE, id="elsewhere"),
        pytest.param([home("10.8.0.4", peer="hub")], True, Told([], ["vnet-1"]), id="in an unseen hub"),
        pytest.param(
            [home(), nic("n", "10.0.0.4", WEB, "vm", dnsSettings={"dnsServers": ["10.0.1.10"]})],
            True,
            Told(["vnet-1"], []),
            id="a NIC's own",
        ),
        pytest.param(
            [home("10.0.1.10", dns={"ipConfigurations": [ref("nic", "of-a-scale-set")]})],
            True,
            Told([], ["vnet-1"]),
            id="a scale set's, perhaps",
        ),
    ],
)
def test_servers_that_are_not_there(resources: list[Body], complete: bool, expected: Told) -> None:  # noqa: FBT001
    assert told("NET005", resources, complete=complete) == expected


@pytest.mark.parametrize(
    ("others", "severity"), [([], "high"), (TWO, "medium"), (server("10.0.1.11", "deallocated"), "high")]
)
def test_another_server_that_runs_makes_it_better(others: list[Body], severity: str) -> None:
    names = ["10.0.1.10", *(["10.0.1.11"] if others else [])]
    found = audited("NET005", [home(*names), *server(power="deallocated"), *others]).findings
    assert {each.severity for each in found} == {severity}


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param([home("192.168.1.1", "8.8.8.8")], ["vnet-1"], id="all are far"),
        pytest.param([home("192.168.1.1", "10.0.1.10")], [], id="one is near"),
        pytest.param([home("10.8.0.4", peer="hub")], [], id="in a peer"),
        pytest.param([home("192.168.1.1", peer="HV_hub_1")], [], id="behind a virtual hub"),
        pytest.param([home()], [], id="Azure's own"),
    ],
)
def test_servers_that_are_far(resources: list[Body], found: list[str]) -> None:
    assert told("NET006", resources) == Told(found, [])


def guarded(*rules: Body, at: str = "web", more: tuple[Body, ...] = ()) -> list[Body]:
    group = {"networkSecurityGroup": ref("nsg", "g")}
    place = home("10.0.1.10", web=group if at == "web" else None, dns=group if at == "dns" else None)
    return [place, nsg("g", *rules), *ASKER, *ONE, *more]


def out(access: str, priority: int = 200, name: str = "r", **terms: Any) -> Body:
    return rule(name, priority, access, **({"direction": "Outbound", "protocol": "*"} | terms))


@pytest.mark.parametrize(
    ("resources", "found"),
    [
        pytest.param(guarded(), [], id="default rules"),
        pytest.param(guarded(out("Deny", destinationPortRange="53")), ["g"], id="out of the asker"),
        pytest.param(guarded(out("Deny", destinationPortRanges=["50-60", "443"])), ["g"], id="plural ports"),
        pytest.param(guarded(out("Deny", destinationAddressPrefix="virtualnetwork")), ["g"], id="tag in another case"),
        pytest.param(
            guarded(out("Deny"), out("Allow", 100, "dns", destinationPortRange="53")), [], id="an Allow above"
        ),
        pytest.param(
            guarded(out("Deny"), out("Allow", 100, "dns", destinationPortRange="53", protocol="Udp")),
            ["g"],
            id="no TCP",
        ),
        pytest.param(guarded(out("Deny", direction="Inbound"), at="dns"), ["g"], id="in to the server"),
        pytest.param(
            guarded(out("Deny", destinationAddressPrefixes=["0.0.0.0/1", "128.0.0.0/1"])),
            ["g"],
            id="all in halves",
        ),
        pytest.param(guarded(out("Deny", destinationAddressPrefix="::/0")), [], id="IPv6 only"),
        pytest.param(
            [
                home("10.0.1.10", web={"routeTable": ref("table", "rt")}),
                table("rt", ("10.0.1.0/24", "None", "")),
                *ASKER,
                *ONE,
            ],
            ["rt"],
            id="a route drops it",
        ),
        pytest.param([home("10.0.1.10"), *ASKER, *server(power="stopped")], [], id="off: NET005 says so"),
        pytest.param([home("10.0.1.10"), *ASKER, FIREWALL], [], id="a firewall that answers"),
        pytest.param([home("10.0.1.10", dns=RESOLVER), *ASKER], [], id="a resolver"),
    ],
)
def test_servers_that_machines_are_kept_from(resources: list[Body], found: list[str]) -> None:
    assert told("NET004", resources) == Told(found, [])


def test_an_nsg_that_is_not_there_leaves_it_open() -> None:
    group = {"networkSecurityGroup": ref("nsg", "g")}
    assert told("NET004", [home("10.0.1.10", web=group), *ASKER, *ONE], complete=False) == Told([], ["vnet-1"])


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        ({"destinationAddressPrefix": "AZUREPLATFORMDNS"}, ["g"]),
        ({"destinationAddressPrefix": "*"}, []),
        ({"destinationAddressPrefix": "AzurePlatformDNS", "destinationPortRange": "443"}, []),
    ],
)
def test_azures_own_resolver_is_kept_away_by_its_tag_alone(terms: Body, found: list[str]) -> None:
    group = {"networkSecurityGroup": ref("nsg", "g")}
    assert told("NET004", [home(web=group), nsg("g", out("Deny", **terms)), *ASKER]) == Told(found, [])


def test_it_is_worse_where_no_other_server_is_left() -> None:
    deny = out("Deny", destinationAddressPrefix="10.0.1.10")
    group = {"networkSecurityGroup": ref("nsg", "g")}
    alone = audited("NET004", guarded(deny)).findings
    left = audited("NET004", [home("10.0.1.10", "10.0.1.11", web=group), nsg("g", deny), *ASKER, *ONE, *TWO]).findings
    assert ([each.severity for each in alone], [each.severity for each in left]) == (["high"], ["medium"])
    assert alone[0].because[0].text.startswith("rule r (priority 200, Deny) of NSG g of the subnet denies it")
