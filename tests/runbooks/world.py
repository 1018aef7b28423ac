"""A small estate whose answers are written down: runbooks ask, a dictionary answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from diagnostics.findings import Finding
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
from diagnostics.runbooks.questions import (
    CheckConnectivity,
    FindVms,
    Question,
    ReadNic,
    ReadRouteTable,
    ReadSecurityGroup,
    ReadSubnet,
    ReadVm,
    Unread,
    answer_all,
)

OUTSIDE = Endpoint(address="www.example.com", port=443)
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


def check(status: str, *hops: Hop, sent: int = 30, failed: int | None = None) -> ConnectivityCheck:
    known = next((s for s in ConnectionStatus if s == status), ConnectionStatus.UNKNOWN)
    lost = failed if failed is not None else 0 if known is ConnectionStatus.REACHABLE else sent
    return ConnectivityCheck(known, status, hops, sent, lost, 2.0 if known is ConnectionStatus.REACHABLE else None)


@dataclass
class World:
    """Answers by what is asked about. `asked` keeps the questions in order."""

    answers: dict[object, Any] = field(default_factory=dict)
    check: ConnectivityCheck | Unread = field(default_factory=lambda: check("Reachable"))
    asked: list[Question[Any]] = field(default_factory=list)

    def __call__(self, question: Question[Any]) -> Any:
        self.asked.append(question)
        match question:
            case CheckConnectivity():
                return self.check
            case ReadVm(key) | ReadNic(key) | ReadSubnet(key) | ReadSecurityGroup(key) | ReadRouteTable(key):
                return self.answers.get(key, Unread(f"{key.name} was not found", missing=True))
            case FindVms(name):
                return self.answers.get(name, ())
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
        return answer_all(runbook.diagnose(request, OUTSIDE), self)

    def only(self, source: ResourceId | str, destination: Endpoint | None = None, **more: Any) -> Finding:
        diagnosis = self.diagnose(source, destination, **more)
        assert [finding.check for finding in diagnosis.findings] == [diagnosis.findings[0].check]
        return diagnosis.findings[0]
