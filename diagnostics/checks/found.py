"""What a check says: something is wrong with a resource, or it could not tell because a fact is missing."""

from __future__ import annotations

import msgspec

from diagnostics.findings import Cause, Confidence, Remedy, Severity
from diagnostics.network.ids import ResourceId


class Found(msgspec.Struct, frozen=True, gc=False):
    """Something wrong with a resource.

    Attributes:
        resource: what it is about: whoever owns that has to mend it.
        title: one line that names it; it must not change while the fault is the same.
        because: what decides: the rules, routes, states; a sentence each.
        remedy: what to do, filled in with this resource's names.
        parts: what tells it from other findings of the same check about the same resource, such as a rule's name.
            Check, resource and parts are the finding's fingerprint, so nothing that comes and goes belongs here.
        severity: where it is not the check's own: what is around makes it worse, or better.
    """

    resource: ResourceId
    title: str
    because: tuple[Cause, ...]
    remedy: Remedy
    parts: tuple[str, ...] = ()
    severity: Severity | None = None
    confidence: Confidence = Confidence.PROVEN


class Unclear(msgspec.Struct, frozen=True, gc=False):
    """A resource of which a check cannot tell.

    Attributes:
        missing: what would have to be known, such as `route table rt-hub` or `flow logs`.
    """

    resource: ResourceId
    missing: tuple[str, ...] = ()


type Said = Found | Unclear
