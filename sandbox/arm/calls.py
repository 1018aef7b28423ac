"""What was asked of the sandbox: one record a request, and the role actions that it would have needed in Azure."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from sandbox.arm.wire import Path

# Where a NIC refers to something, and the right that Azure asks for on what is referred to.
NIC_LINKS = {
    "networkSecurityGroup": "Microsoft.Network/networkSecurityGroups/join/action",
    "subnet": "Microsoft.Network/virtualNetworks/subnets/join/action",
    "publicIPAddress": "Microsoft.Network/publicIPAddresses/join/action",
    "applicationSecurityGroups": "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
    "loadBalancerBackendAddressPools": "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
    "loadBalancerInboundNatRules": "Microsoft.Network/loadBalancers/inboundNatRules/join/action",
    "applicationGatewayBackendAddressPools": "Microsoft.Network/applicationGateways/backendAddressPools/join/action",
    "gatewayLoadBalancer": "Microsoft.Network/loadBalancers/frontendIPConfigurations/join/action",
    "virtualNetworkTaps": "Microsoft.Network/virtualNetworkTaps/join/action",
}

# The types that a query of Resource Graph asks for, and the containers that its scope names.
_ASKED = re.compile(r"'(microsoft\.[a-z.]+/[a-z/]+)'", re.IGNORECASE)
_GROUPS = "Microsoft.Management/managementGroups/read"

_VERBS = {"GET": "read", "PUT": "write", "PATCH": "write", "POST": "action", "DELETE": "delete"}


class Call(msgspec.Struct, frozen=True):
    """One request and the status it got; 0 when the connection was dropped. `body` is JSON, or text when it is not."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int

    @property
    def action(self) -> tuple[str, str]:
        """Method and type: ``("POST", "Microsoft.Network/networkWatchers/connectivityCheck")``."""
        return self.method, Path.parse(self.path).type

    @property
    def api_version(self) -> str | None:
        """The ``api-version`` of the query."""
        return self.query.get("api-version")

    @property
    def role_actions(self) -> tuple[str, ...]:
        """What a role must allow for this call: the action itself, then the joins that a NIC write is linked to.

        Resource Graph has no action of its own, but shows only what the identity may read: of each type that a query
        names, and of the management groups that it asks about. What is not ARM needs none.
        """
        kind = Path.parse(self.path).type or _container(self.path)
        if not kind:
            return ()
        if kind.lower().startswith("microsoft.resourcegraph/"):
            return tuple(_shown(self.body))
        links = _links(self.body) if kind.lower() == "microsoft.network/networkinterfaces" else ()
        own = f"{kind}/{_VERBS.get(self.method, self.method.lower())}"
        return own, *(sorted(set(links)) if self.method == "PUT" else ())


def _container(path: str) -> str:
    """The type behind a path without a provider: ``/subscriptions/{id}/resources``."""
    names = path.strip("/").split("/")[0::2]
    return "/".join(["Microsoft.Resources", *names]) if names[0].lower() == "subscriptions" else ""


def _shown(asked: Any) -> Iterator[str]:
    if isinstance(asked, dict):
        yield from (f"{kind}/read" for kind in dict.fromkeys(_ASKED.findall(str(asked.get("query", "")))))
        if asked.get("managementGroups"):
            yield _GROUPS


def _links(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _links(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if item and name in NIC_LINKS:
                yield NIC_LINKS[name]
            yield from _links(item)
