"""A whole way of deployment: its root module and every module below, and what expressions in them come to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tools.infra import read_bicep, read_terraform
from tools.infra.module import Module, Parameter, Resource, UnreadableError, snake
from tools.infra.nodes import Node, text

SETTING = re.compile(r"(VMREACH|AZURE|APPLICATIONINSIGHTS|FUNCTIONS|WEBSITE|SCM)_[A-Z_]+|AzureWebJobs\w+")
_DEEP = 40
_GIVEN_BY_LOOPS = {"each", "count", "self", "path", "data", "module"}


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A module where it is used: its parameters stand for what the user of it gives."""

    module: Module
    outer: Scope | None = None
    arguments: Mapping[str, Node] = field(default_factory=dict)

    def meaning(self, name: str) -> tuple[Node, Scope] | Parameter | None:
        """What a name stands for: an expression somewhere, a parameter of the root, or nothing of these."""
        if name in self.module.values:
            return self.module.values[name], self
        parameter = self.module.parameters.get(name)
        if parameter is None or self.outer is None:
            return parameter
        if name in self.arguments:
            return self.arguments[name], self.outer
        return (parameter.default, self) if parameter.default else None

    def texts(self, node: Node, depth: int = _DEEP) -> set[str]:
        """The texts that an expression may come to, or be made of; `<name>` for a parameter, `*` for what is open."""
        match node.kind:
            case "text":
                return {"".join(part.value if part.kind == "value" else self._one(part, depth) for part in node.parts)}
            case "name":
                return self._named(node, depth)
            case "get":
                return self._got(node, depth)
            case "loop" if len(node.value) == 1:
                return self._looped(node, depth)
            case "call" if file := self.file(node):
                return {f"<{file.name}>"}
        if node.kind in {"test", "value"} or (node.kind == "call" and node.value == "fail"):
            return set()
        keys = {key for key, _ in node.pairs()}
        return keys | {each for part in node.parts for each in self.texts(part, depth)}

    def _named(self, node: Node, depth: int) -> set[str]:
        match self.meaning(node.value) if depth else None:
            case Parameter() as parameter:
                return {f"<{parameter.words}>"}
            case (inner, scope):
                return scope.texts(inner, depth - 1)
        return set()

    def _one(self, part: Node, depth: int) -> str:
        """What is filled into a text, where that is one thing."""
        found = self.texts(part, depth)
        return found.pop() if len(found) == 1 else "*"

    def _looped(self, node: Node, depth: int) -> set[str]:
        """A loop's body for everything it is repeated over."""
        source, *bodies = node.parts
        each = [text(found) for found in self.texts(source, depth)]
        filled = [body.replaced(node.value[0], item) for body in bodies for item in each] or bodies
        return {found for body in filled for found in self.texts(body, depth)}

    def _got(self, node: Node, depth: int) -> set[str]:
        """An attribute: of an object that is at hand, else of something that Azure knows.

        Terraform's `azurerm_x.this["key"].name` comes to the key: that is what such resources are named after here.
        """
        base, *_ = node.parts
        if node.value == "name" and base.kind == "get" and len(base.parts) > 1 and base.value is not None:
            return {base.value}
        if base.kind == "name" and depth and base.value not in _GIVEN_BY_LOOPS:
            match self.meaning(base.value):
                case (inner, scope) if inner.kind == "object" and (value := inner.get(str(node.value))):
                    return scope.texts(value, depth - 1)
        return set()

    def parameters(self, node: Node, depth: int = _DEEP) -> set[str]:
        """The parameters of the root that an expression is made of."""
        found: set[str] = set()
        for each in node.walk():
            if each.kind == "name" and depth:
                match self.meaning(each.value):
                    case Parameter() as parameter:
                        found.add(parameter.words)
                    case (inner, scope):
                        found |= scope.parameters(inner, depth - 1)
        return found

    def file(self, node: Node) -> Path | None:
        """The file that `loadJsonContent` or `file` reads."""
        if node.kind != "call" or node.value not in {"loadJsonContent", "file"}:
            return None
        (name, *_) = self.texts(node.parts[0]) or {""}
        folder = self.module.path if self.module.path.is_dir() else self.module.path.parent
        return (folder / name.replace("*", "").lstrip("/")).resolve()

    def expressions(self) -> Iterator[Node]:
        """All expressions of the module."""
        yield from self.module.values.values()
        for resource in self.module.resources:
            yield resource.body
            yield from [resource.source] if resource.source else []
        for call in self.module.calls:
            yield from call.arguments.values()
            yield from [call.source] if call.source else []


@dataclass(frozen=True, slots=True)
class Way:
    """One of the two ways of deployment, with every use of a module."""

    name: str
    scopes: tuple[Scope, ...]

    @property
    def root(self) -> Module:
        """What is deployed."""
        return self.scopes[0].module

    @property
    def parameters(self) -> dict[str, Parameter]:
        """What the root takes, by the words that both ways use."""
        return {each.words: each for each in self.root.parameters.values()}

    @property
    def outputs(self) -> set[str]:
        """What the root gives, by the same words."""
        return {*map(snake, self.root.outputs)}

    def resources(self) -> Iterator[tuple[Resource, Scope]]:
        """All that is deployed."""
        for scope in self.scopes:
            yield from ((resource, scope) for resource in scope.module.resources)

    def settings(self) -> dict[str, set[str]]:
        """App settings, each with the parameters it is made of."""
        found: dict[str, set[str]] = {}
        for scope in self.scopes:
            for node in (inner for expression in scope.expressions() for inner in expression.walk()):
                if node.kind == "pair" and SETTING.fullmatch(node.value):
                    found.setdefault(node.value, set()).update(scope.parameters(node.parts[0]))
        return found

    def texts(self) -> set[str]:
        """Every text in it."""
        expressions = (each for scope in self.scopes for each in scope.expressions())
        return {inner.plain for each in expressions for inner in each.walk() if inner.plain is not None}


def bicep(infra: Path, name: str = "main.bicep") -> Way:
    """The Bicep way; raises UnreadableError."""
    return Way("Bicep", _scopes(infra / "bicep" / name, read_bicep.read))


def terraform(infra: Path, name: str = "") -> Way:
    """The Terraform way; raises UnreadableError."""
    return Way("Terraform", _scopes(infra / "terraform" / name, read_terraform.read))


def _scopes(root: Path, read: Callable[[Path], Module]) -> tuple[Scope, ...]:
    once = cache(read)

    def below(scope: Scope) -> Iterator[Scope]:
        yield scope
        for call in scope.module.calls:
            if not call.path.exists():
                raise UnreadableError(f"{scope.module.path}: {call.name}: there is no {call.path.name}")
            yield from below(Scope(once(call.path), scope, call.arguments))

    return tuple(below(Scope(once(root.resolve()))))
