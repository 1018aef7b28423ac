"""What one NSG alone lets in, to whatever destination."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.network.cells import family, top_of
from diagnostics.network.filters import Level
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.meaning import World
from diagnostics.network.model import SecurityGroup
from diagnostics.network.openings.boxes import PROTOCOLS, Box, Space
from diagnostics.network.openings.lists import RuleList
from diagnostics.network.openings.places import OWN_NETWORK, Place, Words
from diagnostics.network.openings.ready import Reader, Ready
from diagnostics.network.openings.stands import Found, Setting, settle
from diagnostics.network.prefixes import Bounds
from diagnostics.network.security import Context, in_order
from diagnostics.network.tags import Meaning


class Alone:
    """NSGs without the rest of an estate."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._ready: dict[ResourceId, tuple[SecurityGroup, tuple[Ready, ...]]] = {}

    def admitted(self, group: SecurityGroup, context: Context, space: Space) -> Found:
        """What is let in to any of the destinations that its rules tell apart."""
        ready = self._rules(group)
        setting = Setting(lambda world: _in_world(context, world), lambda known: Place(known, Words(known)))
        rules = RuleList(ready, setting.bounds.words, space)
        worlds = [RuleList(ready, each.words, space) for each in setting.worlds] if not setting.own.exact else []
        found: dict[str, list[Box]] = {protocol: [] for protocol in PROTOCOLS}
        for there, region in _parts(setting, space):
            boxes = rules.anywhere(setting.bounds, there)
            pairs = zip(worlds, setting.worlds if worlds else (), strict=True)
            others = [each.anywhere(place, there) for each, place in pairs] if region else []
            for protocol, some in settle(space, boxes, others, region).items():
                found[protocol] += some
        return {protocol: space.flat(boxes) for protocol, boxes in found.items()}

    def _rules(self, group: SecurityGroup) -> tuple[Ready, ...]:
        known = self._ready.get(group.id)
        if known is None or known[0] is not group:
            rules = in_order(group.rules, inbound=True)
            known = self._ready[group.id] = group, self._reader.ready(rules, Level.SUBNET, group.id)
        return known[1]


def _parts(setting: Setting, space: Space) -> Iterator[tuple[Intervals, int]]:
    """The destinations, parted by whether it is known that they are in the network; and the sources to settle."""
    own, version = setting.own, space.version
    everywhere = Intervals.all(top_of(version))
    open_ = family(own.may, version) - family(own.must, version)
    for part in (open_, everywhere - open_):
        if part:
            yield part, setting.region(part.spans[0][0], space)


def _in_world(context: Context, world: World) -> Context:
    """A context in which the network's own space is known exactly, and so is what is not in it."""
    own = context.prefix(OWN_NETWORK)
    if world is World.BOUNDS or own.exact:
        return context
    meaning = Meaning(Bounds.exactly(own.must if world is World.NARROW else own.may))
    internet = context.prefix("Internet")

    def tag(name: str) -> Bounds | None:
        known = name.lower() == "virtualnetwork" or (name.lower() == "internet" and not internet.exact)
        return meaning.of(name) if known else context.tag(name)

    return Context(tag, context.members)
