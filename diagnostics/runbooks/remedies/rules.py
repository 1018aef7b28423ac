"""What to do about an NSG rule that blocks a flow.

Sources: "Network security groups" (the lower priority number wins; 100 to 4096; one rule a priority and direction);
"Security admin rules in Azure Virtual Network Manager" (evaluated before NSG rules).
"""

from __future__ import annotations

import re

import msgspec

from diagnostics.findings import Remedy
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityRule
from diagnostics.paste import az, bicep
from diagnostics.paste.links import blade
from diagnostics.runbooks.remedies.blocker import Blocker, learn

ADMIN_RULE = "securityadminrule_"
_DOC = "/azure/virtual-network/network-security-groups-overview"
_KIND = f"Microsoft.Network/networkSecurityGroups@{bicep.NETWORK}"
_CHILD = f"Microsoft.Network/networkSecurityGroups/securityRules@{bicep.NETWORK}"
_FIRST, _LAST, _STEP = 100, 4096, 10
_LONGEST = 80


def security_rule(blocker: Blocker) -> Remedy:
    """Allow exactly this flow above the rule, or take the rule away."""
    rule = blocker.name or "the rule"
    if rule.lower().startswith(ADMIN_RULE):
        return _admin_rule(rule)
    if blocker.owner is None or not blocker.name:
        return _somewhere(blocker, rule)
    return _in_group(blocker, blocker.owner, rule)


def _admin_rule(rule: str) -> Remedy:
    text = (
        f"{rule} is a security admin rule of Azure Virtual Network Manager, and no NSG rule overrides a denial "
        "there: change it, or its network group, in the network manager."
    )
    return learn(text, "/azure/virtual-network-manager/concept-security-admins")


def _somewhere(blocker: Blocker, rule: str) -> Remedy:
    """Which NSG it is in is not known."""
    flow = f" ({blocker.flow})" if blocker.has_flow else ""
    if not blocker.own:
        text = (
            f"Default rule {rule} blocks it, and can be neither changed nor deleted: add a rule that allows this flow"
            f"{flow} (priority {_FIRST} to {_LAST}) to each NSG of the network interface and its subnet."
        )
        return learn(text, _DOC)
    text = f"Delete or change {rule} in the NSG of the network interface or subnet, or allow this flow{flow} above it."
    return learn(text, _DOC)


def _in_group(blocker: Blocker, group: ResourceId, rule: str) -> Remedy:
    decider = _decider(blocker, rule)
    inbound = decider.inbound if decider else not blocker.outbound
    text, commands, template = _removal(blocker, group, rule, decider)
    if blocker.has_flow:
        text, commands, template = _allowance(blocker, group, decider, "Inbound" if inbound else "Outbound")
    menu = "inboundSecurityRules" if inbound else "outboundSecurityRules"
    remedy = learn(text, _DOC)
    return msgspec.structs.replace(remedy, az_cli=commands, bicep=template, portal_url=blade(group, menu))


def _decider(blocker: Blocker, rule: str) -> SecurityRule | None:
    group = blocker.group
    return (group.rule(rule, blocker.issue.origin) or group.rule(rule)) if group else None


def _removal(blocker: Blocker, group: ResourceId, rule: str, decider: SecurityRule | None) -> tuple[str, str, str]:
    """What there is to do about the rule itself: in words, as commands and as Bicep."""
    if not blocker.own:
        text = f"Default rule {rule} of NSG {group.name} blocks it: add a rule (priority 100 to 4096) that allows this."
        return text, _look(blocker, group), ""
    number = f" (priority {decider.priority})" if decider else ""
    text = (
        f"Delete or change rule {rule}{number} of NSG {group.name}, or allow this flow with a rule of a lower priority "
        "number."
    )
    template = bicep.existing(_KIND, group)
    template += bicep.comment(f"take rule {bicep.quoted(rule)} out of securityRules, or narrow it")
    return text, az.lines(_look(blocker, group), _delete(blocker, group)), template


