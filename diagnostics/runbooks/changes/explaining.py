"""What changed on the path, ranked by how well it explains what was found to be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from diagnostics.findings import Cause, Finding
from diagnostics.network import ids
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.runbooks.changes import operations
from diagnostics.runbooks.changes.nearby import NO_BLAME
from diagnostics.runbooks.changes.operations import Operation, folded, thing
from diagnostics.runbooks.questions import Event

_AT_ONCE = timedelta(seconds=10)  # two services of Azure do not agree on the time to the second
_JUDGED_BY_CHECK = NO_BLAME | {"provisioning-state"}
_RULES = frozenset({"security-rule", "admin-rule"})
_ITEMS = frozenset({operations.SECURITY_RULE, operations.ROUTE})
_OWNERS = frozenset({operations.SECURITY_GROUP, operations.ROUTE_TABLE})
_MACHINES = frozenset({ids.VIRTUAL_MACHINE, ids.SCALE_SET, ids.SCALE_SET_VM})
_OFF = frozenset({"poweroff", "deallocate", "delete"})
_NAMES = (operations.NETWORK, ids.NETWORK_INTERFACE)
_OUT = (*_NAMES, "microsoft.network/natgateways", "microsoft.network/publicip", "microsoft.network/loadbalancers")

_IN_GUEST = frozenset({"CON003", "CON004", "CON005", "CON007", "CON008", "CON012", "CON013", "CON016"})
"""Checks about what runs in a VM: a restart, a resize, an extension or a script explains them, no rule does."""
_NAMES_FAIL = frozenset({"CON006", "CON019"})
_NO_WAY_OUT = frozenset({"CON017", "CON020"})
_MACHINE_OFF = frozenset({"VM001", "CON018", "CON019"})


class Tier(IntEnum):
    """How well a change explains a finding, best first."""

    EXACT = 1
    NEAR = 2
    ON_PATH = 3


@dataclass(frozen=True, slots=True, order=True)
class Explanation:
    """How well, and why, a change explains a finding; the best is the least."""

    tier: Tier
    why: str
    finding_id: str = ""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A change, and what it explains.

    Attributes:
        when: its end, or its beginning where it was under way at the moment.
        best: how it bears on what was found, at its best.
        explains: the findings that it explains; none for what came after the moment.
        after: whether it began after the moment, so that it can't be why.
    """

    operation: Operation
    when: datetime
    best: Explanation
    explains: tuple[Explanation, ...] = ()
    after: bool = False

    @property
    def event(self) -> Event:
        """The event that says how it ended."""
        return self.operation.event


def rank(
    events: Iterable[Event], findings: Iterable[Finding], moment: datetime, estate: Estate | None = None
) -> tuple[Ranked, ...]:
    """Every change once: what explains a finding first, and of those the nearest before the moment.

    Args:
        events: what the activity log has.
        findings: what was found to be wrong.
        moment: the time of the alert.
        estate: tells where an NSG or route table is in force.
    """
    known, whole = tuple(findings), estate or Estate()
    return tuple(sorted((_judged(each, known, moment, whole) for each in folded(events)), key=_order))


def explaining(finding: Finding, ranked: Iterable[Ranked]) -> tuple[Ranked, Explanation] | None:
    """The change that explains a finding best, of several the nearest before the moment; None if none does."""
    found = [(each, why) for each in ranked for why in each.explains if why.finding_id == finding.finding_id]
    return min(found, key=lambda pair: (pair[1].tier, -pair[0].when.timestamp()), default=None)


def _order(ranked: Ranked) -> tuple[bool, int, bool, float]:
    when = ranked.when.timestamp()
    return ranked.after, ranked.best.tier, ranked.operation.failed, when if ranked.after else -when


def _judged(operation: Operation, findings: tuple[Finding, ...], moment: datetime, estate: Estate) -> Ranked:
    if operation.began > moment + _AT_ONCE:
        why = "too late to be the cause; perhaps somebody's repair"
        return Ranked(operation, operation.event.when, Explanation(Tier.ON_PATH, why), after=True)
    when = operation.event.when if operation.event.when <= moment else operation.began
    matches = {each.finding_id: match for each in findings if (match := _match(operation, each, estate))}
    if not matches:
        why = "it failed, so it changed nothing" if operation.failed else "on the path"
        return Ranked(operation, when, Explanation(Tier.ON_PATH, why))
    explains = tuple(sorted(Explanation(*match, finding_id) for finding_id, match in matches.items()))
    return Ranked(operation, when, explains[0], explains)


type _Match = tuple[Tier, str] | None


def _match(operation: Operation, finding: Finding, estate: Estate) -> _Match:
    """How a change explains a finding, at its best."""
    found = [_by_check(operation, finding, estate)]
    if not operation.failed:
        blaming = [cause for cause in finding.because if cause.kind not in _JUDGED_BY_CHECK]
        found += [_by_cause(operation, cause, estate) for cause in blaming]
    return min((match for match in found if match), default=None)


def _by_check(operation: Operation, finding: Finding, estate: Estate) -> _Match:
    """What explains a finding by the kind of fault it is."""
    subject, check = ResourceId.maybe(finding.resource.id), finding.check
    if subject is None:
        return None
    if operation.resource.within(subject) or subject.within(operation.resource):
        return _of_subject(operation, check)
    if operation.failed or not _serves(operation, subject, estate):
        return None
    if check in _NAMES_FAIL and operation.kind in _NAMES:
        return Tier.NEAR, "DNS servers are set there"
    if check in _NO_WAY_OUT and operation.kind.startswith(_OUT) and "peering" not in operation.kind:
        return Tier.NEAR, "the way out is set there"
    return None


