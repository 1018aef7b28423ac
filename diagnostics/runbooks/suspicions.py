"""What is plainly odd about the ends of a connection that fails, where no step found a fault.

Sources: "Virtual network FAQ" (addresses that Azure reserves in a subnet; a NIC sends IPv6 only with an IPv6
configuration), "Troubleshoot Azure Private Endpoint connectivity problems".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from diagnostics.intake.messages import Protocol
from diagnostics.network import ids
from diagnostics.network.owners import Owners, subnet_with
from diagnostics.network.prefixes import Address, address_of
from diagnostics.runbooks.questions import Unread
from diagnostics.runbooks.situation import Machine, Situation

_OWNERS = frozenset(
    {
        ids.NETWORK_INTERFACE,
        ids.SCALE_SET_NETWORK_INTERFACE,
        "microsoft.network/loadbalancers",
        "microsoft.network/azurefirewalls",
    }
)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What is odd, and what to do about it.

    Attributes:
        text: one clause, for a title.
        advice: what to do.
    """

    text: str
    advice: str


def suspicion(situation: Situation) -> Suspicion | None:
    """The first thing that is odd about the ends; None where both look as they should."""
    return next(_suspicions(situation), None)


def _suspicions(situation: Situation) -> Iterator[Suspicion]:
    source, destination, address = situation.source, situation.destination, address_of(situation.address)
    for machine in (source, destination):
        if machine and machine.missing:
            yield _missing(machine)
    if source and address and (odd := _other_family(source, address)):
        yield odd
    if address and (odd := _nobody(situation, address)):
        yield odd
    if destination and destination.id.type == ids.NETWORK_INTERFACE:
        yield from _without_vm(destination)
    if situation.request.protocol is Protocol.ICMP:
        yield Suspicion(
            "it was probed by ICMP, which many guests do not answer",
            "Windows Firewall drops ICMP echo unless a rule lets it in, so this alone does not mean that a service is "
            "down: probe the port that matters by TCP. Else let ICMP in inside the guest.",
        )


def _missing(machine: Machine) -> Suspicion:
    return Suspicion(
        f"{machine.name} does not exist",
        f"Azure knows no {machine.id.text}. If it was deleted, take it out of whatever still names it (the connection "
        "monitor, the alert rule, the client's configuration); if it was moved or made anew under another name, name "
        "it by its id of today.",
    )


def _other_family(source: Machine, address: Address) -> Suspicion | None:
    """A source that has no address of the destination's family; known only if all its NICs could be read."""
    owned = [address_of(each.address) for nic in source.read_nics for each in nic.ip_configurations]
    if not source.nics or len(source.read_nics) < len(source.nics) or not any(owned):
        return None
    if any(each is not None and each.version == address.version for each in owned):
        return None
    family = f"IPv{address.version}"
    return Suspicion(
        f"{source.name} has no {family} address",
        f"Give a network interface of {source.name} an {family} IP configuration in a subnet that has an {family} "
        "prefix, or reach the destination by an address of the other family.",
    )


def _nobody(situation: Situation, address: Address) -> Suspicion | None:
    """An address of a subnet that was read, which nobody who is known there has."""
    estate, unfound = situation.survey.configured, {what for what, _ in situation.survey.unfound}
    home = [(each, found) for each in estate.networks.values() if (found := subnet_with(each, address))]
    hidden = any(rid.type in _OWNERS for rid, _ in situation.survey.unread)  # one of those may have it
    if not home or hidden or any(estate.at(address)) or f"who has {address}" in unfound:
        return None
    if Owners(estate).find(address, [network.id for network, _ in home]):
        return None
    network, subnet = home[0]
    where = f"subnet {subnet.id.name} of {network.id.name}"
    if subnet.gateway(str(address)) == str(address):
        text = f"{address} is the default gateway of {where}, which answers no probe"
        return Suspicion(text, "Probe an address that a machine has: the gateway of a subnet is Azure's own.")
    return Suspicion(
        f"no machine that is known has the address {address}",
        f"{address} lies in {where}, but no network interface, load balancer or firewall that vmreach may see has it. "
        "See that the address is right: a VM that is made anew or was deallocated may have another. What Azure "
        "manages there itself (an application gateway, a SQL managed instance) is not seen by its address.",
    )


def _without_vm(nic: Machine) -> Iterator[Suspicion]:
    """A NIC that is no VM's: a private endpoint's, or nobody's."""
    endpoint = next((each.private_endpoint for each in nic.read_nics if each.private_endpoint), None)
    if endpoint is not None:
        yield Suspicion(
            f"{nic.name} belongs to private endpoint {endpoint.name}",
            f"See that the connection of private endpoint {endpoint.name} is approved, that the service behind it "
            "runs and listens on that port, and that the name which clients use resolves to this address.",
        )
    elif isinstance(nic.vm, Unread) and nic.read_nics:
        yield Suspicion(
            f"network interface {nic.name} is attached to no VM",
            f"Nothing answers behind {nic.name}: attach it to the VM that should have it, or name the VM that is "
            "meant. If a service of Azure's owns it, look at that service.",
        )
