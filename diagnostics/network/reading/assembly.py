"""What was read so far, resource by resource, and how it becomes an estate in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from diagnostics.errors import ParseError
from diagnostics.network.estate import AdminRule, EffectiveGroup, EffectiveRoute, Estate, Problem, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Vm
from diagnostics.network.reading import forms, misfits, resources, shapes, told
from diagnostics.network.reading.documents import ADMIN_RULES, GROUPS, ROUTES, Document, Misfit, Resource, Tags, Told
from diagnostics.network.reading.kinds import CHILDREN, KINDS, Child
from diagnostics.network.tags import ServiceTags

_ENDPOINT = "microsoft.network/privateendpoints"
_ADMIN_RULE = "microsoft.network/networkmanagers/securityadminconfigurations/rulecollections/rules"


class Assembly:
    """An estate in the making."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[ResourceId, Any]] = {kind.field: {} for kind in KINDS.values()}
        self._children: list[tuple[str, Child, msgspec.Struct, ResourceId]] = []
        self._endpoints: dict[ResourceId, ResourceId] = {}
        self._admin_rules: dict[ResourceId, forms.AdminRule] = {}
        self._told: list[Told] = []
        self._tags: dict[str, tuple[str, ...]] = {}
        self._problems: list[Problem] = []

    def take(self, found: Iterable[Document]) -> None:
        """Add documents; those that do not fit become problems."""
        for document in found:
            try:
                self._take(document)
            except ParseError as error:
                self.problem(document.where, str(error))

    def problem(self, where: str, text: str) -> None:
        """Note what could not be read. An error that begins with a path says more exactly where."""
        path, _, why = text.partition(": ")
        if why and path.startswith(where):
            where, text = path, why
        elif why and path.startswith("$"):
            where, text = where + path[1:], why
        self._problems.append(Problem(where, text))

    def _take(self, document: Document) -> None:
        match document:
            case Resource():
                self._resource(document)
            case Told():
                self._told.append(document)
            case Tags():
                self._tags |= ServiceTags.of(document.raw, document.where).prefixes
            case Misfit():
                self._problems.append(Problem(document.where, document.text))

    def _resource(self, document: Resource) -> None:
        if document.type == "microsoft.network/servicetags":
            self._tags |= ServiceTags.of(document.raw, document.where).prefixes
        elif kind := KINDS.get(document.type):
            read = self._read(document, kind.form)
            made = read and kind.make(read)
            if made:
                earlier = self._kept[kind.field].get(made.id)
                self._kept[kind.field][made.id] = kind.merged(earlier, made) if earlier else made
        elif child := CHILDREN.get(document.type):
            if read := self._read(document, child.form):
                rid = ResourceId.parse(document.raw["id"], f"{document.where}.id")
                self._children.append((document.where, child, read, rid))
        elif document.type == _ENDPOINT:
            if endpoint := self._read(document, forms.PrivateEndpoint):
                rid, nics = ResourceId.parse(endpoint.id, "$.id"), endpoint.properties.network_interfaces or ()
                self._endpoints |= {nic: rid for each in nics if (nic := ResourceId.maybe(each.id))}
        elif document.type == _ADMIN_RULE and (rule := self._read(document, forms.AdminRule)):
            self._admin_rules[ResourceId.parse(rule.id, "$.id")] = rule

    def _read[T: msgspec.Struct](self, document: Resource, form: type[T]) -> T | None:
        if not shapes.says_something(document.raw, form):
            text = "says nothing but that it exists: export it with the list command of its own kind"
            self._problems.append(Problem(document.where, text))
            return None
        read = shapes.read(document.raw, form, document.where)
        for path, text in misfits.found(read):
            self._problems.append(Problem(document.where + shapes.spelled(document.raw, path), text))
        return read

    def estate(self) -> Estate:
        """All of it together."""
        for where, child, read, rid in self._children:
            self._add(where, child, read, rid)
        self._kept["networks"] = {rid: self._peered(each) for rid, each in self._kept["networks"].items()}
        self._kept["nics"] = {rid: self._endpoint(each) for rid, each in self._kept["nics"].items()}
        rules, routes, groups = list(self._rules_told()), dict(self._routes_told()), dict(self._groups_told())
        return Estate(
            **self._kept,
            admin_rules=(*rules, *self._undeployed(rules)),
            effective_routes=routes,
            effective_groups=groups,
            service_tags=ServiceTags(self._tags),
            problems=tuple(self._problems),
        )

    def _add(self, where: str, child: Child, read: msgspec.Struct, rid: ResourceId) -> None:
        """A resource that was written apart from the one that it belongs to."""
        parent = rid.parent
        known = self._kept[child.field].get(parent) if parent else None
        if known is None or parent is None:
            name = parent.name if parent else rid.name
            self._problems.append(Problem(where, f"belongs to {name}, which is in none of the files"))
            return
        try:
            self._kept[child.field][parent] = child.add(known, read)
        except ParseError as error:
            self.problem(where, str(error))

    def _peered(self, network: VirtualNetwork) -> VirtualNetwork:
        """A peering that does not say what lies behind it leads to what the other network says; so in a template."""
        others: Mapping[ResourceId, VirtualNetwork] = self._kept["networks"]
        peerings = (
            replace(each, prefixes=others[each.remote].prefixes)
            if not each.prefixes and each.remote in others
            else each
            for each in network.peerings
        )
        return replace(network, peerings=tuple(peerings))

    def _endpoint(self, nic: Nic) -> Nic:
        """Older bodies of a private endpoint's NIC do not name it."""
        endpoint = self._endpoints.get(nic.id)
        return replace(nic, private_endpoint=endpoint) if endpoint and nic.private_endpoint is None else nic

    def _undeployed(self, rules: Iterable[AdminRule]) -> Iterator[AdminRule]:
        """Rules of a configuration, for the networks that Azure was not asked about."""
        asked = {network for each in rules for network in each.networks}
        open_ = frozenset(self._kept["networks"].keys() - asked)
        for rid, read in self._admin_rules.items() if open_ else ():
            yield AdminRule(rid, resources.admin_rule(read), frozenset(), open_)

    def _routes_told(self) -> Iterator[tuple[ResourceId, tuple[EffectiveRoute, ...]]]:
        for answer in self._of_kind(ROUTES):
            rows = self._rows(answer, forms.EffectiveRoute)
            if nic := self._meant(answer, "nics", "NIC"):
                yield nic, tuple(map(told.route, rows))

    def _groups_told(self) -> Iterator[tuple[ResourceId, tuple[EffectiveGroup, ...]]]:
        for answer in self._of_kind(GROUPS):
            rows = self._rows(answer, forms.EffectiveGroup)
            if nic := told.nic_of(rows) or self._meant(answer, "nics", "NIC"):
                yield nic, tuple(map(told.group, rows))

    def _rules_told(self) -> Iterator[AdminRule]:
        for answer in self._of_kind(ADMIN_RULES):
            rows = self._rows(answer, forms.AdminRule)
            network = self._meant(answer, "networks", "virtual network")
            if network:
                yield from (
                    AdminRule(ResourceId.parse(read.id), resources.admin_rule(read), frozenset({network}))
                    for read in rows
                )

    def _of_kind(self, kind: str) -> Iterator[Told]:
        return (answer for answer in self._told if answer.kind == kind)

    def _rows[T: msgspec.Struct](self, answer: Told, form: type[T]) -> list[T]:
        found = []
        for number, row in enumerate(answer.rows):
            where = f"{answer.where}[{number}]"
            if not isinstance(row, Mapping):
                self._problems.append(Problem(where, f"{row!r} is none of the rows of {answer.kind}"))
                continue
            try:
                found.append(shapes.read(row, form, where))
            except ParseError as error:
                self.problem(where, str(error))
        return found

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
