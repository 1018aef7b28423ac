"""What to do about missing permissions: a custom role of exactly these actions, assigned as narrowly as will do.

Source: "Azure custom roles": AssignableScopes are management groups, subscriptions and resource groups, no resources.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable

import msgspec

from diagnostics.findings import Remedy, fingerprint
from diagnostics.network.ids import ResourceId
from diagnostics.paste import az, bicep
from diagnostics.paste.links import LEARN, blade

_KIND = "Microsoft.Authorization/roleDefinitions@2022-04-01"
_DOC = f"{LEARN}/azure/role-based-access-control/custom-roles"


def grant(missing: tuple[tuple[str, str], ...], about: ResourceId | None, identity: str) -> Remedy:
    """Grant actions.

    Args:
        missing: each action with its scope, which may be empty.
        about: the subscription, for what has no scope of its own.
        identity: the object id of who needs them, if Azure named it.
    """
    if not missing:
        text = (
            "Azure refused something and did not name the permission: compare the roles of vmreach's identity with "
            "those that its documentation lists."
        )
        return Remedy(summary=text, doc_url=_DOC, portal_url=blade(about, "users"))
    actions = sorted({action.lower(): action for action, _ in missing}.values(), key=str.lower)
    fallback = about.text if about else ""
    scopes = narrowest(scope or fallback for _, scope in missing)
    text = f"Grant to the identity that vmreach runs as: {', '.join(actions)}; on {', '.join(scopes) or 'its scopes'}."
    remedy = Remedy(summary=text, doc_url=_DOC, portal_url=blade(about, "users"))
    if not scopes:
        return remedy
    role = f"vmreach additional access {fingerprint('role', *actions, *scopes)[:8]}"
    homes = tuple(dict.fromkeys(map(_home, scopes)))
    return msgspec.structs.replace(
        remedy, az_cli=_commands(role, actions, homes, scopes, identity), bicep=_template(role, actions, homes[0])
    )


def narrowest(scopes: Iterable[str]) -> tuple[str, ...]:
    """For each subscription the narrowest scope that holds all of its: a resource, a resource group or itself."""
    by_subscription: dict[str, list[ResourceId]] = {}
    for scope in scopes:
        if rid := ResourceId.maybe(scope):
            by_subscription.setdefault(rid.subscription, []).append(rid)
    return tuple(_common(each).text for each in by_subscription.values())


def _common(scopes: list[ResourceId]) -> ResourceId:
    first = scopes[0]
    widest = min(scopes, key=lambda scope: len(scope.key))
    if all(scope.within(widest) for scope in scopes):
        return widest
    if first.resource_group and len({scope.resource_group.lower() for scope in scopes}) == 1:
        return ResourceId.parse(_home(first.text))
    return ResourceId.parse(f"/subscriptions/{first.subscription}")


def _home(scope: str) -> str:
    """The resource group or subscription that a scope lies in: where a role for it can be defined."""
    rid = ResourceId.parse(scope)
    group = f"/resourceGroups/{rid.resource_group}" if rid.resource_group else ""
    return f"/subscriptions/{rid.subscription}{group}"


def _commands(role: str, actions: list[str], homes: tuple[str, ...], scopes: tuple[str, ...], identity: str) -> str:
    definition = {
        "Name": role,
        "Description": "What a diagnosis of vmreach lacked",
        "Actions": actions,
        "NotActions": [],
        "AssignableScopes": list(homes),
    }
    to = f"--assignee-object-id {shlex.quote(identity)}" if identity else '--assignee-object-id "$PRINCIPAL_ID"'
    ask = "" if identity else "PRINCIPAL_ID=$(az identity show --ids IDENTITY --query principalId -o tsv)"
    hint = az.otherwise("first, with the id of vmreach's managed identity", ask) if ask else ""
    assign = (f"az role assignment create {az.arguments(role=role, scope=scope)} {to}" for scope in scopes)
    return az.lines(hint, f"az role definition create {az.arguments(role_definition=json.dumps(definition))}", *assign)


def _template(role: str, actions: list[str], home: str) -> str:
    """The role, to be deployed to its resource group or subscription."""
    in_group = "/resourceGroups/" in home
    where = "resourceGroup().id" if in_group else "subscription().id"
    target = "" if in_group else "targetScope = 'subscription'\n\n"
    permissions: list[bicep.Value] = [{"actions": [*actions], "notActions": []}]
    properties: dict[str, bicep.Value] = {
        "roleName": role,
        "description": "What a diagnosis of vmreach lacked",
        "type": "CustomRole",
        "permissions": permissions,
        "assignableScopes": [bicep.Raw(where)],
    }
    name = bicep.Raw(f"guid({where}, {bicep.quoted(role)})")
    body: dict[str, bicep.Value] = {"name": name, "properties": properties}
    note = bicep.comment(f"for {home}; assign the role as above")
    return f"{note}{target}{bicep.resource('role', _KIND, body)}"
