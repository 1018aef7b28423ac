"""Ends of a flow as people write them, found in an estate: names, resource ids, public IPs and plain addresses."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.errors import ParseError
from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.names import Named, all_named, choice, nothing_called
from diagnostics.network.prefixes import Address, address_of


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a flow.

    Attributes:
        address: where it is: a private address of the estate, a public one, or any other.
        point: the IP configuration that has it; None for a public address and for one that the estate does not know.
        name: what a person calls it: its VM, else its NIC or public IP; empty for a plain address of nobody.
    """

    address: Address
    point: Point | None = None
    name: str = ""


def find(estate: Estate, text: str, where: str = "endpoint", *, leaving: bool = False) -> Endpoint:
    """The one endpoint that a text means: of a VM, its primary NIC's primary IP configuration.

    Args:
        estate: where to look it up.
        text: a name, a resource id or an address, in any case.
        where: the argument that it came from, named in errors.
        leaving: whether flows start there; a public IP then stands for the IP configuration that it belongs to.

    Raises:
        ParseError: it means nothing, or several things: these are listed.
    """
    return candidates(estate, text, where, leaving=leaving)[0]


def candidates(estate: Estate, text: str, where: str = "endpoint", *, leaving: bool = False) -> tuple[Endpoint, ...]:
    """What a text may mean, the likeliest first, one per IP configuration of the NIC; raises ParseError as `find`."""
    plain = text.strip()
    if address := address_of(plain.removeprefix("[").removesuffix("]").partition("%")[0]):
        return (_at(estate, address, where, leaving=leaving),)
    listed = list(all_named(estate))
    found = [each for each in listed if each.means(plain)]
    if not found:
        raise ParseError(f"{where}: {nothing_called(plain, listed)}")
    meant: dict[tuple[Endpoint, ...], list[Named]] = {}
    for each in found:
        meant.setdefault(_ends(estate, each, where, leaving=leaving), []).append(each)
    if len(meant) > 1:
        raise ParseError(
            choice(f"{where}: {plain!r} is the name of several", (named[0].id for named in meant.values()))
        )
    return next(iter(meant))


def points(estate: Estate, text: str, where: str = "endpoint") -> tuple[Point, ...]:
    """Every IP configuration with an address that a text means: of a VM, those of all its NICs.

    Raises:
        ParseError: as `find`; or it is an address or public IP that no IP configuration has.
    """
    first = find(estate, text, where, leaving=True)
    own = first.point
    if own is None:
        raise ParseError(f"{where}: no IP configuration of the estate has {text.strip()!r} ({first.address})")
    named = next((each for each in all_named(estate) if each.means(text.strip())), None)
    if named is None or named.point or named.id in estate.public_ips:
        return (own,)
    nics = [named.nic] if named.nic else sorted(_nics(estate, named.id), key=lambda nic: nic is not own.nic)
    return tuple(point for nic in nics for point in _in_order(nic) if point.address)


def _ends(estate: Estate, named: Named, where: str, *, leaving: bool) -> tuple[Endpoint, ...]:
    if named.id in estate.public_ips:
        return (_public(estate, named.id, where, leaving=leaving),)
    points = [named.point] if named.point else _in_order(named.nic or _primary(estate, named.id, where))
    found = tuple(_endpoint(estate, point) for point in points if point.address)
    if not found:
        raise ParseError(f"{where}: {named.id.name!r} has no private address in the estate (deallocated?): {named.id}")
    return found


def _in_order(nic: Nic) -> list[Point]:
    """The endpoints of a NIC, its primary one first."""
    return [Point(nic, each) for each in sorted(nic.ip_configurations, key=lambda each: not each.primary)]


def _primary(estate: Estate, vm: ResourceId, where: str) -> Nic:
    """The primary NIC of a VM: as the NICs say, else the first that the VM lists."""
    known = estate.vms.get(vm)
    order = known.nics if known else ()
    nics = _nics(estate, vm)
    primary = [nic for nic in nics if nic.primary] or [nic for nic in nics if nic.id == (order or (None,))[0]]
    if not primary and len(order) < 2:
        primary = nics if len(nics) == 1 and nics[0].primary is None else []
    if primary:
        return primary[0]
    if nics:
        raise ParseError(
            choice(f"{where}: the estate does not show the primary NIC of VM {vm.name}", (n.id for n in nics))
        )
    listed = f" ({', '.join(nic.name for nic in order)})" if order else ""
    raise ParseError(f"{where}: no NIC of VM {vm.name} is in the estate{listed}: add `az network nic list` to it")


def _nics(estate: Estate, vm: ResourceId) -> list[Nic]:
    """The NICs of a VM; NIC and VM each may leave out the other."""
    known = estate.vms.get(vm)
    order = known.nics if known else ()
    return [nic for nic in estate.nics.values() if nic.vm == vm or nic.id in order]


def _at(estate: Estate, address: Address, where: str, *, leaving: bool) -> Endpoint:
    """The endpoint with an address; private ones may be used twice, in networks that do not know each other."""
    points = tuple(estate.at(address))
    if len(points) == 1:
        return _endpoint(estate, points[0])
    if points and leaving:
        raise ParseError(choice(f"{where}: {address} is the address of several", map(_id, points)))
    public = next((each.id for each in estate.public_ips.values() if address_of(each.address) == address), None)
    return _public(estate, public, where, leaving=leaving) if public else Endpoint(address)


def _public(estate: Estate, public: ResourceId, where: str, *, leaving: bool) -> Endpoint:
    owner = next((point for point in estate.points if point.configuration.public_ip == public), None)
    if leaving and owner and owner.address:
        return _endpoint(estate, owner)
    if address := address_of(estate.public_ips[public].address):
        return Endpoint(address, name=public.name)
    raise ParseError(f"{where}: public IP {public.name} has no address yet: {public}")


def _endpoint(estate: Estate, point: Point) -> Endpoint:
    assert point.address
    vm = estate.vm_of(point.nic)
    owner = vm.id if vm else point.nic.vm or point.nic.id
    return Endpoint(point.address, point, "/".join(owner.names))


def _id(point: Point) -> object:
    return point.configuration.id or f"{point.nic.id}/ipConfigurations/{point.configuration.name}"
