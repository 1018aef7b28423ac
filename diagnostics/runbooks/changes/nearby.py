"""The resources around a connection, nearest first: those whose changes may be why it fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diagnostics.findings import Finding
from diagnostics.intake.messages import Problem
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, Subnet
from diagnostics.runbooks.situation import Machine, Situation

_AREAS = ("microsoft.network/", "microsoft.compute/")
NO_BLAME = frozenset({"unknown", "probe", "change", "left-out", "guard"})
"""Kinds of cause that tell of the looking, and blame no resource."""


def relevant(situation: Situation) -> tuple[ResourceId, ...]:
    """The resources whose changes matter, nearest first: what findings blame, then what filters, routes and carries.

    Only top-level ones: the log of an NSG holds its rules, of a virtual network its subnets and peerings.
    """
    roots = (_root(each) for each in _nearest_first(situation))
    return tuple(dict.fromkeys(root for root in roots if root.names and root.type.startswith(_AREAS)))


def unknown_subnets(situation: Situation) -> tuple[ResourceId, ...]:
    """The subnets of both ends that could not be read: which NSG and route table they have is not known."""
    known = situation.survey.configured.subnets
    found = (each.subnet for nic in _nics(situation) for each in nic.ip_configurations if each.subnet)
    return tuple(dict.fromkeys(subnet for subnet in found if subnet not in known))


def _root(resource: ResourceId) -> ResourceId:
    return _root(resource.parent) if resource.parent else resource


def _nearest_first(situation: Situation) -> Iterator[ResourceId]:
    yield from _blamed(situation.findings)
    machines = _machines(situation)
    near = [nic for machine in machines for nic in _nics_by_nearness(machine, situation)[:1]]
    yield from _filters(near, situation.survey.configured)
    for machine in machines:
        yield machine.id
    yield from (nic.id for nic in near)
    if situation.problem is Problem.VM_TO_INTERNET and situation.source:
        yield from _ways_out(situation.source.read_nics, situation.survey.configured)
    yield from (subnet.parent for nic in near for subnet in _subnets_in_order(nic) if subnet.parent)
    everything = _nics(situation)
    yield from _filters(everything, situation.survey.configured)
    for machine in machines:
        yield from (nic_id for nic_id, _ in machine.nics)
    yield from (subnet.parent for nic in everything for subnet in _subnets_in_order(nic) if subnet.parent)
    yield from (pool for nic in everything for each in nic.ip_configurations for pool in each.pools)


def _blamed(findings: Iterable[Finding]) -> Iterator[ResourceId]:
    for finding in findings:
        places = [cause.resource_id for cause in finding.because if cause.kind not in NO_BLAME]
        yield from (found for text in (*places, finding.resource.id) if (found := ResourceId.maybe(text)))


def _machines(situation: Situation) -> tuple[Machine, ...]:
    return tuple(machine for machine in (situation.destination, situation.source) if machine)


def _nics(situation: Situation) -> list[Nic]:
    return [nic for machine in _machines(situation) for nic in _nics_by_nearness(machine, situation)]


def _nics_by_nearness(machine: Machine, situation: Situation) -> list[Nic]:
    """Its NICs, the one that is meant first, else in the VM's order: the primary first."""
    meant = machine.meant(situation.address if machine is situation.destination else None)
    return sorted(machine.read_nics, key=lambda nic: meant is not None and nic.id != meant.id)


def _filters(nics: Iterable[Nic], estate: Estate) -> Iterator[ResourceId]:
    """The NSGs of the NICs and their subnets, then the subnets' route tables."""
    listed = list(nics)
    subnets = [subnet for nic in listed for each in nic.ip_configurations if (subnet := _subnet(each, estate))]
    groups = (*(nic.security_group for nic in listed), *(subnet.security_group for subnet in subnets))
    yield from (each for each in (*groups, *(subnet.route_table for subnet in subnets)) if each)


def _ways_out(nics: Iterable[Nic], estate: Estate) -> Iterator[ResourceId]:
    """Public addresses, NAT gateways with theirs, and load balancers."""
    for each in (each for nic in nics for each in nic.ip_configurations):
        subnet = _subnet(each, estate)
        gateway = subnet.nat_gateway if subnet else None
        yield from (found for found in (each.public_ip, gateway, *each.pools) if found)
        if gateway and (known := estate.nat_gateways.get(gateway)):
            yield from (*known.public_ips, *known.public_prefixes)


def _subnet(configuration: IpConfiguration, estate: Estate) -> Subnet | None:
    return estate.subnets.get(configuration.subnet) if configuration.subnet else None


def _subnets_in_order(nic: Nic) -> list[ResourceId]:
    return [each.subnet for each in nic.ip_configurations if each.subnet]
