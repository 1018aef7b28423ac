"""The resources of an ARM template: an export, or what `bicep build` makes. Expressions and loops are worked out.

What only a deployment could tell is not guessed: the resource that needs it is named.

Source: "Understand the structure and syntax of ARM templates", "Resource iteration in ARM templates".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.errors import ParseError
from diagnostics.network.reading.home import Home
from diagnostics.network.reading.scope import DEPLOYMENTS, Scope, Unresolved, declared, read_value

_READ = ("microsoft.network/", "microsoft.compute/", "microsoft.insights/", "microsoft.authorization/locks")


@dataclass(frozen=True, slots=True)
class Found:
    """A resource of a template, with a type and an id."""

    where: str
    type: str
    raw: Mapping[str, Any]


def resources(
    value: Mapping[str, Any], where: str, given: Mapping[str, Any] | None = None
) -> Iterator[Found | Unresolved]:
    """Every resource of a template, children and inner templates included.

    Args:
        value: the template.
        where: its place in the file.
        given: values of its parameters.
    """
    yield from _listed(value.get("resources"), f"{where}.resources", Scope.of(value, given or {}), "", "")


def _listed(listed: Any, where: str, scope: Scope, above: str, names: str) -> Iterator[Found | Unresolved]:
    """Resources in a list, or by name as newer versions of Bicep write them."""
    if listed is not None and not isinstance(listed, list | Mapping):
        yield Unresolved(where, "is no list of resources")
    for _, place, raw in declared(listed, where):
        if not isinstance(raw, Mapping):
            yield Unresolved(place, "is no resource")
        elif isinstance(raw.get("copy"), Mapping):
            yield from _copies(raw, place, scope, above, names)
        else:
            yield from _resource(raw, place, scope, above, names)


def _copies(raw: Mapping[str, Any], where: str, scope: Scope, above: str, names: str) -> Iterator[Found | Unresolved]:
    """The resources that a loop makes of one."""
    if _left_out(raw, scope):
        return
    try:
        for turn, (single, inside) in enumerate(scope.copies(raw)):
            yield from _resource(single, f"{where}[{turn}]", inside, above, names)
    except ParseError as error:
        yield Unresolved(where, str(error))


def _resource(raw: Mapping[str, Any], where: str, scope: Scope, above: str, names: str) -> Iterator[Found | Unresolved]:
    if raw.get("existing") is True or _left_out(raw, scope):
        return
    kind = ""
    try:
        kind = _text("type", raw, scope)
        kind = f"{above}/{kind}" if above else kind
        if kind.lower() == DEPLOYMENTS:
            yield from _deployment(raw, where, scope)
            return
        name = _text("name", raw, scope)
    except ParseError as error:
        if _matters(kind):
            yield Unresolved(where, str(error))
        return
    name = f"{names}/{name}" if names else name
    read, problems = read_value({key: each for key, each in raw.items() if key != "resources"}, where, scope)
    if _matters(kind):
        yield from problems
    scope_id, home = _scope_id(read.get("scope"), scope.home), scope.home
    rid = f"{scope_id}/providers/{kind}/{name}" if scope_id and kind.count("/") == 1 else home.id_of(kind, name)
    named = {"type": kind, "name": name.rpartition("/")[2], "id": rid}
    # A template makes what it names: without properties that is a resource without any, such as an NSG without rules.
    yield Found(where, kind.lower(), {"properties": {}} | read | named)
    yield from _listed(raw.get("resources"), f"{where}.resources", scope, kind, name)


def _text(key: str, raw: Mapping[str, Any], scope: Scope) -> str:
    """A text of a resource; raises ParseError where it is not known, or none."""
    found = scope.value(raw.get(key, ""))
    if not isinstance(found, str | int):
        raise ParseError(f"{key}: {found!r} is no text")
    return str(found)


def _matters(kind: str) -> bool:
    """Whether the engine reads anything of resources of a type; one that is not known may be any."""
    return not kind or kind.lower().startswith(_READ)


def _scope_id(scope: object, home: Home) -> str:
    """The id of what an extension resource stands on, which Bicep may write as `Microsoft.X/type/name`; or empty."""
    if not isinstance(scope, str) or not scope or scope.startswith("["):
        return ""
    return scope.rstrip("/") if scope.startswith("/") else f"{home.group_id}/providers/{scope}"


def _left_out(raw: Mapping[str, Any], scope: Scope) -> bool:
    """Whether its condition says that it is not deployed. A condition that is not known is told with the resource."""
    try:
        return scope.value(raw.get("condition")) is False
    except ParseError:
        return False


def _deployment(raw: Mapping[str, Any], where: str, scope: Scope) -> Iterator[Found | Unresolved]:
    """A template within a template."""
    inside = scope.within(raw)
    if inside is None:
        yield Unresolved(where, "is a deployment of a template that is somewhere else")
        return
    inner, known = inside
    yield from _listed(inner.get("resources"), f"{where}.properties.template.resources", known, "", "")
