"""The resources of an ARM template: an export, or what `bicep build` makes. Simple expressions are worked out.

What an expression stands for that only a deployment could tell is not guessed: the resource that needs it is named.

Source: "Understand the structure and syntax of ARM templates", "ARM template functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from diagnostics.errors import ParseError

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "template"
"""A template says neither where it will be deployed nor in which group: these stand for both."""

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_][\w]*)|(-?\d+)|([()\[\],.]))")


@dataclass(frozen=True, slots=True)
class Found:
    """A resource of a template, with a type and an id."""

    where: str
    type: str
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What in a template depends on the deployment."""

    where: str
    text: str


def resources(
    value: Mapping[str, Any], where: str, given: Mapping[str, Any] | None = None, outer: _Scope | None = None
) -> Iterator[Found | Unresolved]:
    """Every resource of a template, children and inner templates included.

    Args:
        value: the template.
        where: its place in the file.
        given: values of its parameters.
        outer: what the template around it knows, if its expressions are worked out there.
    """
    variables = _mapping(value.get("variables"))
    scope = _Scope(_defaults(value.get("parameters"), given or {}), variables)
    if outer:
        scope = _Scope({**outer.parameters, **scope.parameters}, {**outer.variables, **variables})
    yield from _listed(value.get("resources"), f"{where}.resources", scope, "", "")


def _listed(listed: Any, where: str, scope: _Scope, above: str, names: str) -> Iterator[Found | Unresolved]:
    """Resources in a list, or by name as newer versions of Bicep write them."""
    if listed is not None and not isinstance(listed, list | Mapping):
        yield Unresolved(where, "is no list of resources")
        return
    pairs = listed.items() if isinstance(listed, Mapping) else enumerate(listed or ())
    for key, raw in pairs:
        place = f"{where}.{key}" if isinstance(key, str) else f"{where}[{key}]"
        if isinstance(raw, Mapping):
            yield from _resource(raw, place, scope, above, names)
        else:
            yield Unresolved(place, "is no resource")


def _resource(
    raw: Mapping[str, Any], where: str, scope: _Scope, above: str, names: str
) -> Iterator[Found | Unresolved]:
    if raw.get("existing") is True or _left_out(raw, scope):
        return
    try:
        kind, name = str(scope.of(raw.get("type", ""))), str(scope.of(raw.get("name", "")))
    except ParseError as error:
        yield Unresolved(where, str(error))
        return
    kind, name = (f"{above}/{kind}" if above else kind), (f"{names}/{name}" if names else name)
    if kind.lower() == "microsoft.resources/deployments":
        yield from _deployment(raw, where, scope)
        return
    read, problems = _worked_out({key: each for key, each in raw.items() if key != "resources"}, where, scope)
    yield from problems
    scope_id = _scope_id(read.get("scope"))
    rid = f"{scope_id}/providers/{kind}/{name}" if scope_id and kind.count("/") == 1 else resource_id(kind, name)
    named = {"type": kind, "name": name.rpartition("/")[2], "id": rid}
    # A template makes what it names: without properties that is a resource without any, such as an NSG without rules.
    yield Found(where, kind.lower(), {"properties": {}} | read | named)
    yield from _listed(raw.get("resources"), f"{where}.resources", scope, kind, name)


def _scope_id(scope: object) -> str:
    """The id of what an extension resource stands on, which Bicep may write as `Microsoft.X/type/name`; or empty."""
    if not isinstance(scope, str) or not scope or scope.startswith("["):
        return ""
    home = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    return scope.rstrip("/") if scope.startswith("/") else f"{home}/providers/{scope}"


def _left_out(raw: Mapping[str, Any], scope: _Scope) -> bool:
    """Whether its condition says that it is not deployed. A condition that is not known is told with the resource."""
    try:
        return scope.of(raw.get("condition")) is False
    except ParseError:
        return False


