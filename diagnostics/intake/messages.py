"""The messages that travel between the functions, read and written in one place.

Each is camelCase JSON with `"schemaVersion": "1.0"`; their JSON Schemas are in docs/schemas/. What arrives on a queue
may come from people and other systems: nothing in it is trusted before `read` has accepted it.
"""

from __future__ import annotations

import ipaddress
import re
from enum import StrEnum
from typing import Literal, Self

import msgspec

from diagnostics.errors import ParseError
from diagnostics.findings import fingerprint
from diagnostics.network import decoding
from diagnostics.network.ids import ResourceId

_HOST_NAME = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?"
)
_VM_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
_PORTS = range(1, 65_536)
LONGEST_TEXT = 512
"""Characters of an id or a name in a message: Azure's own are shorter."""
MOST_FINDINGS = 32
"""Ids of findings in a message: a diagnosis has a few."""


decode = decoding.decode


class Problem(StrEnum):
    """The three problems of the runbook "Troubleshoot Azure VM connectivity problems", and `auto`: pick one."""

    VM_TO_VM = "vm-to-vm"
    SECONDARY_NIC = "secondary-nic"
    VM_TO_INTERNET = "vm-to-internet"
    AUTO = "auto"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return _in_any_case(cls, value)


class Protocol(StrEnum):
    """The protocols that a Network Watcher connectivity check can probe with."""

    TCP = "Tcp"
    HTTP = "Http"
    HTTPS = "Https"
    ICMP = "Icmp"

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return _in_any_case(cls, value)


class _Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=False):
    """What all messages share."""

    def to_json(self) -> bytes:
        """The wire form, without what is empty."""
        fields = msgspec.to_builtins(self)
        return msgspec.json.encode(_without_nulls(fields))


class Endpoint(_Message, frozen=True, kw_only=True):
    """One end of a connection: a VM or NIC by id or name; a destination also by address or host name."""

    resource_id: str | None = None
    name: str | None = None
    address: str | None = None
    port: int | None = None

    @property
    def resource(self) -> ResourceId | None:
        """The parsed resource id, if there is one."""
        return ResourceId.parse(self.resource_id) if self.resource_id else None

    def __str__(self) -> str:
        resource = self.resource
        what = resource.name if resource else self.name or self.address or "?"
        return f"{what}:{self.port}" if self.port else what


class Origin(_Message, frozen=True, kw_only=True):
    """What asked for it.

    Attributes:
        signal: what the alert watches: `metric TestResult`, `resource health`, an operation of the activity log.
        fired_at: when the alert fired, as Azure wrote it.
    """

    kind: Literal["alert", "event", "queue", "sweep", "cli"]
    alert_id: str | None = None
    alert_rule: str | None = None
    signal: str | None = None
    fired_at: str | None = None


class Recheck(_Message, frozen=True, kw_only=True):
    """Why a diagnosis is made again, by vmreach itself: to see whether what it found is gone.

    Attributes:
        of: the request that was diagnosed first.
        round: which look after that it is; the first is 1.
        findings: ids of the findings that are resolved when they are gone.
    """

    of: str
    round: int
    findings: tuple[str, ...] = ()


class DiagnosisRequest(_Message, frozen=True, kw_only=True):
    """A question: why can't the destination be reached from the source? On queue `diagnosis-requests`."""

    schema_version: Literal["1.0"] = "1.0"
    request_id: str
    problem: Problem = Problem.AUTO
    source: Endpoint
    destination: Endpoint | None = None
    protocol: Protocol | None = None
    origin: Origin
    recheck: Recheck | None = None

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read and check a message; raises ParseError that names the field and the value."""
        request = decode(body, cls)
        _check_text(request.request_id, "$.requestId")
        _check_endpoint(request.source, "$.source", source=True)
        if request.destination is not None:
            _check_endpoint(request.destination, "$.destination", source=False)
        if request.recheck is not None:
            _check_recheck(request.recheck)
        return request

    def again(self, findings: tuple[str, ...]) -> Self:
        """The same question for a later look; the same look has the same id.

        Args:
            findings: what is resolved when it is gone.
        """
        of, number = (self.recheck.of, self.recheck.round + 1) if self.recheck else (self.request_id, 1)
        again = Recheck(of=of, round=number, findings=findings[:MOST_FINDINGS])
        return msgspec.structs.replace(self, request_id=fingerprint("recheck", of, str(number)), recheck=again)

    @property
    def resources(self) -> tuple[ResourceId, ...]:
        """Every resource that the request names: all must lie in scope."""
        ends = (self.source, self.destination or Endpoint())
        return tuple(end.resource for end in ends if end.resource is not None)


class ClosureRequest(_Message, frozen=True, kw_only=True):
    """An alert is over: its findings are resolved. On queue `closure-requests`."""

    schema_version: Literal["1.0"] = "1.0"
    request_id: str
    alert_id: str
    alert_rule: str | None = None
    resolved_at: str | None = None

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read and check a message; raises ParseError that names the field and the value."""
        request = decode(body, cls)
        _check_text(request.request_id, "$.requestId")
        _check_text(request.alert_id, "$.alertId")
        return request


