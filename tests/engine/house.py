"""An engine among fakes: two VMs in one virtual network, and everything that a test may turn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from diagnostics.engine.accept import Acceptor
from diagnostics.engine.engine import Delivery, Engine, Policy
from diagnostics.findings import Finding
from diagnostics.intake.messages import ClosureRequest, DiagnosisRequest, Endpoint, Origin, RemediationRequest
from diagnostics.network.ids import ResourceId
from diagnostics.scopes import Scopes
from diagnostics.settings import RemediationMode
from tests.fake_azure import Inventory, Monitor, Nics, Prober, Watcher
from tests.fakes import NOON, Calls, Clock, Estates, Outbox, Reports, Sink, Store

SUBSCRIPTION = "3f2b1c9e-6a50-4d7e-9a51-0c8d5b7e2f10"
ELSEWHERE = "99999999-6a50-4d7e-9a51-0c8d5b7e2f10"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop"
VM, NIC = (
    ResourceId.parse(f"{GROUP}/providers/Microsoft.{kind}/web-1")
    for kind in ("Compute/virtualMachines", "Network/networkInterfaces")
)
NICS = Path(__file__).parent.parent / "data" / "nics"

WORKS = json.dumps({"connectionStatus": "Reachable", "hops": [], "probesSent": 30, "probesFailed": 0}).encode()
SILENT = json.dumps({"connectionStatus": "Unreachable", "hops": [], "probesSent": 30, "probesFailed": 30}).encode()
BLOCKED = json.dumps(
    {
        "connectionStatus": "Unreachable",
        "probesSent": 30,
        "probesFailed": 30,
        "hops": [
            {
                "type": "Source",
                "address": "10.0.0.4",
                "resourceId": VM.text,
                "issues": [
                    {
                        "origin": "Local",
                        "severity": "Error",
                        "type": "GuestFirewall",
                        "context": [{"key": "FirewallName", "value": "iptables"}],
                    }
                ],
            }
        ],
    }
).encode()


def nic_document(
    name: str = "web-1", state: str = "Failed", file: str = "plain", address: str | None = None
) -> dict[str, Any]:
    """A NIC as Azure sends it, under another name, in another state and with another address."""
    text = (NICS / f"{file}.json").read_text(encoding="utf-8").replace("{group}", GROUP).replace("{name}", name)
    document: dict[str, Any] = json.loads(text)
    document["properties"]["provisioningState"] = state
    if address:
        document["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] = address
    return document


def vm_document(name: str = "web-1", *nics: str) -> dict[str, Any]:
    """A running VM with these NICs."""
    references = [{"id": f"{GROUP}/providers/Microsoft.Network/networkInterfaces/{nic}"} for nic in nics or (name,)]
    return {
        "id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}",
        "location": "westeurope",
        "properties": {
            "networkProfile": {"networkInterfaces": references},
            "instanceView": {"statuses": [{"code": "PowerState/running"}]},
            "storageProfile": {"osDisk": {"osType": "Linux"}},
        },
    }


class House:
    """One app with its world. Making another engine on the same world is what a restart of the host does."""

    def __init__(
        self,
        mode: RemediationMode = RemediationMode.AUTO,
        *,
        nic: str = "Succeeded",
        answer: bytes | Exception = WORKS,
        scopes: str = SUBSCRIPTION,
    ) -> None:
        self.calls, self.clock, self.mode, self.scopes = Calls(), Clock(), mode, Scopes.parse(scopes)
        self.nics, self.store, self.outbox = Nics(self.calls), Store(self.calls), Outbox(self.calls)
        self.queue, self.teams = Sink("queue", self.calls), Sink("teams", self.calls)
        self.inventory, self.watcher = Inventory(self.nics, self.calls), Watcher(self.calls, answer)
        self.guest, self.monitor = Prober("guest", self.calls, b"{}"), Monitor(self.calls)
        self.estates, self.reports = Estates(self.calls), Reports(self.calls)
        self.keeps_reports = True
        self.policy: dict[str, Any] = {}
        self.inventory.add(vm_document())
        self.nics.add(nic_document(state=nic))

    @property
    def engine(self) -> Engine:
        """A new engine, as after a restart."""
        outside = Endpoint(address="example.com", port=443)
        policy = Policy(self.scopes, self.mode, outside, own_client_id="me", **self.policy)
        return Engine(
            policy,
            inventory=self.inventory,
            estates=self.estates,
            watcher=self.watcher,
            guest=self.guest,
            monitor=self.monitor,
            nics=self.nics,
            store=self.store,
            sinks=[self.queue, self.teams],
            reports=self.reports if self.keeps_reports else None,
            outbox=self.outbox,
            clock=self.clock,
        )

    @property
    def acceptor(self) -> Acceptor:
        """What takes alerts in."""
        return Acceptor(self.scopes, self.outbox, self.store, self.clock)

    def diagnose(self, request: DiagnosisRequest, message: str = "m1") -> None:
        self.engine.diagnose(request.to_json(), Delivery(message))

    def close(self, alert_id: str = "a1", at: str = "2026-11-02T12:30:00Z", message: str = "c1") -> None:
        request = ClosureRequest(request_id=f"over-{alert_id}-{at}", alert_id=alert_id, resolved_at=at)
        self.engine.close(request.to_json(), Delivery(message))

    def remediate(self, request: RemediationRequest, message: str = "m1") -> None:
        self.engine.remediate(request.to_json(), Delivery(message))

    def finding(self, check: str) -> Finding:
        """The one finding of a check that the store has."""
        (found,) = (known.finding for known in self.store.findings.values() if known.finding.check == check)
        return found

    def steps(self, check: str) -> str:
        """What the steps of that finding say, evidence and all."""
        steps = self.finding(check).steps
        return "\n".join(f"{step.name} {step.outcome}: {step.summary} {' '.join(step.evidence)}" for step in steps)


def asked(
    request_id: str = "r1", alert_id: str | None = "a1", source: ResourceId = VM, **more: Any
) -> DiagnosisRequest:
    """A diagnosis request of an alert that fired at noon."""
    origin = Origin(kind="alert" if alert_id else "queue", alert_id=alert_id, fired_at=NOON.isoformat())
    return DiagnosisRequest(request_id=request_id, source=Endpoint(resource_id=source.text), origin=origin, **more)


def reput(request_id: str = "r1", nic: ResourceId = NIC, approved_by: str | None = None) -> RemediationRequest:
    """A request to put the NIC back."""
    return RemediationRequest(request_id=request_id, resource_id=nic.text, approved_by=approved_by)
