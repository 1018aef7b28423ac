"""The resource types that can be written, and what a full replace means for each: data, read by `writes`.

Source: the REST references of Network Interfaces, Network Security Groups and Route Tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What a PUT of one resource type does: which shape it must have, what stays the server's, what omission means."""

    shape: str
    read_only: frozenset[str]
    defaults: Mapping[str, Any]
    nested: str
    nested_read_only: frozenset[str] = frozenset({"provisioningState"})


KINDS = {
    "microsoft.network/networkinterfaces": Kind(
        shape="NetworkInterface",
        read_only=frozenset(
            {
                "virtualMachine",
                "privateEndpoint",
                "tapConfigurations",
                "macAddress",
                "primary",
                "vnetEncryptionSupported",
            }
            | {"defaultOutboundConnectivityEnabled", "hostedWorkloads", "dscpConfiguration", "resourceGuid"}
        ),
        defaults={"dnsSettings": {}, "enableAcceleratedNetworking": False, "enableIPForwarding": False}
        | {"disableTcpStateTracking": False, "nicType": "Standard", "auxiliaryMode": "None", "auxiliarySku": "None"}
        | {"allowPort25Out": False},
        nested="ipConfigurations",
        nested_read_only=frozenset({"provisioningState", "privateLinkConnectionProperties"}),
    ),
    "microsoft.network/networksecuritygroups": Kind(
        shape="NetworkSecurityGroup",
        read_only=frozenset({"defaultSecurityRules", "networkInterfaces", "subnets", "flowLogs", "resourceGuid"}),
        defaults={"securityRules": []},
        nested="securityRules",
    ),
    "microsoft.network/routetables": Kind(
        shape="RouteTable",
        read_only=frozenset({"subnets", "resourceGuid"}),
        defaults={"routes": [], "disableBgpRoutePropagation": False},
        nested="routes",
        nested_read_only=frozenset({"provisioningState", "hasBgpOverride"}),
    ),
}
