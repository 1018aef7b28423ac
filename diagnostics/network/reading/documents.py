"""What a JSON value holds: resources, lists and pages of them, and what Azure said about a NIC or a network.

Source: Resource Graph, "Understand the Azure Resource Graph query language" (result formats); "Azure CLI, output
formats"; "Understand the structure and syntax of ARM templates".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import template
from diagnostics.network.reading.facts import FLOW_LOGS, older_flow_log
from diagnostics.network.reading.listing import type_of
from diagnostics.network.reading.scope import Unresolved
from diagnostics.network.references import named


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it is written.

    Attributes:
        type: lower-cased, such as `microsoft.network/networkinterfaces`.
        rid: its id, if that is one.
        listed: whether it stood in a list of all that there are.
    """

    where: str
    type: str
    raw: Mapping[str, Any]
    rid: ResourceId | None = None
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the activity log."""

    where: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty list.

    Attributes:
        type: what there is none of, lower-cased.
    """

    where: str
    type: str


@dataclass(frozen=True, slots=True)
class Told:
    """What Azure answered about something, and about what.

    Attributes:
        about: the id or name that stands beside the answer, or the name of the file; may be empty.
        rows: effective routes, effective NSGs, or effective security admin rules.
    """

    where: str
    about: str
    rows: Sequence[Any]
    kind: str


@dataclass(frozen=True, slots=True)
class Misfit:
    """What is not understood."""

    where: str
    text: str


type Document = Resource | Told | Misfit | Tags | Event | Nothing


@dataclass(frozen=True, slots=True)
class Tags:
    """Azure's list of service tags."""

    where: str
    raw: Mapping[str, Any]


ROUTES, GROUPS, ADMIN_RULES = "effective routes", "effective security rules", "effective admin rules"
_WRAPPED = {
    "effectiveroutes": ROUTES,
    "effectiveroutetable": ROUTES,
    "effectivenetworksecuritygroups": GROUPS,
    "effectivesecurityrules": GROUPS,
    "effectivesecurityadminrules": ADMIN_RULES,
}


def documents(value: object, where: str, about: str = "", *, listed: bool = False) -> Iterator[Document]:
    """All that is in a value, in its order."""
    if isinstance(value, list):
        yield from _listed(value, where, about)
    elif isinstance(value, Mapping):
        yield from _mapping(value, where, about, listed=listed)
    else:
        yield Misfit(where, f"{_shown(value)} is no resource")


def _mapping(value: Mapping[str, Any], where: str, about: str, *, listed: bool) -> Iterator[Document]:
    lowered = {key.lower(): key for key in value}
    schema = str(value.get("$schema", "")).lower()
    if "deploymenttemplate" in schema:
        yield from _template(value, where)
    elif "deploymentparameters" in schema:
        return
    elif "eventtimestamp" in lowered and "operationname" in lowered:
        yield Event(where, value)
    elif "id" in value and (found := _resource(value, where, listed=listed)):
        yield found
    elif "id" not in value and "targetresourceid" in lowered and "flowanalyticsconfiguration" in lowered:
        yield Resource(where, FLOW_LOGS, older_flow_log(value))
    elif wrapped := [(key, lowered[key]) for key in _WRAPPED if key in lowered]:
        beside = _beside(value) or about
        for key, spelled in wrapped:
            yield from _answer(value[spelled], f"{where}.{spelled}", beside, _WRAPPED[key])
    elif _is_tags(value):
        yield Tags(where, value)
    else:
        yield from _page(value, where, about)


def _is_tags(value: Mapping[str, Any]) -> bool:
    """Azure's weekly file has a change number; a list of one's own need not."""
    listed = value.get("values")
    return isinstance(listed, list) and all(isinstance(each, Mapping) and "name" in each for each in listed)


