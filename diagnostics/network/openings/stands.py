"""Which rules stand at an endpoint, and what they let in: worked out once for all endpoints that are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from diagnostics.network.cells import family
from diagnostics.network.estate import EffectiveGroup, Estate, Point
from diagnostics.network.filters import UNSEEN, Filters, Level, group_at
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.meaning import World
from diagnostics.network.model import SecurityGroup
from diagnostics.network.openings.boxes import PASSES, PROTOCOLS, PUBLIC, STOPS, Box, Boxes, Space
from diagnostics.network.openings.layout import Inbound, Layout, Layouts
from diagnostics.network.openings.lists import RuleList, States
from diagnostics.network.openings.places import OWN_NETWORK, Place, Words, in_world, meant
from diagnostics.network.openings.ports import ALL, NONE, Ports
from diagnostics.network.openings.ready import Reader
from diagnostics.network.prefixes import AddressSet, read_prefix
from diagnostics.network.security import Context

type Spot = int | Intervals
"""Where an endpoint is: its address, or all of its subnet where it has none yet."""

type Asked = tuple[RuleList, States]
"""A list of rules, and which of them are for an endpoint."""

type Found = Mapping[str, Boxes]
"""What is let in, by protocol."""


class Stand(NamedTuple):
    """What is asked at an endpoint.

    Attributes:
        admin: security admin rules.
        groups: the NSGs; of one that cannot be read, what is missing.
    """

    admin: Asked | None
    groups: tuple[Asked | str, ...]


class Door(NamedTuple):
    """What stands in the way where no NSG does: Azure's Standard public addresses are closed then.

    Attributes:
        closed: None where that is not known.
        missing: what would have to be known.
    """

    closed: bool | None = False
    missing: str = ""


class Alike(NamedTuple):
    """All that decides: endpoints for which it is the same are open to the same.

    Attributes:
        words: what words mean.
        stand: the rules as far as is known what words mean.
        worlds: the same for both ways to take what is not known of the network's own space, where that matters.
        region: the public sources of which either one or the other holds.
    """

    space: Space
    words: Words
    stand: Stand
    worlds: tuple[Stand, ...]
    region: int


class Short(NamedTuple):
    """What rules of interest let in, by them alone.

    Attributes:
        sure: what they surely let in.
        most: with what they may; the very same where nothing is in doubt. There can be less of that by other rules.
    """

    space: Space
    sure: Found
    most: Found


class Setting:
    """A subnet, in each way in which its network's own space can be taken."""

    def __init__(self, context: Context, place: Callable[[Context], Place]) -> None:
        self._context, self._place = context, place
        self.bounds = place(context)
        self.own = self.bounds.own
        self._worlds: tuple[Place, ...] | None = None
        self._open: dict[int, int] = {}

    @property
    def worlds(self) -> tuple[Place, ...]:
        """Without all that is not sure, and with all that may be in it."""
        if self._worlds is None:
            self._worlds = tuple(self._place(in_world(self._context, world)) for world in (World.NARROW, World.WIDE))
        return self._worlds

    def region(self, spot: Spot, space: Space) -> int:
        """The public sources of which it decides whether they are in the network's own space, and nothing else does."""
        if self.own.exact:
            return NONE
        version, sets = space.version, space.sources
        if version not in self._open:
            open_ = family(self.own.may, version) - family(self.own.must, version)
            self._open[version] = sets.meet(sets.add(open_), space.public)
        doubtful = self.bounds.of(spot, version) is None
        return sets.rest(space.public, self._open[version]) if doubtful else self._open[version]


