"""What an api-version does not know. A PUT at an old version resets what that version hides: it cannot send it.

Source of the warning: "Troubleshoot Azure Microsoft.Network failed provisioning state". The table has the oldest
api-version at which a public recording of NIC traffic shows a property, so some may be a little older in truth; no
recording up to 2023-11-01 shows defaultOutboundConnectivityEnabled.
"""

import copy

from sandbox.arm.wire import Json

# Properties of a network interface, by the api-version that brought them.
_NIC = {
    "nicType": "2020-03-01",
    "vnetEncryptionSupported": "2022-01-01",
    "auxiliaryMode": "2022-01-01",
    "allowPort25Out": "2022-01-01",
    "disableTcpStateTracking": "2022-11-01",
    "auxiliarySku": "2022-11-01",
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
