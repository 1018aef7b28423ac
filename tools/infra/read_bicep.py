"""Reads a file of Bicep, with pycep's grammar.

Its parse tree and not its result, which cannot tell a name from a text. The grammar knows no precedence of operators,
so that is put right here; it keeps no brackets, so `a && (b || c)` is read as `a && b || c`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from lark import Token, Tree
from lark.exceptions import LarkError
from pycep import BicepParser

from tools.infra.module import Call, Module, Output, Parameter, Resource, UnreadableError
from tools.infra.nodes import NULL, Node, chosen, literal, text

type Leaf = Tree[Token] | Token | None

_TYPES = {"int": "number", "array": "list"}
_TESTS = {"equals", "not_equals", "equals_case_insens", "not_equals_case_insens", "and_op", "or_op", "not_op"}
_TESTS |= {"greater_than", "greater_than_or_equals", "less_than", "less_than_or_equals"}
_BINDS = {"coalesce": 1, "or_op": 2, "and_op": 3, "equals": 4, "not_equals": 4, "less_than": 5, "greater_than": 5}
_BINDS |= {"less_than_or_equals": 5, "greater_than_or_equals": 5, "add": 6, "substract": 6, "multiply": 7, "not_op": 8}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


@cache
def _parser() -> BicepParser:
    return BicepParser()


def read(path: Path) -> Module:
    """Read a file; raises UnreadableError."""
    source = path.read_text(encoding="utf-8")
    try:
        tree = _parser().lark_parser.parse(source)
    except LarkError as error:
        raise UnreadableError(f"{path.name}: does not parse: {str(error).splitlines()[0]}") from None
    module = Module(path)
    for element in tree.children:
        if isinstance(element, Tree):
            _declare(module, element, source)
    return module


def _declare(module: Module, element: Tree[Token], source: str) -> None:
    parts = _children(element)
    match element.data:
        case "param":
            name = str(parts[1])
            module.parameters[name] = _parameter(name, parts, source)
        case "var":
            module.values[str(parts[1])] = expression(parts[-1])
        case "output":
            module.outputs[str(parts[1])] = Output(_decorations(parts[0]).get("description", ""), expression(parts[-1]))
        case "resource":
            kind = str(_tree(parts[2]).children[0]).strip("'").partition("@")[0]
            found = module.resources if parts[3] is None else module.existing
            found += _resources(str(parts[1]), kind, parts[4])
        case "module":
            target = module.path.parent / str(_tree(parts[2]).children[0]).strip("'")
            whole = expression(parts[3])
            body, loop = _unwrapped(whole)
            arguments = body.get("params") or Node("object")
            module.calls.append(Call(str(parts[1]), target.resolve(), dict(arguments.pairs()), loop, whole))


def _parameter(name: str, parts: list[Leaf], source: str) -> Parameter:
    said, kind = _decorations(parts[0]), _tree(parts[2])
    base = str(_tree(kind.children[0]).children[0])
    optional = source[kind.meta.end_pos :].lstrip(" ").startswith("?")
    default = expression(parts[3]) if parts[3] is not None else NULL if optional else None
    return Parameter(
        name,
        "list" if len(kind.children) > 1 else _TYPES.get(base, base),
        default,
        said.get("description", ""),
        tuple(said.get("allowed", ())),
        said.get("minValue"),
        said.get("maxValue"),
        "secure" in said,
    )


def _decorations(tree: Leaf) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for decorator in tree.children if isinstance(tree, Tree) else []:
        name, *arguments = _children(_tree(decorator))
        given = [literal(expression(each))[1] for each in arguments if each is not None]
        said[str(name).removeprefix("sys.")] = given[0] if given else True
    return said


def _resources(name: str, kind: str, tree: Leaf) -> Iterator[Resource]:
    """A resource, and those declared inside it."""
    whole = expression(tree)
    body, source = _unwrapped(whole)
    yield Resource(name, kind, body, source, whole)
    for child in _tree(tree).iter_subtrees():
        if child.data == "child_resource" and child in _nearest(_tree(tree)):
            label, part, existing, value = _children(child)
            inner = [*_resources(str(label), f"{kind}/{str(part).strip(chr(39)).partition('@')[0]}", value)]
            yield from inner[1:] if existing is not None else inner


def _nearest(tree: Tree[Token]) -> list[Tree[Token]]:
    """The resources declared directly in one."""
    found: list[Tree[Token]] = []
    for child in tree.children:
        if isinstance(child, Tree):
            found += [child] if child.data == "child_resource" else _nearest(child)
    return found


def _unwrapped(node: Node) -> tuple[Node, Node | None]:
    """A body without its `if` and `for`, and what the `for` repeats it over."""
    source = None
    while node.kind in {"loop", "choice"}:
        source = node.parts[0] if node.kind == "loop" else source
        node = node.parts[1] if node.kind == "loop" else node.parts[0]
    return node, source


def expression(tree: Leaf) -> Node:
    """An expression."""
    if tree is None:
        return NULL
    if isinstance(tree, Token):
        return _token(tree)
    parts: list[Leaf] = [each for each in _children(tree) if each is not None]
    read = _EXPRESSIONS.get(tree.data)
    return read(parts) if read else _operation(tree.data, [expression(each) for each in parts])


def _object(parts: list[Leaf]) -> Node:
    pairs = (expression(each) for each in parts if isinstance(each, Tree) and each.data == "pair")
    return Node("object", None, tuple(pairs))


def _loop(parts: list[Leaf]) -> Node:
    *names, source = _children(_tree(parts[0]))
    return Node("loop", tuple(map(str, names)), (expression(source), expression(parts[-1])))


def _function(parts: list[Leaf]) -> Node:
    name, *arguments = str(parts[0]).rstrip("("), *map(expression, parts[1:])
    match arguments:
        case [source, Node("other", "lambda_expression", (Node("name", variable), body))] if name == "map":
            return Node("loop", (variable,), (source, body))
    return Node("call", name, tuple(arguments))


_EXPRESSIONS: dict[str, Callable[[list[Leaf]], Node]] = {
    "string": lambda parts: expression(parts[0]),
    "operator": lambda parts: expression(parts[0]),
    "int_type": lambda parts: Node("value", int(str(parts[0]))),
    "true": lambda _: Node("value", True),  # noqa: FBT003 - a value is what it is
    "false": lambda _: Node("value", False),  # noqa: FBT003
    "null": lambda _: NULL,
    "multi_line_string": lambda parts: text(str(parts[0])[3:-3].removeprefix("\n")),
    "array": lambda parts: Node("list", None, tuple(map(expression, parts))),
    "object": _object,
    "pair": lambda parts: Node("pair", _key(parts[0]), (expression(parts[-1]),)),
    "function": _function,
    "loop": _loop,
    "deploy_condition": lambda parts: chosen(expression(parts[0]), expression(parts[1]), NULL),
}


def _children(tree: Tree[Token]) -> list[Leaf]:
    """What a rule is made of: optional parts that are not there are None, which lark's types do not say."""
    return [*tree.children]


