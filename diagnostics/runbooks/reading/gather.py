"""The step that reads the network around both ends of a connection, so that the engine can answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from diagnostics.errors import ParseError
from diagnostics.findings import Step
from diagnostics.network import ids
from diagnostics.network.estate import Estate, Problem
from diagnostics.network.ids import ResourceId
from diagnostics.network.owners import Owners
from diagnostics.network.prefixes import Address, address_of, is_public, names_tag
from diagnostics.network.reading import read_objects
from diagnostics.network.tags import ServiceTags
from diagnostics.runbooks.questions import Asking, FindByAddress, ReadBody, ReadServiceTags, Unread, ask
from diagnostics.runbooks.reading import surroundings
from diagnostics.runbooks.reading.health_probes import health_probes
from diagnostics.runbooks.situation import Machine, Situation, done
from diagnostics.runbooks.step import inconclusive, passed, skipped
from diagnostics.runbooks.survey import Survey

NAME = "Network configuration"
MOST_READS = 80
NOT_ITS_OWN = "what belongs to a uniform scale set is no resource of its own, and not read"
_MOST_APPLIANCES = 2
_MOST_CANDIDATES = 8  # networks that overlap so often are not told apart by reading more of them
_MACHINES = frozenset({ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM})
_KINDS = (
    ("vms", "VM"),
    ("nics", "NIC"),
    ("security_groups", "NSG"),
    ("route_tables", "route table"),
    ("networks", "virtual network"),
    ("public_ips", "public IP"),
    ("nat_gateways", "NAT gateway"),
    ("load_balancers", "load balancer"),
    ("firewalls", "firewall"),
)
_TAG, _TAGS = "service tag ", "service tags "
_BUILT_IN = frozenset({"internet", "virtualnetwork", "azureloadbalancer"})
_PLACE = re.compile(r"\$\[(\d+)\]\.?(.*)")


def survey(situation: Situation, target: str | None) -> Asking[Situation]:
    """Read what lies around both ends, and on the way between them.

    Args:
        situation: who and what.
        target: the destination's address, where it is known.
    """
    reading = _Reading(situation)
    if not reading.ends:
        return (yield from done(situation, skipped(NAME, "no network interface of either end is known")))
    yield from reading.around(address_of(target))
    situation = replace(situation, survey=reading.survey())
    return (yield from done(situation, _told(situation.survey)))


def with_tags(situation: Situation, missing: Iterable[str]) -> Asking[Situation]:
    """The same with Azure's list of service tags, where it is one of those that an answer depends on.

    Args:
        situation: with a survey.
        missing: what would have to be known, as a path's reasons name it.
    """
    estate, source = situation.survey.configured, situation.source
    named = {name.lower().removeprefix(_TAG): name.lower().startswith(_TAG) for name in missing}
    wanted = {name for name, surely in named.items() if surely} | (named.keys() & set(_named_tags(estate)))
    if not wanted or source is None or not source.location or estate.service_tags.prefixes:
        return situation
    listed = yield from ask(ReadServiceTags(source.id.subscription, source.location))
    tags = _tags(listed)
    if isinstance(tags, Unread):
        lost = (*situation.survey.unfound, (f"{_TAGS}{', '.join(sorted(wanted))}", tags))
        return replace(situation, survey=replace(situation.survey, unfound=lost))
    return replace(situation, survey=replace(situation.survey, configured=replace(estate, service_tags=tags)))


def lost_tags(situation: Situation) -> tuple[str, ...]:
    """Why service tags that an answer depends on are not known, one fact a line."""
    lost = ((what, why) for what, why in situation.survey.unfound if what.startswith(_TAGS))
    return tuple(dict.fromkeys(f"{what}: {why}" for what, why in lost))


def _tags(listed: object) -> ServiceTags | Unread:
    """Azure's list of service tags; of one in a shape that is not known, why it says nothing."""
    if isinstance(listed, Unread):
        return listed
    try:
        return ServiceTags.of(listed)
    except ParseError as error:
        return Unread(f"Azure's list of service tags is not understood: {error}")


