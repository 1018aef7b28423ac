"""Whole estates: the lists of everything in scope, page by page, as raw bytes.

What a subscription's list leaves out it does not tell: Azure leaves out what this identity may not read. So no type
counts as listed unless the identity may read it in all of the place.

Sources: "Understand Azure role definitions"; "Use Resource Manager authentication API to access subscriptions"; that
lists leave out: Azure CLI issue 12689.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from diagnostics.cloud import arm, lists, versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.inventory import AzureInventory
from diagnostics.cloud.lists import Ask, Place
from diagnostics.contracts import Listing
from diagnostics.errors import ParseError, PermanentError
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId
from diagnostics.scopes import Scopes

_AT_ONCE = 4  # Azure lets an identity read 250 times at once in a subscription, then 25 times a second
_MOST = 500  # calls of one kind for what has no list: one for each resource

type _Unread = tuple[str, str]


class _Page(arm.Page, frozen=True, kw_only=True):
    value: tuple[msgspec.Raw, ...]


class _Mode(msgspec.Struct, frozen=True, rename="camel"):
    orchestration_mode: Any = None


class _Item(msgspec.Struct, frozen=True):
    """What has to be known of a resource to ask for more about it."""

    id: Any = None
    properties: _Mode | None = None


class _Permission(msgspec.Struct, frozen=True, rename="camel"):
    """What one role assignment allows."""

    actions: tuple[str, ...] | None = None
    not_actions: tuple[str, ...] | None = None


class _Permissions(arm.Page, frozen=True, kw_only=True):
    value: tuple[_Permission, ...]


@dataclass(slots=True)
class _Answer:
    """What came of an ask: its pages, what is in them, and why it ended early, if it did."""

    ask: Ask
    pages: list[tuple[str, bytes]] = field(default_factory=list)
    found: list[tuple[ResourceId, _Item]] = field(default_factory=list)
    why: str = ""

    def take(self, number: int, page: _Page) -> None:
        """Keep what counts of a page; what has no id is kept too, for the reader to complain about."""
        kept = []
        for raw in page.value:
            item = decode(bytes(raw), _Item)
            rid = ResourceId.maybe(item.id)
            if rid is None or self.ask.keeps(rid):
                kept.append(raw)
                self.found += [(rid, item)] if rid else []
        if kept:
            self.pages.append((f"{self.ask.words} page {number}", msgspec.json.encode({"value": kept})))


@dataclass(frozen=True, slots=True)
class AzureEstates:
    """Lists through Azure Resource Manager."""

    clients: Clients
    scopes: Scopes

    def listing(self) -> Listing:
        """The network configuration of everything in scope, listed now."""
        subscriptions, unread = self._subscriptions()
        partial = set(lists.ALL if unread else ())
        places = _places((*self.scopes.resources, *subscriptions))
        with ThreadPoolExecutor(_AT_ONCE, "listing") as pool:
            limits = [limit for found in pool.map(self._limits, places) for limit in found]
            first = self._asked(pool, [ask for place in places for ask in lists.of_place(place)])
            more, left_out = _bounded(_more(first))
            answers = [*self._asked(pool, more), *first]
        for limit in (*limits, *left_out):
            partial |= limit.kinds
            unread.append((limit.what, limit.why))
        unread += _failures(answers)
        partial |= {kind for answer in answers if answer.why for kind in _with_parts(answer.ask.kind)}
        return Listing(
            # The reader takes the later of two bodies of one VM, and with it the power state that it already has.
            pages=tuple(page for answer in answers if answer.ask.kind != lists.CANDIDATES for page in answer.pages),
            listed=frozenset(kind.lower() for kind in lists.ALL - partial),
            partial=frozenset(kind.lower() for kind in partial & lists.ALL),
            unread=tuple(dict(unread).items()),  # of one list both a missing permission and Azure's own answer
        )

    def _subscriptions(self) -> tuple[list[ResourceId], list[_Unread]]:
        """Those below the management groups in scope, and the groups of which nobody says."""
        inventory, found, unread = AzureInventory(self.clients, self.scopes), set[str](), []
        for group in self.scopes.management_groups:
            try:
                found |= inventory.subscriptions_below([group])
            except PermanentError as error:
                unread.append((f"subscriptions below management group {group}", str(error)))
        return [ResourceId.parse(f"/subscriptions/{each}") for each in sorted(found)], unread

    def _limits(self, place: Place) -> list[_Limit]:
        """What of this place can't be told from its lists."""
        return [*_outside(place), *self._forbidden(place)]

    def _forbidden(self, place: Place) -> Iterator[_Limit]:
        """The types that this identity may not read in all of the place: Azure's lists leave such resources out."""
        path, doing = f"{place.path}/providers/Microsoft.Authorization/permissions", f"reading permissions in {place}"
        client, query = self._client(place), {"api-version": versions.PERMISSIONS}
        try:
            pages = list(arm.pages(self.clients, client, path, query, kind=_Permissions, doing=doing))
        except (PermanentError, ParseError) as error:
            yield _Limit(f"permissions in {place}", _reason(error, doing), lists.ALL)
            return
        held = [permission for page in pages for permission in page.value]
        for kind in (*lists.TOP, *lists.BY_GROUP, *((lists.CANDIDATES,) if place.is_subscription else ())):
            if not _allowed(f"{kind}/read", held):
                why = f"{kind}/read is not allowed in all of it"
                yield _Limit(f"{kind.rpartition('/')[2]} of {place}", why, _with_parts(kind))

    def _asked(self, pool: Executor, asks: Iterable[Ask]) -> list[_Answer]:
        return list(pool.map(self._answer, asks))

    def _answer(self, ask: Ask) -> _Answer:
        answer, doing = _Answer(ask), f"listing {ask.words}"
        try:
            for number, page in enumerate(self._pages(ask, doing), 1):
                answer.take(number, page)
        except (PermanentError, ParseError) as error:
            answer.why = _reason(error, doing)
        return answer

    def _pages(self, ask: Ask, doing: str) -> Iterator[_Page]:
        client = self._client(ask.place)
        if ask.single:
            yield _Page(value=(msgspec.Raw(arm.get(client, ask.path, ask.query, doing)),))
        else:
            yield from arm.pages(self.clients, client, ask.path, ask.query, kind=_Page, doing=doing)

    def _client(self, place: Place) -> Any:
        return self.clients.network(place.path.split("/")[2])


