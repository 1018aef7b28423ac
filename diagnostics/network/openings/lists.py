"""What one list of rules lets in from public addresses, as boxes: every combination of ports once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from diagnostics.network.intervals import Intervals
from diagnostics.network.openings.boxes import LETS, PROTOCOLS, STOPS, AdminBox, Box, Boxes, Space
from diagnostics.network.openings.layout import Cell, Layout, cells, up_to
from diagnostics.network.openings.places import PERHAPS, UNPLACED, YES, Place, Sources, Words, holds, unsaid
from diagnostics.network.openings.ready import Ready, Side
from diagnostics.network.openings.sets import NONE

_NO_DOUBT = frozenset[str]()
_NOTHING: Mapping[str, Boxes] = dict.fromkeys(PROTOCOLS, ())

type States = tuple[int, int, int]
"""Which rules of a list are for a destination: surely, perhaps, and depending on its address (`UNPLACED`); as bits."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """Sources for which the same rules end alike."""

    sources: int
    ends: int = 0
    rules: tuple[int, ...] = ()
    missing: frozenset[str] = frozenset()


class Fate(msgspec.Struct, frozen=True, gc=False):
    """Sources that the same rules let in."""

    rules: tuple[int, ...]
    must: int
    may: int
    missing: frozenset[str]


class RuleList:
    """A list of rules where its words have one meaning: an NSG, or the security admin rules of a network.

    Attributes:
        layout: the rules.

    Args:
        layout: the rules.
        words: what they mean.
        space: where the boxes lie.
        last: what comes behind the last rule.
    """

    def __init__(self, layout: Layout, words: Words, space: Space, last: int = STOPS) -> None:
        self.layout, self._words, self._last, self._space = layout, words, last, space
        self._allowing = layout.allowing
        self._sources: list[Sources] = []
        self._sides: list[tuple[int, Side]] = []
        self._everywhere = self._open = speaking = 0
        for i, each in enumerate(layout.rules):
            must, may, missing = words.sources(each.sources, space)
            if each.perhaps:
                must, missing = NONE, missing | each.perhaps
            self._sources.append((must, may, missing))
            if may:
                speaking |= 1 << i
            if must != may:
                self._open |= 1 << i
        self._speaking = speaking
        if last == STOPS:  # behind the last rule that lets something in, nothing is let in any more
            speaking &= up_to(self._allowing & speaking)
        for i, each in enumerate(layout.rules):
            if speaking >> i & 1:
                if each.destinations:
                    self._sides.append((1 << i, each.destinations))
                else:
                    self._everywhere |= 1 << i
        self._places: dict[int, tuple[Place, Sequence[tuple[int, Intervals, Intervals]]]] = {}
        self._known: dict[tuple[frozenset[States] | States, bool], list[Fate]] = {}
        self._known_taken: dict[int, list[tuple[int, int]]] = {}
        self._parts: dict[tuple[int, int, int, bool], list[Part]] = {}
        self._boxes: dict[States, Mapping[str, Boxes]] = {}
        self._admin: dict[States, Mapping[str, tuple[AdminBox, ...]]] = {}

    def states(self, place: Place, spot: int | Intervals) -> States:
        """Which rules are for an endpoint."""
        found = [0, 0, 0, self._everywhere]
        for bit, must, may in self._held(place):
            found[holds(must, may, spot)] |= bit
        return found[YES], found[PERHAPS], found[UNPLACED]

    def _held(self, place: Place) -> Sequence[tuple[int, Intervals, Intervals]]:
        """The destinations of rules that are not for all, surely and perhaps."""
        known = self._places.get(id(place))
        if known is None or known[0] is not place:
            found = [(bit, *place.holds(side, self._space.version)) for bit, side in self._sides]
            known = self._places[id(place)] = place, found
        return known[1]

    def boxes(self, states: States) -> Mapping[str, Boxes]:
        """What an NSG lets in, by protocol."""
        found = self._boxes.get(states)
        if found is None:
            leads = (states[0] | states[1] | states[2]) & self._allowing
            found = self._boxes[states] = self._by_protocol([states] if leads else [])
        return found

    def admin_boxes(self, states: States) -> Mapping[str, tuple[AdminBox, ...]]:
        """What security admin rules make of what comes in, by protocol."""
        if states not in self._admin:
            found = self._admin[states] = {}
            for protocols, with_ports, own in self.layout.cells:
                found.update(dict.fromkeys(protocols, tuple(self._admin_made(own, states, with_ports=with_ports))))
        return self._admin[states]

    def anywhere(self, place: Place, there: Intervals) -> Mapping[str, Boxes]:
        """What an NSG lets in to any of some destinations."""
        if not self._speaking & self._allowing:
            return self._by_protocol([])
        sides = [each for each in self._held(place) if each[2].spans]
        if not (self._everywhere & self._allowing or any(bit & self._allowing for bit, _, _ in sides)):
            return _NOTHING
        sets = [there, *(must for _, must, _ in sides), *(may for _, must, may in sides if may is not must)]
        doubtful = [bit for bit, must, may in sides if may is not must]
        found = []
        for here, _ in cells(sets, there.top) if sides else ((1, there),):
            if here & 1:
                sure, perhaps = self._everywhere, 0
                for i, (bit, _, _) in enumerate(sides, 1):
                    sure |= bit if here >> i & 1 else 0
                for i, bit in enumerate(doubtful, len(sides) + 1):
                    perhaps |= bit if here >> i & 1 and not sure & bit else 0
                found.append((sure, perhaps, 0))
        return self._by_protocol(found)

    def _by_protocol(self, some: Sequence[States]) -> Mapping[str, Boxes]:
        if not some:
            return _NOTHING
        found, every, doubt = {**_NOTHING}, list[int](), 0
        for sure, perhaps, unplaced in some:
            every.append(sure | perhaps | unplaced)
            doubt |= perhaps | unplaced | every[-1] & self._open
        for protocols, with_ports, own in self.layout.opening:
            if not own:
                continue
            if doubt or (with_ports and self.layout.unreadable):
                made = self._made(own, some, with_ports=with_ports)
            else:
                made = self._surely(own, every)
            for protocol in protocols:
                found[protocol] = made
        return found

    def _surely(self, own: Sequence[Cell], some: Sequence[int]) -> Boxes:
        """What is let in to any of the destinations that rules are for, where no rule is in doubt."""
        found: dict[tuple[int, int, int], int] = {}
        for rules, ports, source_ports in own:
            for i, sources in self._let_in([rules & each for each in some]):
                key = i, sources, source_ports
                found[key] = found.get(key, NONE) | ports
        listed, numbers = self.layout.rules, sorted(found.items(), key=_rule) if len(found) > 1 else found.items()
        return tuple(
            [
                Box(ports, source_ports, sources, sources, (listed[i].number,), _NO_DOUBT)
                for (i, sources, source_ports), ports in numbers
            ]
        )

    def _let_in(self, some: Sequence[int]) -> Iterable[tuple[int, int]]:
        """The sources that each rule lets in to any of the destinations that rules are for."""
        if len(some) == 1:
            return self._taken(some[0])
        join, found = self._space.sources.join, dict[int, int]()
        for rules in set(some):
            for i, sources in self._taken(rules):
                found[i] = join(found.get(i, NONE), sources)
        return found.items()

    def _taken(self, rules: int) -> list[tuple[int, int]]:
        """The sources that each of some rules lets in, one rule after the other."""
        rules &= up_to(rules & self._allowing)
        found = self._known_taken.get(rules)
        if found is not None:
            return found
        found = self._known_taken[rules] = []
        meet, rest, left = self._space.sources.meet, self._space.sources.rest, self._space.public
        while rules and left:
            bit = rules & -rules
            rules ^= bit
            i = bit.bit_length() - 1
            if hit := meet(left, self._sources[i][1]):
                left = rest(left, hit)
                if bit & self._allowing:
                    found.append((i, hit))
        return found

    def _made(self, own: Sequence[Cell], some: Sequence[States], *, with_ports: bool) -> Boxes:
        """What is let in to any of the destinations for which rules are in some states."""
        asked: dict[tuple[frozenset[States] | States, int], int] = {}
        for rules, ports, source_ports in own:
            if states := self._asked(rules, some):
                key = states, source_ports
                asked[key] = asked.get(key, NONE) | ports
        found: dict[tuple[Fate, int], int] = {}
        for (states, source_ports), ports in asked.items():
            for fate in self._fates(states, with_ports=with_ports):
                found[fate, source_ports] = found.get((fate, source_ports), NONE) | ports
        boxes = [
            Box(ports, source_ports, fate.must, fate.may, fate.rules, fate.missing)
            for (fate, source_ports), ports in found.items()
        ]
        return tuple(sorted(boxes, key=_first) if len(boxes) > 1 else boxes)

    def _admin_made(self, own: Sequence[Cell], states: States, *, with_ports: bool) -> Iterator[AdminBox]:
        sure, perhaps, unplaced = states
        for rules, ports, source_ports in own:
            here = rules & (sure | perhaps | unplaced)
            for part in self._swept(here, here & perhaps, here & unplaced, with_ports=with_ports):
                if part.ends != STOPS:
                    box = Box(ports, source_ports, part.sources, part.sources, part.rules, part.missing)
                    yield AdminBox(part.ends, box)

    def _asked(self, rules: int, some: Sequence[States]) -> frozenset[States] | States | None:
        """The rules of a cell that make a difference, in each way in which they stand to a destination."""
        found, allows = [], self._allowing
        for sure, perhaps, unplaced in some:
            here = rules & (sure | perhaps | unplaced)
            if allowing := here & allows:
                here &= (1 << allowing.bit_length()) - 1
                found.append((here, here & perhaps, here & unplaced))
        return (found[0] if len(found) == 1 else frozenset(found)) if found else None

    def _fates(self, asked: frozenset[States] | States, *, with_ports: bool) -> list[Fate]:
        """What the same rules let in, put together."""
        with_ports = with_ports and bool(self.layout.unreadable)  # nothing else depends on it
        fates = self._known.get((asked, with_ports))
        if fates is None:
            found: dict[tuple[int, ...], list[Part]] = {}
            for states in asked if isinstance(asked, frozenset) else (asked,):
                for part in self._swept(*states, with_ports=with_ports):
                    if part.ends & LETS:
                        found.setdefault(part.rules, []).append(part)
            fates = self._known[asked, with_ports] = [self._fate(parts) for parts in found.values()]
        return fates

    def _fate(self, parts: Sequence[Part]) -> Fate:
        first = parts[0]
        if len(parts) == 1 and first.ends == LETS:
            return Fate(first.rules, first.sources, first.sources, _NO_DOUBT)
        join, must, may, missing = self._space.sources.join, NONE, NONE, frozenset[str]()
        for part in parts:
            may = join(may, part.sources)
            if part.ends == LETS:
                must = join(must, part.sources)
            else:
                missing |= part.missing
        return Fate(first.rules, must, may, missing if must != may else frozenset())

    def _swept(self, rules: int, perhaps: int, unplaced: int, *, with_ports: bool) -> list[Part]:
        """Rules one after the other: each ends the matter for some of what is left."""
        key = rules, perhaps, unplaced, with_ports
        if key in self._parts:
            return self._parts[key]
        left, done = [Part(self._space.public)], list[Part]()
        while rules and left:
            bit = rules & -rules
            rules ^= bit
            each = self.layout.rules[bit.bit_length() - 1]
            must, may, missing = self._sources[bit.bit_length() - 1]
            if bit & self.layout.ignored:
                left = self._without(left, may)
                continue
            if with_ports or bit & (perhaps | unplaced):
                doubt = self._doubt(bit, perhaps, unplaced, with_ports=with_ports)
                must, missing = NONE if doubt else must, missing | doubt
            left = self._met(left, each, (must, may, missing), done)
        last = self._last
        for part in left:
            if part.ends | last != STOPS:
                done.append(Part(part.sources, part.ends | last, part.rules, part.missing))
        self._parts[key] = done
        return done

    def _without(self, left: list[Part], may: int) -> list[Part]:
        """What is left of parts behind a rule that is ignored, whatever it is for."""
        rest = self._space.sources.rest
        found = ((part, rest(part.sources, may)) for part in left)
        return [replace(part, sources=sources) for part, sources in found if sources]

    def _met(self, left: list[Part], each: Ready, here: Sources, done: list[Part]) -> list[Part]:
        """What is left of parts behind a rule; adds those for which it ends the matter."""
        meet, rest, still = self._space.sources.meet, self._space.sources.rest, list[Part]()
        must, may, missing = here
        for part in left:
            hit = meet(part.sources, may)
            if not hit:
                still.append(part)
                continue
            ends = part.ends | each.end
            after = part.rules if each.end == STOPS else (*part.rules, each.number)
            sure = meet(hit, must)
            if sure and ends != STOPS:
                done.append(Part(sure, ends, after, part.missing))
            if sure != hit:
                still.append(Part(rest(hit, must), ends, after, part.missing | missing))
            if hit != part.sources:
                still.append(Part(rest(part.sources, hit), part.ends, part.rules, part.missing))
        return still

    def _doubt(self, bit: int, perhaps: int, unplaced: int, *, with_ports: bool) -> frozenset[str]:
        """What would have to be known to say whether a rule is for the destination and the ports."""
        each, found = self.layout.rules[bit.bit_length() - 1], frozenset[str]()
        if bit & (perhaps | unplaced) and each.destinations:
            state = PERHAPS if bit & perhaps else UNPLACED
            found = unsaid(state, self._words.missing(each.destinations))
        return found | each.unreadable if with_ports else found


def _rule(one: tuple[tuple[int, int, int], int]) -> int:
    return one[0][0]


def _first(box: Box) -> tuple[bool, tuple[int, ...]]:
    """What lets something in for sure is told first, then in the order of the rules."""
    return not box.must, box.rules
