"""Ways out to the internet: default outbound access, none at all, and second NICs without one.

Source: "Default outbound access in Azure", "Use Source Network Address Translation (SNAT) for outbound connections".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import called, counted, fact, listed
from diagnostics.findings import Cause, Remedy, Severity
from diagnostics.network.estate import Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Vm
from diagnostics.network.public import WayOut
from diagnostics.network.routing import Candidate, NextHop
from diagnostics.network.security import Verdict
from diagnostics.paste import az, links

_DOC = f"{links.LEARN}/azure/virtual-network/ip-services/default-outbound-access"
_NAT_DOC = f"{links.LEARN}/azure/nat-gateway/nat-overview"
_SECOND_DOC = f"{links.LEARN}/azure/virtual-network/virtual-network-network-interface-vm"


@dataclass(slots=True)
class _Outbound:
    """How the machines of a subnet leave: by default access, not at all, or in a way that is not known.

    Attributes:
        route: by which the first of those with default access leave.
    """

    default: list[Point] = field(default_factory=list[Point])
    none: list[tuple[Point, WayOut]] = field(default_factory=list[tuple[Point, WayOut]])
    missing: set[str] = field(default_factory=set[str])
    route: Candidate | None = None


def _all_outbound(view: View) -> Mapping[ResourceId, _Outbound]:
    """By subnet, those of Azure's own left out."""
    return {subnet.id: _outbound(view, subnet.id) for _, subnet in view.subnets if not common.reserved(subnet.id)}


def _outbound(view: View, subnet: ResourceId) -> _Outbound:
    """The ways out of machines that a route leads to the internet; where it leads elsewhere, none is needed."""
    found, hops = _Outbound(), dict[object, tuple[NextHop, bool | None]]()
    effective = view.estate.effective_routes
    for point in common.machines(view, subnet):
        told = point.nic.id if effective and point.nic.id in effective else None
        if told not in hops:
            hop = common.to_internet(view, point)
            hops[told] = hop, common.leaves_directly(hop)
        hop, direct = hops[told]
        if direct is False:
            continue
        way = view.way_out(point)
        default = way.verdict is Verdict.ALLOWED and way.resource == subnet
        if way.verdict is Verdict.ALLOWED and not default:
            continue
        if direct is None or way.verdict is Verdict.UNKNOWN:
            found.missing |= hop.missing | way.missing
        elif default:
            found.route = found.route if found.default else hop.route
            found.default.append(point)
        else:
            found.none.append((point, way))
    return found


@check("NET011", "Machines rely on default outbound access", Severity.MEDIUM)
def default_access(view: View) -> Iterator[Said]:
    """They leave for the internet with an address that Azure lends: nobody owns it, and it can change.

    New virtual networks have it no more (API version 2025-07-01 and later make their subnets private): what is made
    anew is cut off.
    """
    for _, subnet in view.subnets:
        if subnet.private or common.reserved(subnet.id):
            continue
        ways = view.once(_all_outbound)[subnet.id]
        if ways.default:
            yield _relying(view, subnet.id, ways)
        elif ways.missing:
            yield Unclear(subnet.id, tuple(ways.missing))


def _relying(view: View, subnet: ResourceId, ways: _Outbound) -> Found:
    lacking = "no NAT gateway at the subnet, no public IP, no outbound rule of a load balancer"
    text = f"for {_owners(view, ways.default)} there is nothing but an address that Azure lends: {lacking}"
    causes = (
        fact("way-out", text, subnet, "default outbound access"),
        fact("route", f"what is for the internet is sent there directly, by {_route(ways.route)}", subnet),
    )
    title = f"Machines in subnet {called(subnet)} rely on default outbound access"
    return Found(subnet, title, causes, _with_nat(subnet))


def _route(candidate: Candidate | None) -> str:
    return f"route {candidate.name}" if candidate and candidate.name else "Azure's own route"


def _owners(view: View, points: list[Point]) -> str:
    """The machines of endpoints, by name and number."""
    vms = [vm.id if (vm := view.vm_of(point.nic)) else point.nic.vm for point in points]
    names = sorted(vm.name for vm in {each.key: each for each in reversed(vms) if each}.values())
    return f"{counted(len(names), 'machine')} ({listed(names)})"


def _with_nat(subnet: ResourceId) -> Remedy:
    network = subnet.parent or subnet
    name = f"natgw-{subnet.name}"
    return Remedy(
        summary=f"Give subnet {called(subnet)} a NAT gateway with a public IP, or send 0.0.0.0/0 to a firewall.",
        az_cli=az.lines(
            f"az network public-ip create {az.placed(network, name=f'pip-{name}', sku='Standard')}",
            f"az network nat gateway create {az.placed(network, name=name, public_ip_addresses=f'pip-{name}')}",
            f"az network vnet subnet update {az.arguments(ids=subnet.text, nat_gateway=name)}",
        ),
        bicep=common.declared(
            common.VNET_KIND,
            network,
            f"subnet {subnet.name}: natGateway = {{ id: nat.id }}, defaultOutboundAccess = false",
        ),
        doc_url=_DOC,
        portal_url=links.blade(network, "subnets"),
    )


