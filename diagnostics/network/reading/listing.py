"""Which types a list may hold all of, and which type an empty one is of: only the name of its file can say."""

from __future__ import annotations

IN_PARTS = frozenset(
    {
        "microsoft.insights/diagnosticsettings",
        "microsoft.network/connections",
        "microsoft.network/localnetworkgateways",
        "microsoft.network/networkwatchers/connectionmonitors",
        "microsoft.network/networkwatchers/flowlogs",
        "microsoft.network/virtualnetworkgateways",
    }
)
"""Types that `az` and ARM list by region, by resource group or by resource: one list is never all of them."""

_NETWORK = {
    "nic": "networkInterfaces",
    "nsg": "networkSecurityGroups",
    "route-table": "routeTables",
    "vnet": "virtualNetworks",
    "public-ip": "publicIPAddresses",
    "nat-gateway": "natGateways",
    "lb": "loadBalancers",
    "private-endpoint": "privateEndpoints",
    "firewall": "azureFirewalls",
    "bastion": "bastionHosts",
    "network-watcher": "networkWatchers",
}
_OTHERS = {
    "vm": "microsoft.compute/virtualmachines",
    "virtual-machine": "microsoft.compute/virtualmachines",
    "activity-log-alert": "microsoft.insights/activitylogalerts",
    "lock": "microsoft.authorization/locks",
}


def _plain(text: str) -> str:
    """Without case, hyphens and the mark of the plural."""
    found = "".join(filter(str.isalnum, text.lower()))
    return f"{found.removesuffix('es')}" if found.endswith("sses") else found.removesuffix("s")


_TYPES = (
    {_plain(name): f"microsoft.network/{kind.lower()}" for name, kind in _NETWORK.items()}
    | {_plain(kind): f"microsoft.network/{kind.lower()}" for kind in _NETWORK.values()}
    | {_plain(name): kind for name, kind in _OTHERS.items()}
)


def type_of(stem: str) -> str:
    """The lower-cased type that a file is named after, as `az` or ARM spell it; empty for any other name."""
    return _TYPES.get(_plain(stem), "")
