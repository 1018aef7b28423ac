"""Sets of ports and addresses in words: short for a person, whole for a program."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.network.estate import Point
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.prefixes import PRIVATE, AddressSet, Bounds
from diagnostics.network.security import WITH_PORTS

_FEW = 6
_PUBLIC = ~PRIVATE


def ports_of(ports: Intervals) -> list[str]:
    """The ranges of a set: `22`, `80-90`."""
    return [str(first) if first == last else f"{first}-{last}" for first, last in ports]


def service(protocol: str, ports: Intervals) -> str:
    """Protocol and ports: `tcp 22, 80-90`, `udp on every port`, `icmp`."""
    name = protocol.lower()
    if name not in WITH_PORTS:
        return name
    return f"{name} on every port" if ports == Intervals.all(PORTS_TOP) else f"{name} {', '.join(ports_of(ports))}"


def internet(addresses: AddressSet) -> str:
    """A set of public addresses: by what is in it, or by what is not, whichever is shorter."""
    for family, name in ((AddressSet.parse("0.0.0.0/0"), "IPv4"), (AddressSet.parse("::/0"), "IPv6")):
        whole = _PUBLIC & family
        if addresses and addresses <= whole and addresses != whole:
            inside, outside = addresses.prefixes(), (whole - addresses).prefixes()
            if len(inside) > _FEW and len(outside) < len(inside):
                return f"all of the internet ({name}) but {few(outside)}"
        elif addresses == whole:
            return f"all of the internet ({name})"
    return few(addresses.prefixes())


def few(names: Sequence[str], most: int = _FEW) -> str:
    """The first names of a list, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def sources(known: Bounds) -> str:
    """Where something can be reached from, as far as it is known."""
    perhaps = known.may - known.must
    if not perhaps:
        return f"from {internet(known.must)}"
    if not known.must:
        return f"perhaps from {internet(perhaps)}"
    if len(perhaps.prefixes()) < len(known.must.prefixes()):
        return f"from {internet(known.may)}; of these only perhaps from {few(perhaps.prefixes())}"
    return f"from {internet(known.must)}; perhaps from {internet(perhaps)} too"


def bounds_json(known: Bounds) -> dict[str, list[str]]:
    """The addresses that are in it for sure, those that may be, and what would have to be known."""
    return {
        "surely": list(known.must.prefixes()),
        "perhaps": list((known.may - known.must).prefixes()),
        "missing": sorted(known.missing),
    }


def called(point: Point) -> str:
    """What to call an endpoint: its VM, else its NIC."""
    return "/".join((point.nic.vm or point.nic.id).names)


def placed(point: Point) -> str:
    """Where an endpoint is: its address, and the IP configuration that has it."""
    return f"{point.address} ({point.nic.id.name}/{point.configuration.name})"


def point_json(point: Point) -> dict[str, str]:
    """An endpoint: its name, its private address and its id."""
    configuration = point.configuration
    rid = configuration.id or f"{point.nic.id}/ipConfigurations/{configuration.name}"
    return {"name": called(point), "address": str(point.address or ""), "resourceId": str(rid)}