@dataclass(frozen=True, slots=True)
class _Limit:
    """What is not known, why, and the types that are not all there for it."""

    what: str
    why: str
    kinds: frozenset[str]


def _places(scopes: Sequence[ResourceId]) -> list[Place]:
    """Where to list, each place once: the subscription or the resource group of every scope that no other holds."""
    widest = [
        each for each in dict.fromkeys(scopes) if not any(each.within(other) for other in scopes if other != each)
    ]
    found: dict[ResourceId, list[ResourceId]] = {}
    for scope in widest:
        group = f"/resourceGroups/{scope.resource_group}" if scope.resource_group else ""
        found.setdefault(ResourceId.parse(f"/subscriptions/{scope.subscription}{group}"), []).append(scope)
    return [Place(path.text, tuple(within)) for path, within in found.items()]


def _outside(place: Place) -> Iterator[_Limit]:
    """What is for a whole subscription may stand outside the part of it that is in scope."""
    if not (place.is_subscription and place.is_whole):
        names = ", ".join(kind.rpartition("/")[2] for kind in lists.WIDE)
        subscription = place.path.split("/")[2]
        why = f"VMREACH_SCOPES holds only a part of the subscription: {place}"
        yield _Limit(f"{names} of {subscription}", why, frozenset(lists.WIDE))


def _allowed(action: str, held: Iterable[_Permission]) -> bool:
    """Whether any role allows it: what one takes away another may give."""
    return any(_named(action, each.actions) and not _named(action, each.not_actions) for each in held)


def _named(action: str, patterns: tuple[str, ...] | None) -> bool:
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns or ())


def _with_parts(kind: str) -> frozenset[str]:
    return frozenset((kind, *lists.PARTS.get(kind, ())))


def _more(first: Iterable[_Answer]) -> Iterator[Ask]:
    """What is asked for because of what was found."""
    for answer in first:
        place, found = answer.ask.place, [rid for rid, _ in answer.found]
        match answer.ask.kind:
            case lists.WATCHERS:
                yield from (ask for rid in found for ask in lists.of_watcher(rid, place))
            case lists.SCALE_SETS:
                uniform = [rid for rid, item in answer.found if not _flexible(item)]
                yield from (ask for rid in uniform for ask in lists.of_scale_set(rid, place))
            case lists.CANDIDATES:
                yield from lists.of_groups(found, place)
            case lists.VMS:
                yield from lists.power_states(found, place)
            case lists.GROUPS:
                yield from (lists.of_security_group(rid, place) for rid in found)


def _flexible(scale_set: _Item) -> bool:
    """Older scale sets do not say, and are uniform."""
    mode = scale_set.properties.orchestration_mode if scale_set.properties else None
    return isinstance(mode, str) and mode.lower() == "flexible"


def _bounded(asks: Iterable[Ask]) -> tuple[list[Ask], list[_Limit]]:
    """The asks to make, and what is left out of those for which every resource costs a call."""
    kept: list[Ask] = []
    counted = dict.fromkeys((lists.SETTINGS, lists.STATES), 0)
    for ask in asks:
        if ask.kind in counted:
            counted[ask.kind] += 1
        if counted.get(ask.kind, 0) <= _MOST:
            kept.append(ask)
    over = {kind: number - _MOST for kind, number in counted.items() if number > _MOST}
    why = f"each costs a call, and only the first {_MOST} are asked for"
    return kept, [
        _Limit(f"{kind.rpartition('/')[2]} of {number} more resources", why, frozenset({kind}))
        for kind, number in over.items()
    ]


def _failures(answers: Iterable[_Answer]) -> Iterator[_Unread]:
    """What failed, those for the same reason at one place together: a missing permission stops hundreds of asks."""
    together: dict[tuple[str, Place, str], list[_Answer]] = {}
    for answer in answers:
        if answer.why:
            kind = answer.ask.kind
            together.setdefault((kind, answer.ask.place, _code(answer.why)), []).append(answer)
    for (kind, place, _), failed in together.items():
        what = failed[0].ask.words if len(failed) == 1 else f"{kind.rpartition('/')[2]} of {len(failed)} in {place}"
        yield what, failed[0].why


def _code(why: str) -> str:
    """Azure's error code: the rest of a message names the resource."""
    return why.partition(":")[0]


def _reason(error: Exception, doing: str) -> str:
    return str(error).removeprefix(f"{doing}: ")
