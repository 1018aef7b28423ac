"""Route templates of HTTP triggers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(?P<all>\*{0,2})(?P<name>\w+)(?::(?P<constraint>[^?{}=]+))?(?P<optional>\??)\}")
# "Routing in ASP.NET Core", route constraints: those that need no arguments.
_CONSTRAINTS = {
    "alpha": re.compile(r"[A-Za-z]*"),
    "bool": re.compile(r"true|false", re.IGNORECASE),
    "guid": re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"),
    "int": re.compile(r"[+-]?[0-9]{1,10}"),
    "long": re.compile(r"[+-]?[0-9]{1,19}"),
}
_LITERAL, _CONSTRAINED, _FREE, _REST = range(4)


@dataclass(frozen=True, slots=True)
class _Segment:
    rank: int
    text: str  # the literal in lower case, or the parameter's name
    constraint: str | None = None
    optional: bool = False

    def accepts(self, part: str) -> bool:
        if self.rank == _LITERAL:
            return part.lower() == self.text
        return bool(part) and (self.constraint is None or bool(_CONSTRAINTS[self.constraint].fullmatch(part)))


@dataclass(frozen=True, slots=True)
class Route:
    """A template like `items/{id:int}/{name?}` or `files/{*path}`, matched without regard to case."""

    segments: tuple[_Segment, ...]

    @property
    def precedence(self) -> tuple[int, ...]:
        """Smaller is tried first: literals, then constrained parameters, free ones, the rest of the path."""
        return tuple(segment.rank for segment in self.segments)

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters of a path that is still percent-encoded; None when it is another route's."""
        parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
        return _match(self.segments, parts)


def parse_route(template: str) -> Route:
    """Raises ValueError for a segment that mixes text and parameters, a default value or an unknown constraint."""
    trimmed = template.strip("/")
    return Route(tuple(_parse_segment(text) for text in trimmed.split("/")) if trimmed else ())


def _parse_segment(text: str) -> _Segment:
    if "{" not in text and "}" not in text:
        return _Segment(_LITERAL, text.lower())
    match = _PARAMETER.fullmatch(text)
    if match is None or (match["constraint"] and match["constraint"].lower() not in _CONSTRAINTS):
        raise ValueError(f'route segment "{text}" is not emulated; constraints are {", ".join(_CONSTRAINTS)}')
    if match["all"]:
        return _Segment(_REST, match["name"], optional=True)
    constraint = match["constraint"].lower() if match["constraint"] else None
    rank = _CONSTRAINED if constraint else _FREE
    return _Segment(rank, match["name"], constraint, optional=bool(match["optional"]))


def _match(segments: Sequence[_Segment], parts: Sequence[str]) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for index, segment in enumerate(segments):
        if segment.rank == _REST:
            return found | {segment.text: "/".join(parts[index:])}
        if index >= len(parts):
            return found if all(later.optional for later in segments[index:]) else None
        if not segment.accepts(parts[index]):
            return None
        if segment.rank != _LITERAL:
            found[segment.text] = parts[index]
    return found if len(parts) == len(segments) else None
