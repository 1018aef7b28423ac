"""What a network interface lets in and out: security admin rules, then the NSGs of subnet and NIC, in Azure's order.

Source: "How network security groups filter network traffic", "Security admin rules in Azure Virtual Network Manager".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from diagnostics.network.estate import AdminRule, EffectiveGroup, Estate, Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.meaning import Contexts, World
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.ordered import Ordered
from diagnostics.network.prefixes import AddressSet, Bounds
from diagnostics.network.security import WITH_PORTS, Context, Flow, Terms, Verdict, first_match
from diagnostics.network.tags import HOST, INSTANCE_METADATA

_PLATFORM_TAGS = frozenset({"azureplatformdns", "azureplatformimds", "azureplatformlkm"})
_DNS, _DNS_PORT = "azureplatformdns", 53

UNSEEN = ResourceId("?", "", "", "", (), "?")
"""Stands for an NSG of which it is not known whether there is one."""

_LET_THROUGH = SecurityRule("platform", 65_501, "Outbound", "Allow", default=True)

type Rules = tuple[tuple[SecurityRule, Terms], ...]


class Level(StrEnum):
    """Where rules stand."""

    __hash__ = str.__hash__  # a part of many keys; Enum's own is slow

    ADMIN = "security admin rules"
    SUBNET = "subnet"
    NIC = "network interface"


_IN, _OUT = (Level.SUBNET, Level.NIC), (Level.NIC, Level.SUBNET)


class Stage(msgspec.Struct, frozen=True, gc=False):
    """What one list of rules decides about a flow.

    Attributes:
        group: the NSG; None for admin rules, and for a subnet or NIC of which it is not known whether it has one.
        rule: the rule that decides; None where no rule speaks about the flow.
        bypasses: whether an `AlwaysAllow` admin rule ends the matter.
    """

    level: Level
    verdict: Verdict
    group: ResourceId | None = None
    rule: SecurityRule | None = None
    doubtful: tuple[SecurityRule, ...] = ()
    missing: frozenset[str] = frozenset()
    bypasses: bool = False


class Filtered(msgspec.Struct, frozen=True, gc=False):
    """What all rules of a NIC in one direction decide about a flow.

    Attributes:
        stages: what was asked, in order.
        open: whether no NSG stands here at all; Azure's Standard public addresses are closed then.
    """

    verdict: Verdict
    stages: tuple[Stage, ...]
    open: bool = False

    @property
    def may_bypass(self) -> bool:
        """Whether an admin rule that perhaps matches would pass over what comes behind."""
        stage = self.stages[0] if self.stages else None
        if stage is None or stage.level is not Level.ADMIN or stage.verdict is not Verdict.UNKNOWN:
            return False
        rules = (*stage.doubtful, *((stage.rule,) if stage.rule else ()))
        return any(rule.access.lower() == "alwaysallow" for rule in rules)


def group_at(estate: Estate, point: Point, level: Level) -> ResourceId | None:
    """The NSG of the subnet or NIC of an endpoint; None where there is none, `UNSEEN` where that is not known.

    Azure's own answer for the NIC adds one that configuration does not have: a policy may have put it there since.
    """
    told = estate.effective_groups.get(point.nic.id)
    subnet = estate.subnet_of(point)
    if level is Level.NIC:
        configured = point.nic.security_group
    elif subnet:
        configured = subnet.security_group
    else:
        configured = UNSEEN if told is None else None
    added = (each.id or UNSEEN for each in told or () if each.on_subnet == (level is Level.SUBNET))
    return configured or next(added, None)


class Filters:
    """The rules at every endpoint of an estate, made ready once."""

    def __init__(self, estate: Estate) -> None:
        self._estate, self._told = estate, estate.effective_groups
        self._contexts: dict[object, Context] = {}
        self._alike = Contexts(estate)
        self._rules: dict[object, Rules] = {}
        self._ordered: dict[tuple[int, bool], Ordered] = {}

    def inbound(self, point: Point, flow: Flow) -> Filtered:
        """What the rules at an endpoint decide about a flow that comes in."""
        return self._decide(point, flow, inbound=True)

    def outbound(self, point: Point, flow: Flow) -> Filtered:
        """What the rules at an endpoint decide about a flow that goes out."""
        return self._decide(point, flow, inbound=False)

    def context(self, point: Point, world: World = World.BOUNDS) -> Context:
        """What the words of rules mean at an endpoint."""
        key = (world, *self._place(point))
        if key not in self._contexts:
            self._contexts[key] = self._alike.at(point, world)
        return self._contexts[key]

    def lists(
        self, point: Point, *, inbound: bool, world: World = World.BOUNDS
    ) -> Iterator[tuple[Level, ResourceId | None, Rules | None]]:
        """The NSGs that a flow meets at an endpoint, in order, with their rules; None for one that cannot be read."""
        for level, group, known in self._groups(point, inbound=inbound):
            yield level, group, self._read(point, known, world) if known else None

    def admin_rules(self, point: Point, *, inbound: bool, world: World = World.BOUNDS) -> Rules:
        """The security admin rules that apply to the network of an endpoint, in order."""
        if not self._estate.admin_rules:
            return ()
        network = subnet.parent if (subnet := point.configuration.subnet) else None
        key = (world, "admin", inbound, *self._place(point))
        if key not in self._rules:
            here = [each for each in self._estate.admin_rules if network in each.networks | each.perhaps]
            own = sorted((e for e in here if e.rule.inbound == inbound), key=lambda each: each.rule.priority)
            context = self.context(point, world)
            found = ((each, Terms.lenient(each.rule, context)) for each in own)
            self._rules[key] = tuple(
                (each.rule, terms if network in each.networks else _undeployed(each, terms)) for each, terms in found
            )
        return self._rules[key]

    def _decide(self, point: Point, flow: Flow, *, inbound: bool) -> Filtered:
        found = self._in_world(point, flow, World.BOUNDS, inbound=inbound)
        if found.verdict is Verdict.UNKNOWN and self._turns_on_network(point, flow):
            # `Internet` is what `VirtualNetwork` is not: whichever an address is in, the verdict may be the same.
            narrow = self._in_world(point, flow, World.NARROW, inbound=inbound)
            wide = self._in_world(point, flow, World.WIDE, inbound=inbound)
            return narrow if narrow.verdict is wide.verdict else found
        return found

    def _turns_on_network(self, point: Point, flow: Flow) -> bool:
        """Whether it is open of one address, and one only, whether it is in the tag `VirtualNetwork`."""
        own = self.context(point).prefix("VirtualNetwork")
        return (own.holds(flow.source) is None) != (own.holds(flow.destination) is None)

    def _in_world(self, point: Point, flow: Flow, world: World, *, inbound: bool) -> Filtered:
        platform = not inbound and (flow.destination in HOST or flow.destination in INSTANCE_METADATA)
        above = self.admin_rules(point, inbound=inbound, world=world)
        admin = _admin(_naming_platform(above, flow) if platform else above, flow)
        if admin and admin.verdict is not Verdict.UNKNOWN and (admin.bypasses or admin.verdict is Verdict.DENIED):
            return Filtered(admin.verdict, (admin,))
        stages = []
        for level, group, ordered in self._groups(point, inbound=inbound):
            if ordered is None:
                stages.append(Stage(level, Verdict.UNKNOWN, group, missing=self._unread(point, level, group)))
            else:
                rules = ordered.asked(flow, self.context(point, world))
                stages.append(_stage(level, group, _platform(rules, flow) if platform else rules, flow))
        verdict = _together(stage.verdict for stage in stages)
        if admin and admin.verdict is Verdict.UNKNOWN:
            verdict = _with_doubt(admin, verdict)
        return Filtered(verdict, (admin, *stages) if admin else tuple(stages), open=not stages)

    def _groups(self, point: Point, *, inbound: bool) -> Iterator[tuple[Level, ResourceId | None, Ordered | None]]:
        """The NSGs that a flow meets at an endpoint, in order; None for the rules of one that cannot be read."""
        for level in _IN if inbound else _OUT:
            group = group_at(self._estate, point, level)
            if group is UNSEEN:
                yield level, None, None
            elif group is not None:
                known = self._known(point, level, group)
                yield level, group, self.ordered(known, inbound=inbound) if known else None

    def _known(self, point: Point, level: Level, group: ResourceId) -> SecurityGroup | EffectiveGroup | None:
        """What is known of an NSG: its configuration, else what Azure said of it at the NIC."""
        if (configured := self._estate.security_groups.get(group)) is not None:
            return configured
        effective = self._estate.effective_groups.get(point.nic.id, ())
        return next((each for each in effective if each.on_subnet == (level is Level.SUBNET)), None)

    def _read(self, point: Point, ordered: Ordered, world: World) -> Rules:
        key = (world, id(ordered), *self._place(point))  # kept as long as this is
        if key not in self._rules:
            self._rules[key] = ordered.at(self.context(point, world))
        return self._rules[key]

    def ordered(self, known: SecurityGroup | EffectiveGroup, *, inbound: bool) -> Ordered:
        """The rules of an NSG in a direction."""
        key = id(known), inbound  # the estate keeps it as long as this is there
        if key not in self._ordered:
            self._ordered[key] = Ordered(known.rules, inbound=inbound)
        return self._ordered[key]

    def _place(self, point: Point) -> tuple[str, str]:
        """What makes words mean the same: the subnet, and the NIC where Azure told about it; by their keys."""
        subnet, nic = point.configuration.subnet, point.nic.id
        told = nic.key if self._told and nic in self._told else ""
        return subnet.key if subnet else "", told

    @staticmethod
    def _unread(point: Point, level: Level, group: ResourceId | None) -> frozenset[str]:
        if group is not None:
            return frozenset({f"NSG {group.name}"})
        subnet = point.configuration.subnet
        return frozenset({f"the {level} {subnet.name}" if subnet else f"the {level} of {point.nic.id.name}"})


def _undeployed(rule: AdminRule, terms: Terms) -> Terms:
    """The terms of a rule of which it is not known whether it is in force: it matches nothing for sure."""
    missing = frozenset({f"whether security admin rule {rule.rule.name} is in force here"})
    return msgspec.structs.replace(
        terms, sources=Bounds(AddressSet.none(), terms.sources.may, terms.sources.missing | missing)
    )


def _admin(rules: Rules, flow: Flow) -> Stage | None:
    """What admin rules decide; None where none of them speaks about the flow, or one hands on to the NSGs."""
    doubtful: list[SecurityRule] = []
    missing: frozenset[str] = frozenset()
    for rule, terms in rules:
        matches = terms.match(flow)
        if matches is None:
            doubtful.append(rule)
            missing |= terms.missing(flow)
        elif matches:
            if doubtful and any(other.access.lower() != rule.access.lower() for other in doubtful):
                return Stage(Level.ADMIN, Verdict.UNKNOWN, None, rule, tuple(doubtful), missing)
            return _sure(rule)
    if any(rule.access.lower() != "allow" for rule in doubtful):
        return Stage(Level.ADMIN, Verdict.UNKNOWN, None, None, tuple(doubtful), missing)
    return None


def _sure(rule: SecurityRule) -> Stage:
    access = rule.access.lower()
    verdict = Verdict.ALLOWED if access in {"allow", "alwaysallow"} else Verdict.DENIED
    return Stage(Level.ADMIN, verdict, None, rule, bypasses=access == "alwaysallow")


def _with_doubt(admin: Stage, behind: Verdict) -> Verdict:
    """What admin rules of which it is not known which one matches make of the NSGs' verdict."""
    rules = [*admin.doubtful, *([admin.rule] if admin.rule else [])]
    ends = {_sure(rule) for rule in rules}
    possible = {behind if not end.bypasses and end.verdict is Verdict.ALLOWED else end.verdict for end in ends}
    possible |= set() if admin.rule else {behind}
    return possible.pop() if len(possible) == 1 else Verdict.UNKNOWN


