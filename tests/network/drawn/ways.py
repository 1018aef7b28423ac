"""Public IPs, NAT gateways, load balancers, firewalls, route tables and effective routes."""

from collections.abc import Iterator

from tests.network.drawn.choices import Choices
from tests.network.drawn.machines import Drawn
from tests.network.drawn.networks import Network
from tests.network.drawn.pools import PUBLIC, ROUTED, ROUTED_TAGS, child, ref, refs, resource, rid
from tests.network.interpreter.documents import Json

SPOKES = ("10.0.0.0/16", "10.1.0.0/16", "192.168.0.0/16", "0.0.0.0/0")
HOPS = ("VirtualAppliance", "VirtualAppliance", "VnetLocal", "Internet", "None", "VirtualNetworkGateway")


def public_ips(c: Choices) -> Iterator[Json]:
    for version, addresses in PUBLIC.items():
        for number, address in enumerate(addresses):
            if not c.chance(5):
                sku = {"sku": {"name": c.cased(c.of(["Standard", "Basic"]))}} if c.chance(85) else {}
                shown = {"ipAddress": address} if c.chance(95) else {}
                yield resource(c, "publicIPAddresses", f"ip{version}{number}", shown, **sku)


def nat_gateway(c: Choices, drawn: Drawn) -> Json:
    listed = [drawn.unassigned[4].pop() for _ in range(c.number(2)) if drawn.unassigned[4]]
    body: Json = {"publicIpAddresses": refs(c, [rid("publicIPAddresses", name) for name in listed])}
    if c.chance(20):
        body["publicIpPrefixes"] = refs(c, [rid("publicIPPrefixes", "prefix")])
    return resource(c, "natGateways", "nat", body)


def balancer(c: Choices, drawn: Drawn, name: str) -> tuple[Json, str]:
    """A load balancer, and the private address of its frontend or nothing."""
    rid_ = rid("loadBalancers", name)
    pool = f"{rid_}/backendAddressPools/pool"
    network = next(each for each in drawn.networks if each.name == drawn.pools[pool])
    private = c.chance(55) or not drawn.unassigned[4]
    address = _frontend_address(drawn, network, c.of(network.subnets)) if private else ""
    front = (
        {"privateIPAddress": address, "subnet": ref(c, network.subnet(int(address.split(".")[2])))}
        if private
        else {"publicIPAddress": ref(c, rid("publicIPAddresses", drawn.unassigned[4].pop()))}
    )
    listed = {"backendIPConfigurations": refs(c, _members(c, drawn))} if c.chance(30) else {}
    body: Json = {
        "frontendIPConfigurations": [child(c, rid_, "frontendIPConfigurations", "front", front)],
        "backendAddressPools": [child(c, rid_, "backendAddressPools", "pool", listed)],
        "loadBalancingRules": [],
        "inboundNatRules": [],
    }
    if c.chance(85):
        body["loadBalancingRules"].append(_rule(c, rid_, pool))
    if drawn.configs and c.chance(25):
        body["inboundNatRules"].append(_nat_rule(c, drawn, rid_))
    if not private and c.chance(25):
        fronts = refs(c, [f"{rid_}/frontendIPConfigurations/front"])
        outbound = {"frontendIPConfigurations": fronts, "backendAddressPool": ref(c, pool), "protocol": "All"}
        body["outboundRules"] = [child(c, rid_, "outboundRules", "out", outbound)]
    sku = {"sku": {"name": c.cased(c.of(["Standard", "Basic"]))}} if c.chance(85) else {}
    return resource(c, "loadBalancers", name, body, **sku), address


def _frontend_address(drawn: Drawn, network: Network, octet: int) -> str:
    return network.address(octet, 100 + drawn.host(network, octet))


def _members(c: Choices, drawn: Drawn) -> list[str]:
    gone = f"{rid('networkInterfaces', 'gone')}/ipConfigurations/ip0"
    return [gone] if c.chance(20) else [drawn.configs[0][0]] if drawn.configs and c.chance(10) else []


