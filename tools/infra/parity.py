"""Both ways of deployment deploy the same: a message for each difference, which names the way that lacks something."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.infra import twins
from tools.infra.deployment import Scope, Way, bicep, terraform
from tools.infra.module import Parameter, Resource
from tools.infra.nodes import Node, literal

_ACTION = re.compile(r"Microsoft\.\w+(/[\w*]+)+/(read|write|delete|action|\*)")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMED = {
    "queue": ("azurerm_storage_queue", "Microsoft.Storage/storageAccounts/queueServices/queues"),
    "table": ("azurerm_storage_table", "Microsoft.Storage/storageAccounts/tableServices/tables"),
    "container": ("azurerm_storage_container", "Microsoft.Storage/storageAccounts/blobServices/containers"),
    "secret": ("azurerm_key_vault_secret", "Microsoft.KeyVault/vaults/secrets"),
}
_ASSIGNED = ("azurerm_role_assignment", "Microsoft.Authorization/roleAssignments")
_DEFINED = ("azurerm_role_definition", "Microsoft.Authorization/roleDefinitions")


def differences(infra: Path) -> list[str]:
    """Every difference between the two ways in a folder; raises UnreadableError."""
    one, other = bicep(infra), terraform(infra)
    return [
        *resource_types(one, other),
        *app_settings(one, other),
        *parameters(one, other),
        *lacking("output", one.outputs, other.outputs, twins.OUTPUTS),
        *names(one, other),
        *lacking("assignment of the role", built_in(one), built_in(other)),
        *lacking("role action", actions(one), actions(other)),
        *lacking("use of", files(one), files(other)),
        *alert_fields(infra, one, other),
        *properties(one, other),
        *watching(infra),
    ]


def watching(infra: Path) -> Iterator[str]:
    """What watches a further subscription takes the same parameters in both ways."""
    here, there = bicep(infra, "watch.bicep").parameters, terraform(infra, "modules/watch").parameters
    yield from lacking("parameter of watch", here, there, twins.WATCH)
    for name in sorted(here.keys() & there.keys()):
        yield from _alike(
            f"parameter of watch {name}", here[name], there[name], other_default=name in twins.WATCH_DEFAULTS
        )


def lacking(what: str, one: Collection[str], other: Collection[str], allowed: Mapping[str, str] = {}) -> Iterator[str]:
    """A message for each that one way has and the other lacks, and for each exception that is none any more."""
    for name in sorted({*one} ^ {*other}):
        if name not in allowed:
            yield f"{what} {name}: {'Terraform' if name in one else 'Bicep'} lacks it"
    for name in sorted(allowed):
        if name not in {*one} ^ {*other}:
            yield f"{what} {name}: is no difference any more: take it out of tools/infra/twins.py"


def resource_types(one: Way, other: Way) -> Iterator[str]:
    """The same types of resources, as Azure names them."""
    arm = {resource.type for resource, _ in one.resources()}
    azurerm = {resource.type for resource, _ in other.resources()}
    unknown = azurerm - twins.TYPES.keys() - twins.TERRAFORM_ONLY.keys()
    yield from (
        f"resource type {name}: tools/infra/twins.py does not know what it is in Bicep" for name in sorted(unknown)
    )
    yield from lacking(
        "resource type", arm, {twins.TYPES[name] for name in azurerm & twins.TYPES.keys()}, twins.BICEP_ONLY
    )
    yield from (
        f"resource type {name}: Terraform has it no more" for name in sorted(twins.TERRAFORM_ONLY.keys() - azurerm)
    )


def app_settings(one: Way, other: Way) -> Iterator[str]:
    """The same app settings, made of the same parameters."""
    here, there = one.settings(), other.settings()
    yield from lacking("app setting", here, there)
    for name in sorted(here.keys() & there.keys()):
        if name.startswith("VMREACH_"):
            yield from _unequal(f"app setting {name}", "is made of", sorted(here[name]), sorted(there[name]))


def parameters(one: Way, other: Way) -> Iterator[str]:
    """The same parameters, with the same types, defaults, values and bounds."""
    here, there = one.parameters, other.parameters
    yield from lacking("parameter", here, there, twins.PARAMETERS)
    for name in sorted(here.keys() & there.keys()):
        yield from _alike(f"parameter {name}", here[name], there[name], other_default=name in twins.DEFAULTS)


def _alike(what: str, mine: Parameter, its: Parameter, *, other_default: bool) -> Iterator[str]:
    yield from _unequal(what, "is of type", mine.type, its.type)
    if not other_default:
        yield from _unequal(what, "has the default", default(mine), default(its))
    elif default(mine) == default(its):
        yield f"{what}: its defaults differ no more: take it out of tools/infra/twins.py"
    yield from _unequal(what, "allows", sorted(mine.allowed, key=str), sorted(its.allowed, key=str))
    yield from _unequal(what, "goes from", mine.least, its.least)
    yield from _unequal(what, "goes up to", mine.most, its.most)
    yield from _unequal(what, "is secret", mine.secret, its.secret)


def default(parameter: Parameter) -> Any:
    """A default. What one way computes of other parameters is null in the other, which computes it elsewhere."""
    if parameter.default is None:
        return "none: it has to be given"
    known, value = literal(parameter.default)
    return None if not known or value == "" else value


def names(one: Way, other: Way) -> Iterator[str]:
    """The same queues, tables, containers and secrets."""
    for what in _NAMED:
        yield from lacking(what, named(one, what), named(other, what))


def named(way: Way, what: str) -> set[str]:
    """The names of all queues, tables, containers or secrets; `<name>` for what a parameter names."""
    all_names = (_name(resource, scope) for resource, scope in way.resources() if resource.type in _NAMED[what])
    return {name for found in all_names for name in found if name}


def _name(resource: Resource, scope: Scope) -> set[str]:
    """Names of a resource: its own, or what it is repeated over where it is named after that."""
    own = resource.body.get("name")
    return (scope.texts(own) if own else set()) or (scope.texts(resource.source) if resource.source else set())


def built_in(way: Way) -> set[str]:
    """Roles that Azure brings and this assigns to somebody."""
    texts: set[str] = set()
    for resource, scope in way.resources():
        if resource.type in _ASSIGNED:
            source = scope.texts(resource.source) if resource.source else set()
            texts |= scope.texts(resource.body) | source
    ids = {found for found in texts if _ID.fullmatch(found)}
    return {twins.ROLES.get(found, found) for found in ids} | (texts & {*twins.ROLES.values()})


def actions(way: Way) -> set[str]:
    """Actions of the custom roles: those of the shared file, and any beside them."""
    found = {f"all of {name}" for name in files(way) if name == "roles.json" and _got(way, "actions")}
    for resource, scope in way.resources():
        if resource.type in _DEFINED:
            found |= {each for each in scope.texts(resource.body) if _ACTION.fullmatch(each)}
    return found


def files(way: Way) -> set[str]:
    """The shared files that a way reads, and that are there."""
    calls = ((scope, node) for scope in way.scopes for each in scope.expressions() for node in each.walk())
    found = (scope.file(node) for scope, node in calls)
    return {path.name for path in found if path and path.parent.name == "shared"}


def _got(way: Way, field: str) -> bool:
    nodes = (node for scope in way.scopes for each in scope.expressions() for node in each.walk())
    return any(node.kind == "get" and node.value == field for node in nodes)


def alert_fields(infra: Path, one: Way, other: Way) -> Iterator[str]:
    """Both read every field of the alert rules: one that is read by one way only makes other rules there."""
    sections = json.loads((infra / "shared" / "alerts.json").read_text(encoding="utf-8"))
    rules = [rule for section in sections.values() for rule in section.values()]
    named_one_by_one = {*sections, *sections["metric"]}
    for field in sorted(named_one_by_one | {key for rule in rules for key in _keys(rule)}):
        for way in (one, other):
            if not _got(way, field):
                yield f"alerts.json: {way.name} does not read {field!r}"


def _keys(value: Any) -> Iterator[str]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield key
        yield from _keys(inner)


def properties(one: Way, other: Way) -> Iterator[str]:
    """What is worth keeping equal of single resources: who may reach them, with what, and for how long."""
    for kind, pairs in twins.PROPERTIES.items():
        for argument, place in pairs.items():
            arm, path = twins.TYPES[kind], place.removeprefix(twins.NOT)
            here, there = _facts(one, arm, path), _facts(other, kind, argument)
            there = {_NEGATED.get(fact, fact) for fact in there} if path != place else there
            yield from _unequal(f"{arm} {path}", "is", sorted(here), sorted(there))
            if not here | there:
                yield f"{arm} {path}: neither way says what it is"


_NEGATED = {"true": "false", "false": "true"}


def _facts(way: Way, kind: str, path: str) -> set[str]:
    found: set[str] = set()
    for resource, scope in way.resources():
        if resource.type == kind:
            found |= {fact for node in _at(resource.body, path) for fact in _fact(scope, node)}
    return found


def _at(node: Node, path: str) -> Iterator[Node]:
    """What stands at a path, in every object of a list; Terraform's dynamic blocks have it in their `content`."""
    key, _, rest = path.partition(".")
    for name, value in node.pairs():
        if name == key:
            yield from _at(value, rest) if rest else (value,)
        elif name == "content":
            yield from _at(value, path)
    if node.kind in {"list", "loop", "choice", "call"}:
        for part in node.parts:
            yield from _at(part, path)


def _fact(scope: Scope, node: Node) -> set[str]:
    """A literal, or what an expression is made of; `.field` for one of something that is read, such as a rule."""
    known, value = literal(node)
    if known:
        return {
            each if isinstance(each, str) else json.dumps(each)
            for each in (value if isinstance(value, list) else [value])
        }
    field = {f".{node.value}"} if node.kind == "get" and node.value else set()
    return scope.texts(node) or {f"<{name}>" for name in scope.parameters(node)} or field


def _unequal(what: str, verb: str, here: Any, there: Any) -> Iterator[str]:
    if here != there:
        yield f"{what} {verb} {_said(here)} in Bicep and {_said(there)} in Terraform"


def _said(value: Any) -> str:
    return "nothing" if value in (None, [], ()) else json.dumps(value)
