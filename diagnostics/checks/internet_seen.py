"""What the internet at large gets in to: by each NSG alone, at each endpoint by all of its rules, and from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from itertools import starmap
from operator import or_

from diagnostics.checks.internet_large import Large, Ports, Wanted, at_large, names_cloud
from diagnostics.checks.services import as_bits
from diagnostics.checks.view import View
from diagnostics.checks.words import counted, listed
from diagnostics.findings import Severity
from diagnostics.network.estate import Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, SecurityGroup
from diagnostics.network.openings import Opening, Openings
from diagnostics.network.places import Use
from diagnostics.network.prefixes import address_of
from diagnostics.network.reach import Reach

_NAMED = 3
_BASTION = "azurebastionsubnet"
_DOWN = {
    Severity.CRITICAL: Severity.HIGH,
    Severity.HIGH: Severity.MEDIUM,
    Severity.MEDIUM: Severity.LOW,
    Severity.LOW: Severity.INFO,
}


_NOTHING = Ports()


def one_step_down(severity: Severity) -> Severity:
    """A severity that is a little better."""
    return _DOWN.get(severity, severity)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an NSG stands, and what is open there.

    Attributes:
        known: whether all that stands behind it is known.
        doubtful: its endpoints, with the ports, as bits, of which only all rules together tell whether they are open
            there: none of the NSGs by itself closes them.
        into: tells what all rules together let in to an endpoint.
        bounds: tells a part of that, and a bound of it, with less work.
        exposed: its endpoints to which a public address leads or may lead.
    """

    use: Use
    known: bool
    doubtful: tuple[tuple[Point, int], ...]
    into: Callable[[Point], Ports]
    exposed: tuple[tuple[Point, Ports], ...]
    bounds: Callable[[Point], tuple[Ports, Ports] | None] | None = None
    _looked: dict[int, Ports] = field(default_factory=dict, init=False, repr=False, compare=False)

    def closed(self, wanted: Wanted) -> bool:
        """Whether the other rules surely close some ports wherever it stands."""
        if not self.known or not self.use.points or any(ports.may(wanted) for _, ports in self.exposed):
            return False
        # Most ports that are open are so where another look has been before.
        if any(ports.may(wanted) for ports in self._looked.values()):
            return False
        ports = reduce(or_, starmap(as_bits, wanted.items()), 0)
        return not any(self._open(point, wanted) for point, perhaps in self.doubtful if perhaps & ports)

    def _open(self, point: Point, wanted: Wanted) -> bool:
        """Whether all rules together let something in to an endpoint."""
        bounds = self.bounds(point) if self.bounds else None
        if bounds and self._look(bounds[0], wanted):
            return True
        if bounds and not bounds[1].may(wanted):
            return False
        return self._look(self.into(point), wanted)

    def _look(self, found: Ports, wanted: Wanted) -> bool:
        self._looked[id(found)] = found  # it is kept: no such id is given away again
        return found.may(wanted)

    def reached(self, wanted: Wanted) -> tuple[Point, ...]:
        """The endpoints where some ports are reachable, or may be."""
        return tuple(point for point, ports in self.exposed if ports.may(wanted))

    def severity(self, own: Severity, wanted: Wanted) -> Severity:
        """How bad it is that the NSG opens some ports, by where it stands."""
        if self.reached(wanted) or not self.known:
            return own
        return one_step_down(own) if self.use.anywhere else Severity.INFO

    @property
    def for_bastion(self) -> bool:
        """Whether it is on AzureBastionSubnet alone, which has to be open on port 443."""
        return bool(self.use.subnets) and not self.use.nics and all(_bastion(each.id) for each in self.use.subnets)


class _Judging:
    """Openings to the internet at large, mostly by those alone whose rules matter."""

    def __init__(self, large: Large, reach: Reach) -> None:
        self._large, self.short = large, Openings.of(reach, large.matters)

    def of(self, short: Sequence[Opening], whole: Callable[[], Sequence[Opening]]) -> Ports:
        """What is open, by the openings whose rules matter; by all of them where they do not tell."""
        found = self._large.mattering(short)
        return self._large.judged(whole()) if found is None else found


