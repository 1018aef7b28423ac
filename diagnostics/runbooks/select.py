"""Which of the runbook's three problems a request is about."""

from __future__ import annotations

import ipaddress

from diagnostics.intake.messages import DiagnosisRequest, Problem
from diagnostics.runbooks.situation import Machine


def pick(request: DiagnosisRequest, source: Machine | None, destination: Machine | None) -> tuple[Problem, str]:
    """The problem, and why it is that one."""
    if request.problem is not Problem.AUTO:
        return request.problem, "the request says so"
    end = request.destination
    wanted = (end.resource_id or end.name) if end else None
    if end is None:
        return Problem.VM_TO_INTERNET, "no destination is named, so the way out of the VM is tried"
    if destination is not None:
        nic = destination.meant(end.address)
        if nic is not None and destination.is_secondary(nic):
            return Problem.SECONDARY_NIC, f"{nic.id.name} is a secondary NIC of {destination.id.name}"
        return Problem.VM_TO_VM, f"the destination is {destination.id.name}"
    own = source.owner_of(end.address) if source else None
    if source and own is not None and source.is_secondary(own):
        return Problem.SECONDARY_NIC, f"{end.address} belongs to {own.id.name}, a secondary NIC of the source itself"
    if own is not None:
        return Problem.VM_TO_VM, f"{end.address} is an address of the source itself"
    if end.address is not None and is_inside(end.address):
        return Problem.VM_TO_VM, f"{end.address} is a private address"
    if wanted is not None:
        return Problem.VM_TO_VM, f"{end} is meant to be a VM"
    return Problem.VM_TO_INTERNET, f"{end} is no address of a virtual network"


def is_inside(address: str) -> bool:
    """Whether an address is one that virtual networks use: not routed on the internet. A host name is not."""
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return False
