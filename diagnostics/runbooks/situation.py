"""What a runbook works on: the machines at both ends, as far as they could be read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from diagnostics.findings import Finding, Step
from diagnostics.intake import times
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Problem
from diagnostics.network import ids
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, Vm
from diagnostics.runbooks.probed import Probed
from diagnostics.runbooks.questions import Asking, Tell, Unread
from diagnostics.runbooks.survey import Survey


@dataclass(frozen=True, slots=True)
class Machine:
    """One end of the connection that is a machine of Azure.

    Attributes:
        id: the VM; for a NIC that is attached to nothing, the NIC.
        vm: as read, or why it could not be.
        nics: as read, or why one could not be, in the VM's order.
        named_nic: the NIC that the request named, if it named one.
    """

    id: ResourceId
    vm: Vm | Unread
    nics: tuple[tuple[ResourceId, Nic | Unread], ...] = ()
    named_nic: ResourceId | None = None

    @property
    def name(self) -> str:
        """What people call it: an instance of a scale set by the set and its number, since `3` names nothing."""
        return "_".join(self.id.names) if self.id.type == ids.SCALE_SET_VM else self.id.name

    @property
    def missing(self) -> bool:
        """Whether it does not exist, as far as vmreach may see."""
        return isinstance(self.vm, Unread) and self.vm.missing

    @property
    def why_unread(self) -> str:
        """Why the VM could not be read, in short: what Azure says of a missing permission is long. Empty if it was."""
        if not isinstance(self.vm, Unread):
            return ""
        if self.missing:
            return f"{self.name} does not exist"
        return f"{self.name} could not be read: {self.vm.action} is missing" if self.vm.action else str(self.vm)

    @property
    def read_nics(self) -> tuple[Nic, ...]:
        """The NICs that could be read."""
        return tuple(nic for _, nic in self.nics if not isinstance(nic, Unread))

    @property
    def location(self) -> str:
        """Its region, or empty."""
        return "" if isinstance(self.vm, Unread) else self.vm.location

    def meant(self, address: str | None) -> Nic | None:
        """Its NIC that the request means: the one that has the address, else the one it names."""
        return self.owner_of(address) or next((nic for nic in self.read_nics if nic.id == self.named_nic), None)

    def owner_of(self, address: str | None) -> Nic | None:
        """Its NIC that has this private address."""
        return next((nic for nic in self.read_nics if address and nic.owns(address)), None)

    def is_secondary(self, nic: Nic) -> bool:
        """Whether this is one of its further NICs: by the NIC's own word, else by the VM's order."""
        return nic.primary is False if nic.primary is not None else bool(self.nics) and nic.id != self.nics[0][0]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a runbook can't know by itself: the time, and what its owner wants.

    Attributes:
        now: in UTC.
        outside: an address on the internet, to probe when the request names no destination.
        run_command: whether scripts that only look may be run in guests.
        history: how long before the alert to look for changes.
    """

    now: datetime
    outside: Endpoint
    run_command: bool = False
    history: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Situation:
    """A request, with both ends looked up.

    Attributes:
        conditions: under which it is worked on.
        why: why this problem was picked.
        source: None where it could not be found; `steps` says why.
        destination: None where the destination is no machine that the request names.
        steps: done so far, in order.
        findings: of those steps.
        obstacle: why Network Watcher can make no connectivity check; empty where nothing is known to be in its way.
        survey: the network around both ends.
        probed: what came of probing the connection; None before that.
    """

    request: DiagnosisRequest
    conditions: Conditions
    problem: Problem
    why: str
    source: Machine | None
    destination: Machine | None
    steps: tuple[Step, ...] = ()
    findings: tuple[Finding, ...] = ()
    obstacle: str = ""
    survey: Survey = field(default_factory=Survey)
    probed: Probed | None = None

    @property
    def moment(self) -> datetime:
        """When it happened: the time of the alert, or now."""
        return times.read(self.request.origin.fired_at) or self.conditions.now

    @property
    def address(self) -> str | None:
        """The destination's address or host name, if the request gave one."""
        return self.request.destination.address if self.request.destination else None

    @property
    def port(self) -> int | None:
        """The destination's port, if the request gave one."""
        return self.request.destination.port if self.request.destination else None

    def after(self, step: Step, findings: tuple[Finding, ...] = ()) -> Situation:
        """The same with one more step done, and what it found."""
        return replace(self, steps=(*self.steps, step), findings=(*self.findings, *findings))


def done(situation: Situation, step: Step, findings: tuple[Finding, ...] = ()) -> Asking[Situation]:
    """The situation after a step, of which whoever watches is told."""
    yield Tell(step)
    return situation.after(step, findings)
