"""What a Network Watcher connectivity check answered, under every spelling that Azure uses.

SDK, documentation and wire disagree on nearly every name: the SDK's enumeration says `Connected`, the wire
`Reachable`; the runbook says "Guest Firewall", the wire `GuestFirewall`. What is not known is kept and shown.

Source: "Troubleshoot Azure VM connectivity problems" (table of issues); Network Watcher, "Connection troubleshoot
overview"; azure-mgmt-network, models IssueType and ConnectionStatus.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import msgspec

from diagnostics.network.decoding import decode
from diagnostics.network.ids import ResourceId

_DEFAULT_PREFIXES = ("defaultsecurityrules/", "defaultrule_")
_RULE_PREFIXES = (*_DEFAULT_PREFIXES, "securityrules/", "userrule_")
_DEFAULT_RULES = frozenset(
    {
        "allowvnetinbound",
        "allowazureloadbalancerinbound",
        "denyallinbound",
        "allowvnetoutbound",
        "allowinternetoutbound",
        "denyalloutbound",
    }
)


class IssueType(StrEnum):
    """The kinds of issue that decide what to do; the first seven are the rows of the runbook's table."""

    NETWORK_SECURITY_RULE = "NetworkSecurityRule"
    USER_DEFINED_ROUTE = "UserDefinedRoute"
    CPU = "CPU"
    MEMORY = "Memory"
    GUEST_FIREWALL = "GuestFirewall"
    DNS_RESOLUTION = "DnsResolution"
    SOCKET_ERROR = "SocketError"
    NO_LISTENER = "NoListenerOnDestination"
    AGENT_STOPPED = "AgentStopped"
    PORT_THROTTLED = "PortThrottled"
    PLATFORM = "Platform"
    NO_ROUTE_LEARNED = "NoRouteLearned"
    UNKNOWN = "Unknown"


_SPELLINGS = {
    "nsg": IssueType.NETWORK_SECURITY_RULE,
    "nsgrule": IssueType.NETWORK_SECURITY_RULE,
    "securityrule": IssueType.NETWORK_SECURITY_RULE,
    "udr": IssueType.USER_DEFINED_ROUTE,
    "route": IssueType.USER_DEFINED_ROUTE,
    "highcpu": IssueType.CPU,
    "vmcpu": IssueType.CPU,
    "cpuusage": IssueType.CPU,
    "highmemory": IssueType.MEMORY,
    "vmmemory": IssueType.MEMORY,
    "memoryusage": IssueType.MEMORY,
    "firewall": IssueType.GUEST_FIREWALL,
    "vmguestfirewall": IssueType.GUEST_FIREWALL,
    "dns": IssueType.DNS_RESOLUTION,
    "dnsfailure": IssueType.DNS_RESOLUTION,
    "socketbind": IssueType.SOCKET_ERROR,
    "socket": IssueType.SOCKET_ERROR,
    "nolistenerondestinationport": IssueType.NO_LISTENER,
    **{member.value.lower(): member for member in IssueType},
}


def issue_type(raw: str) -> IssueType:
    """The issue type behind a spelling: case, spaces, hyphens and underscores do not count."""
    return _SPELLINGS.get("".join(c for c in raw.lower() if c.isalnum()), IssueType.UNKNOWN)


def rule_name(text: str) -> str:
    """The bare name of an NSG rule, of the four styles in which Azure's APIs write it.

    >>> rule_name("UserRule_deny-rdp"), rule_name("defaultSecurityRules/DenyAllInBound")
    ('deny-rdp', 'DenyAllInBound')
    """
    for prefix in _RULE_PREFIXES:
        if text.lower().startswith(prefix):
            return text[len(prefix) :]
    return text


class ConnectionStatus(StrEnum):
    """Whether the destination answered the probes."""

    REACHABLE = "Reachable"
    DEGRADED = "Degraded"
    UNREACHABLE = "Unreachable"
    UNKNOWN = "Unknown"


