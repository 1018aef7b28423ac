"""What people call the ends of a flow: the names in an estate, and what to say when one is wrong."""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic

_ANYWHERE = frozenset({"internet", "any", "*", "0.0.0.0/0", "::/0"})


@dataclass(frozen=True, slots=True)
class Named:
    """Something that can be an end of a flow, and by how many parts of its name at least it is called."""

    id: ResourceId
    parts: int = 1
    nic: Nic | None = None
    point: Point | None = None

    def means(self, text: str) -> bool:
        """Whether a text is its id, or the end of its name: `vm`, `nic/ipconfig`, `scale-set/0`."""
        if text.startswith("/"):
            return self.id.key == text.rstrip("/").lower()
        parts = [part.strip() for part in text.lower().split("/")]
        names = [name.lower() for name in self.id.names]
        return len(parts) >= self.parts and names[-len(parts) :] == parts


def all_named(estate: Estate) -> Iterator[Named]:
    """Everything in an estate that can be an end of a flow; VMs too of which only the NICs are there."""
    vms = {*estate.vms, *(nic.vm for nic in estate.nics.values() if nic.vm)}
    yield from (Named(vm) for vm in sorted(vms, key=lambda vm: vm.key))
    for nic in estate.nics.values():
        yield Named(nic.id, nic=nic)
        if nic.private_endpoint:
            yield Named(nic.private_endpoint, nic=nic)
        for configuration in nic.ip_configurations:
            rid = configuration.id or ResourceId.maybe(f"{nic.id}/ipConfigurations/{configuration.name}")
            if rid:
                yield Named(rid, 2, point=Point(nic, configuration))
    yield from (Named(public) for public in estate.public_ips)


def choice(problem: str, ids: Iterable[object]) -> str:
    """A problem that is solved by giving one of several ids, a line for each."""
    return "\n  ".join([f"{problem}; give one by its id:", *map(str, ids)])


def nothing_called(text: str, listed: Sequence[Named]) -> str:
    """Why nothing was found, and what was perhaps meant."""
    if text.lower() in _ANYWHERE:
        return f"{text!r} is not one address: give one, such as 8.8.8.8, or ask `exposure`"
    if "/" in text and _network(text):
        return f"{text!r} is many addresses: give one of them"
    if text.startswith("/"):
        ResourceId.parse(text)
        return f"no VM, NIC, IP configuration or public IP of the estate has the id {text!r}{_near(text, listed)}"
    return f"no VM, NIC or public IP of the estate is called {text!r}{_near(text, listed)}"


def _near(text: str, listed: Sequence[Named]) -> str:
    called = text.rstrip("/").rsplit("/", 1)[-1] if text.startswith("/") else text
    names = {each.id.name.lower(): each.id.name for each in listed if each.parts == 1}
    near = [names[name] for name in difflib.get_close_matches(called.lower(), names, n=3)]
    if near:
        return f": did you mean {' or '.join(near)}?"
    return "" if listed else ": the estate has none at all"


def _network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
