"""A small estate whose answers are written down: runbooks ask, a dictionary answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from diagnostics.findings import Finding, Outcome
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin
from diagnostics.network.connectivity import (
    ConnectionStatus,
    ConnectivityCheck,
    Hop,
    Issue,
    Probe,
    issue_type,
)
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import (
    IpConfiguration,
    Nic,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityRule,
    Subnet,
    Vm,
)
from diagnostics.runbooks import runbook
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.probing import CheckConnectivity, Probing
from diagnostics.runbooks.questions import (
    Extension,
    FindByAddress,
    FindVms,
    FindWatcher,
    Question,
    ReadBody,
    ReadChanges,
    ReadExtensions,
    ReadMetrics,
    ReadNic,
    ReadRouteTable,
    ReadSecurityGroup,
    ReadSubnet,
    ReadVm,
    Tell,
    Unread,
    answer_all,
)
from diagnostics.runbooks.ranking import HINDRANCES
from diagnostics.runbooks.situation import Conditions

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
OUTSIDE = Endpoint(address="www.example.com", port=443)
AGENT = Extension("watcher", "Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentLinux", "Succeeded")
GROUP = "/subscriptions/s1/resourceGroups/rg/providers/"


def vm(name: str) -> ResourceId:
    return ResourceId.parse(f"{GROUP}Microsoft.Compute/virtualMachines/{name}")


def net(kind: str, name: str) -> ResourceId:
    return ResourceId.parse(f"{GROUP}Microsoft.Network/{kind}/{name}")


def subnet(name: str) -> ResourceId:
    return net("virtualNetworks", f"vnet/subnets/{name}")


def issue(kind: str, origin: str = "Local", severity: str = "Error", **context: str) -> Issue:
    return Issue(issue_type(kind), kind, origin, severity, tuple(context.items()))


def hop(at: ResourceId | None, address: str, *issues: Issue, kind: str = "VirtualNetwork") -> Hop:
    return Hop(kind, address, at.text if at else "", issues)


def ended(finding: Finding, step: str) -> Outcome:
    """How a step of the finding's diagnosis ended."""
    return next(each.outcome for each in finding.steps if each.name == step)


def summary(finding: Finding, step: str) -> str:
    """What a step of the finding's diagnosis says."""
    return next(each.summary for each in finding.steps if each.name == step)


def check(status: str, *hops: Hop, sent: int = 30, failed: int | None = None) -> ConnectivityCheck:
    known = next((s for s in ConnectionStatus if s == status), ConnectionStatus.UNKNOWN)
    lost = failed if failed is not None else 0 if known is ConnectionStatus.REACHABLE else sent
    return ConnectivityCheck(known, status, hops, sent, lost, 2.0 if known is ConnectionStatus.REACHABLE else None)


@dataclass
class World:
    """Answers by what is asked about. `asked` keeps the questions in order.

    Attributes:
        check: the answer of every connectivity check; `later` that of the second check of the same connection.
        by_end: the answer of the checks of a port, or of an address, where it is another.
    """

    answers: dict[object, Any] = field(default_factory=dict)
    check: ConnectivityCheck | Unread = field(default_factory=lambda: check("Reachable"))
    later: ConnectivityCheck | Unread | None = None
    by_end: dict[object, ConnectivityCheck | Unread] = field(default_factory=dict)
    asked: list[Question[Any]] = field(default_factory=list)
    conditions: Conditions = field(default_factory=lambda: Conditions(NOON, OUTSIDE))

    def __call__(self, question: Question[Any]) -> Any:
        self.asked.append(question)
        match question:
            case CheckConnectivity(probe, attempt):
                known = self.by_end.get(probe.port, self.by_end.get(probe.destination, self.check))
                return self.later if attempt > 1 and self.later is not None else known
            case ReadVm(key) | ReadNic(key) | ReadSubnet(key) | ReadSecurityGroup(key) | ReadRouteTable(key):
                return self.answers.get(key, Unread(f"{key.name} was not found", missing=True))
            case FindVms(key) | FindByAddress(key):
                return self.answers.get(key, ())
            case _:
                return self.answers.get(type(question), self._usual(question))

    @staticmethod
    def _usual(question: Question[Any]) -> Any:
        """What is answered unless a test says otherwise: all is in order, and Azure's bodies are not to be had."""
        match question:
            case FindWatcher():
                return net("networkWatchers", "watcher")
            case ReadExtensions():
                return (AGENT,)
            case ReadMetrics() | ReadChanges():
                return ()
            case ReadBody() | Probing():
                return Unread("it is not in this test")
            case Tell():
                return None
        raise AssertionError(question)

    @property
    def probes(self) -> list[Probe]:
        return [question.probe for question in self.asked if isinstance(question, CheckConnectivity)]

    def machine(self, name: str, *nics: str, state: str | None = "running", os: str = "Linux") -> None:
        ids = tuple(net("networkInterfaces", nic) for nic in nics)
        self.answers[vm(name)] = Vm(vm(name), "westeurope", state, os, ids)

    def nic(
        self,
        name: str,
        of: str | None,
        address: str,
        *,
        within: str = "front",
        primary: bool = True,
        state: str = "Succeeded",
        group: str | None = None,
    ) -> None:
        key = net("networkInterfaces", name)
        configuration = IpConfiguration("ipconfig1", address, subnet(within), primary=True)
        owner, filtered = vm(of) if of else None, net("networkSecurityGroups", group) if group else None
        self.answers[key] = Nic(key, "westeurope", state, owner, primary, filtered, (configuration,))

    def subnet(self, name: str, prefix: str, *, group: str | None = None, table: str | None = None) -> None:
        filtered = net("networkSecurityGroups", group) if group else None
        routes = net("routeTables", table) if table else None
        self.answers[subnet(name)] = Subnet(subnet(name), (prefix,), filtered, routes)

    def group(self, name: str, *own: str) -> None:
        rules = [SecurityRule(rule, 100 + i, "Inbound", "Deny", default=False) for i, rule in enumerate(own)]
        rules.append(SecurityRule("DenyAllInBound", 65_500, "Inbound", "Deny", default=True))
        key = net("networkSecurityGroups", name)
        self.answers[key] = SecurityGroup(key, tuple(rules))

    def table(self, name: str, **routes: str) -> None:
        key = net("routeTables", name)
        self.answers[key] = RouteTable(key, tuple(Route(n, prefix, "None", "") for n, prefix in routes.items()))

    def diagnose(self, source: ResourceId | str, destination: Endpoint | None = None, **more: Any) -> Diagnosis:
        end = Endpoint(name=source) if isinstance(source, str) else Endpoint(resource_id=source.text)
        request = DiagnosisRequest(
            request_id="r1", source=end, destination=destination, origin=Origin(kind="queue"), **more
        )
        return answer_all(runbook.diagnose(request, self.conditions), self)

    def only(self, source: ResourceId | str, destination: Endpoint | None = None, **more: Any) -> Finding:
        """The one cause that is found; what kept from looking stands beside it, or alone."""
        findings = self.diagnose(source, destination, **more).findings
        causes = [finding for finding in findings if finding.check not in HINDRANCES] or list(findings)
        (finding,) = causes
        return finding