class Stands:
    """The rules at every endpoint of an estate."""

    def __init__(self, filters: Filters, estate: Estate, reader: Reader, layouts: Layouts) -> None:
        self._filters, self._estate, self._reader, self._layouts = filters, estate, reader, layouts
        self._ports = Ports.of(estate)
        self.spaces = {version: Space(version, self._ports) for version in (4, 6)}
        self._words: dict[object, Words] = {}
        self._settings: dict[object, Setting] = {}
        self._told, self._subnets = estate.effective_groups, estate.subnets
        self._outer: dict[object, tuple[Inbound | str, ...]] = {}
        self._ready: dict[object, Inbound | str] = {}
        self._above: dict[ResourceId | None, Layout] = {}
        self._lists: dict[object, RuleList] = {}
        self._found: dict[tuple[Alike, Door], Found] = {}
        self._short: dict[tuple[Asked, ...], Short] = {}

    def at(self, point: Point) -> Alike:
        """What decides about an endpoint."""
        setting, (space, spot) = self._setting(point), self._spot(point)
        lists, admin = self._groups(point), self._admin(point)
        stand = self._stand(admin, lists, setting.bounds, spot, space)
        region = setting.region(spot, space)
        worlds = tuple(self._stand(admin, lists, each, spot, space) for each in setting.worlds) if region else ()
        return Alike(space, setting.bounds.words, stand, worlds, region)

    def short(self, point: Point) -> Short | None:
        """What rules of interest let in, by them alone; None where others have to be asked."""
        lists = [] if self._estate.admin_rules else self._groups(point)
        layouts = [each.short for each in lists if isinstance(each, Inbound)]
        if not layouts or len(layouts) < len(lists):
            return None
        setting, (space, spot) = self._setting(point), self._spot(point)
        key = tuple([self._asked(each, setting.bounds, spot, space) for each in layouts])
        if key not in self._short:
            most = settle(space, _boxes(Stand(None, key), Door(), space), (), NONE)
            self._short[key] = Short(space, _sure(most), most)
        return self._short[key]

    def let_in(self, alike: Alike, door: Door) -> Found:
        """What is let in."""
        found = self._found.get((alike, door))
        if found is None:
            found = self._found[alike, door] = decided(alike, door)
        return found

    def _spot(self, point: Point) -> tuple[Space, Spot]:
        address = point.address
        space = self.spaces[address.version if address else 4]
        return space, int(address) if address else self._somewhere(point, space.version)

    def _groups(self, point: Point) -> tuple[Inbound | str, ...]:
        """The NSGs of an endpoint, in order; of one that cannot be read, what is missing."""
        subnet, nic = point.configuration.subnet, point.nic
        if subnet not in self._subnets or (self._told and nic.id in self._told):
            return self._at_levels(point)
        # What is missing of an NSG has the name that the NIC gives it, in its spelling.
        key = subnet.key if subnet else "", nic.security_group.text if nic.security_group else ""
        if key not in self._outer:
            self._outer[key] = self._at_levels(point)
        return self._outer[key]

    def _at_levels(self, point: Point) -> tuple[Inbound | str, ...]:
        found = ((level, group_at(self._estate, point, level)) for level in (Level.SUBNET, Level.NIC))
        return tuple(self._group(point, level, group) for level, group in found if group is not None)

    def _stand(
        self, admin: Layout | None, lists: Iterable[Inbound | str], place: Place, spot: Spot, space: Space
    ) -> Stand:
        groups = [each if isinstance(each, str) else self._asked(each.whole, place, spot, space) for each in lists]
        return Stand(self._asked(admin, place, spot, space, PASSES) if admin else None, tuple(groups))

    def _asked(self, ready: Layout, place: Place, spot: Spot, space: Space, last: int = STOPS) -> Asked:
        key = id(ready), id(place.words), space.version  # both are kept: neither id is given away again
        rules = self._lists.get(key)
        if rules is None:
            rules = self._lists[key] = RuleList(ready, place.words, space, last)
        return rules, rules.states(place, spot)

    def _group(self, point: Point, level: Level, group: ResourceId) -> Inbound | str:
        """The rules of an NSG; what is missing where it cannot be read."""
        known: SecurityGroup | EffectiveGroup | None = self._estate.security_groups.get(group)
        key = (level, group) if known else (level, group, point.nic.id, point.configuration.subnet)
        if key not in self._ready:
            if known is None:
                told = self._estate.effective_groups.get(point.nic.id, ())
                known = next((each for each in told if each.on_subnet == (level is Level.SUBNET)), None)
            # An unreadable group is never seen by Azure's own answer either.
            ready = self._layouts.of(known, level, group, self._ports) if known and group is not UNSEEN else None
            self._ready[key] = ready or _unread(point, level, group)
        return self._ready[key]

    def _admin(self, point: Point) -> Layout | None:
        """The security admin rules of a network, in order; None where there are none."""
        if not self._estate.admin_rules:
            return None
        network = point.configuration.subnet.parent if point.configuration.subnet else None
        if network not in self._above:
            here = [each for each in self._estate.admin_rules if network in each.networks | each.perhaps]
            own = sorted((each for each in here if each.rule.inbound), key=lambda each: each.rule.priority)
            found = (
                self._reader.admin(each.rule, frozenset() if network in each.networks else _in_force(each.rule.name))
                for each in own
            )
            self._above[network] = Layout([each for each in found if each], self._ports)
        ready = self._above[network]
        return ready if ready.rules else None

    def _setting(self, point: Point) -> Setting:
        told = point.nic.id if self._told and point.nic.id in self._told else None
        subnet = point.configuration.subnet
        key = subnet.key if subnet else "", told
        if key not in self._settings:
            self._settings[key] = Setting(self._filters.context(point), partial(_placed, self._words, told))
        return self._settings[key]

    def _somewhere(self, point: Point, version: int) -> Intervals:
        subnet = self._estate.subnet_of(point)
        read = [held for text in (subnet.prefixes if subnet else ()) if (held := read_prefix(text))]
        return family(AddressSet.union(read) if read else AddressSet.all(), version)


