"""Ways between the internet and a private address: in through public IPs and load balancers, out with a public address.

Source: "Use Source Network Address Translation (SNAT) for outbound connections", "Default outbound access in Azure",
"Azure Load Balancer components".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diagnostics.network.estate import BalancingRule, Estate, Frontend, LoadBalancer, Point, PublicIp
from diagnostics.network.ids import ResourceId
from diagnostics.network.prefixes import Address, address_of
from diagnostics.network.security import Flow, Verdict


@dataclass(frozen=True, slots=True)
class WayOut:
    """How a flow leaves for the internet.

    Attributes:
        text: the way, for a person; why there is none.
        addresses: the public addresses that it may leave with; empty where they are not known.
        resource: the public IP, NAT gateway or load balancer.
    """

    verdict: Verdict
    text: str
    addresses: tuple[Address, ...] = ()
    resource: ResourceId | None = None
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class WayIn:
    """How a flow from the internet gets to an endpoint.

    Attributes:
        port: the port that it is for at the endpoint; None leaves it as it is.
        closed: whether it lets nothing in without an NSG that allows it (Standard); None where the SKU is not known.
        name: the public IP or the load balancer's rule.
    """

    point: Point
    port: int | None
    closed: bool | None
    name: str
    resource: ResourceId
    address: str = ""
    public_port: int | None = None


def way_out(estate: Estate, point: Point, version: int) -> WayOut:
    """The way out of an endpoint, in the order in which Azure takes them."""
    subnet = estate.subnet_of(point)
    if way := _nat(estate, point, version) or _own(estate, point, version):
        return way
    if way := next(_balanced(estate, point, version), None):
        return way
    if unseen := unseen_balancer(estate, point):
        missing = frozenset({f"load balancer {unseen.name}"})
        return WayOut(Verdict.UNKNOWN, f"load balancer {unseen.name} cannot be seen", (), unseen, missing)
    if version == 6:
        return WayOut(Verdict.DENIED, "no public IPv6 address leads out")
    if subnet is None:
        missing = frozenset({f"the subnet of {point.nic.id.name}"})
        return WayOut(Verdict.UNKNOWN, "whether it has default outbound access is not known", missing=missing)
    if subnet.private:
        return WayOut(Verdict.DENIED, f"subnet {subnet.id.name} is private: no default outbound access", (), subnet.id)
    skus = {balancer.sku.lower(): balancer.id for balancer in _balancers_of(estate, point)}
    if standard := skus.get("standard"):
        return WayOut(Verdict.DENIED, f"members of the Standard load balancer {standard.name} have none", (), standard)
    if skus.keys() - {"basic"}:
        other = next(rid for sku, rid in skus.items() if sku != "basic")
        missing = frozenset({f"the SKU of load balancer {other.name}"})
        return WayOut(Verdict.UNKNOWN, f"members of {other.name} have none if it is Standard", (), other, missing)
    return WayOut(Verdict.ALLOWED, "default outbound access", (), subnet.id)


def ways_in(estate: Estate, address: Address, flow: Flow) -> tuple[WayIn, ...]:
    """Where a flow to a public address of the estate arrives; empty where nothing stands behind it for this flow."""
    found = [public for public in estate.public_ips.values() if address_of(public.address) == address]
    return tuple(way for public in found for way in _behind(estate, public, flow))


def public_at(estate: Estate, address: Address) -> PublicIp | None:
    """The public IP that has an address."""
    return next((each for each in estate.public_ips.values() if address_of(each.address) == address), None)


def attachment(estate: Estate, public: ResourceId) -> ResourceId | None:
    """What uses a public IP, as far as the estate shows."""
    for point in estate.points:
        if point.configuration.public_ip == public:
            return point.nic.id
    for balancer in estate.load_balancers.values():
        if any(front.public_ip == public for front in balancer.frontends):
            return balancer.id
    return next((each.id for each in estate.nat_gateways.values() if public in each.public_ips), None)


def ways_to(estate: Estate, point: Point, flow: Flow) -> tuple[WayIn, ...]:
    """The ways from the internet to an endpoint for a flow to its private address and port."""
    own = point.configuration.public_ip
    known = estate.public_ips.get(own) if own else None
    if own:
        address = (known.address if known else None) or ""
        return (WayIn(point, None, _closed(known.sku if known else ""), f"public IP {own.name}", own, address),)
    return tuple(_forwarded(estate, flow, point))


def _nat(estate: Estate, point: Point, version: int) -> WayOut | None:
    subnet = estate.subnet_of(point)
    if subnet is None or subnet.nat_gateway is None or version == 6:
        return None
    name, known = subnet.nat_gateway.name, estate.nat_gateways.get(subnet.nat_gateway)
    if known is None:
        missing = frozenset({f"NAT gateway {name}"})
        return WayOut(Verdict.UNKNOWN, f"NAT gateway {name} cannot be seen", (), subnet.nat_gateway, missing)
    if not known.public_ips and not known.public_prefixes:
        return WayOut(Verdict.DENIED, f"NAT gateway {name} has no public address", (), known.id)
    addresses = () if known.public_prefixes else _addresses(estate, known.public_ips)
    return WayOut(Verdict.ALLOWED, f"NAT gateway {name}", addresses, known.id)


def _own(estate: Estate, point: Point, version: int) -> WayOut | None:
    public = point.configuration.public_ip
    if public is None or ((address := point.address) is not None and address.version != version):
        return None
    return WayOut(Verdict.ALLOWED, f"public IP {public.name}", _addresses(estate, (public,)), public)


def _balanced(estate: Estate, point: Point, version: int) -> Iterator[WayOut]:
    for balancer in estate.load_balancers.values():
        for rule in (*balancer.outbound_rules, *(rule for rule in balancer.rules if rule.snat and rule.pool)):
            publics = [front.public_ip for front in frontends(balancer, rule) if front.public_ip]
            if publics and rule.pool and point in pool_members(estate, balancer, rule.pool):
                addresses = _addresses(estate, publics)
                if not addresses or any(address.version == version for address in addresses):
                    yield WayOut(Verdict.ALLOWED, f"load balancer {balancer.id.name}", addresses, balancer.id)


def _balancers_of(estate: Estate, point: Point) -> Iterator[LoadBalancer]:
    """The load balancers that an endpoint is a member of."""
    for balancer in estate.load_balancers.values():
        if any(point in pool_members(estate, balancer, pool) for pool in balancer.pools):
            yield balancer


def unseen_balancer(estate: Estate, point: Point) -> ResourceId | None:
    """A load balancer that an endpoint says it is behind, and that is not in the estate."""
    named = (*point.configuration.pools, *point.configuration.inbound_nat_rules)
    owners = (each.parent for each in named)
    return next((owner for owner in owners if owner and owner not in estate.load_balancers), None)


def _behind(estate: Estate, public: PublicIp, flow: Flow) -> Iterator[WayIn]:
    name, address = f"public IP {public.id.name}", public.address or ""
    for point in estate.points:
        if point.configuration.public_ip == public.id:
            yield WayIn(point, None, _closed(public.sku), name, public.id, address)
    for balancer, rule in _rules_of(estate, public.id):
        if covers(rule, flow):
            yield from _targets(estate, balancer, rule, flow, address)


def _forwarded(estate: Estate, flow: Flow, point: Point) -> Iterator[WayIn]:
    """The ways of load balancers whose translated port is the one asked for."""
    for balancer in estate.load_balancers.values():
        for rule in balancer.rules:
            outside = public_port(rule, flow.destination_port)
            if (outside is not None or flow.destination_port is None) and protocol_fits(rule, flow.protocol):
                asked = Flow(flow.source, flow.destination, flow.protocol, outside or flow.destination_port)
                for public in (front.public_ip for front in frontends(balancer, rule) if front.public_ip):
                    known = estate.public_ips.get(public)
                    ways = _targets(estate, balancer, rule, asked, (known.address if known else None) or "")
                    yield from (way for way in ways if way.point == point)


def _targets(estate: Estate, balancer: LoadBalancer, rule: BalancingRule, flow: Flow, address: str) -> Iterator[WayIn]:
    port = translated(rule, flow.destination_port)
    for point in targets(estate, balancer, rule):
        name = f"rule {rule.id.name} of load balancer {balancer.id.name}"
        yield WayIn(point, port, _closed(balancer.sku), name, balancer.id, address, flow.destination_port)


def _rules_of(estate: Estate, public: ResourceId) -> Iterator[tuple[LoadBalancer, BalancingRule]]:
    for balancer in estate.load_balancers.values():
        for rule in balancer.rules:
            if any(front.public_ip == public for front in frontends(balancer, rule)):
                yield balancer, rule


def frontends(balancer: LoadBalancer, rule: BalancingRule) -> Iterator[Frontend]:
    """The frontends of a rule."""
    return (front for front in balancer.frontends if front.id in rule.frontends)


def targets(estate: Estate, balancer: LoadBalancer, rule: BalancingRule) -> tuple[Point, ...]:
    """Where a rule leads: the members of its pool, or the one IP configuration of a NAT rule."""
    if rule.pool:
        return pool_members(estate, balancer, rule.pool)
    return tuple(
        point
        for point in estate.points
        if (rule.target and point.configuration.id == rule.target) or rule.id in point.configuration.inbound_nat_rules
    )


def unseen_target(estate: Estate, balancer: LoadBalancer, rule: BalancingRule) -> ResourceId | None:
    """An IP configuration that a rule leads to and that is not in the estate."""
    named = (rule.target,) if rule.target else balancer.listed.get(rule.pool, ()) if rule.pool else ()
    return next((each for each in named if each not in estate.configurations), None)


def unseen_behind(estate: Estate, public: ResourceId, flow: Flow) -> tuple[ResourceId, ResourceId] | None:
    """A load balancer that leads a flow to something that is not in the estate, and to what."""
    rules = ((balancer, rule) for balancer, rule in _rules_of(estate, public) if covers(rule, flow))
    found = ((balancer.id, unseen_target(estate, balancer, rule)) for balancer, rule in rules)
    return next(((balancer, target) for balancer, target in found if target), None)


def pool_members(estate: Estate, balancer: LoadBalancer, pool: ResourceId) -> tuple[Point, ...]:
    """The members of a backend pool: by their own word, and by address."""
    told = balancer.pools.get(pool, ())
    by_address = [point for text in told if (address := address_of(text)) for point in estate.at(address)]
    return tuple(dict.fromkeys((*estate.members.get(pool, ()), *by_address)))


def covers(rule: BalancingRule, flow: Flow) -> bool:
    """Whether a rule takes a flow to its frontend."""
    first, last = rule.ports
    whole = (first, last) == (0, 0)
    port = flow.destination_port
    return protocol_fits(rule, flow.protocol) and (whole or (port is not None and first <= port <= last))


def protocol_fits(rule: BalancingRule, protocol: str) -> bool:
    """Whether a rule is for a protocol; load balancers carry TCP and UDP only."""
    return protocol.lower() in {"tcp", "udp"} and rule.protocol.lower() in {"all", "*", protocol.lower()}


def translated(rule: BalancingRule, port: int | None) -> int | None:
    """The port at the target for a port at the frontend."""
    if not rule.backend_port or port is None:
        return port
    return rule.backend_port if rule.one_port else rule.backend_port + port - rule.ports[0]


def public_port(rule: BalancingRule, port: int | None) -> int | None:
    """The port at the frontend that is translated to a port at the target; None where none is."""
    if rule.ports == (0, 0) or port is None:
        return port
    if rule.one_port:
        return rule.ports[0] if port == rule.backend_port else None
    outside = port if not rule.backend_port else port - rule.backend_port + rule.ports[0]
    return outside if rule.ports[0] <= outside <= rule.ports[1] else None


def _addresses(estate: Estate, publics: tuple[ResourceId, ...] | list[ResourceId]) -> tuple[Address, ...]:
    """The addresses of public IPs; none where one of them is not known."""
    known = [estate.public_ips.get(public) for public in publics]
    found = [address_of(public.address) if public else None for public in known]
    return tuple(address for address in found if address) if None not in found else ()


def _closed(sku: str) -> bool | None:
    """Whether a public address of this SKU is closed without an NSG; None where the SKU is not known."""
    return sku.lower() != "basic" if sku else None
