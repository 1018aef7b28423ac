"""A runbook's steps on a card: those that found something one by one, the others by name, and what all of them saw."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from diagnostics.findings import Outcome
from diagnostics.sinks.elements import Element, column, more, own, prose, rich, run, section

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from diagnostics.findings import Step
    from diagnostics.sinks.elements import Room

_OUTCOMES = {
    Outcome.FAILED: "Attention",
    Outcome.INCONCLUSIVE: "Warning",
    Outcome.PASSED: "Good",
    Outcome.SKIPPED: "Default",
}
"""The colour of an outcome; in the order in which steps are worth a place on the card."""

_QUIET = (Outcome.PASSED, Outcome.SKIPPED)
_FEW = 6
"""So many steps are told one by one, whatever came of them."""
_SUMMARY = 260
"""Characters of a step's summary: errors that Azure sent are longer, and stand in more than one step."""


def told(steps: Sequence[Step], room: Room) -> list[Element]:
    """The steps in the order in which they ran, then the quiet ones by name; those that found no room are counted."""
    if not steps:
        return []
    telling = [step for step in steps if len(steps) <= _FEW or step.outcome not in _QUIET]
    shown = _worth_showing(telling, room.steps)
    missing = Counter(step.outcome for step in telling) - Counter(step.outcome for step in shown)
    counts = ": " + ", ".join(f"{missing[outcome]} {outcome}" for outcome in _OUTCOMES if missing[outcome])
    quiet = [step for step in steps if len(steps) > _FEW and step.outcome in _QUIET]
    items = [_step(step, room) for step in shown] + more(missing.total(), "step", counts)
    return [section("Steps", items + _by_name(quiet, room))]


def _by_name(steps: Iterable[Step], room: Room) -> list[Element]:
    """How many passed and how many were skipped, and which: what each of them said is in the finding."""
    groups = {outcome: [step.name for step in steps if step.outcome is outcome] for outcome in _QUIET}
    return [
        _line(
            outcome,
            f"{len(names)} {outcome}",
            rich(run(", ".join(names), 2 * room.text, size="Small", isSubtle=True)),
        )
        for outcome, names in groups.items()
        if names
    ]


def _step(step: Step, room: Room) -> Element:
    name = rich(run(step.name, room.text))
    summary = rich(prose(step.summary, min(room.text, _SUMMARY), size="Small", isSubtle=True))
    return _line(step.outcome, step.outcome.capitalize(), *([name, summary] if step.summary else [name]))


def _line(outcome: Outcome, label: str, *said: Element) -> Element:
    mark = own(label, weight="Bolder", color=_OUTCOMES[outcome], isSubtle=outcome is Outcome.SKIPPED)
    return {"type": "ColumnSet", "spacing": "Small", "columns": [column([mark], width="110px"), column([*said])]}


def _worth_showing(steps: Sequence[Step], room: int) -> list[Step]:
    """At most so many steps in the order in which they ran; those that failed or proved nothing come before others."""
    order = list(_OUTCOMES)
    ranked = sorted(range(len(steps)), key=lambda i: order.index(steps[i].outcome))
    return [steps[i] for i in sorted(ranked[:room])]


def evidence(steps: Sequence[Step], room: Room) -> list[Element]:
    """What the steps saw, for who wants to know more."""
    items: list[Element] = []
    for step in _worth_showing(steps, room.steps) if room.facts else ():
        facts = [*step.evidence, *(f"{hop.type} {hop.address} {', '.join(hop.issues)}" for hop in step.hops)]
        if facts:
            items.append(rich(run(step.name, room.text, size="Small", weight="Bolder"), spacing="Small"))
            shown = [run(fact, room.text, size="Small", fontType="Monospace") for fact in facts[: room.facts]]
            items += [rich(one) for one in shown] + more(len(facts) - room.facts, "fact")
    left_out = 0 if room.facts else sum(len(step.evidence) + len(step.hops) for step in steps)
    return items + more(left_out, "fact")