def _stage(level: Level, group: ResourceId | None, rules: Iterable[tuple[SecurityRule, Terms]], flow: Flow) -> Stage:
    decision = first_match(rules, flow)
    assert decision, "the last rule matches everything"
    rule = None if decision.rule is _LET_THROUGH else decision.rule
    return Stage(level, decision.verdict, group, rule, decision.doubtful, decision.missing)


def _platform(rules: Iterable[tuple[SecurityRule, Terms]], flow: Flow) -> Rules:
    """The rules that count for the platform's own addresses: those that name its tags."""
    return (*_naming_platform(rules, flow), (_LET_THROUGH, Terms.of(_LET_THROUGH, Context())))


def _naming_platform(rules: Iterable[tuple[SecurityRule, Terms]], flow: Flow) -> Rules:
    return tuple((rule, terms) for rule, terms in rules if _names_platform(rule, flow))


def _names_platform(rule: SecurityRule, flow: Flow) -> bool:
    named = {text.lower() for text in rule.destinations} & _PLATFORM_TAGS
    asks = flow.protocol.lower() in WITH_PORTS and flow.destination_port in {None, _DNS_PORT}
    return bool(named - {_DNS}) or (bool(named) and asks)


def _together(verdicts: Iterable[Verdict]) -> Verdict:
    found = set(verdicts)
    if Verdict.DENIED in found:
        return Verdict.DENIED
    return Verdict.UNKNOWN if Verdict.UNKNOWN in found else Verdict.ALLOWED
