"""`VMREACH_SCOPES`: what vmreach may look at and touch. Anything outside is refused, whoever asks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from diagnostics.errors import OutOfScopeError, ParseError
from diagnostics.network.ids import ResourceId

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MANAGEMENT_GROUP = re.compile(r"/providers/microsoft\.management/managementgroups/([^/\s]{1,90})/?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scopes:
    """Subscriptions, resource groups, resources and management groups.

    Attributes:
        resources: subscriptions, resource groups and single resources, as ids.
        management_groups: names; which subscriptions lie below them only Azure knows.
    """

    resources: tuple[ResourceId, ...] = ()
    management_groups: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str, where: str = "VMREACH_SCOPES") -> Self:
        """Read a list separated by commas, semicolons or white space.

        Its entries are subscription ids (bare or `/subscriptions/…`), ids of resource groups or resources, and
        `/providers/Microsoft.Management/managementGroups/{name}`.

        Raises:
            ParseError: the list is empty, or an entry is none of these.
        """
        resources: list[ResourceId] = []
        groups: list[str] = []
        for entry in re.split(r"[,;\s]+", text.strip(" \t\r\n,;")):
            if group := _MANAGEMENT_GROUP.fullmatch(entry):
                groups.append(group[1])
            elif entry:
                resources.append(
                    ResourceId.parse(f"/subscriptions/{entry}" if _GUID.fullmatch(entry) else entry, where)
                )
        if not resources and not groups:
            raise ParseError(f"{where}: names no subscription, resource group or management group")
        return cls(tuple(dict.fromkeys(resources)), tuple(dict.fromkeys(groups)))

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The subscriptions that hold the named resources, in order."""
        return tuple(dict.fromkeys(scope.subscription for scope in self.resources))

    def holds(self, resource: ResourceId) -> bool | None:
        """Whether a resource lies in scope; None where only the management groups' members could tell."""
        if any(resource.within(scope) for scope in self.resources):
            return True
        return None if self.management_groups else False

    def refuse_outside(self, resource: ResourceId) -> None:
        """Raise OutOfScopeError for a resource that certainly lies outside."""
        if self.holds(resource) is False:
            raise OutOfScopeError(f"{resource} lies outside VMREACH_SCOPES")
