"""A file of Bicep or a folder of Terraform: what it takes, declares, deploys and gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.infra.nodes import NULL, Node


class UnreadableError(ValueError):
    """A file that does not parse."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a module takes.

    Attributes:
        type: string, number, bool, list or object.
        default: None where one has to be given.
        allowed: all values there are, where they are listed.
        least: the smallest number.
        most: the largest number.
    """

    name: str
    type: str
    default: Node | None
    description: str
    allowed: tuple[Any, ...] = ()
    least: int | None = None
    most: int | None = None
    secret: bool = False

    @property
    def words(self) -> str:
        """Its name as Terraform writes it."""
        return snake(self.name)


@dataclass(frozen=True, slots=True)
class Resource:
    """What a module deploys.

    Attributes:
        type: as its language names it.
        body: without its `if` and `for`.
        source: what it is repeated over.
        whole: with its `if` and `for` (Bicep).
    """

    name: str
    type: str
    body: Node
    source: Node | None = None
    whole: Node = NULL


@dataclass(frozen=True, slots=True)
class Call:
    """A module that a module uses; `whole` is what it is given with its `if` and `for` (Bicep)."""

    name: str
    path: Path
    arguments: Mapping[str, Node]
    source: Node | None = None
    whole: Node = NULL


@dataclass(frozen=True, slots=True)
class Output:
    """What a module gives."""

    description: str
    value: Node


@dataclass(slots=True)
class Module:
    """All of it; the names in `values` and of parameters are spelled as references to them are."""

    path: Path
    parameters: dict[str, Parameter] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)
    resources: list[Resource] = field(default_factory=list)
    existing: list[Resource] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    outputs: dict[str, Output] = field(default_factory=dict)


def snake(name: str) -> str:
    """camelCase, and UPPER_CASE, as snake_case: `instanceMemoryMB` is `instance_memory_mb`."""
    if name.isupper():
        return name.lower()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