_STATUSES = {
    "reachable": ConnectionStatus.REACHABLE,
    "connected": ConnectionStatus.REACHABLE,
    "degraded": ConnectionStatus.DEGRADED,
    "unreachable": ConnectionStatus.UNREACHABLE,
    "disconnected": ConnectionStatus.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Probe:
    """One connectivity check to make.

    Attributes:
        source: the VM, or scale-set instance, that sends.
        location: its region; the Network Watcher of that region and subscription makes the check.
        destination: a resource, an address or a host name.
    """

    source: ResourceId
    location: str
    destination: ResourceId | str
    port: int | None
    protocol: str


class _WireIssue(msgspec.Struct, frozen=True, rename="camel"):
    origin: str | None = None
    severity: str | None = None
    type: str | int | None = None
    context: list[dict[str, Any]] | dict[str, Any] | None = None


class _WireLink(msgspec.Struct, frozen=True, rename="camel"):
    issues: list[_WireIssue] | None = None


class _WireHop(msgspec.Struct, frozen=True, rename="camel"):
    type: str | None = None
    address: str | None = None
    resource_id: str | None = None
    issues: list[_WireIssue] | None = None
    links: list[_WireLink] | None = None
    previous_links: list[_WireLink] | None = None


class _WireCheck(msgspec.Struct, frozen=True, rename="camel"):
    hops: list[_WireHop] | None = None
    connection_status: str | None = None
    avg_latency_in_ms: float | None = None
    min_latency_in_ms: float | None = None
    max_latency_in_ms: float | None = None
    probes_sent: int | None = None
    probes_failed: int | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue that Azure saw at a hop or on the link behind it.

    Attributes:
        raw_type: the type as Azure wrote it.
        context: what Azure adds, key to value: `RuleName`, `RouteType`, a usage, a firewall's or DNS name.
    """

    type: IssueType
    raw_type: str
    origin: str
    severity: str
    context: tuple[tuple[str, str], ...]

    @property
    def value(self) -> str:
        """All that Azure adds, for people to read; empty where it adds nothing."""
        values = [rule_name(value) if key.lower() == "rulename" else value for key, value in self.context if value]
        return ", ".join(values)

    @property
    def name(self) -> str:
        """What the issue names: the rule, route, usage, firewall or DNS name; empty where it names nothing."""
        rules = [rule_name(value) for key, value in self.context if key.lower() == "rulename" and value]
        others = [value for key, value in self.context if key.lower() != "routetype" and value]
        return ", ".join(rules or others)

    @property
    def own(self) -> bool:
        """Whether it is somebody's own rule or route: not a default rule of every NSG, not a route of the system's."""
        texts = {key.lower(): value.lower() for key, value in self.context}
        rule, route = texts.get("rulename", ""), texts.get("routetype", "")
        is_default = rule.startswith(_DEFAULT_PREFIXES) or rule in _DEFAULT_RULES
        return not is_default and route in {"", "user"}


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop of the path, with the issues at it and on its links."""

    type: str
    address: str
    resource_id: str
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class ConnectivityCheck:
    """The answer of a connectivity check.

    Attributes:
        latency, fastest, slowest: average, least and greatest latency in milliseconds; None where nothing came back.
        probes_sent: 0 means that nothing was tried, which proves nothing.
    """

    status: ConnectionStatus
    raw_status: str
    hops: tuple[Hop, ...]
    probes_sent: int
    probes_failed: int
    latency: float | None
    fastest: float | None = None
    slowest: float | None = None

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Read the answer; raises ParseError with the path of what does not fit."""
        check = decode(body, _WireCheck)
        raw = check.connection_status or ""
        return cls(
            status=_STATUSES.get(raw.lower(), ConnectionStatus.UNKNOWN),
            raw_status=raw,
            hops=tuple(map(_hop, check.hops or ())),
            probes_sent=check.probes_sent or 0,
            probes_failed=check.probes_failed or 0,
            latency=check.avg_latency_in_ms,
            fastest=check.min_latency_in_ms,
            slowest=check.max_latency_in_ms,
        )

    @property
    def issues(self) -> tuple[tuple[Hop, Issue], ...]:
        """Every issue with its hop, in the order of the path, each once."""
        return tuple(dict.fromkeys((hop, issue) for hop in self.hops for issue in hop.issues))

    @property
    def conclusive(self) -> bool:
        """Whether it says something: the status is known, and probes were sent or an issue found.

        A check that sent no probe and found nothing did not try.
        """
        return self.status is not ConnectionStatus.UNKNOWN and (self.probes_sent > 0 or bool(self.issues))

    @property
    def reachable(self) -> bool:
        """Whether the destination answered, if only partly."""
        return self.status in {ConnectionStatus.REACHABLE, ConnectionStatus.DEGRADED}

    @property
    def lost(self) -> str:
        """How many probes failed, in words."""
        if not self.probes_sent:
            return "no probe was sent"
        return f"{self.probes_failed} of {self.probes_sent} probes failed"

    @property
    def latencies(self) -> str:
        """Latency in words, as a TCP ping shows it; empty where nothing came back."""
        if self.latency is None:
            return ""
        if self.fastest is None or self.slowest is None:
            return f"{self.latency:g} ms"
        return f"{self.fastest:g}/{self.latency:g}/{self.slowest:g} ms min/avg/max"


def _hop(read: _WireHop) -> Hop:
    links = [*(read.links or ()), *(read.previous_links or ())]
    issues = [*(read.issues or ()), *(issue for link in links for issue in link.issues or ())]
    resource = read.resource_id or ""
    return Hop(read.type or "", read.address or "", resource, tuple(dict.fromkeys(map(_issue, issues))))


def _issue(read: _WireIssue) -> Issue:
    raw = "" if read.type is None else str(read.type)
    return Issue(issue_type(raw), raw, read.origin or "", read.severity or "", tuple(_context(read.context)))


def _context(read: list[dict[str, Any]] | dict[str, Any] | None) -> list[tuple[str, str]]:
    """Recorded answers have a list of {key, value}; the SDK's type also allows plain {name: value}."""
    items = read if isinstance(read, list) else [read or {}]
    pairs: list[tuple[str, str]] = []
    for item in items:
        if "key" in item:
            pairs.append((str(item["key"]), _said(item.get("value"))))
        else:
            pairs += [(str(key), _said(value)) for key, value in item.items()]
    return pairs


def _said(value: object) -> str:
    return "" if value is None else str(value)