def _placed(known: dict[object, Words], told: ResourceId | None, context: Context) -> Place:
    own = meant(context, OWN_NETWORK)
    key = told, own.must & PUBLIC, own.may & PUBLIC, own.missing
    return Place(context, known.setdefault(key, Words(context)))


def decided(alike: Alike, door: Door = Door()) -> Found:  # noqa: B008  it is never changed
    """What rules let in: as far as is known, and where doubt about the network's own space makes no difference."""
    known = _boxes(alike.stand, door, alike.space)
    return settle(alike.space, known, [_boxes(stand, door, alike.space) for stand in alike.worlds], alike.region)


def is_sure(found: Found) -> bool:
    """Whether nothing that is let in is in doubt."""
    return all(box.must == box.may for boxes in found.values() for box in boxes)


def _sure(found: Found) -> Found:
    """What of it is in no doubt."""
    if is_sure(found):
        return found
    return {protocol: tuple(box for box in boxes if box.must == box.may) for protocol, boxes in found.items()}


def settle(space: Space, known: Found, others: Sequence[Found], region: int) -> Found:
    """What is let in as far as is known, settled by what is let in both ways to take the network's own space."""
    if not any(known.values()):
        return known
    shared: dict[tuple[int, ...], Boxes] = {}
    found = {}
    for protocol, boxes in known.items():
        key = id(boxes), *[id(each[protocol]) for each in others]
        if key not in shared:
            made = space.flat(boxes)
            if others and any(box.must != box.may for box in made):
                narrow, wide = (space.totals(each[protocol]) for each in others)
                made = space.settled(made, narrow, wide, region)
            shared[key] = made
        found[protocol] = shared[key]
    return found


def _boxes(stand: Stand, door: Door, space: Space) -> Found:
    """What is let in, from which source ports."""
    everything = Box(ALL, ALL, space.public, space.public)
    first: Boxes = (everything,)
    if not stand.groups and door.closed is not False:
        first = () if door.closed else (_doubtful(everything, door.missing),)
    asked: list[Boxes | Found] = []
    for each in stand.groups:
        here = (_doubtful(everything, each),) if isinstance(each, str) else each[0].boxes(each[1])
        if not (stand.admin or isinstance(here, tuple) or any(here.values())):
            return here  # whatever the others let in
        asked.append(here)
    if not stand.admin and len(asked) == 1 and not isinstance(asked[0], tuple):
        return asked[0]
    admin = stand.admin[0].admin_boxes(stand.admin[1]) if stand.admin else None
    shared: dict[tuple[int, ...], Boxes] = {}
    found = {}
    for protocol in PROTOCOLS:
        lists: Sequence[Boxes] = [each if isinstance(each, tuple) else each[protocol] for each in asked]
        key = *map(id, lists), id(admin[protocol]) if admin else 0
        if key not in shared:
            inside = space.all_of(lists or [first])
            shared[key] = tuple(space.behind(admin[protocol], inside)) if admin else inside
        found[protocol] = shared[key]
    return found


def _doubtful(box: Box, missing: str) -> Box:
    return replace(box, must=NONE, missing=frozenset({missing}))


def _unread(point: Point, level: Level, group: ResourceId) -> str:
    if group is not UNSEEN:
        return f"NSG {group.name}"
    subnet = point.configuration.subnet
    return f"the {level} {subnet.name}" if subnet else f"the {level} of {point.nic.id.name}"


def _in_force(name: str) -> frozenset[str]:
    return frozenset({f"whether security admin rule {name} is in force here"})