@check("NET013", "Machines without any way out to the internet", Severity.INFO)
def no_way_out(view: View) -> Iterator[Said]:
    """Their route leads to the internet, and they have no public address to leave with: what they send there is lost.

    That may be meant; then a route to None, or a deny rule, says so more clearly. Updates, activation and agents need
    a way out.
    """
    for _, subnet in view.subnets:
        if common.reserved(subnet.id):
            continue
        ways = view.once(_all_outbound)[subnet.id]
        if ways.none:
            yield _stuck(view, subnet.id, ways.none)
        elif ways.missing:
            yield Unclear(subnet.id, tuple(ways.missing))


def _stuck(view: View, subnet: ResourceId, stuck: list[tuple[Point, WayOut]]) -> Found:
    owners = _owners(view, [point for point, _ in stuck])
    reasons = {way.text: way for _, way in stuck}
    causes = [fact("way-out", text, way.resource) for text, way in sorted(reasons.items())]
    causes.append(fact("route", f"0.0.0.0/0 leads {owners} to the internet directly, not to a firewall", subnet))
    title = f"Machines in subnet {called(subnet)} have no way out to the internet"
    return Found(subnet, title, tuple(causes), _with_nat(subnet))


@check("NIC006", "Second network interface without a way out", Severity.LOW)
def second_nics(view: View) -> Iterator[Said]:
    """The machine leaves for the internet by its primary network interface, and by this one it cannot.

    Azure gives a default gateway to the primary network interface only, and a public IP, NAT gateway or outbound rule
    serves the one that it stands at. Who binds to this one's address sends into nowhere.
    """
    for vm in sorted(view.estate.vms.values(), key=lambda vm: vm.id.key):
        nics = [nic for rid in vm.nics if (nic := view.estate.nics.get(rid))]
        if len(nics) > 1:
            yield from _seconds(view, vm, nics)


def _seconds(view: View, vm: Vm, nics: list[Nic]) -> Iterator[Said]:
    first = next((nic for nic in nics if not common.secondary(view, nic)), None)
    start = _leaving(first)
    if first is None or start is None:
        return
    primary, way = start, view.way_out(start)
    if way.verdict is not Verdict.ALLOWED or common.leaves_directly(common.to_internet(view, primary)) is not True:
        return
    for nic in nics:
        point = _leaving(nic)
        if point is None or nic is first or nic.ip_forwarding:  # an appliance's inner side is to have none
            continue
        said = _second(view, vm, point, way)
        if said:
            yield said


def _leaving(nic: Nic | None) -> Point | None:
    """The endpoint by which a NIC leaves: its primary configuration."""
    configurations = sorted(nic.ip_configurations, key=lambda each: not each.primary) if nic else ()
    return next((Point(nic, each) for each in configurations if ":" not in (each.address or "")), None) if nic else None


def _second(view: View, vm: Vm, point: Point, primary: WayOut) -> Said | None:
    way, hop = view.way_out(point), common.to_internet(view, point)
    direct = common.leaves_directly(hop)
    if way.verdict is Verdict.ALLOWED or direct is False:
        return None
    if way.verdict is Verdict.UNKNOWN or direct is None:
        return Unclear(point.nic.id, tuple(way.missing | hop.missing))
    return _one_way(vm, point, way, primary, hop)


def _one_way(vm: Vm, point: Point, way: WayOut, primary: WayOut, hop: NextHop) -> Found:
    nic, subnet = point.nic.id, point.configuration.subnet
    route = hop.route.prefix if hop.route else "0.0.0.0/0"
    causes: tuple[Cause, ...] = (
        fact("way-out", f"{nic.name}: {way.text}", way.resource or nic),
        fact("way-out", f"the primary network interface of {vm.id.name} leaves by {primary.text}", primary.resource),
        fact("route", f"at {nic.name} {route} leads to the internet directly", subnet),
    )
    wanted = _with_nat(subnet) if subnet else Remedy(summary="")
    remedy = Remedy(
        summary=(
            f"If {vm.id.name} is to leave by it, give its subnet a NAT gateway and the guest a route of its own there; "
            "if not, leave it as it is and bind applications to the primary address."
        ),
        az_cli=wanted.az_cli,
        bicep=wanted.bicep,
        doc_url=_SECOND_DOC,
        portal_url=links.blade(nic, "ipconfigurations"),
    )
    return Found(nic, f"Second network interface {nic.name} of {vm.id.name} has no way out", causes, remedy)
