"""What is known of an issue's surroundings, so that its remedy can name the rule, the flow and the machine exactly."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.network.connectivity import IssueType
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.runbooks.questions import Unread
from diagnostics.runbooks.remedies import Blocker
from diagnostics.runbooks.remedies.blocker import is_ip
from diagnostics.runbooks.situation import Machine, Situation


def filled(situation: Situation, blocker: Blocker) -> Blocker:
    """The blocker with what the situation knows; what it says already stands."""
    machine = _machine(situation, blocker.at)
    estate, owner = situation.survey.configured, blocker.owner
    table = estate.route_tables.get(owner) if owner else None
    route = table.route(blocker.item) if table else None
    source, destination = _source(situation), _destination(situation)
    if machine is situation.destination and blocker.issue.type is IssueType.USER_DEFINED_ROUTE:
        source, destination = destination, source  # a route of the far end takes the answer
    return replace(
        blocker,
        os=blocker.os or _os(machine),
        location=blocker.location or (machine.location if machine else ""),
        source=blocker.source or source,
        destination=blocker.destination or destination,
        port=blocker.port or situation.port,
        protocol=blocker.protocol or situation.request.protocol or "Tcp",
        group=blocker.group or (estate.security_groups.get(owner) if owner else None),
        route=blocker.route or route,
        network=blocker.network or _network(situation),
    )


def _machine(situation: Situation, at: ResourceId | None) -> Machine | None:
    return next((m for m in (situation.source, situation.destination) if m and m.id == at), None)


def _os(machine: Machine | None) -> str:
    return "" if machine is None or isinstance(machine.vm, Unread) else machine.vm.os


def _source(situation: Situation) -> str:
    """The address that the probes came from, as far as the check or the one network interface tells."""
    answer = situation.probed.answer if situation.probed else None
    first = answer.hops[0].address if answer and answer.hops else ""
    if is_ip(first):
        return first
    addresses = _addresses(situation.source)
    return addresses[0] if len(addresses) == 1 else ""


def _destination(situation: Situation) -> str:
    answer = situation.probed.answer if situation.probed else None
    last = answer.hops[-1].address if answer and len(answer.hops) > 1 else ""
    candidates = (situation.address or "", last, *_addresses(situation.destination)[:1])
    return next(filter(is_ip, candidates), "")


def _addresses(machine: Machine | None) -> tuple[str, ...]:
    """Its private addresses, the primary one of each network interface first."""
    nics: tuple[Nic, ...] = machine.read_nics if machine else ()
    ordered = (each for nic in nics for each in sorted(nic.ip_configurations, key=lambda each: not each.primary))
    return tuple(each.address for each in ordered if each.address)


def _network(situation: Situation) -> ResourceId | None:
    """The virtual network of the source."""
    nics: tuple[Nic, ...] = situation.source.read_nics if situation.source else ()
    subnets = (each.subnet for nic in nics for each in nic.ip_configurations if each.subnet)
    return next((parent for subnet in subnets if (parent := subnet.parent)), None)