def _of_subject(operation: Operation, check: str) -> _Match:
    """What was done to the resource that the finding is about."""
    if check == "NIC001" and operation.kind == ids.NETWORK_INTERFACE:
        return _failed_write(operation)
    if check in _MACHINE_OFF:
        return _off(operation)
    if check not in _IN_GUEST or operation.failed:
        return None
    if operation.kind == operations.HEALTH:
        return Tier.NEAR, "Azure itself says what became of the VM"
    return Tier.NEAR, f"it touched {operation.resource.name} itself"


def _serves(operation: Operation, subject: ResourceId, estate: Estate) -> bool:
    """Whether a NIC, subnet or virtual network is one of the machine's own; of other kinds only its own are asked."""
    resource, nics = operation.resource, [nic for nic in estate.nics.values() if nic.vm == subject]
    if not nics or not operation.kind.startswith(_NAMES):
        return True
    subnets = {subnet for nic in nics for subnet in _subnets_of(nic)}
    return resource in {nic.id for nic in nics} or any(subnet.within(resource) for subnet in subnets)


def _failed_write(operation: Operation) -> _Match:
    """A NIC is in state Failed because a write of it failed; one that succeeded took it out of that state."""
    if operation.failed:
        return Tier.EXACT, "this is the operation that left it in state Failed"
    return (Tier.NEAR, "it may have left it in state Failed") if operation.event.status.lower() != "succeeded" else None


def _off(operation: Operation) -> _Match:
    """What turns a VM off, or leaves it off."""
    if operation.kind == operations.HEALTH:
        return Tier.NEAR, "Azure itself says what became of the VM"
    if operation.kind not in _MACHINES or operation.failed is not (operation.verb == "start"):
        return None
    if operation.failed:
        return Tier.NEAR, "so it stayed off"
    return (Tier.NEAR, "that turned it off") if operation.verb in _OFF else None


def _by_cause(operation: Operation, cause: Cause, estate: Estate) -> _Match:
    """What explains a finding by what one of its causes blames."""
    owner = ResourceId.maybe(cause.resource_id)
    if owner is not None and owner.type in _ITEMS and owner.parent:  # the cause names the rule itself
        cause, owner = Cause(kind=cause.kind, text=cause.text, name=owner.name), owner.parent
    known = owner if owner is not None and _blamable(owner) else None
    if _is_named(operation, cause, known):
        # Whoever deleted the rule can't be why it decides.
        return None if operation.verb == "delete" else (Tier.EXACT, f"it is the {_item(cause)} that is to blame")
    if known is not None:
        return _of_owner(operation, cause, known, estate)
    if cause.kind in _RULES or cause.kind == "route":
        return _of_any_owner(operation, cause)
    if owner is not None and operation.resource.within(owner):
        return _off(operation) if owner.type in _MACHINES else (Tier.NEAR, f"it is the {thing(owner)} that is to blame")
    return None


def _blamable(owner: ResourceId) -> bool:
    """Whether what a cause points at is configuration, not the machine at which the fault was seen."""
    return owner.type.startswith("microsoft.network/") and owner.type != ids.NETWORK_INTERFACE


def _is_named(operation: Operation, cause: Cause, owner: ResourceId | None) -> bool:
    """Whether the operation was on the very rule or route; the name alone counts where its owner is not known."""
    resource = operation.resource
    if operation.kind not in _ITEMS or resource.name.lower() != cause.name.lower():
        return False
    if owner is not None:
        return owner.type in _OWNERS and resource.parent == owner
    return operation.kind == (operations.SECURITY_RULE if cause.kind in _RULES else operations.ROUTE)


def _of_owner(operation: Operation, cause: Cause, owner: ResourceId, estate: Estate) -> _Match:
    resource = operation.resource
    if resource == owner:
        if not cause.name or cause.name.lower() == owner.name.lower():
            return Tier.EXACT, f"it is the {thing(owner)} that is to blame"
        return Tier.NEAR, f"{_item(cause)} lies in it"
    if resource.within(owner):
        return Tier.NEAR, f"{_item(cause)} lies in the same {thing(owner)}"
    if owner.within(resource):
        return Tier.NEAR, f"{thing(owner)} lies in it"
    if resource in _in_force(estate, owner) and operation.verb in {"write", "delete"}:
        return Tier.NEAR, f"{thing(owner)} is in force there"
    return None


def _of_any_owner(operation: Operation, cause: Cause) -> _Match:
    """Where a cause names a rule or route but not where it lies, every NSG, or everything that routes, may be it."""
    if cause.kind in _RULES and operation.kind.startswith(operations.SECURITY_GROUP):
        return Tier.NEAR, f"{_item(cause)} may lie there"
    if cause.kind == "route" and operation.kind.startswith((operations.ROUTE_TABLE, operations.NETWORK)):
        return Tier.NEAR, "routes come from there"
    return None


def _item(cause: Cause) -> str:
    noun = cause.kind.removeprefix("security-").replace("-", " ")
    return f"{noun} {cause.name}".strip()


def _in_force(estate: Estate, owner: ResourceId) -> set[ResourceId]:
    """The subnets and NICs that it is associated with, the NICs in those subnets, and the networks that hold them."""
    subnets = {
        each.id
        for each in estate.subnets.values()
        if owner in {each.security_group, each.route_table, each.nat_gateway}
    }
    places = subnets | {subnet.parent for subnet in subnets if subnet.parent}
    if owner.type != operations.SECURITY_GROUP:
        return places
    nics = (nic for nic in estate.nics.values() if nic.security_group == owner or subnets & _subnets_of(nic))
    return places | {nic.id for nic in nics}


def _subnets_of(nic: Nic) -> set[ResourceId]:
    return {each.subnet for each in nic.ip_configurations if each.subnet}
