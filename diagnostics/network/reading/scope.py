"""What expressions of an ARM template may name, and its values with expressions and loops worked out.

Source: "Understand the structure and syntax of ARM templates"; "Property iteration" and "Variable iteration in ARM
templates"; "Linked and nested templates".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from diagnostics.errors import ParseError
from diagnostics.network.reading.expressions import Missing, worked_out
from diagnostics.network.reading.home import STAND_IN, Home

DEPLOYMENTS = "microsoft.resources/deployments"
_TURNS = 800  # the most that Azure lets a loop have
_IGNORED = re.compile(r"\.(tags|dependsOn|location|apiVersion|osProfile|diagnosticsProfile|scale|copy)\b")


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What in a template depends on the deployment."""

    where: str
    text: str


class _Loop(dict[str, Any]):
    """A loop that makes a variable, in the place of its value."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions of a template may name.

    Attributes:
        written: by kind (`parameters`, `variables`) and name in lower case, values with expressions of their own.
        listed: the resources of the template: some of them are templates that put something out.
        home: where the template is deployed.
        turns: of the loops around it, by name in lower case, which turn this is; that of the resource is there without
            a name, too.
    """

    written: Mapping[tuple[str, str], Any]
    listed: Any = None
    home: Home = STAND_IN
    turns: Mapping[str, int] = field(default_factory=dict)
    _known: dict[tuple[str, str], Any] = field(default_factory=dict)
    _open: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(
        cls, template: Mapping[str, Any], given: Mapping[str, Any], home: Home = STAND_IN, outer: Scope | None = None
    ) -> Scope:
        """What is known in a template.

        Args:
            template: the template.
            given: values of its parameters.
            home: where it is deployed.
            outer: what the template around it knows, if its expressions are worked out there.
        """
        variables = _mapping(template.get("variables"))
        named = {key: each for key, each in variables.items() if not (key == "copy" and isinstance(each, list))}
        named |= {loop["name"]: _Loop(loop) for loop in _loops(variables.get("copy"))}
        written = {("parameters", name.lower()): each for name, each in _defaults(template, given).items()}
        written |= {("variables", name.lower()): each for name, each in named.items()}
        return cls({**(outer.written if outer else {}), **written}, template.get("resources"), home)

    def within(self, deployment: Mapping[str, Any]) -> tuple[Mapping[str, Any], Scope] | None:
        """The template that a deployment has in itself, and what is known in it; None where it is somewhere else."""
        properties = _mapping(deployment.get("properties"))
        inner = properties.get("template")
        if not isinstance(inner, Mapping):
            return None
        parameters = _mapping(properties.get("parameters"))
        given = {name: _known(_mapping(each).get("value"), self) for name, each in parameters.items()}
        options = _mapping(properties.get("expressionEvaluationOptions"))
        is_inner = str(options.get("scope", "")).lower() == "inner"
        return inner, Scope.of(inner, given, self._home_of(deployment), None if is_inner else self)

    def _home_of(self, deployment: Mapping[str, Any]) -> Home:
        """Where a deployment goes: as a rule to where the template around it does."""
        written = (deployment.get("subscriptionId"), deployment.get("resourceGroup"))
        read = (_known(each, self) for each in written)
        return Home(*(each if isinstance(each, str) else own for each, own in zip(read, self.home, strict=True)))

    def value(self, written: Any) -> Any:
        """What a value stands for; raises ParseError where only a deployment could tell."""
        return worked_out(written, self) if isinstance(written, str) else written

    def turning(self, loop: str, turn: int, *, of_resource: bool = False) -> Scope:
        """The same in a turn of a loop."""
        own = {loop.lower(): turn, "": turn} if of_resource else {loop.lower(): turn}
        return replace(self, turns={**self.turns, **own})

    def copies(self, raw: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Scope]]:
        """A resource, for each turn of its loop, with what is known there; itself where it has none.

        Raises:
            ParseError: it is not known how often the loop turns.
        """
        loop = raw.get("copy")
        if not isinstance(loop, Mapping):
            yield raw, self
            return
        single = {key: each for key, each in raw.items() if key != "copy"}
        for turn in range(_count(loop, self)):
            yield single, self.turning(str(loop.get("name", "")), turn, of_resource=True)

    def named(self, kind: str, name: str) -> Any:
        """A parameter or variable, in any case; raises ParseError where it has no value here."""
        key = kind, name.lower()
        if key in self._known:
            return self._known[key]
        if key not in self.written:
            raise ParseError(f"{kind}('{name}') has no value here")
        if key in self._open:
            raise ParseError(f"{kind}('{name}') refers to itself")
        self._open.append(key)
        try:
            read = _known(self.written[key], replace(self, turns={}))
        finally:
            self._open.pop()
        if isinstance(read, Missing):
            raise ParseError(read.why)
        self._known[key] = read
        return read

    def turn(self, loop: str, offset: int) -> int:
        """The number of the turn of a loop, that of the resource without a name; raises ParseError outside of it."""
        if loop.lower() not in self.turns:
            raise ParseError(f"copyIndex('{loop}') is in no loop of that name" if loop else "copyIndex() is in no loop")
        return self.turns[loop.lower()] + offset

    def reference(self, name: str) -> Any:
        """What a deployment of the same template puts out, by its id, name or key; raises ParseError for all else."""
        wanted = "deployments", name.lower().rpartition(f"/{DEPLOYMENTS}/")[2]
        if wanted in self._known:
            return self._known[wanted]
        if wanted not in self._open:  # one that refers to itself puts out nothing
            self._open.append(wanted)
            try:
                for names, raw, scope in self._deployments():
                    if wanted[1] in names and (inner := scope.within(raw)):
                        return self._known.setdefault(wanted, {"outputs": _outputs(*inner)})
            finally:
                self._open.pop()
        raise ParseError("reference(…) depends on the deployment")

    def _deployments(self) -> Iterator[tuple[set[str], Mapping[str, Any], Scope]]:
        """The deployments of the template, with what each is called in lower case."""
        plain = replace(self, turns={})
        for key, _, raw in declared(self.listed, "$"):
            if not isinstance(raw, Mapping) or str(raw.get("type", "")).lower() != DEPLOYMENTS:
                continue
            try:
                for single, scope in plain.copies(raw):
                    symbol = f"{key}[{scope.turns['']}]" if "" in scope.turns else key
                    yield {symbol.lower(), str(scope.value(single.get("name"))).lower()}, single, scope
            except ParseError:
                continue  # it may be another one that is asked for


