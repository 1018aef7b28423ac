"""What Azure is asked about a running machine, and what it answers: beside the connectivity check, in `connectivity`.

Source: azure-mgmt-network, models VerificationIPFlowParameters and NetworkConfigurationDiagnosticResponse; Network
Watcher, "IP flow verify overview", "NSG diagnostics overview"; "Run scripts in your VM by using Run Command".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

import msgspec

from diagnostics.network.connectivity import rule_name
from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId


class Direction(StrEnum):
    """Seen from the machine."""

    INBOUND = "Inbound"
    OUTBOUND = "Outbound"


@dataclass(frozen=True, slots=True)
class FlowCheck:
    """One flow for IP flow verify: does the machine's own side let it in or out?

    Attributes:
        location: the machine's region; the Network Watcher of that region and subscription answers.
        nic: which of its NICs; Azure insists on it where there are several and one forwards.
        protocol: `Tcp` or `Udp`.
        local_port, remote_port: None for any, which only the side that opens the connection may have.
    """

    vm: ResourceId
    location: str
    nic: ResourceId | None
    direction: Direction
    protocol: str
    local_address: str
    remote_address: str
    local_port: int | None = None
    remote_port: int | None = None


@dataclass(frozen=True, slots=True)
class FlowAnswer:
    """What IP flow verify said.

    Attributes:
        rule: the bare name of the rule that decides; empty where Azure names none.
    """

    allowed: bool
    rule: str

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the answer; raises ParseError with the path of what does not fit."""
        read = decode(body, _WireFlow)
        return cls(read.access.lower() == "allow", rule_name(read.rule_name or ""))


@dataclass(frozen=True, slots=True)
class RuleCheck:
    """One profile for NSG diagnostics, which needs no agent and no running machine.

    Attributes:
        target: a NIC or a VM.
        protocol: `Tcp`, `Udp` or `*`.
    """

    target: ResourceId
    location: str
    direction: Direction
    protocol: str
    source: str
    destination: str
    port: int | None


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """What one NSG said to a profile: the bare name of the rule that matched, and what it does."""

    group: str
    applied_to: str
    rule: str
    allowed: bool


@dataclass(frozen=True, slots=True)
class RuleAnswer:
    """What NSG diagnostics said: the whole, and each NSG."""

    allowed: bool
    matches: tuple[RuleMatch, ...]

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the answer; raises ParseError with the path of what does not fit, or for one without a result."""
        read = decode(body, _WireDiagnostic)
        result = read.results[0].network_security_group_result
        groups = result.evaluated_network_security_groups or ()
        return cls(result.security_rule_access_result.lower() == "allow", tuple(map(_match, groups)))

    @property
    def deciding(self) -> RuleMatch | None:
        """The first that denies, of those that name a rule if one does; where the whole is allowed, the last."""
        if self.allowed:
            return self.matches[-1] if self.matches else None
        denying = sorted((match for match in self.matches if not match.allowed), key=lambda match: not match.rule)
        return next(iter(denying), None)


class Shell(StrEnum):
    """What runs a script in a guest: the `commandId` of Run Command."""

    LINUX = "RunShellScript"
    WINDOWS = "RunPowerShellScript"


@dataclass(frozen=True, slots=True)
class GuestScript:
    """A script that only looks, for Run Command. Nothing of a payload is ever in it but checked addresses and ports.

    Attributes:
        what: in words, for logs and progress: `the routing table`.
    """

    vm: ResourceId
    location: str
    shell: Shell
    lines: tuple[str, ...]
    what: str


@dataclass(frozen=True, slots=True)
class GuestOutput:
    """What a script printed. Azure keeps the last 4,096 bytes of it."""

    stdout: str
    stderr: str

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the result of Run Command; raises ParseError with the path of what does not fit.

        Windows has a status for each stream, Linux one message with `[stdout]` and `[stderr]` in it.
        """
        values = decode(body, _WireRun).value or ()
        streams = {"stdout": "", "stderr": ""}
        for status in values:
            kind, text = status.code.lower(), status.message or ""
            if "[stdout]" in text:
                out, _, err = text.partition("[stdout]")[2].partition("[stderr]")
                streams = {"stdout": out.strip(), "stderr": err.strip()}
            for name in streams:
                if f"/{name}/" in kind:
                    streams[name] = text.strip()
        return cls(**streams)


class _Wire(msgspec.Struct, frozen=True, rename="camel"):
    pass


class _WireFlow(_Wire, frozen=True):
    access: str
    rule_name: str | None = None


class _WireRule(_Wire, frozen=True):
    rule_name: str | None = None
    action: str | None = None


class _WireGroup(_Wire, frozen=True):
    network_security_group_id: str | None = None
    applied_to: str | None = None
    matched_rule: _WireRule | None = None


class _WireResult(_Wire, frozen=True):
    security_rule_access_result: str
    evaluated_network_security_groups: tuple[_WireGroup, ...] | None = None


class _WireProfile(_Wire, frozen=True):
    network_security_group_result: _WireResult


class _WireDiagnostic(_Wire, frozen=True):
    results: Annotated[tuple[_WireProfile, ...], msgspec.Meta(min_length=1)]


class _WireStatus(_Wire, frozen=True):
    code: str
    message: str | None = None


class _WireRun(_Wire, frozen=True):
    value: tuple[_WireStatus, ...] | None = None


def _match(read: _WireGroup) -> RuleMatch:
    rule = read.matched_rule or _WireRule()
    return RuleMatch(
        read.network_security_group_id or "",
        read.applied_to or "",
        rule_name(rule.rule_name or ""),
        (rule.action or "").lower() == "allow",
    )
