"""Questions that Azure takes its time over: submitted once, and their answers collected by ticket.

Each has a key that is the same in every process, so that a message which is delivered again continues: what was
answered is read from the journal, what is under way is collected, and nothing is probed twice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from diagnostics.findings import fingerprint
from diagnostics.network.connectivity import ConnectivityCheck, Probe
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import FlowAnswer, FlowCheck, GuestOutput, GuestScript, RuleAnswer, RuleCheck
from diagnostics.runbooks.questions import Question


class Probing[T](Question[T], ABC):
    """A question for Network Watcher or for a guest."""

    @property
    @abstractmethod
    def subject(self) -> ResourceId:
        """The VM or NIC that is asked about: it must lie in scope."""

    @property
    def exclusive(self) -> bool:
        """Whether Azure does only one such thing at a time for its subject."""
        return False

    @property
    def location(self) -> str:
        """The region of the subject, or empty."""
        return ""

    @property
    def key(self) -> str:
        """Tells it from every other question, in every process."""
        return fingerprint(type(self).__name__, *_texts(self))

    @abstractmethod
    def read(self, body: bytes) -> T:
        """The answer in Azure's body; raises ParseError with the path of what does not fit."""


@dataclass(frozen=True, slots=True)
class CheckConnectivity(Probing[ConnectivityCheck]):
    """A connectivity check of Network Watcher.

    Attributes:
        attempt: which of several checks of the same connection it is: a later one is another question.
    """

    probe: Probe
    attempt: int = 1

    @property
    def subject(self) -> ResourceId:
        """The VM that probes."""
        return self.probe.source

    @property
    def exclusive(self) -> bool:
        """A second check of a VM that is checking already ends as RetryableError (azure-rest-api-specs issue 7650)."""
        return True

    @property
    def location(self) -> str:
        """The region of the VM that probes."""
        return self.probe.location

    def read(self, body: bytes) -> ConnectivityCheck:
        """The check's answer."""
        return ConnectivityCheck.decode(body)


@dataclass(frozen=True, slots=True)
class VerifyFlow(Probing[FlowAnswer]):
    """IP flow verify of Network Watcher."""

    check: FlowCheck

    @property
    def subject(self) -> ResourceId:
        """The machine."""
        return self.check.vm

    @property
    def location(self) -> str:
        """The region of the machine."""
        return self.check.location

    def read(self, body: bytes) -> FlowAnswer:
        """Whether it lets the flow through, and by which rule."""
        return FlowAnswer.decode(body)


@dataclass(frozen=True, slots=True)
class DiagnoseRules(Probing[RuleAnswer]):
    """NSG diagnostics of Network Watcher (networkConfigurationDiagnostic)."""

    check: RuleCheck

    @property
    def subject(self) -> ResourceId:
        """The NIC or VM."""
        return self.check.target

    @property
    def location(self) -> str:
        """Its region."""
        return self.check.location

    def read(self, body: bytes) -> RuleAnswer:
        """What each NSG says."""
        return RuleAnswer.decode(body)


@dataclass(frozen=True, slots=True)
class ReadEffectiveRules(Probing[Any]):
    """The NSG rules that Azure says work at a NIC, as JSON; its VM has to run."""

    nic: ResourceId

    @property
    def subject(self) -> ResourceId:
        """The NIC."""
        return self.nic

    def read(self, body: bytes) -> Any:
        """The answer as it is: `network.reading` understands it."""
        return decode(body, Any)


@dataclass(frozen=True, slots=True)
class RunInGuest(Probing[GuestOutput]):
    """A script in a guest, through Run Command."""

    script: GuestScript

    @property
    def subject(self) -> ResourceId:
        """The VM."""
        return self.script.vm

    @property
    def exclusive(self) -> bool:
        """Run Command runs one script at a time on a VM ("Run scripts in your VM by using Run Command")."""
        return True

    @property
    def location(self) -> str:
        """The region of the VM."""
        return self.script.location

    def read(self, body: bytes) -> GuestOutput:
        """What the script printed."""
        return GuestOutput.decode(body)


def _texts(value: Any) -> list[str]:
    """Every field of a question, nested ones too, as text; ids in lower case."""
    if isinstance(value, ResourceId):
        return [value.key]
    if is_dataclass(value):
        return [text for field in fields(value) for text in (field.name, *_texts(getattr(value, field.name)))]
    if isinstance(value, tuple):
        return [text for item in value for text in _texts(item)]
    return [str(value)]
