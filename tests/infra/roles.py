"""What both ways of deploying read; of it, the custom roles, and what calls they leave without a permission."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.arm import Call

SHARED = Path(__file__).parents[2] / "infra" / "shared"


def shared(name: str) -> Any:
    """A file of infra/shared."""
    return json.loads((SHARED / f"{name}.json").read_text(encoding="utf-8"))


ROLES: dict[str, Any] = shared("roles")


def actions(*roles: str, among: Mapping[str, Any] = ROLES) -> dict[str, str]:
    """What these roles allow: as it is spelt there, by its lower case, for Azure compares so."""
    return {action.lower(): action for role in roles for action in among[role]["actions"]}


def needed(calls: Iterable[Call]) -> dict[str, str]:
    """The actions that calls need, in lower case, each with the first call that needs it."""
    found: dict[str, str] = {}
    for call in calls:
        for action in call.role_actions:
            found.setdefault(action.lower(), f"{action}, needed for {call.method} {call.path}")
    return found


def lacking(calls: Iterable[Call], roles: Sequence[str], among: Mapping[str, Any] = ROLES) -> list[str]:
    """The actions that calls need and the roles do not have, each with a call."""
    allowed = actions(*roles, among=among)
    return [
        f"role {' or '.join(roles)} lacks {told}" for action, told in needed(calls).items() if action not in allowed
    ]
