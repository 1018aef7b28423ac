"""Which machine an endpoint means: by its id or a NIC's, by name, or by an address alone."""

from __future__ import annotations

from diagnostics.findings import Step
from diagnostics.intake.messages import Endpoint
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.owners import subnet_with
from diagnostics.network.prefixes import address_of
from diagnostics.network.reading import read_objects
from diagnostics.runbooks.questions import Asking, FindByAddress, FindVms, ReadBody, ReadNic, ReadVm, Unread, ask
from diagnostics.runbooks.select import is_inside
from diagnostics.runbooks.situation import Machine
from diagnostics.runbooks.step import failed, inconclusive, passed

_MACHINES = frozenset({ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM})
_NAME = "Destination exists"
_MOST = 8  # networks that overlap so often are not told apart by reading more of them


def look_up(end: Endpoint, role: str) -> Asking[tuple[Machine | None, Step]]:
    """Find the machine that an endpoint names, and the step that says how that went."""
    name = f"{role} exists"
    resource = end.resource
    if resource is None:
        found = yield from ask(FindVms(end.name or ""))
        if isinstance(found, Unread):
            return None, inconclusive(name, f"could not look up a VM called {end.name}: {found}")
        if len(found) != 1:
            listing = tuple(vm.text for vm in found)
            number = f"{len(found)} VMs in scope are" if found else "no VM in scope is"
            return None, inconclusive(name, f"{number} called {end.name}", *listing)
        resource = found[0]
    machine = yield from machine_of(resource)
    if machine is None:
        return None, inconclusive(name, f"{resource.name} is of type {resource.type}: name a VM or one of its NICs")
    return machine, _exists(name, machine)


def machine_of(resource: ResourceId) -> Asking[Machine | None]:
    """The machine that a resource is, or belongs to; None for what is neither VM nor NIC."""
    if resource.type == ids.SCALE_SET_NETWORK_INTERFACE and resource.parent:
        resource = resource.parent
    if resource.type in _MACHINES:
        return (yield from _vm(resource, None))
    if resource.type != ids.NETWORK_INTERFACE:
        return None
    nic = yield from ask(ReadNic(resource))
    if isinstance(nic, Unread):
        return Machine(resource, nic, ((resource, nic),), resource)
    if nic.vm is None:
        return Machine(resource, Unread(f"{resource.name} is attached to no VM"), ((resource, nic),), resource)
    return (yield from _vm(nic.vm, resource))


def _vm(vm_id: ResourceId, named_nic: ResourceId | None) -> Asking[Machine]:
    vm = yield from ask(ReadVm(vm_id))
    wanted = [named_nic] if isinstance(vm, Unread) and named_nic else [] if isinstance(vm, Unread) else [*vm.nics]
    nics = []
    for nic_id in wanted:
        if nic_id.type == ids.NETWORK_INTERFACE:  # a uniform scale set's NICs are not resources of their own
            nics.append((nic_id, (yield from ask(ReadNic(nic_id)))))
    # Alerts write ids in lower case: what Azure calls the VM is what its owner knows it by.
    return Machine(vm_id if isinstance(vm, Unread) else vm.id, vm, tuple(nics), named_nic)


def _exists(name: str, machine: Machine) -> Step:
    if isinstance(machine.vm, Unread):
        step = failed if machine.missing else inconclusive
        return step(name, machine.why_unread, machine.id.text, str(machine.vm))
    return passed(name, f"{machine.name} in {machine.location or 'a region not given'}", machine.id.text)


def is_somebodys(end: Endpoint, source: Machine | None) -> bool:
    """Whether a destination is an address that another machine of a virtual network may have."""
    own = source.owner_of(end.address) if source else None
    return end.address is not None and is_inside(end.address) and own is None


def at_address(address: str, source: Machine | None) -> Asking[tuple[Machine | None, Step]]:
    """The machine that has a private address; of several, the one in a virtual network of the source's."""
    found = yield from ask(FindByAddress(address))
    if isinstance(found, Unread):
        return None, inconclusive(_NAME, f"could not look up who has {address}: {found}")
    machines, candidates = [], [each for each in found if each.type == ids.NETWORK_INTERFACE]
    open_ = candidates[_MOST:]
    for candidate in candidates[:_MOST]:
        machine = yield from machine_of(candidate)
        if machine and machine.owner_of(address):
            machines.append(machine)
        elif machine and any(nic == candidate and isinstance(read, Unread) for nic, read in machine.nics):
            open_.append(candidate)
    meant = yield from _meant(machines, open_, address, source)
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


def _meant(
    machines: list[Machine], open_: list[ResourceId], address: str, source: Machine | None
) -> Asking[Machine | str | None]:
    """The one that is meant: in a network of the source's, else the only one; a sentence where it can't be meant.

    Networks overlap: who has the address elsewhere is not meant where the source's own network has it in its space,
    nor where another NIC that may be meant was not read.
    """
    home = list(dict.fromkeys(network for nic in (source.read_nics if source else ()) for network in _networks(nic)))
    near = [m for m in machines if (nic := m.owner_of(address)) and set(home) & set(_networks(nic))]
    if near or len(machines) != 1:
        return near[0] if len(near) == 1 else None
    if open_:
        names = ", ".join(each.name for each in open_)
        return f"{address} belongs to {machines[0].name}, and perhaps to {names}, which was not read"
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