def _named_tags(estate: Estate) -> Iterator[str]:
    """The service tags that rules and routes of an estate name, in lower case, but for those that no list has."""
    rules = (rule for group in estate.security_groups.values() for rule in group.rules)
    texts = [text for rule in rules for text in (*rule.sources, *rule.destinations)]
    texts += [route.prefix for table in estate.route_tables.values() for route in table.routes]
    named = {text.strip().lower() for text in texts if names_tag(text)}
    yield from (name for name in named if name not in _BUILT_IN)


class _Reading:
    """What is read so far, and how much more may be.

    Attributes:
        ends: the network interfaces at both ends.
    """

    def __init__(self, situation: Situation) -> None:
        self._bodies: dict[ResourceId, Any] = {}
        self._unread: dict[ResourceId, Unread] = {}
        self._unfound: dict[str, Unread] = {}
        self._left, self._not_asked = MOST_READS, dict[ResourceId, None]()
        self._estate: Estate | None = Estate()
        self._balancers, self._addresses = dict[ResourceId, None](), dict[Address, None]()
        self._source, self._destination = self._nics(situation.source), self._nics(situation.destination)
        self.ends = dict.fromkeys((*self._source, *self._destination))
        self._nics_there = dict(self.ends)

    def _nics(self, machine: Machine | None) -> tuple[ResourceId, ...]:
        """The network interfaces of a machine; those that were not to be read before are not tried again."""
        if machine is None:
            return ()
        self._unread |= {rid: nic for rid, nic in machine.nics if isinstance(nic, Unread)}
        if isinstance(machine.vm, Unread) and machine.id.type in _MACHINES:
            self._unread[machine.id] = machine.vm
        return tuple(rid for rid, nic in machine.nics if not isinstance(nic, Unread))

    @property
    def estate(self) -> Estate:
        """What the bodies come to."""
        if self._estate is None:
            self._estate = read_objects(self._bodies.values())
        return self._estate

    def survey(self) -> Survey:
        """What was read, and what could not be."""
        unread = dict(self._unread)
        if self._not_asked:
            first, more = next(iter(self._not_asked)), len(self._not_asked) - 1
            others = f", as {more} more were not" if more else ""
            unread[first] = Unread(f"not read{others}: {MOST_READS} resources around one connection are the most")
        problems = tuple(map(self._named, self.estate.problems))
        return Survey(
            configured=replace(self.estate, problems=problems),
            unread=tuple(unread.items()),
            unfound=tuple(self._unfound.items()),
            health_probes=health_probes(self._bodies.values()),
        )

    def around(self, target: Address | None) -> Asking[None]:
        """The ends with all that belongs to them, then what has the target's address, then what is on the way."""
        yield from self._settle()
        for point in surroundings.points_of(self.estate, self.ends):
            self._addresses |= {point.address: None} if point.address else {}
        if target is not None:
            self._addresses[target] = None
            yield from self._settle()
            if not is_public(target) and not any(nic.owns(str(target)) for nic in self.estate.nics.values()):
                yield from self._find(target, anywhere=True)
        outside = surroundings.is_outside(target)
        standing, seen = set(self._nics_there), set[str]()
        for _ in range(_MOST_APPLIANCES):
            points = surroundings.points_of(self.estate, standing)
            hops = surroundings.next_hops(self.estate, points, self._addresses, outside=outside)
            known = set(self._nics_there)
            for text in hops:
                if text not in seen and (address := address_of(text)):
                    yield from self._hop(address)
            seen |= set(hops)
            standing = set(self._nics_there) - known
            if not standing:
                return

    def _hop(self, address: Address) -> Asking[None]:
        """An appliance: what has its address near the ends, and what is around it."""
        self._addresses[address] = None
        yield from self._settle()
        owner = next(self.estate.at(address), None)
        if owner is not None:
            self._nics_there[owner.nic.id] = None
            yield from self._settle()
        else:
            yield from self._find(address, anywhere=False)

    def _find(self, address: Address, *, anywhere: bool) -> Asking[None]:
        """Whoever has an address in a network near the ends; anywhere, if it is none of theirs and only one has it."""
        networks = surroundings.near(self.estate, self._nics_there)
        if Owners(self.estate).find(address, networks):
            return
        found = yield from ask(FindByAddress(str(address)))
        if isinstance(found, Unread):
            self._unfound[f"who has {address}"] = found
            return
        bodies = {}
        for candidate in found[:_MOST_CANDIDATES]:
            body = yield from self._body(candidate)
            if body is not None:
                bodies[candidate] = body
        close = {rid: body for rid, body in bodies.items() if _has(body, address, networks)}
        if not close and anywhere and len(bodies) == 1 and not Owners(self.estate).subnet(address, networks):
            close = bodies
        for rid, body in close.items():
            self._keep(rid, body)
            (self._nics_there if rid.type == ids.NETWORK_INTERFACE else self._balancers)[rid] = None
        yield from self._settle()
        yield from self._members(close)

    def _members(self, balancers: Iterable[ResourceId]) -> Asking[None]:
        """The members that pools of load balancers on the way list by address."""
        for known in [found for rid in balancers if (found := self.estate.load_balancers.get(rid))]:
            texts = [text for pool in known.pools.values() for text in pool]
            for text in texts[:_MOST_CANDIDATES]:
                if member := address_of(text):
                    yield from self._find(member, anywhere=False)
            self._nics_there |= dict.fromkeys(surroundings.members_of(known))

    def _settle(self) -> Asking[None]:
        """Read what is missing, until nothing is that may be read."""
        while wanted := [rid for rid in dict.fromkeys(self._missing()) if not self._is_settled(rid)]:
            for rid in wanted:
                body = yield from self._body(rid)
                if body is not None:
                    self._keep(rid, body)

    def _missing(self) -> Iterator[ResourceId]:
        yield from surroundings.missing(self.estate, self._nics_there, self._balancers, self._addresses)

    def _is_settled(self, rid: ResourceId) -> bool:
        return rid in self._bodies or rid in self._unread or rid in self._not_asked

    def _keep(self, rid: ResourceId, body: object) -> None:
        self._bodies[rid] = body
        self._estate = None

    def _body(self, rid: ResourceId) -> Asking[Any]:
        """A resource's body; None where there is none, which is noted."""
        if rid.type.startswith("microsoft.compute/") and rid.type not in _MACHINES:
            self._unread[rid] = Unread(NOT_ITS_OWN)
        elif self._left <= 0:
            self._not_asked[rid] = None
        elif not self._is_settled(rid):
            self._left -= 1
            body = yield from ask(ReadBody(rid))
            if not isinstance(body, Unread):
                return body
            self._unread[rid] = body
        return self._bodies.get(rid)

    def _named(self, problem: Problem) -> Problem:
        """A problem by the name of the resource in whose body it is."""
        place = _PLACE.fullmatch(problem.where)
        if place is None or int(place[1]) >= len(self._bodies):
            return problem
        rid = list(self._bodies)[int(place[1])]
        return Problem(" ".join(filter(None, (rid.name, place[2]))), problem.text)


def _has(body: object, address: Address, networks: Iterable[ResourceId]) -> bool:
    """Whether a NIC or load balancer has an address in one of the networks; of a firewall, its body does not say."""
    estate = read_objects([body])
    return Owners(estate).find(address, networks) is not None


def _told(survey: Survey) -> Step:
    """The step that says what was read, in counts."""
    counts = [
        f"{number} {what}{'s' if number > 1 else ''}"
        for field, what in _KINDS
        if (number := len(getattr(survey.configured, field)))
    ]
    text = f"{', '.join(counts) or 'nothing'} read"
    if not survey.gaps:
        return passed(NAME, text)
    lost = [rid.name for rid, _ in survey.unread]
    lost += [what for what, _ in survey.unfound]
    lost += [problem.where for problem in survey.configured.problems]
    return inconclusive(NAME, f"{text}; not read: {', '.join(dict.fromkeys(lost))}", *survey.gaps)