def declared(listed: Any, where: str) -> Iterator[tuple[str, str, Any]]:
    """What stands in a list of resources: its key, where they are listed by name, its place, and itself."""
    if isinstance(listed, Mapping):
        yield from ((str(key), f"{where}.{key}", raw) for key, raw in listed.items())
    elif isinstance(listed, list):
        yield from (("", f"{where}[{number}]", raw) for number, raw in enumerate(listed))


def read_value(value: Any, where: str, scope: Scope) -> tuple[Any, list[Unresolved]]:
    """The value with its expressions and loops worked out, and what of it depends on the deployment.

    That stays as it is written: it fits nowhere, so that what it belongs to counts as unknown. Left out, it would count
    as absent.
    """
    problems: list[Unresolved] = []
    return _settled(_known(value, scope), where, problems), problems


def _settled(value: Any, where: str, problems: list[Unresolved]) -> Any:
    """A value with texts in the place of what is missing, which is noted where it matters."""
    if isinstance(value, Missing):
        if not _IGNORED.search(where):  # the engine reads nothing there
            problems.append(Unresolved(where, value.why))
        return value.written
    if isinstance(value, Mapping):
        return {key: _settled(each, f"{where}.{key}", problems) for key, each in value.items()}
    if isinstance(value, list):
        return [_settled(each, f"{where}[{number}]", problems) for number, each in enumerate(value)]
    return value


def _known(value: Any, scope: Scope) -> Any:
    """The value with its expressions and loops worked out; `Missing` in the place of what depends on the deployment."""
    if isinstance(value, _Loop):
        return _looped(value, scope)
    if isinstance(value, Mapping):
        return _known_mapping(value, scope)
    if isinstance(value, list):
        return [_known(each, scope) for each in value]
    try:
        return scope.value(value)
    except ParseError as error:
        return Missing(str(error), value)


def _known_mapping(value: Mapping[str, Any], scope: Scope) -> Any:
    """The same of a mapping, whose keys may be expressions, too: of which property a value is has to be known."""
    plain = {key: each for key, each in value.items() if not (key == "copy" and isinstance(each, list))}
    found = {}
    for key, each in plain.items():
        try:
            found[str(scope.value(key))] = _known(each, scope)
        except ParseError as error:
            return Missing(str(error), key)
    return found | {loop["name"]: _looped(loop, scope) for loop in _loops(value.get("copy"))}


def _looped(loop: Mapping[str, Any], scope: Scope) -> Any:
    """The list that a loop makes; where it is not known how often it turns, nothing of it is."""
    try:
        return [_known(loop.get("input"), scope.turning(loop["name"], turn)) for turn in range(_count(loop, scope))]
    except ParseError as error:
        return Missing(str(error), f"[copy('{loop['name']}')]")


def _loops(copies: Any) -> list[Mapping[str, Any]]:
    """The loops that make properties or variables."""
    listed = copies if isinstance(copies, list) else ()
    return [each for each in listed if isinstance(each, Mapping) and isinstance(each.get("name"), str)]


def _count(loop: Mapping[str, Any], scope: Scope) -> int:
    count = scope.value(loop.get("count"))
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _TURNS:
        raise ParseError(f"copy: count: {count!r} is no whole number from 0 to {_TURNS}")
    return count


def _outputs(template: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """What a template puts out, as far as it is known."""
    found = {}
    for name, output in _mapping(template.get("outputs")).items():
        loop = _mapping(output).get("copy")
        written = _Loop(loop, name="") if isinstance(loop, Mapping) else _mapping(output).get("value")
        found[name] = {"value": _known(written, scope)}
    return found


def _defaults(template: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of parameters: those that are given, else their defaults; so it is where nothing (null) is given."""
    known = {name: value for name, value in given.items() if value is not None}
    lowered = {name.lower() for name in known}
    for name, parameter in _mapping(template.get("parameters")).items():
        if name.lower() not in lowered and isinstance(parameter, Mapping):
            if "defaultValue" in parameter:
                known[name] = parameter["defaultValue"]
            elif _is_nullable(parameter, _mapping(template.get("definitions"))):
                known[name] = None
    return known


def _is_nullable(parameter: Mapping[str, Any], types: Mapping[str, Any]) -> bool:
    """Whether a parameter without a value is null: by itself, or by the type that it is of."""
    reference = str(parameter.get("$ref", "")).removeprefix("#/definitions/")
    return parameter.get("nullable") is True or _mapping(types.get(reference)).get("nullable") is True


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