def _rule(c: Choices, balancer_id: str, pool: str) -> Json:
    front = ref(c, f"{balancer_id}/frontendIPConfigurations/front")
    body: Json = {"frontendIPConfiguration": front, "backendAddressPool": ref(c, pool)}
    if c.chance(40):
        body |= {"protocol": c.cased("All"), "frontendPort": 0, "backendPort": 0}
    else:
        body |= {"protocol": c.cased(c.of(["Tcp", "Udp"])), "frontendPort": c.of([443, 80])}
        body["backendPort"] = c.of([body["frontendPort"], 8443])
    if c.chance(20):
        body["disableOutboundSnat"] = True
    return child(c, balancer_id, "loadBalancingRules", "rule", body)


def _nat_rule(c: Choices, drawn: Drawn, balancer_id: str) -> Json:
    target = c.of([*(name for name, _ in drawn.configs), f"{rid('networkInterfaces', 'gone')}/ipConfigurations/ip0"])
    body = {
        "frontendIPConfiguration": ref(c, f"{balancer_id}/frontendIPConfigurations/front"),
        "backendIPConfiguration": ref(c, target),
        "protocol": "Tcp",
        "frontendPort": c.of([22, 443]),
        "backendPort": c.of([22, 443]),
    }
    return child(c, balancer_id, "inboundNatRules", "nat", body)


def firewall(c: Choices, address: str) -> Json:
    configuration = {"name": "front", "properties": {"privateIPAddress": address}}
    return resource(c, "azureFirewalls", "firewall", {"ipConfigurations": [configuration]})


def route_table(c: Choices, name: str, hops: list[str], theme: str) -> Json:
    prefixes = [c.of(ROUTED_TAGS) if c.chance(15) else c.of(ROUTED) for _ in range(1 + c.number(2))]
    prefixes = [c.of(SPOKES), c.of(SPOKES), *prefixes[:1]] if theme == "hub" else prefixes
    routes = [
        child(c, rid("routeTables", name), "routes", f"route{number}", _route(c, prefix, hops, theme))
        for number, prefix in enumerate(dict.fromkeys(prefixes))
    ]
    body: Json = {"routes": routes, "disableBgpRoutePropagation": c.chance(25)}
    if c.chance(12):
        body["disablePeeringRoute"] = c.cased(c.of(["All", "None"]))
    return resource(c, "routeTables", name, body)


def _route(c: Choices, prefix: str, hops: list[str], theme: str) -> Json:
    body: Json = {"addressPrefix": c.cased(prefix)}
    if c.chance(8):
        ecmp = {"nextHopType": c.cased("VirtualApplianceEcmp")}
        return body | ecmp | {"nextHop": {"nextHopIpAddresses": c.some(sorted(set(hops)), 1, 2)}}
    body["nextHopType"] = c.cased("VirtualAppliance" if theme == "hub" and c.chance(80) else c.of(HOPS))
    if body["nextHopType"].lower() == "virtualappliance" and not c.chance(2):
        body["nextHopIpAddress"] = c.of(hops)
    return body


def effective_routes(c: Choices, nic: str, space: list[str], hops: list[str]) -> Json:
    """What Azure said about a NIC; drawn, not computed: whatever it says counts."""
    rows: list[Json] = [_row(c, "Default", prefix, "VnetLocal") for prefix in space]
    rows.append(_row(c, "Default", "0.0.0.0/0", "Internet"))
    for _ in range(c.number(3)):
        source = c.of(["User", "VirtualNetworkGateway", "Default"])
        kinds = {"User": HOPS, "VirtualNetworkGateway": ("VirtualNetworkGateway",)}
        hop = c.of(kinds.get(source, ("VNetPeering", "VNetGlobalPeering", "None")))
        told = [c.of(hops)] if hop == "VirtualAppliance" else []
        rows.append(_row(c, source, c.of(ROUTED), hop) | {"nextHopIpAddress": told})
    known = {(row["source"].lower(), *row["addressPrefix"]): row for row in reversed(rows)}
    return {"networkInterface": ref(c, nic), "value": list(known.values())}


def _row(c: Choices, source: str, prefix: str, hop: str) -> Json:
    return {
        "source": c.cased(source),
        "state": c.cased("Active") if c.chance(90) else "Invalid",
        "addressPrefix": [prefix],
        "nextHopIpAddress": [],
        "nextHopType": c.cased(hop),
    }
