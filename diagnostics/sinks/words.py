"""What a finding says in the same words wherever a person reads it: on a card and on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diagnostics.findings import Confidence, Status

if TYPE_CHECKING:
    from diagnostics.findings import Cause, Change

ENDED = frozenset({Status.RESOLVED, Status.REMEDIATED})
"""Where nothing is left to do."""

HOW_SURE = {
    Confidence.PROVEN: "read from Azure itself",
    Confidence.LIKELY: "explains all that was seen",
    Confidence.POSSIBLE: "fits what was seen, not proven",
}


def is_az(command: str) -> bool:
    """Whether the lines are typed where `az` is: what is typed in a guest does harm, or nothing, elsewhere."""
    lines = (line for line in command.splitlines() if line.strip() and not line.startswith("#"))
    return next(lines, "az ").startswith("az ")


def operation(change: Change) -> str:
    """What was done, as far as it tells something: `securityRules/write`."""
    return "/".join(change.operation.rsplit("/", 2)[-2:])


def place(cause: Cause) -> tuple[str, str]:
    """The rule, route or whatever decided, and what it is part of; empty as far as the cause's text names them."""
    within = cause.resource_id.rstrip("/").rsplit("/", 1)[-1]
    name, said = cause.name or within, cause.text.lower()
    if name.lower() in said and within.lower() in said:
        return "", ""
    return name, within if within.lower() != name.lower() else ""
