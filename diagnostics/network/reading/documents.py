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


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource as it is written.

    Attributes:
        type: lower-cased, such as `microsoft.network/networkinterfaces`.
    """

    where: str
    type: str
    raw: Mapping[str, Any]


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


type Document = Resource | Told | Misfit | Tags


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


def documents(value: object, where: str, about: str = "") -> Iterator[Document]:
    """All that is in a value, in its order."""
    if isinstance(value, list):
        yield from _listed(value, where, about)
    elif isinstance(value, Mapping):
        yield from _mapping(value, where, about)
    else:
        yield Misfit(where, f"{_shown(value)} is no resource")


def _mapping(value: Mapping[str, Any], where: str, about: str) -> Iterator[Document]:
    lowered = {key.lower(): key for key in value}
    schema = str(value.get("$schema", "")).lower()
    if "deploymenttemplate" in schema:
        yield from _template(value, where)
    elif "deploymentparameters" in schema:
        return
    elif "id" in value and (kind := _type(value)):
        yield Resource(where, kind, value)
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
        yield from _table(value, where)
    elif isinstance(value.get("data"), Mapping | list):
        yield from documents(value["data"], f"{where}.data", about)
    elif isinstance(value.get("value"), list):
        yield from _listed(value["value"], f"{where}.value", _beside(value) or about)
    elif isinstance(value.get("resources"), list):
        yield from _listed(value["resources"], f"{where}.resources", about)
    else:
        yield Misfit(where, "holds no resource, list of resources or answer that is known here")


def _listed(rows: Sequence[Any], where: str, about: str) -> Iterator[Document]:
    if kind := _kind_of_rows(rows):
        yield Told(where, about, rows, kind)
        return
    for number, row in enumerate(rows):
        yield from documents(row, f"{where}[{number}]", about)


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


def _table(value: Mapping[str, Any], where: str) -> Iterator[Document]:
    """The older result format of Resource Graph."""
    names = [column.get("name") if isinstance(column, Mapping) else column for column in value["columns"]]
    for number, row in enumerate(value["rows"]):
        if isinstance(row, list) and len(row) == len(names):
            yield from documents(dict(zip(names, row, strict=True)), f"{where}.rows[{number}]")
        else:
            yield Misfit(f"{where}.rows[{number}]", f"has not the {len(names)} columns of the table")


def _template(value: Mapping[str, Any], where: str) -> Iterator[Document]:
    for found in template.resources(value, where):
        if isinstance(found, template.Unresolved):
            yield Misfit(found.where, found.text)
        else:
            yield Resource(found.where, found.type, found.raw)


def _type(value: Mapping[str, Any]) -> str:
    """The type of a resource, from its id where it is an ARM id: that always says it."""
    read = ResourceId.maybe(value["id"])
    if read and read.type:
        return read.type
    kind = value.get("type")
    return kind.lower() if isinstance(kind, str) and "/" in kind else ""


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"
