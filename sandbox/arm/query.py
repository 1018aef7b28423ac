"""The few kinds of Resource Graph query that are asked here, read by pattern.

This is not a KQL engine. A query is a table and steps; a step is one of: ``where`` with conditions joined by ``and``,
``project``, ``extend``, ``mv-expand``, ``order by`` (``sort by``), ``take`` (``limit``) and ``count``. A column may be
an ``iff`` of two others. Anything else is refused with Azure's InvalidQuery, never half understood.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.arm.wire import ArmError, Json

_VALUE = r"(?:(?:tostring|tolower|toupper|toint|tobool)\(\s*[\w.]+\s*\)|[\w.]+)"
_LITERAL = r"(?:'[^']*'|\"[^\"]*\"|\d+|true|false)"
_CONDITION = re.compile(
    rf"({_VALUE})\s*(=~|==|!~|!=|(?:!?(?:contains|has|startswith|endswith))\b)\s*({_LITERAL})", re.IGNORECASE
)
_MEMBERSHIP = re.compile(rf"({_VALUE})\s+(!?in~?)\s*\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\)", re.IGNORECASE)
_PRESENCE = re.compile(rf"(isnotempty|isempty|isnotnull|isnull)\(\s*({_VALUE})\s*\)", re.IGNORECASE)
_COLUMN = re.compile(rf"(?:(\w+)\s*=\s*)?({_VALUE})")
_CHOICE = re.compile(r"(\w+)\s*=\s*iff\((.*)\)", re.IGNORECASE)
_EXPAND = re.compile(rf"(?:(\w+)\s*=\s*)?({_VALUE})(?:\s+limit\s+(\d+))?", re.IGNORECASE)
_ORDER = re.compile(r"(\w+)(?:\s+(asc|desc))?(?:\s+nulls\s+(?:first|last))?", re.IGNORECASE)

type Rows = list[Json]
type Test = Callable[[Json], bool]


def invalid(message: str) -> ArmError:
    """400 as Resource Graph answers a query that it cannot read."""
    why = "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and fix the error."
    details = [{"code": "InvalidQuery", "message": why}, {"code": "ParserFailure", "message": message}]
    return ArmError(400, "BadRequest", "Please provide below info when asking for support: correlationId.", details)


def run(query: str, tables: dict[str, Rows]) -> Rows:
    """The rows that a query selects from tables given by lower-case name."""
    first, *steps = (part.strip() for part in _split(query, "|"))
    if first.lower() not in tables:
        raise invalid(f"Table {first!r} is not known.")
    rows = tables[first.lower()]
    for step in steps:
        verb, _, rest = re.sub(r"\s+", " ", step).partition(" ")
        name = "order" if verb.lower() == "sort" else "take" if verb.lower() == "limit" else verb.lower()
        if name not in _STEPS:
            raise invalid(f"Operator {verb!r} is not understood.")
        rows = _STEPS[name](rows, rest.strip())
    return rows


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark outside quotes and brackets."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character == "(") - (character == ")")
            if character == mark and depth == 0:
                parts.append("")
                continue
        parts[-1] += character
    return parts


def _reader(text: str) -> Callable[[Json], Any]:
    """A column, a path into it, or one of those in a conversion."""
    function, _, inside = text.rpartition("(")
    path = inside.rstrip(") ").strip().split(".")

    def read(row: Json) -> Any:
        value: Any = row
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return _CONVERSIONS[function.strip().lower()](value)

    return read


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "": lambda value: value,
    "tostring": _text,
    "tolower": lambda value: _text(value).lower(),
    "toupper": lambda value: _text(value).upper(),
    "toint": lambda value: int(value) if _text(value).lstrip("-").isdigit() else None,
    "tobool": lambda value: _text(value).lower() == "true",
}

# By operator, on texts. Those with a tilde and the word operators ignore case, as in Kusto.
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "==": lambda a, b: a == b,
    "=~": lambda a, b: a.lower() == b.lower(),
    "contains": lambda a, b: b.lower() in a.lower(),
    "has": lambda a, b: re.search(rf"(?<!\w){re.escape(b)}(?!\w)", a, re.IGNORECASE) is not None,
    "startswith": lambda a, b: a.lower().startswith(b.lower()),
    "endswith": lambda a, b: a.lower().endswith(b.lower()),
}


def _condition(text: str) -> Test:
    if found := _CONDITION.fullmatch(text):
        read, operator, wanted = _reader(found[1]), found[2].lower(), _literal(found[3])
        negated = operator.startswith("!")
        compare = _OPERATORS[{"!~": "=~", "!=": "=="}.get(operator, operator.removeprefix("!"))]
        return lambda row: compare(_text(read(row)), wanted) != negated
    if found := _MEMBERSHIP.fullmatch(text):
        read, operator = _reader(found[1]), found[2].lower()
        compare, values = _OPERATORS["=~" if "~" in operator else "=="], [_literal(v) for v in _split(found[3], ",")]
        negated = operator.startswith("!")
        return lambda row: any(compare(_text(read(row)), value) for value in values) != negated
    if found := _PRESENCE.fullmatch(text):
        read, empty = _reader(found[2]), found[1].lower() in ("isempty", "isnull")
        return lambda row: (read(row) in (None, "")) == empty
    raise invalid(f"Condition {text!r} is not understood.")


def _literal(text: str) -> str:
    return text.strip().strip("'\"")


def _where(rows: Rows, rest: str) -> Rows:
    tests = [_condition(part.strip()) for part in re.split(r"\s+and\s+", rest, flags=re.IGNORECASE)]
    return [row for row in rows if all(test(row) for test in tests)]


def _columns(rest: str) -> Iterable[tuple[str, Callable[[Json], Any]]]:
    for part in _split(rest, ","):
        if found := _CHOICE.fullmatch(part.strip()):
            yield found[1], _choice(found[2])
        elif found := _COLUMN.fullmatch(part.strip()):
            yield found[1] or found[2].replace(".", "_"), _reader(found[2])
        else:
            raise invalid(f"Column {part.strip()!r} is not understood.")


def _choice(inside: str) -> Callable[[Json], Any]:
    """What is in the brackets of ``iff``: a condition, then one column for where it holds and one for where not."""
    parts = [part.strip() for part in _split(inside, ",")]
    if len(parts) != 3 or not all(re.fullmatch(_VALUE, part) for part in parts[1:]):
        raise invalid(f"iff({inside}) is not understood.")
    test, yes, no = _condition(parts[0]), _reader(parts[1]), _reader(parts[2])
    return lambda row: yes(row) if test(row) else no(row)


def _project(rows: Rows, rest: str) -> Rows:
    columns = list(_columns(rest))
    return [{name: read(row) for name, read in columns} for row in rows]


def _extend(rows: Rows, rest: str) -> Rows:
    columns = list(_columns(rest))
    return [row | {name: read(row) for name, read in columns} for row in rows]


def _expand(rows: Rows, rest: str) -> Rows:
    """A row for each element of a list, up to a limit for each row: what is behind it is left out without a word.

    Source: "Understand the Azure Resource Graph query language" (128 unless it says more, 2,000 at most). Whether a
    row without elements stays is not something to rely on; here it does, with null.
    """
    found = _EXPAND.fullmatch(rest)
    most = int(found[3] or 128) if found else 0
    if found is None or most > 2000:
        raise invalid(f"mv-expand {rest!r} is not understood.")
    name, read = found[1] or found[2].replace(".", "_"), _reader(found[2])
    expanded = []
    for row in rows:
        listed = read(row)
        elements = listed[:most] if isinstance(listed, list) and listed else [None if listed == [] else listed]
        expanded += [row | {name: element} for element in elements]
    return expanded


def _order(rows: Rows, rest: str) -> Rows:
    """Kusto sorts descending unless it is told otherwise."""
    keys = re.sub(r"^by\s+", "", rest, flags=re.IGNORECASE)
    for part in reversed(_split(keys, ",")):
        found = _ORDER.fullmatch(part.strip())
        if found is None:
            raise invalid(f"Order {part.strip()!r} is not understood.")
        name, descending = found[1], (found[2] or "desc").lower() == "desc"
        rows = sorted(rows, key=lambda row, name=name: _text(row.get(name)), reverse=descending)
    return rows


def _take(rows: Rows, rest: str) -> Rows:
    if not rest.isdigit():
        raise invalid(f"{rest!r} is not a number of rows.")
    return rows[: int(rest)]


def _count(rows: Rows, _: str) -> Rows:
    return [{"Count": len(rows)}]


_STEPS = {
    "where": _where,
    "project": _project,
    "extend": _extend,
    "mv-expand": _expand,
    "order": _order,
    "take": _take,
    "count": _count,
}
