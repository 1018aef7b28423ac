"""Commands that show what decided, as it is in Azure now. They only read."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

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


def commands(reasons: Iterable[Reason]) -> tuple[str, ...]:
    """A command for each resource that stands in the way, or may; each once."""
    found = (reason.resource for reason in reasons if reason.resource and reason.verdict is not Verdict.ALLOWED)
    return tuple(dict.fromkeys(command for resource in found if (command := _command(resource))))


def _command(resource: ResourceId) -> str:
    command = _COMMANDS.get(resource.type, "")
    if not command:
        return ""
    group, subscription = shlex.quote(resource.resource_group), shlex.quote(resource.subscription)
    where = f" -g {group} --subscription {subscription} -o table"
    return command.format(name=shlex.quote(resource.name)) + where
