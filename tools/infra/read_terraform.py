"""Reads a folder of Terraform, with the grammar of python-hcl2."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

from tools.infra.module import Call, Module, Output, Parameter, Resource, UnreadableError
from tools.infra.nodes import NULL, Node, chosen, literal, text

type Leaf = Tree[Token] | Token
type Trees = list[Tree[Token]]
type Block = tuple[list[str], Tree[Token]]

_TYPES = {"tuple": "list", "set": "list", "map": "object"}
_NOISE = {"new_line_or_comment", "for_cond"}
_TESTS = {"==", "!=", "<", ">", "<=", ">=", "&&", "||", "!"}


def read(folder: Path) -> Module:
    """Read all files of a folder; raises UnreadableError."""
    module = Module(folder)
    for path in sorted(folder.glob("*.tf")):
        try:
            tree = hcl2.parses_to_tree(path.read_text(encoding="utf-8"))
        except LarkError as error:
            raise UnreadableError(f"{path.name}: does not parse: {str(error).splitlines()[0]}") from None
        for labels, body in _blocks(_tree(tree.children[0])):
            _declare(module, labels, body)
    return module


def _declare(module: Module, labels: list[str], body: Tree[Token]) -> None:
    match labels:
        case ["variable", name]:
            module.parameters[f"var.{name}"] = _parameter(name, body)
        case ["locals"]:
            module.values |= {f"local.{name}": value for name, value in _attributes(body)}
        case ["output", name]:
            fields = _object(body)
            said = fields.get("description")
            module.outputs[name] = Output((said and said.plain) or "", fields.get("value") or NULL)
        case ["resource", kind, name]:
            fields = _object(body)
            module.resources.append(Resource(name, kind, fields, fields.get("for_each") or fields.get("count")))
        case ["module", name]:
            fields = _object(body)
            source = fields.get("source")
            target = module.path / ((source and source.plain) or "")
            arguments = {f"var.{key}": value for key, value in fields.pairs()}
            module.calls.append(Call(name, target.resolve(), arguments, fields.get("for_each") or fields.get("count")))


def _parameter(name: str, body: Tree[Token]) -> Parameter:
    fields = dict(_attributes(body))
    kind = fields.get("type", Node("name", "any"))
    conditions = [dict(_attributes(inner))["condition"] for labels, inner in _blocks(body) if labels == ["validation"]]
    least, most = _bounds(conditions, f"var.{name}")
    return Parameter(
        name,
        _TYPES.get(str(kind.value), "list" if kind.value == "list" else str(kind.value)),
        fields.get("default"),
        fields.get("description", text("")).plain or "",
        tuple(_allowed(conditions, f"var.{name}")),
        least,
        most,
        literal(fields.get("sensitive")) == (True, True),
    )


def _allowed(conditions: list[Node], name: str) -> Iterator[Any]:
    """What `contains([…], var.x)` lists."""
    for node in (inner for condition in conditions for inner in condition.walk()):
        if node.kind == "call" and node.value == "contains" and node.parts[1] == Node("name", name):
            yield from literal(node.parts[0])[1]


def _bounds(conditions: list[Node], name: str) -> tuple[int | None, int | None]:
    """What `var.x >= 1 && var.x <= 100` says; `var.x == -1 || …` widens it."""
    found: dict[str, list[int]] = {">=": [], "<=": [], "==": []}
    for node in (inner for condition in conditions for inner in condition.walk()):
        if node.kind == "test" and node.value in found and node.parts[0] == Node("name", name):
            number = literal(node.parts[1])[1]
            found[node.value] += [number] if isinstance(number, int) else []
    least, most = found[">="], found["<="]
    return min(least + found["=="]) if least else None, max(most + found["=="]) if most else None


def _blocks(body: Tree[Token]) -> Iterator[Block]:
    """The blocks of a body: type and labels, and what is inside."""
    for block in body.children:
        if isinstance(block, Tree) and block.data == "block":
            *labels, inside = (each for each in block.children if isinstance(each, Tree) and each.data not in _NOISE)
            yield [_label(each) for each in labels], inside


def _attributes(body: Tree[Token]) -> Iterator[tuple[str, Node]]:
    for each in body.children:
        if isinstance(each, Tree) and each.data == "attribute":
            yield _label(_tree(each.children[0])), expression(each.children[-1])


def _object(body: Tree[Token]) -> Node:
    """A body as an object; blocks of one type are a list."""
    pairs = [Node("pair", name, (value,)) for name, value in _attributes(body)]
    blocks = [Node("pair", labels[-1], (_object(inside),)) for labels, inside in _blocks(body)]
    return Node("object", None, (*pairs, *blocks))


def expression(tree: Leaf) -> Node:
    """An expression."""
    if isinstance(tree, Token):
        return Node("other", str(tree))
    read = _EXPRESSIONS.get(tree.data)
    return read(_parts(tree)) if read else _LEAVES.get(tree.data, _operation)(tree)


def _call(parts: Trees) -> Node:
    name, *arguments = parts
    inner = _parts(arguments[0]) if arguments else []
    return Node("call", _label(name), tuple(map(expression, inner)))


def _loop(parts: Trees) -> Node:
    intro, *bodies = parts
    *names, source = _parts(intro)
    return Node("loop", tuple(map(_label, names)), (expression(source), *map(expression, bodies)))


def _index(parts: Trees) -> Node:
    key = expression(_parts(parts[1])[0])
    return Node("get", key.plain, (expression(parts[0]), key))


def _splat(parts: Trees) -> Node:
    return Node("get", "*", (expression(parts[0]), *map(expression, _parts(parts[1]))))


_EXPRESSIONS: dict[str, Callable[[Trees], Node]] = {
    "expr_term": lambda parts: expression(parts[0]),
    "object_elem_key": lambda parts: expression(parts[0]),
    "string": lambda parts: text(*map(_piece, parts)),
    "tuple": lambda parts: Node("list", None, tuple(map(expression, parts))),
    "object": lambda parts: Node("object", None, tuple(Node("pair", *_element(each)) for each in parts)),
    "function_call": _call,
    "conditional": lambda parts: chosen(*map(expression, parts)),
    "for_tuple_expr": _loop,
    "for_object_expr": _loop,
    "get_attr_expr_term": lambda parts: _got(expression(parts[0]), _label(_parts(parts[1])[0])),
    "index_expr_term": _index,
    "attr_splat_expr_term": _splat,
    "full_splat_expr_term": _splat,
    "get_attr": lambda parts: Node("name", f"*.{_label(parts[0])}"),
}
_LEAVES: dict[str, Callable[[Tree[Token]], Node]] = {
    "identifier": lambda tree: Node("name", str(tree.children[0])),
    "keyword": lambda tree: Node("name", str(tree.children[0])),
    "literal_value": lambda tree: Node("value", {"true": True, "false": False}.get(str(tree.children[0]))),
    "int_lit": lambda tree: Node("value", int(str(tree.children[0]))),
    "float_lit": lambda tree: Node("value", float(str(tree.children[0]))),
    "template_string": lambda tree: text(str(tree.children[0])),
    "heredoc_template": lambda tree: text(str(tree.children[0])),
    "heredoc_template_trim": lambda tree: text(str(tree.children[0])),
}


def _operation(tree: Tree[Token]) -> Node:
    flat = list(_flat(tree))
    signs = [str(_sign(each)) for each in flat if _sign(each)]
    operands = tuple(expression(each) for each in flat if not _sign(each) and isinstance(each, Tree))
    sign = signs[0] if signs else ""
    if sign == "-" and len(operands) == 1 and operands[0].kind == "value":
        return Node("value", -operands[0].value)
    return Node("test" if sign in _TESTS else "other", sign, operands)


def _flat(tree: Tree[Token]) -> Iterator[Leaf]:
    """The operator and the operands of a `binary_op`, which has the right one in a `binary_term`."""
    for each in tree.children:
        if isinstance(each, Tree) and each.data == "binary_term":
            yield from _flat(each)
        elif not isinstance(each, Tree) or each.data not in _NOISE:
            yield each


def _sign(item: Leaf) -> str:
    if isinstance(item, Token):
        return str(item).strip()
    return str(item.children[0]).strip() if item.data == "binary_operator" else ""


def _got(base: Node, attribute: str) -> Node:
    """`var.x` and `local.x` are names; else an attribute of something."""
    if base.kind == "name" and base.value in {"var", "local"}:
        return Node("name", f"{base.value}.{attribute}")
    return Node("get", attribute, (base,))


def _element(tree: Leaf) -> tuple[str, tuple[Node]]:
    key, value = _parts(_tree(tree))
    name = expression(key)
    return str(name.plain or name.value), (expression(value),)


def _piece(tree: Leaf) -> str | Node:
    inner = _tree(tree).children[0]
    if isinstance(inner, Tree) and inner.data == "interpolation":
        return expression(_parts(inner)[0])
    return re.sub(r'\\(["\\])', r"\1", str(inner)).replace("$${", "${")


def _parts(tree: Tree[Token]) -> Trees:
    """What a rule is made of, without its punctuation, line ends and comments."""
    return [each for each in tree.children if isinstance(each, Tree) and each.data not in _NOISE]


def _label(tree: Tree[Token]) -> str:
    return "".join(str(each) for each in tree.scan_values(lambda _: True)).strip('"')


def _tree(item: Leaf) -> Tree[Token]:
    assert isinstance(item, Tree), item
    return item