def _allowance(
    blocker: Blocker, group: ResourceId, decider: SecurityRule | None, direction: str
) -> tuple[str, str, str]:
    """A rule that allows exactly this flow, above the one that blocks it."""
    priority = _free(blocker, decider)
    rule = f"rule {blocker.name}" + (f" (priority {decider.priority})" if decider and blocker.own else "")
    blocks = f"{'R' if blocker.own else 'Default r'}{rule[1:]} of NSG {group.name} blocks it."
    delete = _delete(blocker, group) if blocker.own else ""
    if decider is not None and priority is None:
        text = f"{blocks} No priority is free above it: renumber it, delete it, or narrow it. To be let through: "
        return f"{text}{blocker.flow}.", az.lines(_look(blocker, group), delete), ""
    number = f"priority {priority}" if priority else "a free priority" + (" with a lower number" if blocker.own else "")
    text = f"{blocks} If this flow is meant to pass, add a rule at {number} that allows exactly it: {blocker.flow}."
    if blocker.own:
        text += " If the rule blocks by mistake, delete or change it instead."
    text += " Where the subnet and the network interface have an NSG each, both have to allow it."
    command = _create(blocker, group, direction, priority) if priority else _look(blocker, group)
    return text, az.lines(command, delete), _template(blocker, group, direction, priority)


def _look(blocker: Blocker, group: ResourceId) -> str:
    place = az.placed(group, nsg_name=group.name)
    if not blocker.own:
        return f"az network nsg rule list {place} --include-default -o table"
    return f"az network nsg rule show {place} {az.arguments(name=blocker.name)}"


def _delete(blocker: Blocker, group: ResourceId) -> str:
    place = az.placed(group, nsg_name=group.name, name=blocker.name)
    return az.otherwise("or, if nobody needs it", f"az network nsg rule delete {place}")


def _create(blocker: Blocker, group: ResourceId, direction: str, priority: int) -> str:
    place = az.placed(group, nsg_name=group.name, name=_name(blocker), priority=str(priority), direction=direction)
    flow = az.arguments(
        access="Allow",
        protocol=blocker.transport,
        source_address_prefixes=blocker.source,
        destination_address_prefixes=blocker.destination,
        destination_port_ranges=blocker.ports,
    )
    return f"az network nsg rule create {place} {flow}"


def _template(blocker: Blocker, group: ResourceId, direction: str, priority: int | None) -> str:
    """The same as Bicep; which priority is free is asked for where it is not known."""
    ask = f"@minValue({_FIRST})\n@maxValue({_LAST})\nparam priority int\n\n" if priority is None else ""
    properties: dict[str, bicep.Value] = {
        "priority": priority or bicep.Raw("priority"),
        "direction": direction,
        "access": "Allow",
        "protocol": blocker.transport,
        "sourceAddressPrefix": blocker.source,
        "sourcePortRange": "*",
        "destinationAddressPrefix": blocker.destination,
        "destinationPortRange": blocker.ports,
    }
    body: dict[str, bicep.Value] = {"parent": bicep.Raw("it"), "name": _name(blocker), "properties": properties}
    return ask + bicep.existing(_KIND, group) + "\n" + bicep.resource("allow", _CHILD, body)


def _name(blocker: Blocker) -> str:
    """A name that says what it allows: letters, digits, `_`, `.`, `-`, at most 80 ("Naming rules for resources")."""
    port = "" if blocker.ports == "*" else f"-{blocker.ports}"
    text = f"allow-{blocker.transport.lower()}{port}-from-{blocker.source}-to-{blocker.destination}"
    return re.sub(r"[^\w.-]", "-", text, flags=re.ASCII)[:_LONGEST].rstrip("-.")


def _free(blocker: Blocker, decider: SecurityRule | None) -> int | None:
    """A priority that no rule of this direction has: right above a rule of somebody's own, else below all of them."""
    group = blocker.group
    if group is None or decider is None:
        return None
    taken = {rule.priority for rule in group.rules if not rule.default and rule.inbound is decider.inbound}
    if not decider.default:
        return next((n for n in range(decider.priority - 1, _FIRST - 1, -1) if n not in taken), None)
    below = max(taken, default=_FIRST - _STEP) // _STEP * _STEP + _STEP
    return below if below <= _LAST else next((n for n in range(_LAST, _FIRST - 1, -1) if n not in taken), None)
