"""What an owner decided about checks: other severities, and findings to leave out, for a reason and until a day.

A file says both; a tag on a resource leaves out findings about it. A suppression without a reason or a day is an error,
and one whose day has passed leaves nothing out any more: the finding comes back, and says so.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any, Self

from diagnostics.errors import ParseError
from diagnostics.findings import Severity
from diagnostics.network.facts import Facts
from diagnostics.network.ids import ResourceId

TAG = "vmreach-suppress-"
"""A tag `vmreach-suppress-INT002` with the value `2027-01-31 reason` on a resource, or on what it lies in."""

OFF = "off"
_CHECK = re.compile(r"[A-Z]{2,3}\d{3}")
_KEYS = {"check", "resource", "reason", "until"}
_TAG_VALUE = re.compile(r"\s*(\d{4}-\d{2}-\d{2})[\s:,;]+(\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Suppression:
    """Findings that are left out.

    Attributes:
        resource: a resource's name or id, in any case, with `*` for anything; a finding about it or what lies in it.
        until: the last day on which they are left out.
    """

    check: str
    resource: str
    reason: str
    until: date

    def covers(self, check: str, resource: ResourceId) -> bool:
        """Whether a finding of a check about a resource is meant, whatever the day."""
        if not _fits(check, self.check):
            return False
        wanted = self.resource.rstrip("/").lower()
        if not wanted.startswith("/"):
            return any(_fits(name.lower(), wanted) for name in (resource.name, *resource.names))
        return _fits(resource.key, wanted) or _fits(resource.key, f"{wanted}/*")


@dataclass(frozen=True, slots=True)
class Policy:
    """What an owner decided.

    Attributes:
        severities: by check; in place of what the check itself says.
        off: checks that are not run.
    """

    severities: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    off: frozenset[str] = frozenset()
    suppressions: tuple[Suppression, ...] = ()

    @classmethod
    def read(cls, text: str, where: str, known: Sequence[str]) -> Self:
        """Read a TOML file; raises ParseError that names file, key and value.

        Args:
            text: what is in it.
            where: its name.
            known: the ids of all checks.
        """
        try:
            whole = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ParseError(f"{where}: is not TOML: {error}") from None
        for key in whole.keys() - {"severity", "suppress"}:
            raise ParseError(f"{where}: {key}: is neither [severity] nor [[suppress]]")
        levels = dict(_severities(whole.get("severity", {}), where, known))
        listed = whole.get("suppress", [])
        if not isinstance(listed, list):
            raise ParseError(f"{where}: suppress: write [[suppress]], once for each")
        suppressions = tuple(_suppression(row, f"{where}: suppress[{n}]", known) for n, row in enumerate(listed))
        off = frozenset(name for name, level in levels.items() if level is None)
        return cls({name: level for name, level in levels.items() if level}, off, suppressions)

    def about(self, check: str, resource: ResourceId, facts: Facts) -> Iterator[Suppression]:
        """The suppressions of the file and of tags that mean a finding, whatever their day."""
        yield from (each for each in self.suppressions if each.covers(check, resource))
        yield from (found for found in _tagged(check, resource, facts) if isinstance(found, Suppression))


def bad_tags(facts: Facts, known: Collection[str]) -> Iterator[tuple[ResourceId, str]]:
    """The tags that should leave findings out and do not, and what is wrong with each.

    Args:
        facts: have the tags.
        known: the ids of all checks.
    """
    for common in facts.resources.values():
        for name, value in common.tags.items():
            if not name.lower().startswith(TAG):
                continue
            read = _read_tag(name, value, common.id)
            if isinstance(read, str):
                yield common.id, read
            elif read.check not in known:
                yield common.id, f"tag {name}: there is no check {read.check!r}"


def has_tags(resource: ResourceId, facts: Facts) -> bool:
    """Whether a resource, or one that it lies in, has a tag that leaves out findings, or is to do so."""
    here: ResourceId | None = resource
    while here is not None:
        common = facts.resources.get(here)
        if common and any(name.lower().startswith(TAG) for name in common.tags):
            return True
        here = here.parent
    return False


def _tagged(check: str, resource: ResourceId, facts: Facts) -> Iterator[Suppression | str]:
    """From the tags of a resource, and of those that it lies in."""
    here: ResourceId | None = resource
    while here is not None:
        if (common := facts.resources.get(here)) and (value := common.tag(TAG + check)) is not None:
            yield _read_tag(TAG + check, value, here)
        here = here.parent


def _read_tag(name: str, value: str, resource: ResourceId) -> Suppression | str:
    check = name[len(TAG) :].upper()
    said = _TAG_VALUE.fullmatch(value)
    if said is None or not _CHECK.fullmatch(check):
        return f"tag {name}: {value!r} is not a day and a reason, such as '2027-01-31 until the VPN is there'"
    try:
        until = date.fromisoformat(said[1])
    except ValueError:
        return f"tag {name}: {said[1]!r} is no day"
    return Suppression(check, resource.text, said[2].strip(), until)


def _severities(table: Any, where: str, known: Sequence[str]) -> Iterator[tuple[str, Severity | None]]:
    """The severity of each check that the file names; None for one that is off."""
    if not isinstance(table, dict):
        raise ParseError(f"{where}: severity: is not a table")
    for name, level in table.items():
        _require_known(name, f"{where}: severity", known)
        if level != OFF and level not in list(Severity):
            allowed = ", ".join([*Severity, OFF])
            raise ParseError(f"{where}: severity.{name}: {level!r} is none of {allowed}")
        yield name, None if level == OFF else Severity(level)


def _suppression(row: Any, where: str, known: Sequence[str]) -> Suppression:
    if not isinstance(row, dict):
        raise ParseError(f"{where}: {row!r} is not a table")
    for key in row.keys() - _KEYS:
        raise ParseError(f"{where}.{key}: is none of {', '.join(sorted(_KEYS))}")
    texts = {}
    for key in ("check", "resource", "reason"):
        value = row.get(key)
        if not isinstance(value, str) or not value.strip():
            raise ParseError(f"{where}.{key}: {value!r} is no text")
        texts[key] = value.strip()
    if not any(_fits(each, texts["check"]) for each in known):
        _require_known(texts["check"], f"{where}.check", known)
    return Suppression(**texts, until=_until(row.get("until"), f"{where}.until"))


def _until(value: Any, where: str) -> date:
    """A day as TOML writes it, or the same in quotes. A time of a day is a date, too, to Python."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    if type(day) is not date:
        raise ParseError(f"{where}: {value!r} is no day, such as 2027-01-31")
    return day


def _fits(text: str, pattern: str) -> bool:
    return _pattern(pattern).fullmatch(text) is not None


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """With `*` for anything, and nothing else that stands for others: names may have brackets."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def _require_known(name: str, where: str, known: Sequence[str]) -> None:
    if name not in known:
        raise ParseError(f"{where}: there is no check {name!r} (`python -m diagnostics checks` lists them)")
