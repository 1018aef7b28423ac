"""Network Watcher, found by region, and what Azure says about the rules and routes in effect at a NIC.

Source: REST references of Network Watchers and Network Interfaces.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from diagnostics.cloud import versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.errors import azure_errors
from diagnostics.cloud.operations import Operations
from diagnostics.errors import NotFoundError
from diagnostics.network import ids
from diagnostics.network.connectivity import Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import FlowCheck, RuleCheck
from diagnostics.runbooks.probing import (
    CheckConnectivity,
    DiagnoseRules,
    Probing,
    ReadEffectiveRules,
    VerifyFlow,
)

type _Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AzureWatcher:
    """Asks Network Watcher, and NICs.

    Answers come back as Azure sent them. Those about effective rules and routes do not name the NIC that they are
    about: whoever reads them has to say it, as `{"networkInterfaceId": …, "effectiveNetworkSecurityGroups": …}` does.

    Attributes:
        poll_seconds: between two looks, where Azure does not say.
        wait_seconds: how long to wait for an answer in one go.
    """

    clients: Clients
    poll_seconds: float
    wait_seconds: float
    _found: dict[tuple[str, str], ResourceId] = field(default_factory=dict)

    def find(self, subscription: str, location: str) -> ResourceId:
        """The Network Watcher of a region: name and resource group can be anything, so it is looked for by location.

        Raises:
            NotFoundError: the subscription has none there.
        """
        key = subscription.lower(), ids.region(location)
        if key not in self._found:
            with azure_errors("listing Network Watchers"):
                watchers = self.clients.network(subscription).network_watchers
                listed = list(watchers.list_all(api_version=versions.NETWORK))
            for watcher in listed:
                if watcher.location:
                    self._found[key[0], ids.region(watcher.location)] = ResourceId.parse(watcher.id)
        if key not in self._found:
            raise NotFoundError(
                f"no Network Watcher in region {location or '(unknown)'} of subscription {subscription}"
            )
        return self._found[key]

    def submit(self, question: Probing[Any]) -> str:
        """Ask it, once; returns the ticket of the answer.

        Raises:
            NotFoundError: there is no Network Watcher in the region and subscription of what is asked about.
            TemporaryError: Azure is busy, and took nothing.
        """
        path, version, body = self._request(question)
        client = self.clients.network(question.subject.subscription)
        return self._operations.submit(client, path, version, body, _doing(question))

    def collect(self, question: Probing[Any], ticket: str) -> bytes:
        """Wait for the answer; raises what `Operations.collect` raises."""
        client = self.clients.network(question.subject.subscription)
        return self._operations.collect(client, ticket, _doing(question))

    @property
    def _operations(self) -> Operations:
        return Operations(self.clients, self.poll_seconds, self.wait_seconds)

    def _request(self, question: Probing[Any]) -> tuple[str, str, _Json | None]:
        """Path, api-version and body."""
        match question:
            case CheckConnectivity(probe):
                return self._action(question, "connectivityCheck"), versions.NETWORK, _connection(probe)
            case VerifyFlow(flow):
                return self._action(question, "ipFlowVerify"), versions.NETWORK, _flow(flow)
            case DiagnoseRules(rules):
                return self._action(question, "networkConfigurationDiagnostic"), versions.NETWORK, _rules(rules)
            case ReadEffectiveRules(nic):
                return f"{nic}/effectiveNetworkSecurityGroups", _version(nic), None
        raise AssertionError(f"{type(question).__name__} is no question for Network Watcher")

    def _action(self, question: Probing[Any], name: str) -> str:
        return f"{self.find(question.subject.subscription, question.location)}/{name}"


def _doing(question: Probing[Any]) -> str:
    """In words, for errors."""
    name = question.subject.name
    match question:
        case CheckConnectivity():
            return f"connectivity check from {name}"
        case VerifyFlow():
            return f"IP flow verify of {name}"
        case DiagnoseRules():
            return f"NSG diagnostics of {name}"
        case ReadEffectiveRules():
            return f"reading the effective security rules of {name}"
    return f"reading the effective routes of {name}"


def _version(nic: ResourceId) -> str:
    return versions.SCALE_SET_NETWORK if nic.type == ids.SCALE_SET_NETWORK_INTERFACE else versions.NETWORK


def _connection(probe: Probe) -> _Json:
    named, destination = isinstance(probe.destination, ResourceId), str(probe.destination)
    there: _Json = {"resourceId" if named else "address": destination}
    if probe.port is not None:
        there["port"] = probe.port
    return {"source": {"resourceId": probe.source.text}, "destination": there, "protocol": probe.protocol}


def _flow(check: FlowCheck) -> _Json:
    nic = {"targetNicResourceId": check.nic.text} if check.nic else {}
    return {
        "targetResourceId": check.vm.text,
        **nic,
        "direction": check.direction.value,
        "protocol": check.protocol.upper(),
        "localIPAddress": check.local_address,
        "localPort": _port(check.local_port),
        "remoteIPAddress": check.remote_address,
        "remotePort": _port(check.remote_port),
    }


def _rules(check: RuleCheck) -> _Json:
    profile = {
        "direction": check.direction.value,
        "protocol": check.protocol.upper(),
        "source": check.source,
        "destination": check.destination,
        "destinationPort": _port(check.port),
    }
    return {"targetResourceId": check.target.text, "verbosityLevel": "Normal", "profiles": [profile]}


def _port(port: int | None) -> str:
    return "*" if port is None else str(port)
