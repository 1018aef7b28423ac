"""Which types a list may hold all of, and which type an empty one is of: only the name of its file can say."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

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


type Known = frozenset[tuple[str, str]]
"""Types, each with a subscription of which everything of that type is there."""


def known(lists: Iterable[tuple[str, str]], subscriptions: AbstractSet[str]) -> Known:
    """What lists come to, each given as its type and the subscription of what is in it.

    `az` and ARM list one subscription at a time. A list that names none, as an empty one does, is of the only one there
    is; where there are several, nobody knows of which.
    """
    only = next(iter(subscriptions), "") if len(subscriptions) < 2 else None
    found = ((kind, place or only) for kind, place in lists)
    return frozenset((kind, place) for kind, place in found if place is not None)


def everywhere(pairs: Known, subscriptions: AbstractSet[str]) -> frozenset[str]:
    """The types that were listed in every subscription of which anything is there."""
    places = subscriptions or {""}
    return frozenset(kind for kind, _ in pairs if all((kind, place) in pairs for place in places))
