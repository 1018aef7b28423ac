"""Provisioning states: resources whose last operation failed, or never ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import fact
from diagnostics.findings import Confidence, Finding, Remedy, Resource, Severity, fingerprint
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.paste import az, links, nics

FAILED_NIC = "NIC001"
_DOC = f"{links.LEARN}/azure/networking/troubleshoot-failed-state"
_MOVING = frozenset({"creating", "updating", "deleting", "migrating"})


@check(FAILED_NIC, "Network interface in provisioning state Failed", Severity.HIGH)
def failed_nics(view: View) -> Iterator[Said]:
    """The last operation on the network interface failed, so nothing can be changed on it or its VM until it is mended.

    That is a state of the control plane: such a NIC usually still passes traffic ("Troubleshoot Azure Microsoft.Network
    failed provisioning state").
    """
    for nic in view.nics:
        if nic.failed:
            yield _failed_nic(nic)
        elif not nic.provisioning_state:
            yield Unclear(nic.id, ("its provisioning state",))


@check("NIC002", "Operation on a network interface does not end", Severity.LOW)
def moving_nics(view: View) -> Iterator[Said]:
    """A network interface that stays in Updating or Deleting accepts no other change, and is not to be put back then.

    One look can't tell how long it has been so: it is a fault if it is still so minutes later.
    """
    for nic in view.nics:
        if nic.provisioning_state.lower() in _MOVING:
            yield _moving(nic.id, nic.provisioning_state, "network interface")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of resource, in the words that its findings use."""

    type: str
    what: str
    command: str


_GROUP = _Kind("microsoft.network/networksecuritygroups", "NSG", "network nsg")
_TABLE = _Kind("microsoft.network/routetables", "route table", "network route-table")
_NETWORK = _Kind("microsoft.network/virtualnetworks", "virtual network", "network vnet")
_PUBLIC = _Kind("microsoft.network/publicipaddresses", "public IP address", "network public-ip")


@check("NSG001", "NSG in provisioning state Failed", Severity.MEDIUM)
def failed_groups(view: View) -> Iterator[Said]:
    """The last operation on the NSG failed: the rules in force may not be the ones that are shown."""
    return _states(view, view.estate.security_groups, _GROUP)


@check("UDR001", "Route table in provisioning state Failed", Severity.MEDIUM)
def failed_tables(view: View) -> Iterator[Said]:
    """The last operation on the route table failed: the routes in force may not be the ones that are shown."""
    return _states(view, view.estate.route_tables, _TABLE)


@check("NET001", "Virtual network in provisioning state Failed", Severity.HIGH)
def failed_networks(view: View) -> Iterator[Said]:
    """The last operation on the virtual network failed: subnets and peerings may be half made."""
    return _states(view, view.estate.networks, _NETWORK)


@check("PIP001", "Public IP address in provisioning state Failed", Severity.MEDIUM)
def failed_public_ips(view: View) -> Iterator[Said]:
    """The last operation on the public IP address failed: it may not be attached to what it says."""
    return _states(view, view.estate.public_ips, _PUBLIC)


def failed_nic(nic: Nic, confidence: Confidence) -> Finding:
    """The finding for a NIC in state Failed, for whoever came upon one; how sure it is that this explains a fault."""
    found = _failed_nic(nic)
    return Finding(
        finding_id=fingerprint(FAILED_NIC, nic.id.key),
        check=FAILED_NIC,
        title=found.title,
        severity=Severity.HIGH,
        confidence=confidence,
        resource=Resource.of(nic.id, nic.location),
        because=found.because,
        remedy=found.remedy,
    )


def _failed_nic(nic: Nic) -> Found:
    text = (
        "Azure says that the last operation on it failed. That is a state of the control plane: such a NIC usually "
        "still passes traffic, so it explains an outage only if nothing else does."
    )
    return Found(
        nic.id,
        f"Network interface {nic.id.name} is in provisioning state Failed",
        (fact("provisioning-state", text, nic.id, nic.provisioning_state),),
        nics.reput_nic(nic.id),
    )


def _states(view: View, resources: Iterable[ResourceId], kind: _Kind) -> Iterator[Said]:
    for rid in resources:
        state = view.facts.state(rid)
        if not state:
            yield Unclear(rid, ("its provisioning state",))
        elif state.lower() == "failed":
            yield _failed(rid, state, kind)
        elif state.lower() in _MOVING:
            yield _moving(rid, state, kind.what)


def _failed(rid: ResourceId, state: str, kind: _Kind) -> Found:
    text = "Azure says that the last operation on it failed: what is in force may not be what is shown."
    remedy = Remedy(
        summary=f"Look at the failed operation in the activity log, then write the {kind.what} once more, unchanged.",
        az_cli=az.lines(
            f"az monitor activity-log list {az.arguments(resource_id=rid.text)} --status Failed --offset 7d -o table",
            f"az {kind.command} show {az.arguments(ids=rid.text)} -o json",
            f"az {kind.command} update {az.arguments(ids=rid.text)}",
        ),
        doc_url=_DOC,
        portal_url=links.blade(rid, "eventlogs"),
    )
    title = f"{_first(kind.what)} {rid.name} is in provisioning state {state}"
    return Found(rid, title, (fact("provisioning-state", text, rid, state),), remedy)


def _moving(rid: ResourceId, state: str, what: str) -> Found:
    text = f"An operation on it had not ended when it was read: it was {state}. Until it ends, Azure refuses others."
    remedy = Remedy(
        summary="Look again in ten minutes. If it is still so, find the operation in the activity log; do not PUT.",
        az_cli=az.lines(
            f"az resource show {az.arguments(ids=rid.text)} --query properties.provisioningState -o tsv",
            f"az monitor activity-log list {az.arguments(resource_id=rid.text)} --offset 1d -o table",
        ),
        doc_url=_DOC,
        portal_url=links.blade(rid, "eventlogs"),
    )
    cause = fact("provisioning-state", text, rid, state)
    return Found(
        rid,
        f"{_first(what)} {rid.name} stays in {state}",
        (cause,),
        remedy,
        ("moving",),
        Severity.LOW,
        Confidence.POSSIBLE,
    )


def _first(words: str) -> str:
    """As a sentence begins."""
    return words[0].upper() + words[1:]
