"""An issue of a connectivity check, with what is known of where it was found: what a remedy is made of."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from diagnostics.findings import Remedy
from diagnostics.network.connectivity import Issue
from diagnostics.network.ids import SCALE_SET_VM, ResourceId
from diagnostics.network.model import Route, SecurityGroup
from diagnostics.paste.links import LEARN

_PROTOCOLS = {"udp": "Udp", "icmp": "Icmp"}


@dataclass(frozen=True, slots=True)
class Blocker:
    """An issue and where it was found.

    Attributes:
        at: the VM, or other resource, at whose hop Azure saw it.
        place: the hop in words, where no resource of it is known.
        owner: the NSG or route table that holds the named rule or route, if it was found.
        item: the name of the rule or route in it.
        own: whether the rule or route is somebody's own: not a default rule, not a route of the system's.
        unread: what could not be read while looking for the owner, and why.
        os: of `at`: `Windows`, `Linux`, or empty.
        location: of `at`, or empty.
        source, destination: the IP addresses of the flow, empty where they are not known.
        port: the destination's; None where it has none or it is not known.
        protocol: of the probe: `Tcp`, `Http`, `Icmp`, …
        group: the NSG as it was read.
        route: the route as it was read.
        network: the virtual network of the source.
    """

    issue: Issue
    at: ResourceId | None = None
    owner: ResourceId | None = None
    item: str = ""
    own: bool = True
    place: str = "the path"
    unread: tuple[str, ...] = ()
    os: str = ""
    location: str = ""
    source: str = ""
    destination: str = ""
    port: int | None = None
    protocol: str = ""
    group: SecurityGroup | None = None
    route: Route | None = None
    network: ResourceId | None = None

    @property
    def name(self) -> str:
        """What the issue names, or the words that stand for it."""
        return self.item or self.issue.name

    @property
    def where(self) -> str:
        """The machine, or the hop in words."""
        return machine_name(self.at) if self.at else self.place

    @property
    def transport(self) -> str:
        """The protocol as rules name it: `Tcp`, `Udp` or `Icmp`."""
        return _PROTOCOLS.get(self.protocol.lower(), "Tcp")

    @property
    def ports(self) -> str:
        """The destination's port as rules name it."""
        return "*" if self.transport == "Icmp" or self.port is None else str(self.port)

    @property
    def has_flow(self) -> bool:
        """Whether it is known exactly what has to be let through."""
        return is_ip(self.source) and is_ip(self.destination) and (self.port is not None or self.transport == "Icmp")

    @property
    def flow(self) -> str:
        """The flow in words."""
        to = f"{self.destination} port {self.port}" if self.ports != "*" else self.destination
        return f"{self.transport.upper()} from {self.source} to {to}"

    @property
    def outbound(self) -> bool:
        """Whether the traffic is stopped as it leaves a machine."""
        return self.issue.origin.lower() == "outbound"


def machine_name(vm: ResourceId) -> str:
    """A VM by its name; an instance of a scale set, whose name is a number, with its scale set."""
    return f"instance {vm.name} of {vm.names[0]}" if vm.type == SCALE_SET_VM else vm.name


def is_ip(text: str) -> bool:
    """Whether the text is an IP address, and nothing more."""
    try:
        return not getattr(ipaddress.ip_address(text), "scope_id", None)
    except ValueError:
        return False


def learn(text: str, path: str) -> Remedy:
    """Words, and where to read on."""
    return Remedy(summary=text, doc_url=LEARN + path)
