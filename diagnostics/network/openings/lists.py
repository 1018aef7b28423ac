"""What one list of rules lets in from public addresses, as boxes: every combination of ports once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from diagnostics.network.cells import elementary
from diagnostics.network.intervals import PORTS_TOP, Intervals
from diagnostics.network.openings.boxes import ALL_PORTS, LETS, PROTOCOLS, STOPS, AdminBox, Box, Boxes, Space
from diagnostics.network.openings.places import YES, Place, Words, holds, unsaid
from diagnostics.network.openings.ready import Ready
from diagnostics.network.openings.sets import ALL, NONE
from diagnostics.network.security import WITH_PORTS


class _Make[T](Protocol):
    """Makes something of the rules that speak of a protocol."""

    def __call__(self, some: Sequence[Candidate], *, with_ports: bool) -> Iterator[T]: ...


class Candidate(NamedTuple):
    """A rule that may speak of public sources of a family where its words have a meaning, in numbers of sets.

    Attributes:
        must: sources that it is for surely; `may`: perhaps.
        must_there: destinations that it is for surely; `may_there`: perhaps; all for the one that is asked about.
    """

    ready: Ready
    ports: int
    source_ports: int
    must: int
    may: int
    missing: frozenset[str]
    must_there: int = ALL
    may_there: int = ALL


class Part(NamedTuple):
    """Ports, sources and destinations for which the same rules end alike."""

    ports: int
    source_ports: int
    sources: int
    there: int = ALL
    ends: int = 0
    rules: tuple[int, ...] = ()
    missing: frozenset[str] = frozenset()


class RuleList:
    """A list of rules where its words have one meaning: an NSG, or the security admin rules of a network.

    Attributes:
        states: for each candidate, whether it is for an endpoint, are the key to what is let in there.
    """

    def __init__(self, ready: Sequence[Ready], words: Words, space: Space, last: int = STOPS) -> None:
        self._words, self._last, self._space = words, last, space
        found = [_candidate(each, words, space) for each in ready]
        found = [each for each in found if each.may]
        self._candidates = found if last != STOPS else _up_to_last_allowing(found)
        self._sides = [each.ready.destinations for each in self._candidates]
        self._held: dict[Place, list[tuple[Intervals, Intervals] | None]] = {}
        self._boxes: dict[tuple[int, ...], Mapping[str, Boxes]] = {}
        self._admin: dict[tuple[int, ...], Mapping[str, tuple[AdminBox, ...]]] = {}

    def states(self, place: Place, spot: int | Intervals) -> tuple[int, ...]:
        """For each rule, whether it is for an endpoint."""
        held = self._held.get(place)
        if held is None:
            version = self._space.version
            held = self._held[place] = [side and place.holds(side, version) for side in self._sides]
        return tuple([YES if each is None else holds(*each, spot) for each in held])

    def boxes(self, states: tuple[int, ...]) -> Mapping[str, Boxes]:
        """What an NSG lets in, by protocol."""
        if states not in self._boxes:
            self._boxes[states] = _by_protocol(self._placed(states), self._as_boxes)
        return self._boxes[states]

    def admin_boxes(self, states: tuple[int, ...]) -> Mapping[str, tuple[AdminBox, ...]]:
        """What security admin rules make of what comes in, by protocol."""
        if states not in self._admin:
            self._admin[states] = _by_protocol(self._placed(states), self._as_admin_boxes)
        return self._admin[states]

    def anywhere(self, place: Place, there: Intervals) -> Mapping[str, Boxes]:
        """What an NSG lets in to any of some destinations."""
        add, version, some = self._space.destinations.add, self._space.version, []
        for each in self._candidates:
            side = each.ready.destinations
            if side is None:
                some.append(each)
                continue
            must, may = map(add, place.holds(side, version))
            missing = each.missing | (self._words.missing(side) if must != may else frozenset())
            some.append(each._replace(missing=missing, must_there=must, may_there=may))
        number = add(there)
        return _by_protocol(some, lambda known, *, with_ports: self._as_boxes(known, with_ports=with_ports, to=number))

    def _placed(self, states: tuple[int, ...]) -> list[Candidate]:
        """The rules for an endpoint; what may not be for it matches nothing for sure."""
        found = []
        for each, state in zip(self._candidates, states, strict=True):
            if state == YES:
                found.append(each)
            elif state:
                side = each.ready.destinations
                words = self._words.missing(side) if side else frozenset[str]()
                found.append(each._replace(must=NONE, missing=each.missing | unsaid(state, words)))
        return found

    def _swept(self, some: Sequence[Candidate], *, with_ports: bool, to: int) -> list[Part]:
        """The rules one after the other: each ends the matter for some of what is left."""
        left, done, last = [Part(ALL, ALL, self._space.public, to)], list[Part](), self._last
        for each in some:
            candidate = _at_ports(each) if with_ports else Candidate(each.ready, ALL, ALL, *each[3:])
            still: list[Part] = []
            for part in left:
                self._meet(part, candidate, done, still)
            left = still
            if not left:
                break
        return [*done, *(part._replace(ends=part.ends | last) for part in left)]

    def _meet(self, part: Part, each: Candidate, done: list[Part], still: list[Part]) -> None:
        """What of a part a rule ends the matter for, and what the next rule is asked about."""
        sources, ports, targets = self._space.sources, self._space.ports, self._space.destinations
        to = ports.meet(part.ports, each.ports)
        hit = sources.meet(part.sources, each.may) if to else NONE
        out = ports.meet(part.source_ports, each.source_ports) if hit else NONE
        there = targets.meet(part.there, each.may_there) if out else NONE
        if not there:
            still.append(part)
            return
        end, ends, rules, missing = each.ready.end, part.ends, part.rules, part.missing
        after = rules if end == STOPS else (*rules, each.ready.number)
        sure, sure_there = sources.meet(hit, each.must), targets.meet(there, each.must_there)
        if sure and sure_there:
            done.append(Part(to, out, sure, sure_there, ends | end, after, missing))
        if doubtful := sources.rest(hit, each.must):
            still.append(Part(to, out, doubtful, there, ends | end, after, missing | each.missing))
        if sure and (doubtful := targets.rest(there, each.must_there)):
            still.append(Part(to, out, sure, doubtful, ends | end, after, missing | each.missing))
        if others := ports.rest(part.ports, to):
            still.append(Part(others, part.source_ports, part.sources, part.there, ends, rules, missing))
        if others := ports.rest(part.source_ports, out):
            still.append(Part(to, others, part.sources, part.there, ends, rules, missing))
        if others := sources.rest(part.sources, hit):
            still.append(Part(to, out, others, part.there, ends, rules, missing))
        if others := targets.rest(part.there, there):
            still.append(Part(to, out, hit, others, ends, rules, missing))

    def _as_admin_boxes(self, some: Sequence[Candidate], *, with_ports: bool) -> Iterator[AdminBox]:
        for part in self._swept(some, with_ports=with_ports, to=ALL):
            if part.ends != STOPS:
                box = Box(part.ports, part.source_ports, part.sources, part.sources, part.rules, part.missing)
                yield AdminBox(part.ends, box)

    def _as_boxes(self, some: Sequence[Candidate], *, with_ports: bool, to: int = ALL) -> Iterator[Box]:
        """What the same rules let in from the same ports, put together."""
        some = _up_to_last_allowing(some)
        found: dict[tuple[tuple[int, ...], int, int], list[Part]] = {}
        for part in self._swept(some, with_ports=with_ports, to=to) if some else ():
            if part.ends & LETS:
                found.setdefault((part.rules, part.ports, part.source_ports), []).append(part)
        union = self._space.sources.union
        for (rules, ports, source_ports), parts in found.items():
            must = union([part.sources for part in parts if part.ends == LETS])
            may = union([part.sources for part in parts])
            open_ = [part.missing for part in parts if part.ends != LETS]
            yield Box(ports, source_ports, must, may, rules, frozenset[str]().union(*open_))


def cells(sets: Sequence[Intervals]) -> Iterator[tuple[int, Intervals]]:
    """All ports, parted by which of the sets hold them: a bit for each set."""
    if all(each == ALL_PORTS for each in sets):
        yield (1 << len(sets)) - 1, ALL_PORTS
        return
    found: dict[int, list[tuple[int, int]]] = {}
    for span in elementary(sets, PORTS_TOP):
        here = sum(1 << i for i, each in enumerate(sets) if span[0] in each)
        found.setdefault(here, []).append(span)
    for here, spans in found.items():
        yield here, Intervals.of(spans, PORTS_TOP)


def _by_protocol[T](some: Sequence[Candidate], make: _Make[T]) -> Mapping[str, tuple[T, ...]]:
    """What is made of the rules for each protocol; the same for protocols of which the same rules speak."""
    known: dict[tuple[bool, tuple[int, ...]], tuple[T, ...]] = {}
    found = {}
    for protocol in PROTOCOLS:
        plain = protocol.lower()
        speaking = [each for each in some if each.ready.protocol in {"", plain}]
        key = plain in WITH_PORTS, tuple([each.ready.number for each in speaking])
        if key not in known:
            known[key] = tuple(make(speaking, with_ports=plain in WITH_PORTS))
        found[protocol] = known[key]
    return found


def _at_ports(each: Candidate) -> Candidate:
    """A rule for protocols with ports: one whose ports cannot be read matches nothing for sure."""
    unreadable = each.ready.unreadable
    return each._replace(must=NONE, missing=each.missing | unreadable) if unreadable else each


def _candidate(ready: Ready, words: Words, space: Space) -> Candidate:
    known = space.fixed.get(ready.number)
    if isinstance(known, Candidate):
        return known
    must, may, missing = words.sources(ready.sources, space.version)
    sure = NONE if ready.perhaps else space.sources.add(must)
    ports = space.ports.add(ready.ports), space.ports.add(ready.source_ports)
    found = Candidate(ready, *ports, sure, space.sources.add(may), missing | ready.perhaps)
    if not ready.sources.words:
        space.fixed[ready.number] = found
    return found


def _up_to_last_allowing(some: Sequence[Candidate]) -> Sequence[Candidate]:
    """The rules up to the last that lets something in: behind it, nothing is let in any more."""
    last = max((i for i, each in enumerate(some) if each.ready.end == LETS), default=-1)
    return some[: last + 1]
