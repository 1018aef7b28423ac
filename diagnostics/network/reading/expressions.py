"""Expressions of ARM templates, such as `[format('nsg-{0}', parameters('prefix'))]`: read, and worked out.

What an expression stands for that only a deployment could tell is not guessed: it raises ParseError.

Source: "Syntax and expressions in ARM templates", "ARM template functions", "Lambda functions for ARM templates".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from diagnostics.errors import ParseError
from diagnostics.network.reading.functions import FUNCTIONS
from diagnostics.network.reading.home import Home

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z_][\w]*)|(-?\d+)|([()\[\],.]))")


@dataclass(frozen=True, slots=True)
class Missing:
    """What in a value only a deployment could tell; the rest of the value is known.

    Attributes:
        why: what is missing.
        written: what stands there in the template.
    """

    why: str
    written: str


class Names(Protocol):
    """What an expression may name."""

    @property
    def home(self) -> Home:
        """Where the template is deployed."""

    def named(self, kind: str, name: str) -> Any:
        """A parameter or variable, in any case; raises ParseError where it has no value here."""

    def turn(self, loop: str, offset: int) -> int:
        """The number of the turn of a loop, that of the resource without a name; raises ParseError outside of it."""

    def reference(self, name: str) -> Any:
        """What a deployment of the same template puts out; raises ParseError for all else."""


class _Call(NamedTuple):
    """A function and what it is given."""

    name: str
    arguments: _Nodes


class _Member(NamedTuple):
    """`.name` or `[index]` of something."""

    of: _Node
    key: _Node


class _Value(NamedTuple):
    """A text or a number as it stands there."""

    value: str | int


type _Node = _Call | _Member | _Value
type _Nodes = tuple[_Node, ...]


def worked_out(value: str, names: Names) -> Any:
    """What a text of a template stands for; raises ParseError where only a deployment could tell."""
    if not value.startswith("[") or not value.endswith("]"):
        return value
    if value.startswith("[["):
        return value[1:]
    try:
        return _Working(names, {}).of(_read(value))
    except RecursionError:
        raise ParseError("an expression is nested too deeply") from None


@dataclass(frozen=True, slots=True)
class _Working:
    """An expression, while it is worked out.

    Attributes:
        own: the variables of the lambda functions around it.
    """

    names: Names
    own: Mapping[str, Any]

    def of(self, node: _Node) -> Any:
        """What a part of it stands for."""
        match node:
            case _Value():
                return node.value
            case _Member():
                found = _member(self.of(node.of), self.of(node.key))
            case _Call():
                found = self._call(node.name, node.arguments)
        if isinstance(found, Missing):
            raise ParseError(found.why)
        return found

    def _call(self, name: str, arguments: _Nodes) -> Any:
        form = _FORMS.get(name)
        if form is None and name not in FUNCTIONS:
            raise ParseError(f"{name}(…) depends on the deployment")
        try:
            return form(self, *arguments) if form else FUNCTIONS[name](*map(self.of, arguments))
        except (TypeError, ValueError, LookupError, AttributeError, StopIteration, OverflowError):
            raise ParseError(f"{name}(…) is not understood here") from None


def _parameter(at: _Working, name: _Node) -> Any:
    return at.names.named("parameters", str(at.of(name)))


def _variable(at: _Working, name: _Node) -> Any:
    return at.names.named("variables", str(at.of(name)))


def _reference(at: _Working, name: _Node, *_: _Node) -> Any:
    return at.names.reference(str(at.of(name)))


def _resource_id(at: _Working, *parts: _Node) -> str:
    return at.names.home.resource_id(*(str(at.of(each)) for each in parts))


def _subscription_resource_id(at: _Working, *parts: _Node) -> str:
    return at.names.home.subscription_resource_id(*(str(at.of(each)) for each in parts))


def _resource_group(at: _Working) -> Mapping[str, str]:
    home = at.names.home
    return {"location": "", "name": home.group, "id": home.group_id}


def _subscription(at: _Working) -> Mapping[str, str]:
    home = at.names.home
    return {"subscriptionId": home.subscription, "id": home.subscription_id}


def _copy_index(at: _Working, *arguments: _Node) -> int:
    """`copyIndex()`, `copyIndex(1)`, `copyIndex('loop')` or `copyIndex('loop', 1)`."""
    given = [at.of(each) for each in arguments]
    loop = given.pop(0) if given and isinstance(given[0], str) else ""
    (offset,) = given or (0,)
    return at.names.turn(loop, offset)


def _lambda(at: _Working, *arguments: _Node) -> Callable[..., Any]:
    """A function of some variables, which may be given more than it asks for: `map` has the index, too."""
    *variables, body = arguments
    named = [str(at.of(each)) for each in variables]

    def run(*given: Any) -> Any:
        return _Working(at.names, {**at.own, **dict(zip(named, given, strict=False))}).of(body)

    return run


def _lambda_variable(at: _Working, name: _Node) -> Any:
    return at.own[at.of(name)]


def _equals(at: _Working, one: _Node, other: _Node) -> bool:
    found = [at.of(one), at.of(other)]
    if missing := next(_missing_in(found), None):
        raise ParseError(missing.why)
    return bool(found[0] == found[1])


def _missing_in(value: Any) -> Iterator[Missing]:
    """What is missing in a value."""
    if isinstance(value, Missing):
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _missing_in(each)


def _if(at: _Working, condition: _Node, yes: _Node, no: _Node) -> Any:
    return at.of(yes if at.of(condition) else no)


def _and(at: _Working, *arguments: _Node) -> bool:
    return all(at.of(each) for each in arguments)


def _or(at: _Working, *arguments: _Node) -> bool:
    return any(at.of(each) for each in arguments)


def _coalesce(at: _Working, *arguments: _Node) -> Any:
    return next((found for each in arguments if (found := at.of(each)) is not None), None)


_FORMS: dict[str, Callable[..., Any]] = {
    "parameters": _parameter,
    "variables": _variable,
    "reference": _reference,
    "resourceid": _resource_id,
    "subscriptionresourceid": _subscription_resource_id,
    "resourcegroup": _resource_group,
    "subscription": _subscription,
    "copyindex": _copy_index,
    "lambda": _lambda,
    "lambdavariables": _lambda_variable,
    "equals": _equals,
    "if": _if,
    "and": _and,
    "or": _or,
    "coalesce": _coalesce,
}
"""Functions that need to know where they stand, or not all that they are given."""


def _member(found: Any, key: Any) -> Any:
    """A property, in any case, or an element."""
    if isinstance(found, Mapping) and isinstance(key, str) and key not in found:
        key = next((each for each in found if each.lower() == key.lower()), key)
    if isinstance(key, int) and key < 0:  # Azure counts from no end
        raise ParseError(f"{key} depends on the deployment")
    try:
        return found[key]
    except (KeyError, IndexError, TypeError):
        raise ParseError(f"{key!r} depends on the deployment") from None


@lru_cache(maxsize=1 << 12)
def _read(text: str) -> _Node:
    """An expression with its brackets. Raises ParseError."""
    tokens = _tokens(text[1:-1])
    node = _expression(tokens)
    if tokens:
        raise ParseError(f"expression {text!r} is not understood here")
    return node


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ParseError(f"expression {text!r} is not understood here")
        quoted, name, number, mark = match.groups()
        found.append(f"'{quoted}'" if quoted is not None else name or number or mark)
        position = match.end()
    return found[::-1]  # the next one is the last: what is taken from an end is taken at once


def _expression(tokens: list[str]) -> _Node:
    token = tokens.pop() if tokens else ""
    if token.startswith("'"):
        return _Value(token[1:-1].replace("''", "'"))
    if token.lstrip("-").isdigit():
        return _Value(int(token))
    if not tokens or tokens[-1] != "(":
        raise ParseError(f"expression {token!r} is not understood here")
    tokens.pop()
    arguments: list[_Node] = []
    while tokens and tokens[-1] != ")":
        arguments.append(_expression(tokens))
        if tokens and tokens[-1] == ",":
            tokens.pop()
    if not tokens:
        raise ParseError(f"expression {token}(… does not end")
    tokens.pop()
    return _members(_Call(token.lower(), tuple(arguments)), tokens)


def _members(node: _Node, tokens: list[str]) -> _Node:
    """`.name` and `[index]` behind a call."""
    while tokens and tokens[-1] in {".", "["}:
        if tokens.pop() == "[":
            node = _Member(node, _expression(tokens))
            if not tokens or tokens.pop() != "]":
                raise ParseError("an expression has a bracket that does not end")
        elif tokens:
            node = _Member(node, _Value(tokens.pop()))
    return node
