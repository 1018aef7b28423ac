"""Next hops that do not pass traffic on: nobody there, off, not forwarding, out of reach."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.routes_hops import BALANCERS, FIREWALLS, NICS, Hop, Lead
from diagnostics.checks.routes_words import TROUBLE, UDR, declared, leads_to, on_route, weight
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed, route_cause
from diagnostics.findings import Cause, Confidence, Remedy, Severity
from diagnostics.network.balancers import BalancingRule, LoadBalancer
from diagnostics.network.estate import Point
from diagnostics.network.ids import NETWORK_INTERFACE, VIRTUAL_MACHINE, ResourceId
from diagnostics.network.model import Nic, Subnet
from diagnostics.network.owners import Balanced
from diagnostics.network.public import targets, unseen_target
from diagnostics.network.routes import HopType
from diagnostics.paste import az, bicep, links

_FORWARDING = f"{links.LEARN}/azure/virtual-network/virtual-network-network-interface"
_HA_PORTS = f"{links.LEARN}/azure/load-balancer/load-balancer-ha-ports-overview"
_KINDS = {NICS: "network interfaces", BALANCERS: "load balancers", FIREWALLS: "firewalls"}


@check("UDR003", "Next hop address that nobody has", Severity.HIGH)
def nobody(view: View) -> Iterator[Said]:
    """The route leads to an address that no network interface, load balancer or firewall has: it drops all it takes.

    An appliance was deleted or got another address. Azure checks nothing when the route is written ("Azure virtual
    network traffic routing").
    """
    for table in view.tables:
        for route in table.routes:
            if not route.addresses and leads_to(route, HopType.APPLIANCE):
                yield Unclear(table.id, (f"the address that route {route.name} leads to",))
        for lead in view.hops.leads(table):
            if lead.hop.owner is None:
                yield from _absent(view, lead)


@check("UDR004", "Next hop belongs to a VM that does not run", Severity.HIGH)
def not_running(view: View) -> Iterator[Said]:
    """The route leads to an appliance that is stopped or deallocated: what it takes is dropped until the VM runs.

    User-defined routes know no health: nothing takes over by itself ("Azure virtual network traffic routing").
    """
    for lead in _all(view):
        if isinstance(lead.hop.owner, Point):
            yield from _power(view, lead, lead.hop.owner)


@check("UDR005", "Next hop without IP forwarding", Severity.HIGH)
def not_forwarding(view: View) -> Iterator[Said]:
    """The route leads to a network interface that may not forward: Azure drops what is not for its own address.

    IP forwarding has to be on at the network interface, and in the operating system of the appliance ("Azure virtual
    network traffic routing", virtual appliance).
    """
    for lead in _all(view):
        for nic in _receivers(view, lead.hop):
            if not nic.ip_forwarding:
                yield _closed(view, lead, nic)


@check("UDR015", "Next hop out of reach", Severity.HIGH)
def out_of_reach(view: View) -> Iterator[Said]:
    """The next hop lies in none of the network's own and peered address spaces: Azure drops what the route takes.

    A next hop has to be reachable directly; one behind a gateway, a peer of a peer or a peering that is not connected
    is not ("Azure virtual network traffic routing").
    """
    for lead in _all(view):
        if lead.hop.owner is None and lead.hop.address and lead.hop.home is None and lead.side:
            yield from _far(view, lead)


@check("UDR016", "Next hop is a load balancer that passes nothing on", Severity.MEDIUM)
def balanced(view: View) -> Iterator[Said]:
    """The route leads to a load balancer that has no rule for all ports, or nobody behind it: part or all is dropped.

    Only a rule for high-availability ports (protocol All, port 0) carries every flow to the appliances behind it
    ("High availability ports overview").
    """
    for lead in _all(view):
        if isinstance(lead.hop.owner, Balanced):
            yield from _behind(view, lead, lead.hop.owner)


def _all(view: View) -> Iterator[Lead]:
    return (lead for table in view.tables for lead in view.hops.leads(table))


def _absent(view: View, lead: Lead) -> Iterator[Said]:
    hop, name = lead.hop, lead.route.name
    if hop.address is None:
        yield Unclear(lead.table.id, (f"the address that route {name} leads to ({hop.text})",))
    elif hop.subnet:
        known, key = view.once(_unseen), hop.subnet.id.key
        if key not in known:
            known[key] = _unseen_in(view, hop.subnet)
        if missing := known[key]:
            yield Unclear(lead.table.id, (f"what has the address {hop.text}: {missing}",))
        else:
            text = f"nothing in subnet {called(hop.subnet.id)} has the address {hop.text}"
            yield _nobody(view, lead, fact("next-hop", text, hop.subnet.id, hop.text))
    elif hop.home:
        network = view.estate.networks.get(hop.home)
        if network and network.subnets:
            text = f"{hop.text} lies in the space of {network.id.name}, in none of its subnets: nothing can have it"
            yield _nobody(view, lead, fact("next-hop", text, network.id, hop.text))
        else:
            yield Unclear(lead.table.id, (f"virtual network {hop.home.name}, in which {hop.text} lies",))


def _unseen(_: View) -> dict[str, str]:
    """What may stand in subnets unseen, of those that were asked for."""
    return {}


def _unseen_in(view: View, subnet: Subnet) -> str:
    """What may stand in a subnet and have the address all the same."""
    if subnet.delegations:
        return f"what {subnet.delegations[0]} has in the subnet delegated to it"
    hidden = [point.nic.id.name for point in view.places.points_in(subnet.id) if not point.address]
    if hidden:
        return f"the address of {listed(hidden)}"
    unseen = [rid for rid in subnet.used if not _seen(view, rid)]
    if unseen or subnet.used:
        return f"{listed(called(rid) for rid in unseen)} in subnet {subnet.id.name}" if unseen else ""
    missing = [text for kind, text in _KINDS.items() if not view.facts.knows_all(kind)]
    return f"all {' and '.join(missing)} of subnet {subnet.id.name}" if missing else ""


def _seen(view: View, configuration: ResourceId) -> bool:
    """Whether the owner of an IP configuration that a subnet lists is in the estate."""
    estate = view.estate
    if configuration in estate.configurations:
        return True
    owner = configuration.parent
    return owner is not None and any(owner in kept for kept in (estate.nics, estate.load_balancers, estate.firewalls))


def _nobody(view: View, lead: Lead, cause: Cause) -> Found:
    table, route, hop = lead.table, lead.route, lead.hop
    remedy = Remedy(
        summary=f"Give route {route.name} the address that the appliance has now. If nothing stands there any more, "
        "delete the route: then the next best one takes its traffic.",
        az_cli=az.lines(
            on_route("update", table, route.name, next_hop_ip_address="<address of the appliance>"),
            az.otherwise("or delete it", on_route("delete", table, route.name)),
        ),
        bicep=_rewritten(lead),
        doc_url=TROUBLE,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {route.name} of {table.id.name} leads to {hop.text}, which nobody has"
    severity = weight(view, table, Severity.HIGH)
    return Found(table.id, title, (route_cause(table, route), cause), remedy, (route.name, hop.text), severity)


def _rewritten(lead: Lead) -> str:
    return declared(lead.table, lead.route.name, lead.route.prefix, HopType.APPLIANCE, "<address of the appliance>")


def _power(view: View, lead: Lead, point: Point) -> Iterator[Said]:
    nic, vm = point.nic, view.vm_of(point.nic)
    if vm is None and nic.vm is None:
        managed = nic.private_endpoint or nic.private_link_service or nic.id.type != NETWORK_INTERFACE
        if not managed and view.facts.knows_all(VIRTUAL_MACHINE):
            yield _off(view, lead, nic, None, fact("power-state", f"{nic.id.name} belongs to no VM", nic.id, "no VM"))
    elif vm is None or vm.running is None:
        yield Unclear(lead.table.id, (f"the power state of {(vm.id if vm else nic.vm or nic.id).name}",))
    elif not vm.running:
        text = f"VM {vm.id.name}, which has {lead.hop.text}, does not run: it is {vm.power_state}"
        yield _off(view, lead, nic, vm.id, fact("power-state", text, vm.id, vm.power_state or ""))


def _off(view: View, lead: Lead, nic: Nic, vm: ResourceId | None, cause: Cause) -> Found:
    table, route = lead.table, lead.route
    who = f"VM {vm.name}, which does not run" if vm else f"{nic.id.name}, which belongs to no VM"
    remedy = Remedy(
        summary=(f"Start {vm.name}" if vm else f"Attach {nic.id.name} to the appliance")
        + f", or change route {route.name} so that it leads to an appliance that runs. Two of them behind an internal "
        "load balancer outlast the loss of one.",
        az_cli=az.lines(
            az.on_vm("start", vm),
            az.otherwise("or lead elsewhere", on_route("update", table, route.name, next_hop_ip_address="<address>")),
        ),
        doc_url=TROUBLE,
        portal_url=links.blade(vm or nic.id, "overview"),
    )
    title = f"Route {route.name} of {table.id.name} leads to {who}"
    severity = weight(view, table, Severity.HIGH)
    return Found(table.id, title, (route_cause(table, route), cause), remedy, (route.name, lead.hop.text), severity)


def _receivers(view: View, hop: Hop) -> Iterator[Nic]:
    """The NICs that get what is sent to a next hop."""
    match hop.owner:
        case Point() as point:
            yield point.nic
        case Balanced() as owner:
            found = {p.nic.id: p.nic for rule in _rules(owner) for p in targets(view.estate, owner.balancer, rule)}
            yield from (found[rid] for rid in sorted(found, key=lambda rid: rid.key))
        case _:
            return


def _closed(view: View, lead: Lead, nic: Nic) -> Found:
    table, route = lead.table, lead.route
    behind = f" behind {lead.hop.name}" if isinstance(lead.hop.owner, Balanced) else ""
    cause = fact("ip-forwarding", f"IP forwarding is off at {nic.id.name}{behind}", nic.id, nic.id.name)
    remedy = Remedy(
        summary=f"Switch on IP forwarding at {nic.id.name}, and in the operating system of its VM. If it is no "
        f"appliance, correct route {route.name}.",
        az_cli=az.lines(
            f"az network nic update {az.placed(nic.id, name=nic.id.name)} --ip-forwarding true",
            az.otherwise("or lead elsewhere", on_route("update", table, route.name, next_hop_ip_address="<address>")),
        ),
        bicep=bicep.comment(f"in the declaration of {nic.id.name}, under properties") + "enableIPForwarding: true\n",
        doc_url=_FORWARDING,
        portal_url=links.blade(nic.id, "ipconfigurations"),
    )
    title = f"Route {route.name} of {table.id.name} leads to {nic.id.name}{behind}, which may not forward"
    parts = (route.name, lead.hop.text, *((nic.id.name,) if behind else ()))
    severity = weight(view, table, Severity.HIGH)
    return Found(table.id, title, (route_cause(table, route), cause), remedy, parts, severity)


def _far(view: View, lead: Lead) -> Iterator[Said]:
    side, hop, table = lead.side, lead.hop, lead.table
    assert side
    network = side.network
    behind = view.hops.gateway(network)
    if behind is None:
        yield Unclear(table.id, (f"the gateway of {network.id.name}",))
    if behind is not False or not hop.address:
        return
    stale = [each for each in network.peerings if each.connected and (each.synced is False or not each.prefixes)]
    if not view.owners.out_of_reach(hop.address, view.hops.near(network)):
        yield Unclear(table.id, (f"the address space behind {listed(each.name for each in stale)}",))
        return
    text = f"{hop.text} lies neither in {network.id.name} nor in a network that it is connected to by peering"
    causes = [route_cause(table, lead.route), fact("next-hop", text, network.id, hop.text)]
    causes += [
        _not_connected(peering.name, peering.state, network.id) for peering in network.peerings if not peering.connected
    ]
    remedy = Remedy(
        summary=f"Peer {network.id.name} with the network that {hop.text} lies in, or lead route {lead.route.name} to "
        "an appliance in its own network or a peered one.",
        az_cli=az.lines(
            f"az network vnet peering list {az.placed(network.id, vnet_name=network.id.name)} -o table",
            on_route("update", table, lead.route.name, next_hop_ip_address="<address of an appliance in reach>"),
        ),
        bicep=_rewritten(lead),
        doc_url=UDR,
        portal_url=links.blade(table.id, "routes"),
    )
    title = f"Route {lead.route.name} of {table.id.name} leads to {hop.text}, out of reach of {network.id.name}"
    parts = (lead.route.name, hop.text, network.id.name)
    yield Found(table.id, title, tuple(causes), remedy, parts, weight(view, table, Severity.HIGH))


def _not_connected(name: str, state: str, network: ResourceId) -> Cause:
    return fact("peering", f"peering {name} of {network.name} is {state}", network, name)


def _rules(owner: Balanced) -> list[BalancingRule]:
    return [rule for rule in owner.balancer.rules if owner.frontend.id in rule.frontends and rule.pool]


def _behind(view: View, lead: Lead, owner: Balanced) -> Iterator[Said]:
    balancer, rules = owner.balancer, _rules(owner)
    every = [rule for rule in rules if rule.protocol.lower() in {"all", "*"} and rule.ports == (0, 0)]
    if not every:
        texts = [f"{rule.id.name} ({rule.protocol} {rule.ports[0]}-{rule.ports[1]})" for rule in rules]
        text = f"of {balancer.id.name}, no rule carries all ports: {listed(texts) if texts else 'it has none'}"
        yield _weak(view, lead, balancer, "no rule for all ports", text)
        return
    if unseen := [rid for rule in every if (rid := unseen_target(view.estate, balancer, rule))]:
        yield Unclear(lead.table.id, (f"{called(unseen[0])}, which is behind load balancer {balancer.id.name}",))
        return
    members = [point for rule in every for point in targets(view.estate, balancer, rule)]
    if members:
        yield from _members(view, lead, balancer, members)
    elif view.facts.knows_all(NICS) or any(balancer.listed.values()):
        text = f"the backend pool of {balancer.id.name} is empty"
        yield _weak(view, lead, balancer, "nobody behind it", text)
    else:
        yield Unclear(lead.table.id, (f"the members of load balancer {balancer.id.name}",))


def _members(view: View, lead: Lead, balancer: LoadBalancer, members: list[Point]) -> Iterator[Said]:
    states = [(vm, vm.running if vm else None) for point in members for vm in (view.vm_of(point.nic),)]
    if any(running for _, running in states):
        return
    names = listed(dict.fromkeys((point.nic.vm or point.nic.id).name for point in members))
    if any(running is None for _, running in states):
        yield Unclear(lead.table.id, (f"the power state of {names}",))
        return
    yield _weak(view, lead, balancer, "nobody behind it", f"none of the VMs behind {balancer.id.name} runs: {names}")


def _weak(view: View, lead: Lead, balancer: LoadBalancer, what: str, text: str) -> Found:
    table, route = lead.table, lead.route
    remedy = Remedy(
        summary=f"Give {balancer.id.name} a rule for high-availability ports (protocol All, ports 0) with a health "
        "probe, and put running appliances into its backend pool.",
        az_cli=f"az network lb rule create {az.placed(balancer.id, lb_name=balancer.id.name, name='ha-ports')} "
        "--protocol All --frontend-port 0 --backend-port 0 --frontend-ip-name '<frontend>' "
        "--backend-pool-name '<pool>' --probe-name '<probe>' --floating-ip true",
        bicep=bicep.comment(f"in loadBalancingRules of {balancer.id.name}, under properties")
        + "protocol: 'All'\nfrontendPort: 0\nbackendPort: 0\n",
        doc_url=_HA_PORTS,
        portal_url=links.blade(balancer.id, "loadBalancingRules"),
    )
    title = f"Route {route.name} of {table.id.name} leads to load balancer {balancer.id.name}: {what}"
    causes = (route_cause(table, route), fact("load-balancer", text, balancer.id, balancer.id.name))
    severity = weight(view, table, Severity.MEDIUM)
    return Found(table.id, title, causes, remedy, (route.name, lead.hop.text), severity, Confidence.PROVEN)
