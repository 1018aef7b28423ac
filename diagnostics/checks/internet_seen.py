"""What the internet at large gets in to: by each NSG alone, where each stands, and what of endpoints it reaches."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from diagnostics.checks.internet_judged import Judged, key_of
from diagnostics.checks.internet_large import Large, at_large, names_cloud
from diagnostics.checks.internet_ports import Ports
from diagnostics.checks.internet_standing import Standing, is_bastion
from diagnostics.checks.view import View
from diagnostics.network.estate import Point
from diagnostics.network.model import Nic, SecurityGroup
from diagnostics.network.openings import Opening, Openings
from diagnostics.network.places import Use
from diagnostics.network.prefixes import address_of
from diagnostics.network.reach import Reach

_NOTHING = Ports()


class Seen:
    """All of it for one estate, each thing when first asked for."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._large = Large(view.estate)
        self._judged = Judged(self._large, view.reach, lambda: view.openings)
        self._exposed: dict[tuple[str, str], Ports] = {}
        self._alone: dict[str, Ports] = {}
        self._standing: dict[str, Standing] = {}
        self._words = at_large(), at_large(cloud=True)

    def alone(self, group: SecurityGroup) -> Ports:
        """What an NSG alone opens to the internet at large."""
        if group.id.key not in self._alone:
            may = self._large.may_open(group)
            self._alone[group.id.key] = self._judged.admitted(group, self._words[False]) if may else _NOTHING
        return self._alone[group.id.key]

    def cloud(self, group: SecurityGroup) -> tuple[Opening, ...]:
        """What an NSG alone opens to all of Azure, and not to the internet at large."""
        if not (self._large.names_any_cloud and any(map(names_cloud, group.rules))):
            return ()
        found = self._view.openings.admitted(group, self._words[True])
        return tuple(
            each
            for each in found
            if each.sources.must and all(names_cloud(d.rule) and d.rule.allows for d in each.rules)
            if not self._large.judged([each]).opens
        )

    def exposed(self, point: Point) -> Ports:
        """What of an endpoint can be reached; of one whose VM does not run, what can be once it does."""
        key = key_of(point)
        if key not in self._exposed:
            led = key in self._led and self._each_lets_in(point)
            judged = self._awake if led and self.asleep(point.nic) else self._judged
            self._exposed[key] = judged.exposed(point) if led else _NOTHING
        return self._exposed[key]

    def asleep(self, nic: Nic) -> bool:
        """Whether the VM of a NIC is known not to run."""
        vm = self._view.vm_of(nic)
        return vm is not None and vm.running is False

    def standing(self, group: SecurityGroup) -> Standing:
        """Where an NSG stands."""
        if group.id.key not in self._standing:
            use, judged = self._view.use(group), self._judged
            exposed = ((point, self.exposed(point)) for point in use.points if key_of(point) in self._led)
            known = use.known and not use.unseen and not self._hidden(use)
            listed = tuple((point, ports) for point, ports in exposed if ports.opens or ports.doubts)
            doubtful = tuple((point, ports) for point in use.points if (ports := self._each_lets_in(point)))
            self._standing[group.id.key] = Standing(use, known, doubtful, judged.into, listed, judged.bounds)
        return self._standing[group.id.key]

    def _each_lets_in(self, point: Point) -> int:
        """The ports, as bits, that each NSG at an endpoint lets in by itself, or may: it closes all others.

        All, where security admin rules or Azure's word decide.
        """
        estate, nic = self._view.estate, point.nic
        if estate.admin_rules or (estate.effective_groups and nic.id in estate.effective_groups):
            return -1
        subnet, address, found = estate.subnet_of(point), point.address, -1
        for rid in (nic.security_group, subnet.security_group if subnet else None):
            if rid and (ports := self._alone.get(rid.key)):
                found = ports.at(address, found)
            elif rid and (group := estate.security_groups.get(rid)):
                found = self.alone(group).at(address, found)
        return found

    def _hidden(self, use: Use) -> bool:
        """Whether its subnets hold what is no NIC of the estate: an application gateway or the like."""
        known = self._view.estate.configurations
        return any(each not in known for subnet in use.subnets if not is_bastion(subnet.id) for each in subnet.used)

    @cached_property
    def led(self) -> tuple[Point, ...]:
        """The endpoints to which a public address or a load balancer may lead: all others are out of reach."""
        estate = self._view.estate
        balancers = estate.load_balancers.values()
        named = {rule.target for balancer in balancers for rule in balancer.rules}
        texts = {text for balancer in balancers for told in balancer.pools.values() for text in told}
        addresses = {address for text in texts if (address := address_of(text))}
        return tuple(
            point
            for point in estate.points
            if (each := point.configuration).public_ip
            or each.pools
            or each.inbound_nat_rules
            or (each.id and each.id in named)
            or (addresses and point.address in addresses)
        )

    @cached_property
    def _led(self) -> frozenset[tuple[str, str]]:
        return frozenset(map(key_of, self.led))

    @cached_property
    def _awake(self) -> Judged:
        return Judged(self._large, self._running, lambda: self._all_awake)

    @cached_property
    def _all_awake(self) -> Openings:
        return Openings.of(self._running)

    @cached_property
    def _running(self) -> Reach:
        """The estate if every VM ran that forwards nothing: what forwards decides where answers get."""
        estate = self._view.estate
        forwarding = {vm.id for nic in estate.nics.values() if nic.ip_forwarding and (vm := estate.vm_of(nic))}
        vms = {rid: vm if rid in forwarding else replace(vm, power_state="running") for rid, vm in estate.vms.items()}
        return Reach(replace(estate, vms=vms))


def seen(view: View) -> Seen:
    """That of a view."""
    return view.once(Seen)
