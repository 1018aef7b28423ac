"""NICs: without any NSG, forwarding for nobody, belonging to nothing, at odds with their VM."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.checks import networks_common as common
from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.view import View
from diagnostics.checks.words import called, fact, listed
from diagnostics.findings import Cause, Confidence, Remedy, Severity
from diagnostics.network.estate import Point
from diagnostics.network.filters import UNSEEN, Level, group_at
from diagnostics.network.ids import SCALE_SET_NETWORK_INTERFACE, VIRTUAL_MACHINE, ResourceId
from diagnostics.network.model import Nic, Vm
from diagnostics.paste import az, links

_NIC_DOC = f"{links.LEARN}/azure/virtual-network/virtual-network-network-interface"
_GROUP_DOC = f"{links.LEARN}/azure/virtual-network/network-security-groups-overview"
_VM_DOC = f"{links.LEARN}/azure/virtual-network/virtual-network-network-interface-vm"
_APPLIANCE = ("fw", "firewall", "nva", "opnsense", "pfsense", "forti", "palo", "checkpoint", "router", "vpn", "sdwan")


@check("NIC003", "No NSG at the network interface, nor at its subnet", Severity.MEDIUM)
def unfiltered_nics(view: View) -> Iterator[Said]:
    """No NSG stands before the machine: whatever is routed to it gets in, from its network, peers and on-premises.

    A Standard public IP address lets nothing in from the internet where no NSG allows it; a Basic one is open then
    ("Public IP addresses": Basic is open by default).
    """
    for nic in view.nics:
        if nic.security_group:
            continue
        open_, missing = _unfiltered(view, nic)
        if not (open_ or missing) or common.serves(nic):
            continue
        if open_:
            yield _without_group(view, nic, open_)
        else:
            yield Unclear(nic.id, tuple(missing))


def _unfiltered(view: View, nic: Nic) -> tuple[list[Point], list[str]]:
    """The endpoints of a NIC before which no NSG stands, and the subnets of which that is not known."""
    open_, missing = list[Point](), list[str]()
    for each in nic.ip_configurations:
        point = Point(nic, each)
        subnet = view.estate.subnet_of(point)
        if subnet and (subnet.security_group or not common.takes_groups(subnet)):
            continue
        groups = {group_at(view.estate, point, level) for level in (Level.NIC, Level.SUBNET)}
        if groups == {None}:
            open_.append(point)
        elif groups == {None, UNSEEN}:
            missing.append(f"subnet {called(each.subnet)}" if each.subnet else f"the subnet of {nic.id.name}")
    return open_, missing


def _without_group(view: View, nic: Nic, open_: list[Point]) -> Found:
    subnet = open_[0].configuration.subnet
    where = called(subnet) if subnet else "its subnet"
    text = f"neither {nic.id.name} nor subnet {where} has an NSG"
    causes, severity = [fact("no-security-group", text, nic.id)], Severity.MEDIUM
    for public in dict.fromkeys(filter(None, (point.configuration.public_ip for point in open_))):
        known = view.estate.public_ips.get(public)
        sku = known.sku if known and known.sku else "unknown"
        basic = sku.lower() == "basic"
        severity = Severity.HIGH if basic else severity
        effect = "it is open to the whole internet" if basic else "a Standard one lets nothing in without an NSG"
        causes.append(fact("public-address", f"public IP {public.name} is of SKU {sku}: {effect}", public))
    remedy = Remedy(
        summary=f"Associate an NSG with subnet {where}: it then stands before every machine there.",
        az_cli=az.lines(
            f"az network vnet subnet update {az.arguments(ids=subnet.text if subnet else 'SUBNET')} "
            "--network-security-group NSG",
            az.otherwise(
                "or at this network interface alone",
                f"az network nic update {az.arguments(ids=nic.id.text)} --network-security-group NSG",
            ),
        ),
        bicep=common.declared(common.NIC_KIND, nic.id, "properties.networkSecurityGroup = { id: nsg.id }"),
        doc_url=_GROUP_DOC,
        portal_url=links.blade(nic.id, "networksecuritygroup"),
    )
    title = f"No NSG at network interface {nic.id.name}, nor at its subnet {where}"
    return Found(nic.id, title, tuple(causes), remedy, severity=severity)


@check("NIC004", "IP forwarding on a network interface that no route leads to", Severity.MEDIUM)
def idle_forwarders(view: View) -> Iterator[Said]:
    """The machine may send and receive packets that are not its own, which only an appliance needs.

    A network interface is an appliance's where a route names its address, or a load balancer's in front of it, as next
    hop; so are the others of the same VM.
    """
    forwarding = [nic for nic in view.nics if nic.ip_forwarding and not (common.serves(nic) or _managed(nic.id))]
    machines = _appliances(view, _next_hops(view)) if forwarding else frozenset()
    all_tables = view.facts.knows_all(common.TABLES)
    for nic in forwarding:
        if nic.id in machines or ((vm := view.vm_of(nic)) and vm.id in machines) or nic.vm in machines:
            continue
        yield _idle(view, nic) if all_tables else Unclear(nic.id, ("the route tables that may lead to it",))


def _next_hops(view: View) -> frozenset[str]:
    """Every address that a route names as next hop: of route tables, and those that Azure says are in force."""
    configured = (route for table in view.tables for route in table.routes)
    hops = {hop for route in configured for hop in route.addresses}
    told = (route for routes in view.estate.effective_routes.values() for route in routes)
    return frozenset(hops | {hop for route in told for hop in route.next_hop_addresses})


def _appliances(view: View, hops: frozenset[str]) -> frozenset[ResourceId]:
    """The NICs that a route leads to, and the VMs that have them: a route may name the load balancer before them."""
    balancers = view.estate.load_balancers.values()
    before = [each for each in balancers if any(front.address in hops for front in each.frontends)]
    pools = [pool for balancer in before for pool in balancer.pools]
    members = [point.nic for pool in pools for point in view.estate.members.get(pool, ())]
    addressed = {text for balancer in before for texts in balancer.pools.values() for text in texts}
    wanted = hops | addressed
    nics = [*members, *(nic for nic in view.nics for each in nic.ip_configurations if each.address in wanted)]
    owners = (vm.id if (vm := view.vm_of(nic)) else nic.vm for nic in nics)
    return frozenset({*(nic.id for nic in nics), *filter(None, owners)})


def _managed(nic: ResourceId) -> bool:
    """Whether Kubernetes made it: AKS lets the NICs of nodes forward, and routes to them by itself."""
    return nic.type == SCALE_SET_NETWORK_INTERFACE and nic.resource_group.lower().startswith("mc_")


def _idle(view: View, nic: Nic) -> Found:
    vm = view.vm_of(nic)
    owner = (vm.id if vm else nic.vm) or nic.id
    by_name = _names_appliance(f"{nic.id.name} {owner.name}")
    text = f"IP forwarding is on at {nic.id.name}, and no route of any route table names its address"
    causes = [fact("ip-forwarding", text, nic.id)]
    if by_bgp := _route_server(view, nic):
        causes.append(fact("route-server", f"network {by_bgp} has a route server: it may tell routes to it by BGP"))
    if by_name:
        text = f"by its name ({owner.name}) it may be an appliance: then routes to it are missing, or BGP tells them"
        causes.append(fact("name", text, owner))
    remedy = Remedy(
        summary=f"Switch IP forwarding off at {nic.id.name}, unless it is an appliance that routes will yet lead to.",
        az_cli=f"az network nic update {az.arguments(ids=nic.id.text)} --ip-forwarding false",
        bicep=common.declared(common.NIC_KIND, nic.id, "properties.enableIPForwarding = false"),
        doc_url=_NIC_DOC,
        portal_url=links.blade(nic.id, "ipconfigurations"),
    )
    return Found(
        nic.id,
        f"IP forwarding is on at network interface {nic.id.name}, and no route leads to it",
        tuple(causes),
        remedy,
        severity=Severity.LOW if by_name or by_bgp else Severity.MEDIUM,
        confidence=Confidence.LIKELY,
    )


def _names_appliance(text: str) -> bool:
    return any(word in text.lower() for word in _APPLIANCE)


def _route_server(view: View, nic: Nic) -> str:
    """The network of a NIC, or a peer of it, that has a route server; empty where none has."""
    homes = (view.estate.network_of(each.subnet) for each in nic.ip_configurations)
    near = (each for home in homes if home for each in (home, *common.peers(view, home)))
    names = (each.id.name for each in near if any(s.id.name.lower() == "routeserversubnet" for s in each.subnets))
    return next(names, "")


@check("NIC005", "Network interface that belongs to nothing", Severity.LOW)
def orphaned_nics(view: View) -> Iterator[Said]:
    """No VM, private endpoint or private link service has the network interface, and it keeps its address.

    Rules and routes that name the address go on to stand for it.
    """
    all_vms = view.facts.knows_all(common.VMS)
    for nic in view.nics:
        if nic.vm or common.serves(nic) or view.vm_of(nic) or _delegated(view, nic):
            continue
        # Azure's own body has the VM in it where there is one; a template's VM names its NICs.
        if nic.provisioning_state or all_vms:
            yield _orphan(nic)
        else:
            yield Unclear(nic.id, ("the virtual machines that may have it",))


def _delegated(view: View, nic: Nic) -> bool:
    """Whether it is in a subnet that is handed to a service, which puts NICs of its own there."""
    subnets = (view.estate.subnets.get(each.subnet) for each in nic.ip_configurations if each.subnet)
    return any(subnet.delegations or common.reserved(subnet.id) for subnet in subnets if subnet)


def _orphan(nic: Nic) -> Found:
    addresses = listed(filter(None, (each.address for each in nic.ip_configurations))) or "no address"
    causes = [fact("orphan", f"no VM, private endpoint or private link service has it; it keeps {addresses}", nic.id)]
    for public in filter(None, (each.public_ip for each in nic.ip_configurations)):
        causes.append(fact("public-address", f"it keeps public IP {public.name}, which costs", public))
    remedy = Remedy(
        summary=f"Delete {nic.id.name} if nobody is to have it again.",
        az_cli=az.lines(
            f"az network nic show {az.arguments(ids=nic.id.text)} -o json",
            az.otherwise("if nobody needs it", f"az network nic delete {az.arguments(ids=nic.id.text)}"),
        ),
        doc_url=_NIC_DOC,
        portal_url=links.blade(nic.id, "overview"),
    )
    return Found(nic.id, f"Network interface {nic.id.name} belongs to nothing", tuple(causes), remedy)


@check("NIC010", "Virtual machine and network interface disagree", Severity.MEDIUM)
def disagreements(view: View) -> Iterator[Said]:
    """A VM names a network interface that does not exist, or that says it is another VM's.

    Such a VM does not start again once it is stopped, and whoever relies on the one body acts on the wrong machine.
    """
    all_nics = view.facts.knows_all(common.NICS)
    for vm in sorted(view.estate.vms.values(), key=lambda vm: vm.id.key):
        for rid in vm.nics:
            nic = view.estate.nics.get(rid)
            if nic is None and vm.id.type == VIRTUAL_MACHINE:
                yield _absent(vm, rid) if all_nics else Unclear(vm.id, (f"network interface {rid.name}",))
            elif nic and nic.vm and nic.vm != vm.id:
                said = fact("owner", f"network interface {rid.name} says that it is of VM {nic.vm.name}", rid)
                yield _disagree(vm.id, rid, f"names {rid.name}, which says it is of {nic.vm.name}", said)
    named = {nic.key for vm in view.estate.vms.values() for nic in vm.nics}
    for nic in view.nics:
        owner = view.vm_of(nic) if nic.vm else None
        if owner and owner.nics and nic.id.key not in named:
            said = fact("owner", f"network interface {nic.id.name} says that it is of VM {owner.id.name}", nic.id)
            yield _disagree(owner.id, nic.id, f"does not name {nic.id.name}, which says it is of it", said)


def _absent(vm: Vm, nic: ResourceId) -> Found:
    cause = fact("absent", f"there is no network interface {nic.name} in resource group {nic.resource_group}", nic)
    return _disagree(vm.id, nic, f"names {nic.name}, which does not exist", cause)


def _disagree(vm: ResourceId, nic: ResourceId, text: str, cause: Cause) -> Found:
    remedy = Remedy(
        summary=f"Read both again; if they still disagree, detach {nic.name} and attach it again while the VM is off.",
        az_cli=az.lines(
            f"az vm show {az.arguments(ids=vm.text)} --query networkProfile.networkInterfaces",
            f"az network nic show {az.arguments(ids=nic.text)} --query virtualMachine.id -o tsv",
            az.otherwise(
                "if the VM is to lose it", f"az vm nic remove {az.placed(vm, vm_name=vm.name, nics=nic.name)}"
            ),
        ),
        doc_url=_VM_DOC,
        portal_url=links.blade(vm, "networking"),
    )
    return Found(vm, f"VM {vm.name} {text}", (cause,), remedy, (nic.key,))
