"""What was read so far, resource by resource, and how it becomes an estate in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.estate import (
    AdminRule,
    EffectiveGroup,
    EffectiveRoute,
    Estate,
    Peering,
    Problem,
    VirtualNetwork,
)
from diagnostics.network.facts import Common, Facts, Written
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Vm
from diagnostics.network.reading import fact_forms, facts, forms, listing, misfits, resources, shapes, told
from diagnostics.network.reading.documents import (
    ADMIN_RULES,
    GROUPS,
    ROUTES,
    Document,
    Event,
    Misfit,
    Nothing,
    Resource,
    Tags,
    Told,
)
from diagnostics.network.reading.kinds import CHILDREN, KINDS, Child, Kind
from diagnostics.network.tags import ServiceTags

_ENDPOINT = "microsoft.network/privateendpoints"
_ADMIN_RULE = "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules"


_ALL = KINDS | facts.KINDS


class Assembly:
    """An estate in the making.

    Args:
        listed: types of which everything is given; None where only lists among the documents say so.
        complete: whether that holds for every type.
    """

    def __init__(self, listed: AbstractSet[str] | None = None, *, complete: bool = False) -> None:
        self._kept: dict[str, dict[ResourceId, Any]] = {kind.field: {} for kind in _ALL.values()}
        self._common: dict[ResourceId, Common] = {}
        self._writes: set[Written] = set()
        self._file = ""
        self._listed: set[tuple[str, str]] = set()
        self._unread: set[str] = set()
        self._silent: set[ResourceId] = set()
        self._given = None if listed is None else frozenset(map(str.lower, listed))
        self._complete = complete
        self._children: list[tuple[str, Child, msgspec.Struct, ResourceId]] = []
        self._endpoints: dict[ResourceId, ResourceId] = {}
        self._admin_rules: dict[ResourceId, forms.AdminRule] = {}
        self._told: list[Told] = []
        self._tags = ServiceTags()
        self._problems: dict[str, Problem] = {}

    def take(self, found: Iterable[Document], where: str, file: str = "") -> None:
        """Add documents from one place, in a file if it is one; those that do not fit become problems."""
        self._file = file
        try:
            for document in found:
                self._try(document)
        except RecursionError:
            self.problem(where, "is nested too deeply")

    def problem(self, where: str, text: str) -> None:
        """Note what could not be read. An error that begins with a path says more exactly where."""
        path, _, why = text.partition(": ")
        if why and path.startswith(where):
            where, text = path, why
        elif why and path.startswith("$"):
            where, text = where + path[1:], why
        self._tell(where, text)

    def _tell(self, where: str, text: str) -> None:
        """One problem for one place: a second one would only follow from the first."""
        self._problems.setdefault(where, Problem(where, text))

    def _try(self, document: Document) -> None:
        try:
            self._take(document)
        except ParseError as error:
            text = str(error)
            if isinstance(document, Resource):
                self._unread.add(document.type)
                text = shapes.spelled(document.raw, text) if text.startswith("$") else text
            self.problem(document.where, text)

    def _take(self, document: Document) -> None:
        match document:
            case Resource():
                if document.rid:
                    self._note(facts.common(document.raw, document.rid))
                self._resource(document)
            case Event():
                if write := facts.written(shapes.read(document.raw, fact_forms.Event, document.where)):
                    self._writes.add(write)
            case Nothing():
                self._listed.add((document.type, ""))
            case Told():
                self._told.append(document)
            case Tags():
                self._tags |= ServiceTags.of(document.raw, document.where)
            case Misfit():
                self._tell(document.where, document.text)

    def _note(self, common: Common) -> None:
        common = replace(common, file=self._file) if self._file else common
        earlier = self._common.get(common.id)
        self._common[common.id] = facts.together(earlier, common) if earlier else common

    def _resource(self, document: Resource) -> None:
        if document.type == "microsoft.network/servicetags":
            self._tags |= ServiceTags.of(document.raw, document.where)
        elif kind := _ALL.get(document.type):
            self._keep(document, kind)
        elif child := CHILDREN.get(document.type):
            if read := self._read(document, child.form):
                rid = ResourceId.parse(document.raw["id"], f"{document.where}.id")
                self._children.append((document.where, child, read, rid))
        elif document.type == _ENDPOINT:
            self._private_endpoint(document)
        elif document.type == _ADMIN_RULE:
            if rule := self._read(document, forms.AdminRule):
                self._admin_rules[ResourceId.parse(rule.id, "$.id")] = rule
        elif document.listed:
            self._list(document)

    def _list(self, document: Resource) -> None:
        self._listed.add((document.type, document.rid.subscription if document.rid else ""))

    def _keep(self, document: Resource, kind: Kind) -> None:
        read = self._read(document, kind.form)
        made = read and kind.make(read)
        if not made:
            return
        if isinstance(read, forms.Network):
            for part in facts.parts(read, made.id):
                self._note(part)
        earlier = self._kept[kind.field].get(made.id)
        self._kept[kind.field][made.id] = kind.merged(earlier, made) if earlier else made

    def _private_endpoint(self, document: Resource) -> None:
        if endpoint := self._read(document, forms.PrivateEndpoint):
            rid, nics = ResourceId.parse(endpoint.id, "$.id"), endpoint.properties.network_interfaces or ()
            self._endpoints |= {nic: rid for each in nics if (nic := ResourceId.maybe(each.id))}

    def _read[T: msgspec.Struct](self, document: Resource, form: type[T]) -> T | None:
        if not shapes.says_something(document.raw, form):
            text = "says nothing but that it exists: export it with the list command of its own kind"
            self._tell(document.where, text)
            self._silent |= {document.rid} if document.rid else set()
            return None
        if document.listed:
            self._list(document)
        read = shapes.read(document.raw, form, document.where)
        wrong = list(misfits.found(read))
        for path, text in wrong:
            self._tell(document.where + shapes.spelled(document.raw, path), text)
        return misfits.mended(read) if wrong else read

    def estate(self) -> Estate:
        """All of it together."""
        for where, child, read, rid in self._children:
            self._add(where, child, read, rid)
        self._kept["networks"] = {rid: self._peered(each) for rid, each in self._kept["networks"].items()}
        self._kept["nics"] = {rid: self._endpoint(each) for rid, each in self._kept["nics"].items()}
        rules, routes, groups = dict(self._rules_told()), dict(self._routes_told()), dict(self._groups_told())
        return Estate(
            **{field: kept for field, kept in self._kept.items() if field not in facts.FIELDS},
            admin_rules=(*(rule for each in rules.values() for rule in each), *self._undeployed(rules.keys())),
            effective_routes=routes,
            effective_groups=groups,
            service_tags=self._tags,
            problems=tuple(self._problems.values()),
            facts=self._facts(),
        )

    def _facts(self) -> Facts:
        """A type of which a body could not be read is not one of which everything is known, whoever says so."""
        unread = self._unread | {rid.type for rid in self._silent if not self._has(rid)}
        listed = {(kind, place) for kind, place in self._listed if kind not in unread | listing.IN_PARTS}
        subscriptions = {rid.subscription for rid in self._common}
        known = listing.known(listed, subscriptions) if self._given is None else frozenset()
        return Facts(
            **{field: self._kept[field] for field in facts.FIELDS},
            resources=self._common,
            writes=tuple(sorted(self._writes, key=lambda each: (each.when, each.resource.key, each.operation))),
            listed=listing.everywhere(known, subscriptions) if self._given is None else self._given - unread,
            listed_in=known,
            complete=self._complete,
        )

    def _has(self, rid: ResourceId) -> bool:
        """Whether something could be read of it after all."""
        return any(rid in kept for kept in self._kept.values())

    def _add(self, where: str, child: Child, read: msgspec.Struct, rid: ResourceId) -> None:
        """A resource that was written apart from the one that it belongs to."""
        parent = rid.parent
        known = self._kept[child.field].get(parent) if parent else None
        if known is None or parent is None:
            name = parent.name if parent else rid.name
            self._tell(where, f"belongs to {name}, which is in none of the files")
            return
        try:
            self._kept[child.field][parent] = child.add(known, read)
        except ParseError as error:
            self.problem(where, str(error))

    def _peered(self, network: VirtualNetwork) -> VirtualNetwork:
        """What a template leaves out of a peering: the space behind it, and what state it will be in."""
        peerings = (self._completed(each, network.id) for each in network.peerings)
        return replace(network, peerings=tuple(peerings))

    def _completed(self, peering: Peering, own: ResourceId) -> Peering:
        remote: VirtualNetwork | None = self._kept["networks"].get(peering.remote)
        if remote is None:
            return replace(peering, state=peering.state or "Connected")
        state = "Connected" if any(back.remote == own for back in remote.peerings) else "Initiated"
        return replace(peering, prefixes=peering.prefixes or remote.prefixes, state=peering.state or state)

    def _endpoint(self, nic: Nic) -> Nic:
        """Older bodies of a private endpoint's NIC do not name it."""
        endpoint = self._endpoints.get(nic.id)
        return replace(nic, private_endpoint=endpoint) if endpoint and nic.private_endpoint is None else nic

    def _undeployed(self, asked: AbstractSet[ResourceId]) -> Iterator[AdminRule]:
        """Rules of a configuration, for the networks that Azure was not asked about."""
        open_ = frozenset(self._kept["networks"].keys() - asked)
        for rid, read in self._admin_rules.items() if open_ else ():
            yield AdminRule(rid, resources.admin_rule(read), frozenset(), open_)

    def _routes_told(self) -> Iterator[tuple[ResourceId, tuple[EffectiveRoute, ...]]]:
        for answer in self._of_kind(ROUTES):
            rows = self._rows(answer, forms.EffectiveRoute, told.route)
            if rows is not None and (nic := self._meant(answer, "nics", "NIC")):
                yield nic, tuple(rows)

    def _groups_told(self) -> Iterator[tuple[ResourceId, tuple[EffectiveGroup, ...]]]:
        for answer in self._of_kind(GROUPS):
            rows = self._rows(answer, forms.EffectiveGroup, lambda read: read)
            if rows is not None and (nic := told.nic_of(rows) or self._meant(answer, "nics", "NIC")):
                yield nic, tuple(map(told.group, rows))

    def _rules_told(self) -> Iterator[tuple[ResourceId, list[AdminRule]]]:
        for answer in self._of_kind(ADMIN_RULES):
            rows = self._rows(answer, forms.AdminRule, _in_force)
            if rows is not None and (network := self._meant(answer, "networks", "virtual network")):
                yield network, [replace(rule, networks=frozenset({network})) for rule in rows]

    def _of_kind(self, kind: str) -> Iterator[Told]:
        return (answer for answer in self._told if answer.kind == kind)

    def _rows[T: msgspec.Struct, M](self, answer: Told, form: type[T], make: Callable[[T], M]) -> list[M] | None:
        """What Azure answered; None where a part of it cannot be read: the rest would look like all of it."""
        found = []
        for number, row in enumerate(answer.rows):
            where = f"{answer.where}[{number}]"
            if not isinstance(row, Mapping):
                self._tell(where, f"{row!r} is none of the rows of {answer.kind}")
                continue
            try:
                found.append(make(shapes.read(row, form, where)))
            except ParseError as error:
                self.problem(where, str(error))
        return found if len(found) == len(answer.rows) else None

    def _meant(self, answer: Told, field: str, what: str) -> ResourceId | None:
        owners = {}
        if field == "nics":
            vms: Mapping[ResourceId, Vm] = self._kept["vms"]
            owners = {nic: vm.id for vm in vms.values() for nic in vm.nics}
            owners |= {nic.id: nic.vm for nic in self._kept["nics"].values() if nic.vm}
        try:
            return told.meant(answer.about, self._kept[field], what, owners)
        except ParseError as error:
            self.problem(answer.where, str(error))
            return None


def _in_force(read: forms.AdminRule) -> AdminRule:
    return AdminRule(ResourceId.parse(read.id, "$.id"), resources.admin_rule(read), frozenset())
