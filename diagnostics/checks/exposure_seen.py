"""Machines that the internet at large reaches, and by what: each worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from diagnostics.checks.internet_closing import Closing, Letting, closing
from diagnostics.checks.internet_groups import bits, broad, narrow
from diagnostics.checks.internet_ports import Open, Ports, together
from diagnostics.checks.internet_seen import seen
from diagnostics.checks.internet_where import owner
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, named, terms
from diagnostics.findings import Cause
from diagnostics.network.estate import Point
from diagnostics.network.filters import Level
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.model import Nic
from diagnostics.network.openings import Decider
from diagnostics.network.public import WayIn
from diagnostics.paste import az

_VMS = "microsoft.compute/virtualmachines"
_ALL = Intervals.all(PORTS_TOP)
_WAYS = 3


@dataclass(frozen=True, slots=True)
class Machine:
    """A VM, or a NIC whose VM is not known, that the internet reaches or may reach.

    Attributes:
        power: the state of one that does not run, for which this holds once it does; else empty.
        ports: of endpoints that have an NSG.
        broad: of that, what broad ranges of rules open.
        swallowed: the services that nothing but those opens, as bits.
        bare: of endpoints that have none.
        points: the endpoints.
    """

    id: ResourceId
    power: str
    ports: Ports
    broad: tuple[Open, ...]
    swallowed: int
    bare: Ports
    points: tuple[Point, ...]


def machines(view: View) -> tuple[Machine, ...]:
    """Every machine that the internet reaches or may reach, by id."""
    return view.once(_machines)


def without_group(view: View, point: Point) -> bool | None:
    """Whether no NSG stands at an endpoint; None where its subnet is not known."""
    if point.nic.security_group:
        return False
    subnet = view.estate.subnet_of(point)
    return None if subnet is None else subnet.security_group is None


def orphaned(view: View, nic: Nic) -> bool:
    """Whether a NIC belongs to no VM for sure."""
    return nic.vm is None and view.vm_of(nic) is None and view.facts.knows_all(_VMS)


def _machines(view: View) -> tuple[Machine, ...]:
    found: dict[ResourceId, list[tuple[Point, Ports]]] = {}
    known = seen(view)
    for point in known.led:
        ports = known.exposed(point)
        if (ports.opens or ports.doubts) and not orphaned(view, point.nic):
            found.setdefault(owner(view, point.nic), []).append((point, ports))
    for some in found.values():
        some.sort(key=lambda each: (each[0].nic.id.key, each[0].configuration.name))
    return tuple(_machine(view, rid, found[rid]) for rid in sorted(found, key=lambda rid: rid.key))


def _machine(view: View, rid: ResourceId, found: list[tuple[Point, Ports]]) -> Machine:
    nic = found[0][0].nic
    vm = view.vm_of(nic)
    power = (vm.power_state or "") if vm and seen(view).asleep(nic) else ""
    bare = [ports for point, ports in found if without_group(view, point)]
    others = [ports for point, ports in found if not without_group(view, point)]
    ports = _sum(others)
    ranges = broad(ports.opens)
    swallowed = bits(ranges) & ~narrow(ports, ranges) if ranges else 0
    return Machine(rid, power, ports, ranges, swallowed, _sum(bare), tuple(point for point, _ in found))


def _sum(every: Iterable[Ports]) -> Ports:
    some = list(every)
    return Ports(
        tuple(each for ports in some for each in ports.opens),
        tuple(each for ports in some for each in ports.doubts),
    )


def causes(machine: Machine, opens: Iterable[Open]) -> tuple[Cause, ...]:
    """What decides: the rules in the order in which they are asked, and the public addresses."""
    every = list(opens)
    rules = {(each.level, id(each.rule)): each for opened in every for each in opened.rules}
    ways = dict.fromkeys(way for opened in every for way in _ways(opened))
    asleep = f"It is {machine.power}: this holds as soon as it runs."
    return (
        *map(_rule, rules.values()),
        *(fact("public-address", text, about) for text, about in list(ways)[:_WAYS]),
        *([fact("power-state", asleep, machine.id, machine.power)] if machine.power else ()),
    )


def _rule(decider: Decider) -> Cause:
    rule, group = decider.rule, decider.group
    if decider.level is Level.ADMIN:
        return Cause(
            kind="security-admin-rule", text=f"security admin rule {named(rule)}: {terms(rule)}", name=rule.name
        )
    of = f" of NSG {group.name} on the {_side(decider.level)}" if group else ""
    text = f"rule {named(rule)}{of}: {terms(rule)}"
    return Cause(kind="security-rule", text=text, name=rule.name, resource_id=group.text if group else "")


def _side(level: Level) -> str:
    return "network interface" if level is Level.NIC else "subnet"


def outside(opens: Iterable[Open]) -> str:
    """Through which public ports, where every way translates: ` through public port 50001`."""
    ways = [way for opened in opens for way in opened.through or (None,)]
    if not all(_translates(way) for way in ways):
        return ""
    found = dict.fromkeys(way.public_port for way in ways if way)
    return f" through public port{'s' if len(found) > 1 else ''} {listed(found, _WAYS)}"


def _translates(way: WayIn | None) -> bool:
    return bool(way and way.public_port is not None and way.port is not None and way.port != way.public_port)


def _ways(opened: Open) -> Iterator[tuple[str, ResourceId]]:
    for way in opened.through:
        yield _way(way), way.resource


def _way(way: WayIn) -> str:
    at = f" ({way.address})" if way.address else ""
    if _translates(way):
        return f"{way.name} leads from public port {way.public_port}{at} to port {way.port}"
    return f"{way.name}{at} leads to it"


def shut(view: View, opens: Iterable[Open], what: str) -> Closing:
    """How to close ports by the NSGs that open them: that of the NIC where there is one, as it stands at no other."""
    every = list(opens)
    letting: dict[int, Letting] = {}
    ports: dict[str, Intervals] = {}
    for opened in every:
        ports[opened.protocol] = together((opened.ports, ports.get(opened.protocol, Intervals.none(PORTS_TOP))))
    for opened in every:
        for each in sorted(opened.rules, key=lambda decider: decider.level is not Level.NIC):
            group = view.estate.security_groups.get(each.group) if each.group else None
            if group:
                own = seen(view).alone(group).by_rule.get(id(each.rule), {})
                letting[id(each.rule)] = Letting(group, each.rule, together(own.values()))
                break
    if not letting:
        admin = next((each.rule.name for opened in every for each in opened.rules if each.level is Level.ADMIN), "")
        text = f"Change security admin rule {admin} in the network manager: NSGs are not asked." if admin else ""
        return Closing(text, "", "")
    return closing(letting.values(), ports, what)


def no_address(points: Iterable[Point]) -> str:
    """How to take the public addresses of endpoints away, as comments."""
    return az.lines(
        *(
            az.otherwise(
                "or take its public address away",
                "az network nic ip-config update "
                f"{az.placed(point.nic.id, nic_name=point.nic.id.name, name=point.configuration.name)} "
                "--remove publicIpAddress",
            )
            for point in points
            if point.configuration.public_ip
        )
    )
