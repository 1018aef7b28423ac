"""What Bicep deploys with given parameters, worked out here: `bicep build` makes a template, and tells no values.

What only Azure knows is a text that says where it is from: `<Microsoft.KeyVault/vaults kv-x>.properties.vaultUri`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path
from typing import Any, Self

from tools.infra.module import Call, Module, Resource, UnreadableError
from tools.infra.nodes import Node, text
from tools.infra.read_bicep import pieces, read

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
_ENVIRONMENT = {
    "suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
    "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
}
_read = cache(read)


class FailedError(ValueError):
    """A template says `fail`."""


class Known(str):
    """Something in Azure: its text is its id; what else there is to know of it, Azure tells."""

    __slots__ = ("name",)
    name: str

    def __new__(cls, kind: str, name: str) -> Self:
        """A resource of a type, by its name."""
        made = super().__new__(cls, f"<{kind} {name}>")
        made.name = name
        return made


@dataclass(frozen=True, slots=True)
class Planned:
    """A resource that is deployed."""

    type: str
    name: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a template deploys and gives."""

    resources: tuple[Planned, ...]
    outputs: Mapping[str, Any]

    def of(self, kind: str) -> dict[str, Any]:
        """The bodies of all resources of a type, by name."""
        return {each.name: each.body for each in self.resources if each.type == kind}


def plan(path: Path, **values: Any) -> Plan:
    """What a template deploys with these parameters; raises UnreadableError, and FailedError where it says so."""
    run = _Run(_read(path.resolve()), values)
    return Plan(tuple(run.deployed()), run.outputs())


