"""Who has a private address: the machine that a destination means when it is given as an address only."""

from __future__ import annotations

from diagnostics.findings import Step
from diagnostics.intake.messages import Endpoint
from diagnostics.network.ids import NETWORK_INTERFACE, ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.owners import subnet_with
from diagnostics.network.prefixes import address_of
from diagnostics.network.reading import read_objects
from diagnostics.runbooks.questions import Asking, FindByAddress, ReadBody, Unread, ask
from diagnostics.runbooks.select import is_inside
from diagnostics.runbooks.situation import Machine, machine_of
from diagnostics.runbooks.step import inconclusive, passed

_NAME = "Destination exists"
_MOST = 8  # networks that overlap so often are not told apart by reading more of them


def is_somebodys(end: Endpoint, source: Machine | None) -> bool:
    """Whether a destination is an address that another machine of a virtual network may have."""
    own = source.owner_of(end.address) if source else None
    return end.address is not None and is_inside(end.address) and own is None


def at_address(address: str, source: Machine | None) -> Asking[tuple[Machine | None, Step]]:
    """The machine that has a private address; of several, the one in a virtual network of the source's."""
    found = yield from ask(FindByAddress(address))
    if isinstance(found, Unread):
        return None, inconclusive(_NAME, f"could not look up who has {address}: {found}")
    machines = []
    for candidate in [each for each in found if each.type == NETWORK_INTERFACE][:_MOST]:
        machine = yield from machine_of(candidate)
        if machine and machine.owner_of(address):
            machines.append(machine)
    meant = yield from _meant(machines, address, source)
    if isinstance(meant, str):
        return None, inconclusive(_NAME, meant, *(each.text for each in found))
    if meant is not None:
        return meant, passed(_NAME, f"{address} belongs to {meant.name}", meant.id.text)
    if not found:
        text = f"no network interface, load balancer or firewall in scope has {address}"
        return None, inconclusive(_NAME, text)
    names = ", ".join(each.name for each in found)
    text = f"{address} belongs to {names}" + ("" if len(machines) < 2 else ": which one is meant is not known")
    return None, inconclusive(_NAME, text, *(each.text for each in found))


def _meant(machines: list[Machine], address: str, source: Machine | None) -> Asking[Machine | str | None]:
    """The one that is meant: in a network of the source's, else the only one; a sentence where it can't be meant.

    Networks overlap: who has the address elsewhere is not meant where the source's own network has it in its space.
    """
    home = list(dict.fromkeys(network for nic in (source.read_nics if source else ()) for network in _networks(nic)))
    near = [m for m in machines if (nic := m.owner_of(address)) and set(home) & set(_networks(nic))]
    if near or len(machines) != 1:
        return near[0] if len(near) == 1 else None
    for network in home:
        body = yield from ask(ReadBody(network))
        known = None if isinstance(body, Unread) else read_objects([body]).networks.get(network)
        wanted = address_of(address)
        if known and wanted and subnet_with(known, wanted):
            other = machines[0].name
            return f"{address} lies in {network.name}, where nothing is known to have it; {other} has it elsewhere"
    return machines[0]


def _networks(nic: Nic) -> list[ResourceId]:
    """The virtual networks that a NIC is in: one, by its subnets."""
    parents = (each.subnet.parent for each in nic.ip_configurations if each.subnet)
    return [parent for parent in parents if parent]