def _deployment(raw: Mapping[str, Any], where: str, scope: _Scope) -> Iterator[Found | Unresolved]:
    """A template within a template."""
    properties = _mapping(raw.get("properties"))
    inner = properties.get("template")
    if not isinstance(inner, Mapping):
        yield Unresolved(where, "is a deployment of a template that is somewhere else")
        return
    given = {}
    for name, parameter in _mapping(properties.get("parameters")).items():
        try:
            given[name] = scope.of(parameter.get("value")) if isinstance(parameter, Mapping) else None
        except ParseError:
            continue  # what needs it says so
    options = _mapping(properties.get("expressionEvaluationOptions"))
    inside = str(options.get("scope", "")).lower() == "inner"
    yield from resources(inner, f"{where}.properties.template", given, None if inside else scope)


def resource_id(kind: str, names: str) -> str:
    """The id of a resource by type and names, in the group that stands for the deployment's."""
    namespace, *types = kind.split("/")
    pairs = zip(types, names.split("/"), strict=False)
    path = "/".join(f"{one}/{other}" for one, other in pairs)
    return f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}/providers/{namespace}/{path}"


def _defaults(declared: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    known = dict(given)
    for name, parameter in _mapping(declared).items():
        if name not in known and isinstance(parameter, Mapping) and "defaultValue" in parameter:
            known[name] = parameter["defaultValue"]
    return known


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _worked_out(value: Any, where: str, scope: _Scope) -> tuple[Any, list[Unresolved]]:
    """The value with its expressions worked out.

    What depends on the deployment is told, and stays as it is written: it fits nowhere, so that what it belongs to
    counts as unknown. Left out, it would count as absent.
    """
    if isinstance(value, Mapping):
        pairs = {key: _worked_out(each, f"{where}.{key}", scope) for key, each in _unlooped(value).items()}
        found = {key: read for key, (read, _) in pairs.items()}
        return found, [problem for _, problems in pairs.values() for problem in problems]
    if isinstance(value, list):
        items = [_worked_out(each, f"{where}[{number}]", scope) for number, each in enumerate(value)]
        return [read for read, _ in items], [problem for _, problems in items for problem in problems]
    try:
        return scope.of(value), []
    except ParseError as error:
        return value, [Unresolved(where, str(error))] if _matters(where) else []


def _unlooped(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A mapping in which each property that a loop makes stands as something that depends on the deployment."""
    loops = value.get("copy")
    if not isinstance(loops, list):
        return value
    names = [loop["name"] for loop in loops if isinstance(loop, Mapping) and isinstance(loop.get("name"), str)]
    return {**value, **{name: f"[copy('{name}')]" for name in names}}


_IGNORED = re.compile(r"\.(tags|dependsOn|location|apiVersion|osProfile|diagnosticsProfile|scale|copy)\b")


def _matters(where: str) -> bool:
    """Whether the engine reads anything there."""
    return not _IGNORED.search(where)


@dataclass(frozen=True, slots=True)
class _Scope:
    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]
    _open: list[tuple[str, str]] = field(default_factory=list)

    def of(self, value: Any) -> Any:
        """What a value stands for; raises ParseError where only a deployment could tell."""
        if not isinstance(value, str) or not value.startswith("[") or not value.endswith("]"):
            return value
        if value.startswith("[["):
            return value[1:]
        tokens = _tokens(value[1:-1])
        try:
            found = self._expression(tokens)
        except RecursionError:
            raise ParseError("an expression is nested too deeply") from None
        if tokens:
            raise ParseError(f"expression {value!r} is not understood here")
        return found

    def _expression(self, tokens: list[str]) -> Any:
        token = tokens.pop(0) if tokens else ""
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.lstrip("-").isdigit():
            return int(token)
        if not tokens or tokens[0] != "(":
            raise ParseError(f"expression {token!r} is not understood here")
        tokens.pop(0)
        arguments = []
        while tokens and tokens[0] != ")":
            arguments.append(self._expression(tokens))
            if tokens and tokens[0] == ",":
                tokens.pop(0)
        if not tokens:
            raise ParseError(f"expression {token}(… does not end")
        tokens.pop(0)
        return self._accessed(self._call(token.lower(), arguments), tokens)

    def _accessed(self, found: Any, tokens: list[str]) -> Any:
        """`.name` and `[index]` behind a call."""
        while tokens and tokens[0] in {".", "["}:
            bracket = tokens.pop(0) == "["
            key = self._expression(tokens) if bracket else tokens.pop(0)
            if bracket and tokens:
                tokens.pop(0)
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):
                raise ParseError(f"{key!r} depends on the deployment") from None
        return found

    def _call(self, name: str, arguments: list[Any]) -> Any:
        if name in {"parameters", "variables"} and len(arguments) == 1:
            return self._named(name, str(arguments[0]))
        function = _FUNCTIONS.get(name)
        if function is None:
            raise ParseError(f"{name}(…) depends on the deployment")
        try:
            return function(*arguments)
        except (TypeError, ValueError, LookupError, AttributeError, StopIteration, OverflowError):
            raise ParseError(f"{name}(…) is not understood here") from None

    def _named(self, kind: str, name: str) -> Any:
        known = self.parameters if kind == "parameters" else self.variables
        lowered = {key.lower(): value for key, value in known.items()}
        if name.lower() not in lowered:
            raise ParseError(f"{kind}('{name}') has no value here")
        if (kind, name.lower()) in self._open:
            raise ParseError(f"{kind}('{name}') refers to itself")
        self._open.append((kind, name.lower()))
        try:
            read, problems = _worked_out(lowered[name.lower()], "$", self)
        finally:
            self._open.pop()
        if problems:
            raise ParseError(f"{kind}('{name}') depends on the deployment")
        return read


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ParseError(f"expression {text!r} is not understood here")
        quoted, name, number, mark = match.groups()
        found.append(f"'{quoted}'" if quoted is not None else name or number or mark)
        position = match.end()
    return found


def _resource_id(*parts: Any) -> str:
    """`resourceId([subscription], [group], type, name, …)`: the type is the first part with a slash."""
    texts = [str(part) for part in parts]
    at = next(number for number, text in enumerate(texts) if "/" in text)
    found = resource_id(texts[at], "/".join(texts[at + 1 :]))
    if at:
        found = found.replace(f"/resourceGroups/{GROUP}/", f"/resourceGroups/{texts[at - 1]}/", 1)
    return found.replace(SUBSCRIPTION, texts[0], 1) if at == 2 else found


def _concat(*parts: Any) -> Any:
    if all(isinstance(part, list) for part in parts):
        return [each for part in parts for each in part]
    return "".join(str(part) for part in parts)


def _format(pattern: str, *parts: Any) -> str:
    return re.sub(r"\{(\d+)(?::[^}]*)?\}", lambda match: str(parts[int(match[1])]), pattern)


def _if(condition: Any, yes: Any, no: Any) -> Any:
    return yes if condition else no


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": _concat,
    "format": _format,
    "resourceid": _resource_id,
    "subscriptionresourceid": _resource_id,
    "resourcegroup": lambda: {
        "location": "",
        "name": GROUP,
        "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}",
    },
    "subscription": lambda: {"subscriptionId": SUBSCRIPTION, "id": f"/subscriptions/{SUBSCRIPTION}"},
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "createarray": lambda *items: list(items),
    "createobject": lambda *items: dict(zip(items[::2], items[1::2], strict=True)),
    "if": _if,
    "equals": lambda one, other: one == other,
    "not": lambda value: not value,
    "and": lambda *values: all(values),
    "or": lambda *values: any(values),
    "empty": lambda value: not value,
    "true": lambda: True,
    "false": lambda: False,
    "null": lambda: None,
    "string": str,
    "int": int,
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda text, mark: text.split(mark),
    "first": lambda items: items[0],
    "last": lambda items: items[-1],
    "union": lambda *parts: {k: v for part in parts for k, v in part.items()},
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "add": lambda one, other: one + other,
}