@dataclass(eq=False)
class _Run:
    """A module with its parameters: names are worked out when they are asked for, and once."""

    module: Module
    given: Mapping[str, Any]
    _known: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        takes, file = self.module.parameters, self.module.path.name
        wanted = {name for name, parameter in takes.items() if parameter.default is None}
        for wrong, names in (("takes no", self.given.keys() - takes.keys()), ("needs", wanted - self.given.keys())):
            if names:
                raise UnreadableError(f"{file}: {wrong} {', '.join(sorted(names))}")

    def deployed(self) -> Iterator[Planned]:
        for resource in self.module.resources:
            for body in self._bodies(resource):
                yield Planned(resource.type, self._named(resource.type, body).name, body)
        for call in self.module.calls:
            for run in self._runs(call):
                yield from run.deployed()

    def outputs(self) -> dict[str, Any]:
        return {name: self.value(output.value, {}) for name, output in self.module.outputs.items()}

    def _bodies(self, of: Resource | Call) -> list[Any]:
        """Those that its `if` and `for` leave and make."""
        made = self.value(of.whole, {})
        return made if isinstance(made, list) else [made] if made is not None else []

    def _runs(self, call: Call) -> list[_Run]:
        return [_Run(_read(call.path), body.get("params", {})) for body in self._bodies(call)]

    @staticmethod
    def _named(kind: str, body: Mapping[str, Any]) -> Known:
        parent = body.get("parent")
        return Known(kind, f"{parent.name}/{body['name']}" if isinstance(parent, Known) else str(body["name"]))

    def _name(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, name: str) -> Any:
        if name in self.module.parameters:
            default = self.module.parameters[name].default
            given = self.given.get(name)
            return self.value(default, {}) if given is None and default else given
        if name in self.module.values:
            return self.value(self.module.values[name], {})
        for resource in (*self.module.resources, *self.module.existing):
            if resource.name == name:
                things = [self._named(resource.type, body) for body in self._bodies(resource)]
                return things if resource.whole.kind == "loop" else next(iter(things), None)
        for call in self.module.calls:
            if call.name == name:
                return next(({"outputs": run.outputs()} for run in self._runs(call)), None)
        raise UnreadableError(f"{self.module.path.name}: nothing is called {name!r}")

    def value(self, node: Node, names: Mapping[str, Any]) -> Any:
        """What an expression comes to; `names` are those of loops and lambdas around it."""
        parts = node.parts
        match node.kind:
            case "value":
                return node.value
            case "text":
                return "".join(_shown(self.value(part, names)) for part in parts)
            case "name":
                return names[node.value] if node.value in names else self._name(node.value)
            case "list":
                return [self.value(part, names) for part in parts]
            case "object":
                return {self.value(text(*pieces(key)), names): self.value(inner, names) for key, inner in node.pairs()}
            case "choice":
                return self.value(parts[0] if self.value(parts[2].parts[0], names) else parts[1], names)
            case "loop":
                return [self.value(parts[1], inner) for inner in self._rounds(node, names)]
            case "get":
                return self._got(node, names)
            case "call":
                return self._called(node, names)
        return self._operated(node, names)

    def _rounds(self, node: Node, names: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The names of each round of a loop: the item, and its index where that has a name."""
        for index, item in enumerate(self.value(node.parts[0], names)):
            yield {**names, **dict(zip(node.value, (item, index), strict=False))}

    def _got(self, node: Node, names: Mapping[str, Any]) -> Any:
        base = self.value(node.parts[0], names)
        key = node.value if node.value is not None else self.value(node.parts[1], names)
        if isinstance(base, Known) and key in {"id", "name"}:
            return base if key == "id" else base.name
        if isinstance(base, str):
            return f"{base}.{key}"
        return base[key] if isinstance(base, list) else base.get(key)

    def _called(self, node: Node, names: Mapping[str, Any]) -> Any:
        name, arguments = node.value, node.parts
        if name == "loadJsonContent":
            path = self.module.path.parent / str(self.value(arguments[0], names))
            return json.loads(path.read_text(encoding="utf-8"))
        return self._made_by(_FUNCTIONS, name)(*(self._argument(each, names) for each in arguments))

    def _argument(self, node: Node, names: Mapping[str, Any]) -> Any:
        if node.value != "lambda_expression":
            return self.value(node, names)
        variable, body = node.parts
        return lambda item: self.value(body, {**names, variable.value: item})

    def _operated(self, node: Node, names: Mapping[str, Any]) -> Any:
        first, *rest = node.parts
        match node.value:
            case "function_accessor":
                return f"{self.value(first, names)}.{rest[0].value}()"
            case "coalesce":
                left = self.value(first, names)
                return self.value(rest[0], names) if left is None else left
            case "and_op":
                return self.value(first, names) and self.value(rest[0], names)
            case "or_op":
                return self.value(first, names) or self.value(rest[0], names)
        return self._made_by(_OPERATORS, node.value)(*(self.value(part, names) for part in node.parts))

    def _made_by(self, known: Mapping[str, Callable[..., Any]], name: str) -> Callable[..., Any]:
        if name not in known:
            raise UnreadableError(f"{self.module.path.name}: add {name!r} to tools/infra/planned.py: what does it do?")
        return known[name]


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _digest(*of: Any) -> str:
    return hashlib.sha256("|".join(map(str, of)).encode()).hexdigest()


def _fail(message: str) -> Any:
    raise FailedError(message)


def _union(*of: Any) -> Any:
    if isinstance(of[0], dict):
        return {key: value for each in of for key, value in each.items()}
    return [*dict.fromkeys(item for each in of for item in each)]


def _scope(kind: str, **more: str) -> dict[str, str]:
    return {"id": f"<{kind}>", **more}


_OPERATORS: dict[str, Callable[..., Any]] = {
    "equals": lambda left, right: left == right,
    "not_equals": lambda left, right: left != right,
    "not_op": lambda value: not value,
    "add": lambda left, right: left + right,
    "greater_than": lambda left, right: left > right,
    "less_than": lambda left, right: left < right,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cidrSubnet": lambda of, length, at: str(next(islice(IPv4Network(of).subnets(new_prefix=length), at, None))),
    "concat": lambda *of: [item for each in of for item in each] if isinstance(of[0], list) else "".join(of),
    "contains": lambda within, what: what in within,
    "deployment": lambda: {"location": "westeurope"},
    "empty": lambda value: not value,
    "environment": lambda: _ENVIRONMENT,
    "fail": _fail,
    "filter": lambda of, wanted: [*filter(wanted, of)],
    "guid": lambda *of: _digest(*of)[:32],
    "items": lambda of: [{"key": key, "value": of[key]} for key in sorted(of)],
    "join": lambda of, between: between.join(map(str, of)),
    "length": len,
    "managementGroup": lambda: _scope("managementGroup", name="mg-contoso"),
    "parseCidr": lambda of: {"cidr": IPv4Network(of).prefixlen},
    "replace": lambda of, old, new: of.replace(old, new),
    "resourceGroup": lambda *name: _scope("resourceGroup", name=name[0] if name else "rg", location="westeurope"),
    "string": lambda value: value if isinstance(value, str) else json.dumps(value),
    "subscription": lambda: _scope("subscription", subscriptionId=SUBSCRIPTION),
    "subscriptionResourceId": lambda kind, name: f"<{kind} {name}>",
    "take": lambda of, many: of[:many],
    "tenant": lambda: {"tenantId": "<tenant>"},
    "toObject": lambda of, key, value: {key(item): value(item) for item in of},
    "union": _union,
    "uniqueString": lambda *of: _digest(*of)[:13],
}
