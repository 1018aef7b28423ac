"""Commands that show what decided, as it is in Azure now. They only read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from diagnostics.network.ids import VIRTUAL_MACHINE
from diagnostics.network.path import Kind
from diagnostics.network.security import Verdict

if TYPE_CHECKING:
    from diagnostics.network.ids import ResourceId
    from diagnostics.network.path import Reason

_COMMANDS = {
    "microsoft.network/networksecuritygroups": "az network nsg rule list --include-default --nsg-name {name}",
    "microsoft.network/routetables": "az network route-table route list --route-table-name {name}",
    "microsoft.compute/virtualmachines": "az vm show --show-details --query powerState --name {name}",
    "microsoft.network/networkinterfaces": "az network nic show-effective-route-table --name {name}",
}
_GUEST = "inside of the guest: ip route (Linux), route print (Windows)"
_APPLIANCE = "inside of the appliance: its own rules and routes"


def commands(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """A command for each resource that stands in the way, or may, or where else to look; each once."""
    found = (command(reason) for reason in reasons if reason.verdict is not Verdict.ALLOWED)
    return tuple(dict.fromkeys(filter(None, found)))


def command(reason: Reason) -> str:
    """The command or place for one reason; empty where there is none."""
    resource = reason.resource
    if resource is None:
        return ""
    if reason.verdict is Verdict.UNKNOWN and (inside := _inside(reason, resource)):
        return inside
    shows = _COMMANDS.get(resource.type, "")
    group, subscription = shlex.quote(resource.resource_group), shlex.quote(resource.subscription)
    where = f" -g {group} --subscription {subscription} -o table"
    return shows.format(name=shlex.quote(resource.name)) + where if shows else ""


def _inside(reason: Reason, resource: ResourceId) -> str:
    """Where to look for what only a machine itself knows, and no command of az shows."""
    if any(name.startswith("the guest's routes") for name in reason.missing):
        return _GUEST
    return _APPLIANCE if reason.kind is Kind.APPLIANCE and resource.type == VIRTUAL_MACHINE else ""
