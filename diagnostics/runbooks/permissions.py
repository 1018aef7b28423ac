"""Permissions that are missing: each once, with what it keeps the runbook from knowing, and the role that grants them.

Sources: "Azure custom roles" (a role can be assigned to a resource, but be defined for subscriptions and resource
groups only); errors AuthorizationFailed and LinkedAuthorizationFailed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from diagnostics.findings import Cause, Confidence, Finding, Severity, Step
from diagnostics.network.ids import ResourceId
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.needs import Need, need_of
from diagnostics.runbooks.questions import Question, Unread
from diagnostics.runbooks.remedies import granting
from diagnostics.runbooks.situation import Situation
from diagnostics.runbooks.step import failed, passed

NAME = "Permissions"
MISSING = "CON021"
_DENIED = re.compile(r"\b(linked)?authorizationfailed\b", re.IGNORECASE)
_IDENTITY = re.compile(r"object id '([0-9a-f-]{36})'", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission that is missing.

    Attributes:
        action: to grant; empty where Azure did not name it and nothing else tells.
        scope: where; empty where that is not known.
        reason: what Azure said.
    """

    action: str
    scope: str
    reason: str

    def __str__(self) -> str:
        return f"{self.action}{f' on {self.scope}' if self.scope else ''}" if self.action else self.reason

    @property
    def key(self) -> tuple[str, str]:
        """Tells it from others, in whatever case Azure writes it."""
        return (self.action or self.reason).lower(), self.scope.lower()


@dataclass(slots=True)
class Denials:
    """What was refused while a runbook ran, in the order in which it came."""

    _needs: dict[tuple[str, str], tuple[Permission, list[Need]]] = field(default_factory=dict)
    _identity: str = ""

    def seen(self, question: Question[Any], answer: object) -> None:
        """Note what an answer says is missing."""
        if not isinstance(answer, Unread) or not (answer.action or _DENIED.search(answer.reason)):
            return
        need = need_of(question)
        for lacking in _lacking(answer, need):
            _, needs = self._needs.setdefault(lacking.key, (lacking, []))
            if need not in needs:
                needs.append(need)
        named = _IDENTITY.search(answer.reason)
        self._identity = self._identity or (named[1] if named else "")

    def step(self) -> Step:
        """The step that tells of them."""
        if not self._needs:
            return passed(NAME, "everything that was asked for could be read")
        evidence = [f"{lacking}: needed for {_all(n.asking for n in needs)}" for lacking, needs in self._needs.values()]
        return failed(NAME, f"{self._counted}: {_all(self._names)}", *evidence)

    def finding(self, situation: Situation) -> Finding | None:
        """What to grant, if anything is missing."""
        if not self._needs:
            return None
        causes = tuple(_cause(lacking, needs) for lacking, needs in self._needs.values())
        grants = tuple((d.action, d.scope) for d, _ in self._needs.values() if d.action)
        about = self._about(situation)
        found = said(
            situation,
            MISSING,
            f"{self._counted[:1].upper()}{self._counted[1:]}, so not everything could be looked at",
            about=about,
            severity=Severity.MEDIUM,
            confidence=Confidence.PROVEN,
            cause=Cause(kind="permission", text="", name=min(self._names, key=str.lower)),
            remedy=granting.grant(grants, about, self._identity),
            apart="|".join(sorted(name.lower() for name in self._names)),
        )
        return msgspec.structs.replace(found, because=causes)

    @property
    def _names(self) -> tuple[str, ...]:
        """The actions, each once; what has no name is called so."""
        return tuple(
            dict.fromkeys(lacking.action or "one that Azure does not name" for lacking, _ in self._needs.values())
        )

    @property
    def _counted(self) -> str:
        count = len(self._names)
        return f"{count} permission{'s are' if count > 1 else ' is'} missing"

    def _about(self, situation: Situation) -> ResourceId | None:
        """The subscription where it is to be granted: not the VM, for every VM there has the same missing."""
        scopes = (ResourceId.maybe(lacking.scope) for lacking, _ in self._needs.values())
        first = next((scope for scope in scopes if scope), situation.source.id if situation.source else None)
        return ResourceId.parse(f"/subscriptions/{first.subscription}") if first else None


def _lacking(answer: Unread, need: Need) -> tuple[Permission, ...]:
    """What is missing, by Azure's word; where it names nothing, by what the question is known to need.

    What a linked permission would be is never guessed: it is another one than the question's.
    """
    if answer.action:
        scopes = [scope.strip() for scope in answer.scope.split(",") if scope.strip()]
        return tuple(Permission(answer.action, scope, answer.reason) for scope in scopes or [need.scope])
    said_linked = _DENIED.search(answer.reason)
    if said_linked and said_linked[1]:
        return (Permission("", "", answer.reason),)
    return (Permission(need.action, need.scope if need.action else "", answer.reason),)


def _cause(lacking: Permission, needs: list[Need]) -> Cause:
    unknown = "; ".join(f"{need.asking} was refused, so not known: {need.tells}" for need in needs)
    text = f"{unknown[:1].upper()}{unknown[1:]}" + ("" if lacking.action else f". Azure says: {lacking.reason}")
    return Cause(kind="permission", text=text, name=lacking.action, resource_id=lacking.scope)


def _all(texts: Iterable[str]) -> str:
    return ", ".join(texts)
