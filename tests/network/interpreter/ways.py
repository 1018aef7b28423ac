"""The ways in and out between a network and the internet, and through load balancers."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.network.interpreter.documents import Cloud, Config, Frontend, Json, low, props
from tests.network.interpreter.security import Packet
from tests.network.interpreter.tags import Place, Somewhere
from tests.network.interpreter.worlds import World


@dataclass(frozen=True)
class Target:
    """An IP configuration that a public address or a frontend leads to, and the flow as it arrives."""

    config: Config
    packet: Packet
    entrance: str


def sku(cloud: Cloud, kind: str, resource: str) -> str:
    """The SKU of a public IP or load balancer; where nobody says it, a text that names the resource."""
    document = cloud.kind(kind).get(resource, {})
    return str((document.get("sku") or {}).get("name") or f"unknown SKU of {resource}").lower()


def egress(cloud: Cloud, world: World, at: Config, version: int) -> Place | None:
    """The public address that a flow leaves with; None where there is no way out."""
    subnet = props(cloud.subnets.get(at.subnet, {}))
    nat = low(subnet.get("natGateway"))
    if nat and version == 4:
        return _translated_by(cloud, world, nat)
    if at.public_ip:
        return _one_of(cloud, world, at.id, [at.public_ip], version)
    frontends = sorted({f.public_ip for f in _outbound_frontends(cloud, at) if _fits(cloud, f.public_ip, version)})
    if frontends:
        return _one_of(cloud, world, at.id, frontends, version)
    if behind_unseen(cloud, at):
        return _perhaps(world, f"the load balancer of {at.id}", version)
    if version == 6 or subnet.get("defaultOutboundAccess") is False or not _lends(cloud, world, at):
        return None
    if at.subnet not in cloud.subnets:
        return _perhaps(world, f"default outbound access of {at.subnet}", version)
    return Somewhere(f"default outbound access of {at.nic}", version)


def _perhaps(world: World, what: str, version: int) -> Place | None:
    return Somewhere(what, version) if world.perhaps("way out", what) else None


def _translated_by(cloud: Cloud, world: World, nat: str) -> Place | None:
    """A NAT gateway without public addresses leads nowhere."""
    if nat not in cloud.kind("natgateways"):
        return _perhaps(world, nat, 4)
    body = props(cloud.kind("natgateways")[nat])
    listed = [low(ip) for ip in body.get("publicIpAddresses") or []]
    prefixes = [low(prefix) for prefix in body.get("publicIpPrefixes") or []]
    return _one_of(cloud, world, nat, listed + prefixes, 4) if listed or prefixes else None


def _one_of(cloud: Cloud, world: World, owner: str, ips: list[str], version: int) -> Place:
    known = cloud.kind("publicipaddresses")
    texts = [text for ip in ips if (text := props(known.get(ip, {})).get("ipAddress"))]
    places: list[Place] = [place for text in texts if (place := ipaddress.ip_address(text)).version == version]
    if len(texts) < len(ips) or not places:
        places.append(Somewhere(f"public address of {owner}", version))
    return world.ask(("egress", owner, tuple(places)), places) if len(places) > 1 else places[0]


def _fits(cloud: Cloud, public_ip: str, version: int) -> bool:
    """Whether a public IP is, or may be, of an address family."""
    text = props(cloud.kind("publicipaddresses").get(public_ip, {})).get("ipAddress")
    return not text or ipaddress.ip_address(text).version == version


def _outbound_frontends(cloud: Cloud, at: Config) -> Iterator[Frontend]:
    """The public frontends through which its pools may leave."""
    for balancer in cloud.kind("loadbalancers").values():
        body = props(balancer)
        used: set[str] = set()
        for rule in body.get("outboundRules") or []:
            if low(props(rule).get("backendAddressPool")) in at.pools:
                used |= {low(frontend) for frontend in props(rule).get("frontendIPConfigurations") or []}
        for rule in body.get("loadBalancingRules") or []:
            if set(pools_of(rule)) & set(at.pools) and not props(rule).get("disableOutboundSnat"):
                used.add(low(props(rule).get("frontendIPConfiguration")))
        yield from (f for f in cloud.frontends if f.id in used and f.public_ip)


def _lends(cloud: Cloud, world: World, at: Config) -> bool:
    """Default outbound access: not for members of a Standard load balancer's pool."""
    for pool in at.pools:
        kind = sku(cloud, "loadbalancers", balancer_of(pool))
        if kind == "standard" or (kind != "basic" and world.perhaps("sku", kind)):
            return False
    return True