def _page(value: Mapping[str, Any], where: str, about: str) -> Iterator[Document]:
    """A page of something, under the name that ARM, Resource Graph or a template gives it."""
    if isinstance(value.get("columns"), list) and isinstance(value.get("rows"), list):
        yield from _table(value, where, about)
    elif isinstance(value.get("data"), Mapping | list):
        inner = value["data"]
        if isinstance(inner, list):
            yield from _listed(inner, f"{where}.data", about, whole=_last(value))
        elif isinstance(inner.get("columns"), list) and isinstance(inner.get("rows"), list):
            yield from _table(inner, f"{where}.data", about, whole=_last(value))
        else:
            yield from documents(inner, f"{where}.data", about)
    elif isinstance(value.get("value"), list):
        yield from _listed(value["value"], f"{where}.value", _beside(value) or about, whole=_last(value))
    elif isinstance(value.get("resources"), list):
        yield from _listed(value["resources"], f"{where}.resources", about, whole=False)
    else:
        yield Misfit(where, "holds no resource, list of resources or answer that is known here")


def _last(page: Mapping[str, Any]) -> bool:
    """Whether a page says of no other that follows: the last one of a list stands for all of them."""
    more = ("nextLink", "$skipToken", "skipToken", "skip_token")
    return not any(page.get(key) for key in more) and str(page.get("resultTruncated", "")).lower() != "true"


def _listed(rows: Sequence[Any], where: str, about: str, *, whole: bool = True) -> Iterator[Document]:
    if not rows and whole and (kind := type_of(about)):
        yield Nothing(where, kind)
    if kind := _kind_of_rows(rows):
        yield Told(where, about, rows, kind)
        return
    for number, row in enumerate(rows):
        yield from documents(row, f"{where}[{number}]", about, listed=whole)


def _answer(value: object, where: str, about: str, kind: str) -> Iterator[Document]:
    if isinstance(value, Mapping) and isinstance(value.get("value"), list):
        yield Told(f"{where}.value", about, value["value"], kind)
    elif isinstance(value, list):
        yield Told(where, about, value, kind)
    elif value is not None:
        yield Misfit(where, f"{_shown(value)} is no list of {kind}")


def _kind_of_rows(rows: Sequence[Any]) -> str:
    """What kind of answer rows are that are no resources."""
    keys = {key for row in rows if isinstance(row, Mapping) for key in row}
    if "nextHopType" in keys and "addressPrefix" in keys and "id" not in keys:
        return ROUTES
    if "effectiveSecurityRules" in keys:
        return GROUPS
    return ADMIN_RULES if "ruleCollectionAppliesToGroups" in keys else ""


def _beside(value: Mapping[str, Any]) -> str:
    """The id that stands beside an answer."""
    for key in ("networkInterface", "virtualNetwork", "networkInterfaceId", "virtualNetworkId"):
        named = value.get(key)
        if isinstance(named, Mapping):
            named = named.get("id")
        if isinstance(named, str) and named:
            return named
    return ""


def _table(value: Mapping[str, Any], where: str, about: str, *, whole: bool = True) -> Iterator[Document]:
    """The older result format of Resource Graph."""
    if not value["rows"] and whole and (kind := type_of(about)):
        yield Nothing(where, kind)
    names = [column.get("name") if isinstance(column, Mapping) else column for column in value["columns"]]
    for number, row in enumerate(value["rows"]):
        if isinstance(row, list) and len(row) == len(names):
            yield from documents(dict(zip(names, row, strict=True)), f"{where}.rows[{number}]", listed=whole)
        else:
            yield Misfit(f"{where}.rows[{number}]", f"has not the {len(names)} columns of the table")


def _template(value: Mapping[str, Any], where: str) -> Iterator[Document]:
    for found in template.resources(value, where):
        if isinstance(found, Unresolved):
            yield Misfit(found.where, found.text)
        else:
            rid = ResourceId.maybe(found.raw["id"])
            yield Resource(found.where, rid.type if rid and rid.type else found.type, found.raw, rid)


def _resource(value: Mapping[str, Any], where: str, *, listed: bool) -> Resource | None:
    """A resource, its type from its id where it is an ARM id: that always says it."""
    read = named(value["id"]) if isinstance(value["id"], str) else None
    if read and read.type:
        return Resource(where, read.type, value, read, listed)
    kind = value.get("type")
    return Resource(where, kind.lower(), value, None, listed) if isinstance(kind, str) and "/" in kind else None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"
