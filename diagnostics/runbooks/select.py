"""Which of the runbook's three problems a request is about."""

from __future__ import annotations

import ipaddress

from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Problem
from diagnostics.runbooks.situation import Machine


def pick(request: DiagnosisRequest, source: Machine | None, destination: Machine | None) -> tuple[Problem, str]:
    """The problem, and why it is that one: what the alert watches, which ends it names, which NIC they have."""
    if request.problem is not Problem.AUTO:
        return request.problem, "the request says so"
    problem, why = _by_ends(request, source, destination)
    signal = request.origin.signal
    return problem, f"the alert watches {signal}, and {why}" if signal else why


def _by_ends(request: DiagnosisRequest, source: Machine | None, destination: Machine | None) -> tuple[Problem, str]:
    end = request.destination
    if end is None:
        return _without_destination(source)
    if destination is not None:
        nic = destination.meant(end.address)
        if nic is not None and destination.is_secondary(nic):
            return Problem.SECONDARY_NIC, f"{nic.id.name} is a secondary NIC of {destination.id.name}"
        return Problem.VM_TO_VM, f"the destination is {destination.id.name}"
    return _by_address(end, source)


def _without_destination(source: Machine | None) -> tuple[Problem, str]:
    nic = source.meant(None) if source else None
    if source and nic is not None and source.is_secondary(nic):
        return Problem.SECONDARY_NIC, f"it is about {nic.id.name}, a secondary NIC of {source.id.name}"
    return Problem.VM_TO_INTERNET, "no destination is named, so the way out of the VM is tried"


def _by_address(end: Endpoint, source: Machine | None) -> tuple[Problem, str]:
    own = source.owner_of(end.address) if source else None
    if source and own is not None and source.is_secondary(own):
        return Problem.SECONDARY_NIC, f"{end.address} belongs to {own.id.name}, a secondary NIC of the source itself"
    if own is not None:
        return Problem.VM_TO_VM, f"{end.address} is an address of the source itself"
    if end.address is not None and is_inside(end.address):
        return Problem.VM_TO_VM, f"{end.address} is a private address"
    if end.resource_id or end.name:
        return Problem.VM_TO_VM, f"{end} is meant to be a VM"
    return Problem.VM_TO_INTERNET, f"{end} is no address of a virtual network"


def is_inside(address: str) -> bool:
    """Whether an address is one that virtual networks use: not routed on the internet. A host name is not."""
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return False
