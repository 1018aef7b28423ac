"""What one NSG alone lets in, to whatever destination."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.network.cells import family, top_of
from diagnostics.network.filters import Level
from diagnostics.network.intervals import Intervals
from diagnostics.network.model import SecurityGroup
from diagnostics.network.openings.boxes import PROTOCOLS, Box, Space
from diagnostics.network.openings.layout import Layout, Layouts
from diagnostics.network.openings.lists import RuleList
from diagnostics.network.openings.places import Place, Words
from diagnostics.network.openings.sets import NONE
from diagnostics.network.openings.stands import Found, Setting, is_sure, settle
from diagnostics.network.security import Context


class Alone:
    """NSGs without the rest of an estate.

    Args:
        short: whether only what rules of interest let in is asked for.
    """

    def __init__(self, layouts: Layouts, *, short: bool) -> None:
        self._layouts, self._short = layouts, short
        self._settings: dict[int, tuple[Context, Setting]] = {}

    def admitted(self, group: SecurityGroup, context: Context, space: Space) -> Found:
        """What is let in to any of the destinations that its rules tell apart."""
        setting = self._setting(context)
        inbound = self._layouts.of(group, Level.SUBNET, group.id, space.ports)
        if self._short and setting.own.exact:
            rules = RuleList(inbound.short, setting.bounds.words, space)
            found = rules.anywhere(setting.bounds, Intervals.all(top_of(space.version)))
            if is_sure(found):
                return settle(space, found, (), NONE)
        return _whole(inbound.whole, setting, space)

    def _setting(self, context: Context) -> Setting:
        """What words mean: often the same for many NSGs."""
        known = self._settings.get(id(context))
        if known is None:
            known = context, Setting(context, lambda known: Place(known, Words(known)))
            self._settings[id(context)] = known
        return known[1]


def _whole(layout: Layout, setting: Setting, space: Space) -> Found:
    rules = RuleList(layout, setting.bounds.words, space)
    worlds = [RuleList(layout, each.words, space) for each in setting.worlds] if not setting.own.exact else []
    found: dict[str, list[Box]] = {protocol: [] for protocol in PROTOCOLS}
    for there, region in _parts(setting, space):
        boxes = rules.anywhere(setting.bounds, there)
        pairs = zip(worlds, setting.worlds if worlds else (), strict=True)
        others = [each.anywhere(place, there) for each, place in pairs] if region else []
        for protocol, some in settle(space, boxes, others, region).items():
            found[protocol] += some
    return {protocol: space.flat(boxes) for protocol, boxes in found.items()}


def _parts(setting: Setting, space: Space) -> Iterator[tuple[Intervals, int]]:
    """The destinations, parted by whether it is known that they are in the network; and the sources to settle."""
    own, version = setting.own, space.version
    everywhere = Intervals.all(top_of(version))
    open_ = family(own.may, version) - family(own.must, version)
    for part in (open_, everywhere - open_):
        if part:
            yield part, setting.region(part.spans[0][0], space)
