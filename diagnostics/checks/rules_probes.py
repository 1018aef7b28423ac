"""Health probes of load balancers that a rule of an NSG turns away."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Found, Said, Unclear
from diagnostics.checks.rules_reading import machine
from diagnostics.checks.rules_remedy import Wanted, add
from diagnostics.checks.rules_serving import members_of
from diagnostics.checks.view import View
from diagnostics.checks.words import fact, listed, named, rule_cause
from diagnostics.findings import Severity
from diagnostics.network.cells import family, top_of
from diagnostics.network.estate import HealthProbe, LoadBalancer, Point
from diagnostics.network.filters import Filtered
from diagnostics.network.ids import ResourceId
from diagnostics.network.intervals import Intervals
from diagnostics.network.model import SecurityGroup, SecurityRule
from diagnostics.network.prefixes import Address
from diagnostics.network.security import Flow, Terms, Verdict

_DOC = "/azure/virtual-network/what-is-ip-address-168-63-129-16"
_FROM = {4: ipaddress.ip_address("168.63.129.16"), 6: ipaddress.ip_address("fe80::1234:5678:9abc")}
_ANY_PORT = 50_000
_SHOWN = 5


@check("NSG012", "Own Deny takes the health probes of a load balancer", Severity.HIGH)
def cuts_probes(view: View) -> Iterator[Said]:
    """Probes come from 168.63.129.16, and AllowAzureLoadBalancerInBound lets them in; a Deny above it turns them away.

    The load balancer then takes its members for dead and sends them nothing ("What is IP address 168.63.129.16?").
    """
    asked = _Asked(view)
    lost: dict[tuple[ResourceId, str], _Lost] = {}
    for balancer in sorted(view.estate.load_balancers.values(), key=lambda each: each.id.key):
        missing: set[str] = set()
        for probe, point in _probed(view, balancer):
            found = asked.probe(point, probe)
            if found.verdict is Verdict.UNKNOWN:
                missing.update(name for stage in found.stages for name in stage.missing)
            elif (stopped := _stopped(view, found)) is not None:
                group, rule = stopped
                lost.setdefault((group.id, rule.name.lower()), _Lost(group, rule)).add(view, balancer, probe, point)
        if missing:
            yield Unclear(balancer.id, tuple(sorted(missing)))
    yield from (_found(each) for each in lost.values())


@dataclass(slots=True)
class _Lost:
    """The probes that a rule turns away: by probe, the members that do not get it."""

    group: SecurityGroup
    rule: SecurityRule
    members: dict[tuple[str, str, int], dict[str, None]] = field(default_factory=dict)

    def add(self, view: View, balancer: LoadBalancer, probe: HealthProbe, point: Point) -> None:
        """One more."""
        key = f"probe {probe.id.name} of load balancer {balancer.id.name}", _protocol(probe), probe.port
        self.members.setdefault(key, {})[machine(view, point)] = None


class _Asked:
    """What the rules at endpoints say of probes; asked once for those where the same rules stand and say the same."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[object, Filtered] = {}
        self._alike: dict[object, bool] = {}

    def probe(self, point: Point, probe: HealthProbe) -> Filtered:
        """What becomes of a probe at an endpoint that has an address."""
        text = point.configuration.address or ""
        version = 6 if ":" in text else 4
        place = point.configuration.subnet, point.nic.security_group, version
        who = None if self._same_for_all(place, point, version) else text
        key = place, who, probe.port
        if key not in self._known:
            address = point.address
            assert address
            flow = Flow(_FROM[version], address, "Tcp", probe.port, _ANY_PORT)
            self._known[key] = self._view.filters.inbound(point, flow)
        return self._known[key]

    def _same_for_all(self, place: object, point: Point, version: int) -> bool:
        """Whether no rule at an endpoint that may be about probes tells destinations apart, but for default ones."""
        if point.nic.id in self._view.estate.effective_groups:
            return False
        if place not in self._alike:
            filters = self._view.filters
            lists = [rules or () for _, _, rules in filters.lists(point, inbound=True)]
            lists.append(filters.admin_rules(point, inbound=True))
            self._alike[place] = all(
                rule.default or _for_all(terms, _FROM[version]) for rules in lists for rule, terms in rules
            )
        return self._alike[place]


def _for_all(terms: Terms, source: Address) -> bool:
    """Whether a rule takes what comes from an address for every destination, or for none."""
    there = family(terms.destinations.must, source.version)
    return terms.sources.holds(source) is False or there == Intervals.all(top_of(source.version))


def _probed(view: View, balancer: LoadBalancer) -> Iterator[tuple[HealthProbe, Point]]:
    """Every probe that counts for a rule, with each member that is asked."""
    pairs = dict.fromkeys((rule.probe, rule.pool) for rule in balancer.rules)
    for wanted, pool in pairs:
        probe = balancer.probes.get(wanted) if wanted else None
        if probe is not None and probe.port and pool is not None:
            yield from ((probe, point) for point in members_of(view, balancer, pool) if point.configuration.address)


def _stopped(view: View, found: Filtered) -> tuple[SecurityGroup, SecurityRule] | None:
    """The NSG and the rule of its own that turn something away."""
    for stage in found.stages:
        group = view.estate.security_groups.get(stage.group) if stage.group else None
        if stage.verdict is Verdict.DENIED and group and stage.rule and not stage.rule.default:
            return group, stage.rule
    return None


def _protocol(probe: HealthProbe) -> str:
    return probe.protocol or "Tcp"


def _found(lost: _Lost) -> Found:
    group, rule = lost.group, lost.rule
    causes = [rule_cause(group.id, rule)]
    for (name, protocol, port), members in sorted(lost.members.items())[:_SHOWN]:
        text = f"{name} ({protocol} {port}) does not reach {listed(members)}"
        causes.append(fact("probe", text, group.id, name))
    ports = tuple(str(port) for port in sorted({port for _, _, port in lost.members}))
    wanted = Wanted("allow-health-probes", "Inbound", "AzureLoadBalancer", "*", ports)
    summary = (
        f"Allow service tag AzureLoadBalancer to port {listed(ports)} above rule {rule.name}: nothing but Azure's "
        "platform can send from there."
    )
    remedy = add(group, [wanted], summary, _DOC, rule.priority)
    title = f"Rule {named(rule)} of NSG {group.id.name} turns away health probes of load balancers"
    return Found(group.id, title, tuple(causes), remedy, (rule.name.lower(),))
