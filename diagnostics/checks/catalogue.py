"""The catalogue: every check with its id, title and severity, found in the modules of this package."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from diagnostics.checks.found import Said
from diagnostics.checks.view import View
from diagnostics.findings import Severity

type Finder = Callable[[View], Iterable[Said]]

_ID = re.compile(r"[A-Z]{2,3}\d{3}")
_declared: dict[str, Check] = {}


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        id: stable: the letters of its family, and three digits.
        title: what is wrong, in general: `Network interface in provisioning state Failed`.
        severity: of a finding of it, where nothing around makes it worse or better.
        advice: what it means and why it matters.
        find: yields what is wrong with which resource, and of which resources it cannot tell.
    """

    id: str
    title: str
    severity: Severity
    advice: str
    find: Finder

    @property
    def why(self) -> str:
        """The first sentence or two of the advice: its first paragraph, on one line."""
        return " ".join(self.advice.partition("\n\n")[0].split())


def check(name: str, title: str, severity: Severity, advice: str = "") -> Callable[[Finder], Finder]:
    """Declare a check: the decorated function takes a `View` and yields `Found` and `Unclear`.

    What it means and why it matters is the function's docstring, or `advice` where one function is several checks.
    docs/checks.md has a section of that name.
    """
    assert _ID.fullmatch(name), f"{name!r} is no id of a check"

    def declare(find: Finder) -> Finder:
        text = advice or inspect.getdoc(find)
        assert text, f"{name} says nothing"
        assert name not in _declared, f"two checks are called {name}"
        _declared[name] = Check(name, title, severity, text, find)
        return find

    return declare


def catalogue() -> Sequence[Check]:
    """Every check, by id: importing the modules of this package declares them."""
    package = importlib.import_module("diagnostics.checks")
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(each.name)
    return tuple(_declared[name] for name in sorted(_declared))