def behind_unseen(cloud: Cloud, at: Config) -> bool:
    """Whether it says that it is behind a load balancer that is not in the estate."""
    named = [*map(balancer_of, at.pools), *(rule.split("/inboundnatrules/", maxsplit=1)[0] for rule in at.nat_rules)]
    return any(balancer not in cloud.kind("loadbalancers") for balancer in named)


def balancer_of(pool: str) -> str:
    return pool.split("/backendaddresspools/", maxsplit=1)[0]


def listed_in(cloud: Cloud, pool: str) -> list[Json]:
    """The members that the body of a pool lists."""
    found: list[Json] = props(cloud.pools.get(pool, {})).get("backendIPConfigurations") or []
    return found


def pools_of(rule: Json) -> list[str]:
    body = props(rule)
    one = [low(body["backendAddressPool"])] if body.get("backendAddressPool") else []
    return one + [low(pool) for pool in body.get("backendAddressPools") or []]


def entrances(cloud: Cloud, public_ip: str, packet: Packet) -> list[Target | None]:
    """What a public IP leads to: its IP configuration, or the members behind its frontend; None is an unseen one."""
    kind = sku(cloud, "publicipaddresses", public_ip)
    found: list[Target | None] = [
        Target(c, replace(packet, destination=c.address), kind) for c in cloud.configs if c.public_ip == public_ip
    ]
    for frontend in cloud.frontends:
        if frontend.public_ip == public_ip:
            found += members(cloud, frontend, packet)
    return found


def entrances_to(cloud: Cloud, config: Config, packet: Packet) -> list[Target | None]:
    """The ways in from the internet that end at the private address and port of a flow."""
    if config.public_ip:
        return [Target(config, packet, sku(cloud, "publicipaddresses", config.public_ip))]
    found: list[Target | None] = []
    for frontend in cloud.frontends:
        for rule in rules_at(cloud, frontend) if frontend.public_ip else ():
            outside = replace(packet, destination_port=_outside(rule, packet))
            if _takes(rule, outside) and _translated(rule, outside) == packet.destination_port:
                seen = Target(config, packet, sku(cloud, "loadbalancers", frontend.balancer))
                found += [seen for at in _behind(cloud, rule) if at == config]
    return found


def _outside(rule: Json, packet: Packet) -> int | None:
    """The frontend's port that leads to a port at a member."""
    return props(rule).get("frontendPort") or packet.destination_port


def members(cloud: Cloud, frontend: Frontend, packet: Packet) -> list[Target | None]:
    """The members that a frontend sends a flow to, translated; none where it has no rule for it."""
    kind = sku(cloud, "loadbalancers", frontend.balancer)
    found: list[Target | None] = []
    for rule in rules_at(cloud, frontend):
        if _takes(rule, packet):
            port = _translated(rule, packet)
            for at in _behind(cloud, rule):
                inside = at and replace(packet, destination=at.address, destination_port=port)
                found.append(Target(at, inside, kind) if at and inside else None)
    return found


def rules_at(cloud: Cloud, frontend: Frontend) -> list[Json]:
    """The inbound NAT rules and load-balancing rules of a frontend."""
    body = props(cloud.kind("loadbalancers")[frontend.balancer])
    rules = [*(body.get("inboundNatRules") or []), *(body.get("loadBalancingRules") or [])]
    return [rule for rule in rules if low(props(rule).get("frontendIPConfiguration")) == frontend.id]


def _takes(rule: Json, packet: Packet) -> bool:
    """Load balancers carry TCP and UDP only."""
    body, protocol = props(rule), packet.protocol.lower()
    if protocol not in {"tcp", "udp"} or str(body.get("protocol", "")).lower() not in {protocol, "all"}:
        return False
    return body.get("frontendPort") in {0, packet.destination_port}


def _translated(rule: Json, packet: Packet) -> int | None:
    return props(rule).get("backendPort") or packet.destination_port


def _behind(cloud: Cloud, rule: Json) -> list[Config | None]:
    """Where a rule leads; None for what is named but not in the estate."""
    target = low(props(rule).get("backendIPConfiguration"))
    if target:
        return [cloud.by_id.get(target)]
    if not pools_of(rule):
        return [config for config in cloud.configs if low(rule) in config.nat_rules]
    pools = set(pools_of(rule))
    listed = [low(member) for pool in pools for member in listed_in(cloud, pool)]
    unseen = [None for member in listed if member not in cloud.by_id]
    return [*(config for config in cloud.configs if set(config.pools) & pools), *unseen]
