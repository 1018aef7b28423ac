"""What a guest's routing table means, in words, and the finding where it is to blame."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from diagnostics.findings import Cause, Confidence, Finding, Remedy, Severity
from diagnostics.network.model import IpConfiguration, Nic
from diagnostics.network.probes import Shell
from diagnostics.runbooks.diagnosis import said
from diagnostics.runbooks.guest import remedies
from diagnostics.runbooks.guest.remedies import Place
from diagnostics.runbooks.guest.routes import GuestRoutes, Interface, Judgement, Network, Way
from diagnostics.runbooks.situation import Machine, Situation

NO_GATEWAY = "CON016"
_DROPPED = (
    "; Azure drops what leaves a network interface with a source address that is not its own, unless IP forwarding is "
    "on there"
)
_SYSTEM_TABLES = frozenset({"local", "main", "default"})


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a guest's routing table, for one address of one NIC.

    Attributes:
        gateway: the first usable address of the subnet; None where the subnet could not be read.
        prefix: of the subnet that holds the address, as Azure has it.
    """

    machine: Machine
    nic: Nic
    configuration: IpConfiguration
    address: str
    shell: Shell
    gateway: str | None
    prefix: Network | None
    routes: GuestRoutes
    judgement: Judgement

    @property
    def version(self) -> int:
        """Of the address."""
        return ipaddress.ip_address(self.address).version

    @property
    def interface(self) -> Interface | None:
        """The interface that has the address, else one that has another address of the same NIC."""
        addresses = [each.address for each in self.nic.ip_configurations if each.address]
        other = next((found for text in addresses if (found := self.routes.having(text))), None)
        return self.judgement.interface or other

    @property
    def place(self) -> Place:
        """Where to mend it."""
        interface = self.interface
        subnet = self.prefix or (interface.subnet_of(self.address) if interface else None)
        return Place(self.shell, self.address, self._hop(), subnet, interface)

    def _hop(self) -> str | None:
        """The gateway: for IPv6 the one that the guest itself learnt, where it has one, since Azure announces it."""
        learnt = (each.gateway for each in self.routes.defaults if each.gateway.lower().startswith("fe80:"))
        return next(learnt, self.gateway) if self.version == 6 else self.gateway


def summary(look: Look) -> str:
    """What was seen, in one sentence."""
    judgement = look.judgement
    name = look.interface.name if look.interface else ""
    route = judgement.route
    match judgement.way:
        case Way.OUT if route and route.default:
            by = f", by rule {judgement.rule}" if judgement.rule else ""
            via = f" via {route.gateway}" if route.gateway else ""
            return f"{look.address} is on {name}, which has a default route{via}{by}"
        case Way.OUT:
            return f"{look.address} is on {name}, and a route leads out by it to who asks: {route}"
        case Way.SAME_SUBNET:
            return f"{look.address} is on {name}; who asks is in the same subnet, so no gateway is needed to answer"
        case Way.ASTRAY:
            return f"answers from {look.address} ({name}) leave by {route.interface if route else '?'} instead: {route}"
        case Way.NOT_CONFIGURED:
            return f"no interface of {look.machine.id.name}'s guest has the address {look.address}"
        case Way.DOWN:
            return f"{name}, which has {look.address}, is down in the guest"
        case _:
            because = judgement.route or judgement.rule
            why = f": {because}" if because else ""
            if route is not None and route.interface not in {"", name}:
                why = f": answers leave by {route.interface} instead ({route})"
            return f"{look.address} is on {name}, which has no default gateway{why}"


def evidence(look: Look) -> Iterator[str]:
    """Interfaces, default routes and rules of the address's IP version; then what could not be read."""
    version = look.version
    for interface in look.routes.interfaces:
        own = [text for text in interface.addresses if (":" in text) == (version == 6)]
        if own:
            state = " (down)" if interface.up is False else ""
            number = f" (index {interface.index})" if interface.index is not None else ""
            yield f"{interface.name}{number}{state}: {', '.join(own)}"
    defaults = [route for route in look.routes.defaults if route.prefix.version == version]
    yield from map(str, defaults)
    if not defaults:
        yield f"no default route for IPv{version}"
    deciding = look.judgement.route
    if deciding is not None and not deciding.default:
        yield f"decides: {deciding}"
    own_rules = [r for r in look.routes.rules if r.version == version and r.table not in _SYSTEM_TABLES]
    yield from (f"rule {rule}" for rule in own_rules)
    yield from (f"not known: {why}" for missing, why in look.routes.gaps if missing == version)


