"""The flow that a request is about, as the engine takes it: from which IP configuration, to which.

Source: "Assign multiple IP addresses to virtual machines", "Create and manage a Windows VM that has multiple NICs": a
guest sends from its primary NIC's primary IP configuration, but to a subnet that another NIC is in by that NIC.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from diagnostics.intake.messages import Protocol
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.network.estate import Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.owners import lies_in
from diagnostics.network.prefixes import Address, address_of, is_public
from diagnostics.network.security import Flow
from diagnostics.runbooks.situation import Machine, Situation


@dataclass(frozen=True, slots=True)
class Asked:
    """A flow and its ends.

    Attributes:
        destination: None where nothing known has the address, or several do and none is near.
    """

    flow: Flow
    source: Point
    destination: Point | None


def asked(situation: Situation, address: str, port: int | None, probe: ConnectivityCheck | None) -> Asked | str:
    """The flow from the source to an address; or why there is none to speak of, as a sentence."""
    estate, there, machine = situation.survey.configured, address_of(address), situation.source
    if there is None:
        return f"the destination's address is not known{f': {address} is a name' if address else ''}"
    if machine is None:
        return "the source was not found"
    sources = _points(estate, machine)
    if not sources:
        return f"no address of {machine.id.name} is known"
    source = sending(estate, machine, there, probe)
    if source is None or source.address is None:
        return f"{machine.id.name} has no IPv{there.version} address"
    protocol = protocol_of(situation)
    flow = Flow(source.address, there, protocol, None if protocol == "Icmp" else port)
    return Asked(flow, source, _receiving(situation, there, source))


def protocol_of(situation: Situation) -> str:
    """The protocol of the packets: a probe by HTTP is TCP."""
    return "Icmp" if situation.request.protocol is Protocol.ICMP else "Tcp"


def sending(estate: Estate, machine: Machine, to: Address, probe: ConnectivityCheck | None = None) -> Point | None:
    """The IP configuration that a machine sends from to an address; None where it has none of that family.

    Args:
        estate: what is known.
        machine: that sends.
        to: where to.
        probe: a check from there, whose first hop may tell.
    """
    fitting = [point for point in _points(estate, machine) if point.address and point.address.version == to.version]
    first = address_of(probe.hops[0].address) if probe and probe.hops else None
    ranked = sorted(fitting, key=lambda point: _rank(estate, machine, point, to, first))
    return ranked[0] if ranked else None


def _rank(
    estate: Estate, machine: Machine, point: Point, to: Address, seen: Address | None
) -> tuple[bool, bool, bool, bool, bool]:
    """Least for the one that sends: seen sending, in the destination's subnet, of the NIC that is named, primary."""
    subnet = estate.subnet_of(point)
    return (
        seen is None or point.address != seen,
        not (subnet and lies_in(to, subnet.prefixes)),
        point.nic.id != machine.named_nic,
        machine.is_secondary(point.nic),
        not point.configuration.primary,
    )


def _points(estate: Estate, machine: Machine) -> list[Point]:
    """The IP configurations with an address of a machine, as the survey has them, else as the machine was read."""
    nics = [estate.nics.get(nic.id, nic) for nic in machine.read_nics]
    return [point for nic in nics for each in nic.ip_configurations if (point := Point(nic, each)).address]


def _receiving(situation: Situation, address: Address, source: Point) -> Point | None:
    """The IP configuration with the destination's address: of the machine that is meant, else near the source."""
    estate, machine = situation.survey.configured, situation.destination
    own = [point for point in _points(estate, machine) if point.address == address] if machine else []
    if own:
        return own[0]
    if is_public(address):
        return None
    found = list(estate.at(address))
    close = [point for point in found if _in(point, _near(estate, source))]
    meant = close or (found if len(found) == 1 else [])
    return meant[0] if meant else None


def _near(estate: Estate, point: Point) -> list[ResourceId]:
    """The virtual network of an endpoint, then those that it is peered with."""
    home = estate.network_of(point.configuration.subnet)
    return [home.id, *(peering.remote for peering in home.peerings)] if home else []


def _in(point: Point, networks: Iterable[ResourceId]) -> bool:
    subnet = point.configuration.subnet
    return subnet is not None and any(subnet.within(network) for network in networks)