class _Together:
    """What all rules at an endpoint let in together."""

    def __init__(self, view: View, large: Large, short: Openings) -> None:
        self._view, self._large, self._short = view, large, short
        self._judged: dict[int, tuple[tuple[Opening, ...], Ports | None]] = {}
        self._into: dict[tuple[str, str], Ports] = {}
        self._bounds: dict[tuple[str, str], tuple[Ports, Ports] | None] = {}

    def into(self, point: Point) -> Ports:
        """What is open there."""
        key = _key(point)
        if key not in self._into:
            self._into[key] = self._of(point, self._short.into(point))
        return self._into[key]

    def bounds(self, point: Point) -> tuple[Ports, Ports] | None:
        """A part of that, and what it is a part of, with less work; None where all rules have to be asked."""
        key = _key(point)
        if key not in self._bounds:
            bounds = self._short.bounds(point)
            self._bounds[key] = (self._of(point, bounds[0]), self._of(point, bounds[1])) if bounds else None
        return self._bounds[key]

    def _of(self, point: Point, openings: tuple[Opening, ...]) -> Ports:
        """Endpoints that are alike have the very same openings."""
        known = self._judged.get(id(openings))
        if known is None:
            known = self._judged[id(openings)] = openings, self._large.mattering(openings)
        return self._large.judged(self._view.openings.into(point)) if known[1] is None else known[1]


