"""Expressions of Bicep and of Terraform in one form, as far as comparing the two needs it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """An expression.

    Attributes:
        kind: `text` (parts are its pieces), `value` (number, true, false, null), `name` (something declared), `get`
            (an attribute of something), `call`, `object` (parts are pairs), `pair` (one part), `list`, `choice`
            (then, else, test), `test` (what is true or false), `loop` (source, body) and `other`.
        value: a text's piece, a value, a name, an attribute, a function, a key, or the variables of a loop.
    """

    kind: str
    value: Any = None
    parts: tuple[Node, ...] = ()

    def walk(self) -> Iterator[Node]:
        """This expression and all within it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def replaced(self, name: str, by: Node) -> Node:
        """This expression with another in place of a name."""
        if self == Node("name", name):
            return by
        return Node(self.kind, self.value, tuple(part.replaced(name, by) for part in self.parts))

    def get(self, key: str) -> Node | None:
        """The value of an object's key."""
        return next((pair.parts[0] for pair in self.parts if pair.kind == "pair" and pair.value == key), None)

    def pairs(self) -> Iterator[tuple[str, Node]]:
        """An object's keys and values."""
        yield from ((pair.value, pair.parts[0]) for pair in self.parts if pair.kind == "pair")

    @property
    def plain(self) -> str | None:
        """A text without anything filled in."""
        if self.kind == "text" and all(part.kind == "value" for part in self.parts):
            return "".join(part.value for part in self.parts)
        return None


NULL = Node("value", None)


def text(*pieces: str | Node) -> Node:
    """A text of pieces."""
    return Node("text", None, tuple(Node("value", piece) if isinstance(piece, str) else piece for piece in pieces))


def chosen(condition: Node, then: Node, otherwise: Node) -> Node:
    """A choice by a condition."""
    return Node("choice", None, (then, otherwise, Node("test", "if", (condition,))))


def literal(node: Node | None) -> tuple[bool, Any]:
    """Whether an expression is a literal, and which."""
    if node is None:
        return False, None
    match node.kind:
        case "text":
            return node.plain is not None, node.plain
        case "value":
            return True, node.value
        case "list":
            items = [literal(part) for part in node.parts]
            return all(known for known, _ in items), [value for _, value in items]
        case "object":
            fields = {key: literal(value) for key, value in node.pairs()}
            return all(known for known, _ in fields.values()), {key: value for key, (_, value) in fields.items()}
    return False, None