def _operation(name: str, parts: list[Node]) -> Node:
    match name:
        case "conditional":
            return chosen(*parts)
        case "property_accessor" | "nested_resource_accessor" | "index_accessor" | "function_accessor":
            return _attached(parts[0], parts[1], name)
    if name in _TESTS and parts[-1].kind == "choice":  # `a == b ? c : d` is read as `a == (b ? c : d)`
        then, otherwise, test = parts[-1].parts
        return chosen(_operation(name, [*parts[:-1], *test.parts]), then, otherwise)
    right = parts[-1]
    if right.kind in {"test", "other"} and _BINDS.get(right.value, 9) < _BINDS.get(name, 0):  # as is `a == b && c`
        first, *rest = right.parts
        return Node(right.kind, right.value, (_operation(name, [*parts[:-1], first]), *rest))
    if name == "minus" and parts[0].kind == "value":
        return Node("value", -parts[0].value)
    return Node("test" if name in _TESTS else "other", name, tuple(parts))


def _attached(base: Node, rest: Node, how: str) -> Node:
    """`a.b == c` is read as `a.(b == c)`: what is got from `a` is the leftmost part of the rest."""
    if how == "index_accessor":
        return Node("get", rest.plain, (base, rest))
    if rest.kind == "name":
        return Node("get", rest.value, (base,))
    if rest.kind in {"get", "test", "other"} and rest.parts:
        return Node(rest.kind, rest.value, (_attached(base, rest.parts[0], how), *rest.parts[1:]))
    if rest.kind == "choice":
        then, otherwise, test = rest.parts
        return chosen(_attached(base, test.parts[0], how), then, otherwise)
    return Node("other", how, (base, rest))


def _token(token: Token) -> Node:
    raw = str(token)
    if token.type == "STRING":
        return Node("name", raw)
    if raw.startswith("'"):
        return text(*pieces(raw[1:-1]))
    return Node("other", raw)


def _key(tree: Leaf) -> str:
    raw = str(tree.children[0]) if isinstance(tree, Tree) else str(tree)
    return raw.strip("'")


def pieces(raw: str) -> Iterator[str | Node]:
    """A text's pieces: between `${` and its `}` stands an expression."""
    start, at = 0, 0
    while at < len(raw):
        if raw[at] == "\\":
            at += 2
        elif raw.startswith("${", at):
            end = _end(raw, at + 2)
            yield _plain(raw[start:at])
            yield _inner(raw[at + 2 : end])
            start = at = end + 1
        else:
            at += 1
    yield _plain(raw[start:])


def _end(raw: str, at: int) -> int:
    depth = 1
    while depth:
        depth += {"{": 1, "}": -1}.get(raw[at], 0)
        at += 1
    return at - 1


@cache
def _inner(source: str) -> Node:
    tree = _parser().lark_parser.parse(f"var inner = {source}\n")
    return expression(_tree(tree.children[0]).children[-1])


def _plain(raw: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), raw)


def _tree(item: Leaf) -> Tree[Token]:
    assert isinstance(item, Tree), item
    return item
