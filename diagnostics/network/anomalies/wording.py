"""The sentences that anomalies are told in; the rule that they are about is their subject, and left out."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.network.model import SecurityRule

_SHOWN = 4


def dead(rule: SecurityRule, takers: Sequence[SecurityRule]) -> str:
    """It can never match."""
    if not takers:
        return "can never match: there is no flow with its protocol, addresses and ports"
    contrary = [taker for taker in takers if taker.allows != rule.allows]
    taken = f"can never match: {_listed(takers)} {_verb(takers, 'take')} all of its flows first"
    if not contrary:
        return f"{taken}, and {_verb(takers, 'decide')} the same: a harmless leftover"
    if len(contrary) == len(takers):
        return f"{taken}, and {_verb(takers, 'decide')} the contrary: what it is to {_does(rule)} never is"
    return f"{taken}, of which {_listed(contrary)} {_verb(contrary, 'decide')} the contrary"


def redundant(heirs: Sequence[SecurityRule]) -> str:
    """It could be left out."""
    who = _listed(heirs) if heirs else "the end of the list"
    return f"changes nothing: without it, {who} would decide the same"


def conflict(rule: SecurityRule, takers: Sequence[SecurityRule], missing: frozenset[str]) -> str:
    """Rules before it decide the contrary of some of its flows."""
    first = f"{_listed(takers)} {_verb(takers, 'decide')} some of the flows first that it is to {_does(rule)}"
    return f"is overtaken in part: {first}, and {_verb(takers, 'say')} the contrary{_depending(missing)}"


def generalised(general: Sequence[SecurityRule], missing: frozenset[str]) -> str:
    """Rules behind it say the contrary of more than its flows."""
    does = _verb(general, _does(general[0]))
    return f"is an exception: {_listed(general)}, behind it, {does} all of its flows and more{_depending(missing)}"


def _does(rule: SecurityRule) -> str:
    return "allow" if rule.allows else "deny"


def _verb(subjects: Sequence[object], plural: str) -> str:
    if len(subjects) > 1:
        return plural
    return f"{plural[:-1]}ies" if plural == "deny" else f"{plural}s"


def _listed(rules: Sequence[SecurityRule]) -> str:
    """Rules with their priorities; of many, the first few."""
    shown = [f"{rule.name} ({rule.priority})" for rule in rules[:_SHOWN]]
    more = len(rules) - len(shown)
    parts = [*shown, f"{more} more"] if more else shown
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _depending(missing: frozenset[str]) -> str:
    return f", if at all: that depends on {', '.join(sorted(missing))}" if missing else ""
