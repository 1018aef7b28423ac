"""What an api-version does not know. A PUT at an old version resets what that version hides: it cannot send it.

The versions are the first ones in which the NIC recordings of public SDKs show the property; see "Troubleshoot Azure
Microsoft.Network failed provisioning state" for the warning about older versions.
"""

import copy

from sandbox.arm.wire import Json

# Properties of a network interface, by the api-version that brought them.
_NIC = {
    "nicType": "2020-07-01",
    "vnetEncryptionSupported": "2020-07-01",
    "auxiliaryMode": "2021-08-01",
    "disableTcpStateTracking": "2022-05-01",
    "auxiliarySku": "2022-09-01",
    "defaultOutboundConnectivityEnabled": "2024-05-01",
}

_BY_KIND = {"microsoft.network/networkinterfaces": _NIC}


def hidden(kind: str, api_version: str) -> set[str]:
    """Names under ``properties`` that a resource of this lower-case type does not have at this api-version."""
    return {name for name, since in _BY_KIND.get(kind, {}).items() if api_version < since}


def seen_at(body: Json, api_version: str) -> Json:
    """A copy of a resource as a client at this api-version sees it."""
    seen = copy.deepcopy(body)
    for name in hidden(body["type"].lower(), api_version):
        seen["properties"].pop(name, None)
    return seen
