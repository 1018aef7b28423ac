"""Rules of NSGs that were meant for a while: by what they are called, how old they are, and how much they open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said
from diagnostics.checks.rules_reading import EVERY_PORT, internet, names_network, ports_of, sensitive, sources, unused
from diagnostics.checks.rules_remedy import remove
from diagnostics.checks.rules_told import own
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, named, rule_cause
from diagnostics.findings import Cause, Confidence, Severity
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import AddressSet

_OLD = timedelta(days=30)
_EDGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[A-Za-z]+")
_SURE = frozenset(
    [
        "temp",
        "tmp",
        "temporary",
        "temporarily",
        "deleteme",
        "removeme",
        "todo",
        "fixme",
        "debug",
        "debugging",
        "quickfix",
    ]
)
_PHRASES = (
    "delete me",
    "remove me",
    "to be removed",
    "to be deleted",
    "remove after",
    "delete after",
    "remove when",
    "please remove",
    "please delete",
)
# Environments are called test, and good descriptions name a ticket: such a word counts only where much is open.
_PERHAPS = frozenset(
    [
        "test",
        "tests",
        "testing",
        "demo",
        "poc",
        "trial",
        "hotfix",
        "workaround",
        "troubleshooting",
        "ticket",
        "incident",
        "until",
    ]
)
_TICKET = re.compile(r"(?<![A-Za-z])INC[-_ ]?\d{5,}", re.IGNORECASE)
_ENDS = re.compile(
    r"(?<![A-Za-z])(?:until|till|expires?|expiry|valid (?:to|thru|through)|(?:remove|delete) (?:by|on|after))"
    r"(?:[^0-9A-Za-z]|on|at|the|date)*(?P<date>\d[\w./-]*(?: [A-Za-z]{3,9}\.? \d{4})?)",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(20\d\d)[-/._]?(\d\d)[-/._]?(\d\d)")
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(20\d\d)")
_IN_WORDS = re.compile(r"(\d{1,2}) ([A-Za-z]{3})[A-Za-z]*\.? (20\d\d)")
# Whatever tells that a rule is for a while has one of these in it, and most names and descriptions have none.
_STEMS = sorted({*_SURE, *_PERHAPS, "remove", "delete", "inc", "till", "expir", "valid"})
_HINT = re.compile("|".join(each for each in _STEMS if not any(other != each and other in each for other in _STEMS)))
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


@dataclass(frozen=True, slots=True)
class _Signs:
    """What tells that a rule was meant for a while.

    Attributes:
        ended: the day until which it was to be there, if that has passed.
        old: whether it is known that nobody wrote it for a month.
    """

    words: tuple[str, ...]
    sure: bool
    ended: date | None = None
    old: bool = False


@check("NSG008", "Left-over temporary rule", Severity.MEDIUM)
def temporary_rules(view: View) -> Iterator[Said]:
    """The rule is called temporary, a test or to be removed, or its day has passed, and it still lets through.

    What was opened to look at a fault and never closed again is how machines come to stand open for years.
    """
    written = _written(view)
    for group in view.groups:
        rules = own(group)
        if not _hints("\n".join(text for rule in rules for text in (rule.name, rule.description))):
            continue
        for rule in rules:
            signs = _signs(rule, written.get(f"{group.id.key}/securityrules/{rule.name.lower()}"), view.now)
            if signs and (signs.sure or (rule.allows and _wide(rule))):
                yield _found(view, group, rule, signs)


def _written(view: View) -> Mapping[str, datetime]:
    """When each rule was written last, as far as the activity log goes back."""
    found: dict[str, datetime] = {}
    for each in view.facts.writes:
        key = each.resource.key
        found[key] = max(each.when, found.get(key, each.when))
    return found


def _signs(rule: SecurityRule, written: datetime | None, now: datetime | None) -> _Signs | None:
    """What tells that it was for a while; None for a rule that does not say so, is young, or has time left."""
    text = f"{rule.name}\n{rule.description}"
    if not _hints(text):
        return None
    until = _until(text)
    if until and now and until >= now.date():
        return None
    ended = until if now else None
    young = bool(written and now and now - written < _OLD)
    if young and not ended:
        return None
    old = bool(written and now and not young)
    sure, perhaps = words_of(text)
    if ended or sure:
        return _Signs(sure, sure=True, ended=ended, old=old)
    return _Signs(perhaps, sure=False, old=old) if perhaps else None


def _hints(text: str) -> bool:
    """Whether a text may say that something is for a while."""
    return not text.isascii() or _HINT.search(text.lower()) is not None


def words_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of a text that say for sure, and those that say perhaps, that something is for a while."""
    words = [word.lower() for word in _WORD.findall(_EDGES.sub(" ", text))]
    said = f" {' '.join(words)} "
    sure = [*(word for word in words if word in _SURE), *(each for each in _PHRASES if f" {each} " in said)]
    perhaps = [*(word for word in words if word in _PERHAPS), *_TICKET.findall(text)]
    return tuple(dict.fromkeys(sure)), tuple(dict.fromkeys(perhaps))