def finding(situation: Situation, look: Look) -> Finding:
    """What is wrong: which of the ways not to answer it is, and the commands that mend it."""
    title, cause, remedy = _WORDS[look.judgement.way](look)
    return said(
        situation,
        NO_GATEWAY,
        title,
        about=look.machine.id,
        severity=Severity.HIGH,
        confidence=_confidence(look),
        cause=cause,
        remedy=remedy,
    )


def _confidence(look: Look) -> Confidence:
    """Proven is what the guest's own table leaves no doubt about.

    An address that is missing may be a container's, or an appliance's to answer for; an answer that leaves by another
    interface gets through where Azure lets that one forward.
    """
    judgement = look.judgement
    doubtful = judgement.way is Way.NOT_CONFIGURED and not look.configuration.primary
    if judgement.way in {Way.ASTRAY, Way.NONE} and judgement.route and judgement.route.interface:
        doubtful = _may_forward(look, judgement.route.interface)
    return Confidence.LIKELY if doubtful or not judgement.certain else Confidence.PROVEN


def _may_forward(look: Look, name: str) -> bool:
    """Whether Azure may let an interface of the guest send with addresses that are not its own."""
    interface = next((each for each in look.routes.interfaces if each.name == name), None)
    addresses = [text.partition("/")[0] for text in interface.addresses] if interface else []
    nics = [nic for nic in look.machine.read_nics if any(nic.owns(address) for address in addresses)]
    return not nics or any(nic.ip_forwarding for nic in nics)


def _which(look: Look) -> str:
    kind = "secondary interface" if look.machine.is_secondary(look.nic) else "interface"
    return f"{kind} {look.nic.id.name}"


def _no_gateway(look: Look) -> tuple[str, Cause, Remedy]:
    text = (
        f"Read in the guest: {summary(look)}. The guest gets a default gateway on its primary interface only; without "
        f"one here, answers to another subnet do not leave by this interface{_DROPPED if look.judgement.route else ''}."
    )
    title = f"{look.machine.id.name} has no default gateway on its {_which(look)}: answers do not leave its subnet"
    cause = _cause(look, "default gateway", text, look.nic.id.name)
    return title, cause, remedies.default_gateway(look.place, look.routes)


def _astray(look: Look) -> tuple[str, Cause, Remedy]:
    other = look.judgement.route.interface if look.judgement.route else "another interface"
    text = f"Read in the guest: {summary(look)}{_DROPPED}."
    title = f"{look.machine.id.name} answers for its {_which(look)} by {other}, and Azure drops that"
    cause = _cause(look, "guest route", text, f"{look.nic.id.name} by {other}")
    return title, cause, remedies.default_gateway(look.place, look.routes)


def _not_configured(look: Look) -> tuple[str, Cause, Remedy]:
    text = (
        f"Read in the guest: {summary(look)}. Azure delivers for IP configuration {look.configuration.name} of "
        f"{look.nic.id.name}, and the guest does not take it."
    )
    title = f"{look.address} of {_which(look)} is not configured inside {look.machine.id.name}"
    remedy = remedies.add_address(look.place, primary=look.configuration.primary)
    return title, _cause(look, "guest address", text, look.address), remedy


def _down(look: Look) -> tuple[str, Cause, Remedy]:
    name = look.interface.name if look.interface else "the interface"
    title = f"{name} of {look.machine.id.name}, its {_which(look)}, is down inside the guest"
    cause = _cause(look, "guest interface", f"Read in the guest: {summary(look)}.", name)
    return title, cause, remedies.bring_up(look.place)


def _cause(look: Look, kind: str, text: str, name: str) -> Cause:
    return Cause(kind=kind, text=text, name=name, resource_id=look.nic.id.text)


_WORDS: dict[Way, Callable[[Look], tuple[str, Cause, Remedy]]] = {
    Way.NONE: _no_gateway,
    Way.ASTRAY: _astray,
    Way.NOT_CONFIGURED: _not_configured,
    Way.DOWN: _down,
}