class Reason(_Message, frozen=True, kw_only=True):
    """Why a remediation is asked for."""

    finding_id: str | None = None


class RemediationRequest(_Message, frozen=True, kw_only=True):
    """Something to mend. On queue `remediation-requests`."""

    schema_version: Literal["1.0"] = "1.0"
    request_id: str
    action: Literal["reput-nic"] = "reput-nic"
    resource_id: str
    reason: Reason = Reason()
    approved_by: str | None = None

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read and check a message; raises ParseError that names the field and the value."""
        request = decode(body, cls)
        _check_text(request.request_id, "$.requestId")
        ResourceId.parse(request.resource_id, "$.resourceId")
        return request

    @classmethod
    def to_reput(cls, nic: ResourceId, finding_id: str, episode: str) -> Self:
        """The request to PUT a failed NIC back. The same finding in the same episode is the same request.

        Args:
            nic: the network interface.
            finding_id: the finding that asks for it.
            episode: tells one time that this fault appeared from the next; such as when it was first seen.
        """
        return cls(
            request_id=fingerprint("reput-nic", nic.key, finding_id, episode),
            resource_id=nic.text,
            reason=Reason(finding_id=finding_id),
        )

    @property
    def resource(self) -> ResourceId:
        """The parsed resource id."""
        return ResourceId.parse(self.resource_id, "$.resourceId")


def is_host_or_address(text: str) -> bool:
    """Whether the text is an IP address or a host name, and nothing more: no URL, port, path or IPv6 zone."""
    try:
        return not getattr(ipaddress.ip_address(text), "scope_id", None)
    except ValueError:
        # A host name whose last label is a number would be read as an IPv4 address by some, as a name by others.
        return bool(_HOST_NAME.fullmatch(text)) and not text.rstrip(".").rsplit(".", 1)[-1].isdigit()


def is_vm_name(text: str) -> bool:
    """Whether the text can be the name of a VM or a computer."""
    return bool(_VM_NAME.fullmatch(text))


def _in_any_case[E: StrEnum](kind: type[E], value: object) -> E | None:
    """The member that the value names in another case: Azure writes TCP, Tcp and tcp."""
    return next((member for member in kind if isinstance(value, str) and member.lower() == value.strip().lower()), None)


def _check_text(text: str, where: str) -> None:
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise ParseError(f"{where}: {text[:60]!r} must have 1 to {LONGEST_TEXT} characters")


def _check_endpoint(end: Endpoint, where: str, *, source: bool) -> None:
    if end.resource_id is not None:
        ResourceId.parse(end.resource_id, f"{where}.resourceId")
    if end.name is not None and not is_vm_name(end.name):
        raise ParseError(f"{where}.name: {end.name[:80]!r} is not the name of a VM")
    if end.address is not None and not is_host_or_address(end.address):
        raise ParseError(f"{where}.address: {end.address[:80]!r} is neither an IP address nor a host name")
    if end.port is not None and end.port not in _PORTS:
        raise ParseError(f"{where}.port: {end.port} is not between 1 and 65535")
    named = end.resource_id or end.name or (None if source else end.address)
    if not named:
        wanted = "resourceId or name" if source else "resourceId, name or address"
        raise ParseError(f"{where}: needs {wanted}")


def _check_recheck(recheck: Recheck) -> None:
    _check_text(recheck.of, "$.recheck.of")
    if recheck.round < 1:
        raise ParseError(f"$.recheck.round: {recheck.round} is not 1 or more")
    if len(recheck.findings) > MOST_FINDINGS:
        raise ParseError(f"$.recheck.findings: {len(recheck.findings)} are more than {MOST_FINDINGS}")
    for number, finding in enumerate(recheck.findings):
        _check_text(finding, f"$.recheck.findings[{number}]")


def _without_nulls(value: object) -> object:
    match value:
        case dict():
            return {key: _without_nulls(item) for key, item in value.items() if item is not None}
        case list():
            return [_without_nulls(item) for item in value]
        case _:
            return value
