"""What was asked of the sandbox: one record a request, and the role actions that it would have needed in Azure."""

from collections.abc import Iterator
from typing import Any

import msgspec

from sandbox.arm.wire import Path

# Where a NIC refers to something, and the right that Azure asks for on what is referred to.
_NIC_LINKS = {
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

        Reading Resource Graph needs no action of its own, nor does anything that is not ARM.
        """
        kind = Path.parse(self.path).type
        if not kind or kind.lower().startswith("microsoft.resourcegraph/"):
            return ()
        links = _links(self.body) if kind.lower() == "microsoft.network/networkinterfaces" else ()
        own = f"{kind}/{_VERBS.get(self.method, self.method.lower())}"
        return own, *(sorted(set(links)) if self.method == "PUT" else ())


def _links(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _links(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if item and name in _NIC_LINKS:
                yield _NIC_LINKS[name]
            yield from _links(item)