class Seen:
    """All of it for one estate, each thing when first asked for."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._large = Large(view.estate)
        self._judging = _Judging(self._large, view.reach)
        self._together = _Together(view, self._large, self._judging.short)
        self._exposed: dict[tuple[str, str], Ports] = {}
        self._alone: dict[str, Ports] = {}
        self._standing: dict[str, Standing] = {}
        self._attached: dict[tuple[int, bool], tuple[Use, str]] = {}
        self._words = at_large(), at_large(cloud=True)

    def alone(self, group: SecurityGroup) -> Ports:
        """What an NSG alone opens to the internet at large."""
        if group.id.key not in self._alone:
            words, may = self._words[False], self._large.may_open(group)
            openings = self._judging.short.admitted(group, words) if may else ()
            self._alone[group.id.key] = self._judging.of(openings, lambda: self._view.openings.admitted(group, words))
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
        key = _key(point)
        if key not in self._exposed:
            led = key in self._led and self._each_lets_in(point)
            self._exposed[key] = self._reached(point) if led else _NOTHING
        return self._exposed[key]

    def _reached(self, point: Point) -> Ports:
        asleep = self.asleep(point.nic)
        judging, whole = (self._awake, self._all_awake) if asleep else (self._judging, lambda: self._view.openings)
        return judging.of(judging.short.exposed(point), lambda: whole().exposed(point))

    def asleep(self, nic: Nic) -> bool:
        """Whether the VM of a NIC is known not to run."""
        vm = self._view.vm_of(nic)
        return vm is not None and vm.running is False

    def standing(self, group: SecurityGroup) -> Standing:
        """Where an NSG stands."""
        if group.id.key not in self._standing:
            use, together = self._view.use(group), self._together
            exposed = ((point, self.exposed(point)) for point in use.points if _key(point) in self._led)
            known = use.known and not use.unseen and not self._hidden(use)
            listed = tuple((point, ports) for point, ports in exposed if ports.opens or ports.doubts)
            doubtful = tuple((point, ports) for point in use.points if (ports := self._each_lets_in(point)))
            self._standing[group.id.key] = Standing(use, known, doubtful, together.into, listed, together.bounds)
        return self._standing[group.id.key]

    def attached(self, standing: Standing) -> str:
        """A sentence on where an NSG stands, where nothing of that can be reached."""
        key = id(standing.use), standing.known  # every use is kept: no such id is given away again
        if key not in self._attached:
            self._attached[key] = standing.use, _attached(self._view, standing.use, known=standing.known)
        return self._attached[key][1]

    def _each_lets_in(self, point: Point) -> int:
        """The ports, as bits, that each NSG at an endpoint lets in by itself, or may: it closes all others.

        All, where security admin rules or Azure's word decide.
        """
        estate, nic = self._view.estate, point.nic
        if estate.admin_rules or (estate.effective_groups and nic.id in estate.effective_groups):
            return -1
        subnet, address, found = estate.subnet_of(point), point.configuration.address or "", -1
        for rid in (nic.security_group, subnet.security_group if subnet else None):
            if rid and (ports := self._alone.get(rid.key)):
                found &= ports.at(address)
            elif rid and (group := estate.security_groups.get(rid)):
                found &= self.alone(group).at(address)
        return found

    def _hidden(self, use: Use) -> bool:
        """Whether its subnets hold what is no NIC of the estate: an application gateway or the like."""
        known = self._view.estate.configurations
        return any(each not in known for subnet in use.subnets if not _bastion(subnet.id) for each in subnet.used)

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
        return frozenset(map(_key, self.led))

    @cached_property
    def _awake(self) -> _Judging:
        return _Judging(self._large, self._running)

    def _all_awake(self) -> Openings:
        return Openings.of(self._running)

    @cached_property
    def _running(self) -> Reach:
        """The estate if every VM ran that forwards nothing: what forwards decides where answers get."""
        estate = self._view.estate
        forwarding = {vm.id for nic in estate.nics.values() if nic.ip_forwarding and (vm := estate.vm_of(nic))}
        vms = {rid: vm if rid in forwarding else replace(vm, power_state="running") for rid, vm in estate.vms.items()}
        return Reach(replace(estate, vms=vms))


def _key(point: Point) -> tuple[str, str]:
    return point.nic.id.key, point.configuration.name


def seen(view: View) -> Seen:
    """That of a view."""
    return view.once(Seen)


def behind(view: View, points: Iterable[Point]) -> str:
    """The VMs of some endpoints by name; the NIC where the VM is not known."""
    owners = {owner(view, point.nic): None for point in points}
    return listed(sorted(each.name for each in owners), _NAMED)


def owner(view: View, nic: Nic) -> ResourceId:
    """The VM of a NIC; the NIC where none is known."""
    vm = view.vm_of(nic)
    return vm.id if vm else nic.vm or nic.id


def where(view: View, standing: Standing, wanted: Wanted) -> str:
    """A sentence on where an NSG stands, and what of that can be reached."""
    if reached := standing.reached(wanted):
        sure = [p for p, ports in standing.exposed if ports.opened(wanted)]
        asleep = all(seen(view).asleep(point.nic) for point in sure or reached)
        said = f"{'can' if sure else 'may'} be reached there from the internet{' once it runs' if asleep else ''}"
        return f"{behind(view, sure or reached)} {said}."
    return seen(view).attached(standing)


def _attached(view: View, use: Use, *, known: bool) -> str:
    """The same where nothing of it can be reached."""
    if not use.anywhere:
        return "It is attached to nothing." if use.known else "Where it is attached is not known."
    names = listed([*(f"subnet {each.id.name}" for each in use.subnets), *(each.id.name for each in use.nics)], _NAMED)
    names = names or counted(len(use.unseen), "place") + " that cannot be seen"
    if not known:
        return f"It is attached to {names}; not all that stands behind it is known."
    if not use.points:
        return f"It is attached to {names}, where nothing is yet."
    text = f"It is attached to {names}; behind it {behind(view, use.points)}. No public address leads there today"
    return f"{text}, and the next one that does opens it."


def _bastion(subnet: ResourceId) -> bool:
    return subnet.name.lower() == _BASTION