def _until(text: str) -> date | None:
    """The last day that a text says something is for."""
    plain = re.sub(r"[_\s]+|(?<=[A-Za-z])-(?=\w)|(?<=[a-z])(?=\d)", " ", text)
    days = (day for match in _ENDS.finditer(plain) if (day := _day(match["date"])))
    return max(days, default=None)


def _day(text: str) -> date | None:
    try:
        if match := _YEAR_FIRST.match(text):
            return date(*map(int, match.groups()))
        if match := _DAY_FIRST.match(text):
            day, month, year = map(int, match.groups())
            return date(year, month, day)
        if (match := _IN_WORDS.match(text)) and match[2].lower() in _MONTHS:
            return date(int(match[3]), _MONTHS.index(match[2].lower()) + 1, int(match[1]))
    except ValueError:  # the 30th of February
        return None
    return None


def _found(view: View, group: SecurityGroup, rule: SecurityRule, signs: _Signs) -> Found:
    where = "by what it says" if signs.ended else f"by the words {listed(signs.words)}"
    causes = [rule_cause(group.id, rule), fact("name", f"it is temporary {where}", group.id, rule.name)]
    if rule.description:
        causes.append(fact("description", f"its description: {rule.description}", group.id, rule.name))
    if signs.ended:
        causes.append(fact("age", f"it was to be there until {signs.ended}", group.id, rule.name))
    if signs.old:
        causes.append(fact("age", "nobody has written it for more than 30 days", group.id, rule.name))
    severity, opens = _severity(view, group, rule)
    summary = f"Ask who needs rule {rule.name}; delete it, or give it its lasting name, and narrow what it opens."
    return Found(
        group.id,
        f"Rule {named(rule)} of NSG {group.id.name} is a left-over temporary rule",
        (*causes, *opens),
        remove(group, rule, summary),
        (rule.name.lower(),),
        severity,
        Confidence.LIKELY if signs.ended or signs.old else Confidence.POSSIBLE,
    )


def _severity(view: View, group: SecurityGroup, rule: SecurityRule) -> tuple[Severity, tuple[Cause, ...]]:
    """High where it really opens much to the internet, low where it opens little, or nothing."""
    odd = view.odd(group).get(rule)
    if not rule.allows or (odd and odd.idle) or unused(view.use(group)) or not _broad(rule):
        return Severity.LOW, ()
    if not (rule.inbound and _wide(rule)):
        return Severity.MEDIUM, ()
    for point in view.use(group).points:
        if any(decider.rule == rule for exposure in view.exposed(point) for decider in exposure.rules):
            text = f"by it the internet reaches {point.nic.id.name}"
            return Severity.HIGH, (fact("exposure", text, point.nic.id),)
    return Severity.MEDIUM, ()


def _broad(rule: SecurityRule) -> bool:
    """Whether it is for any port, for anybody, or for a whole network."""
    named_sources = sources(rule)
    anybody = internet(named_sources) or named_sources == AddressSet.all() or names_network(rule.sources)
    return anybody or ports_of(rule) == EVERY_PORT


def _wide(rule: SecurityRule) -> bool:
    """Whether it lets the internet in to what is for administration or data, or to every port."""
    return rule.inbound and internet(sources(rule)) and (ports_of(rule) == EVERY_PORT or bool(sensitive(rule)))
