"""Where a template, or one within it, is deployed: by that the ids of its resources are made.

Source: "ARM template functions: resourceId, subscriptionResourceId, resourceGroup, subscription".
"""

from __future__ import annotations

from typing import NamedTuple

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "template"
"""A template says neither where it will be deployed nor in which group: these stand for both."""


class Home(NamedTuple):
    """A resource group, or what stands for it."""

    subscription: str = SUBSCRIPTION
    group: str = GROUP

    @property
    def subscription_id(self) -> str:
        """The ARM id of the subscription."""
        return f"/subscriptions/{self.subscription}"

    @property
    def group_id(self) -> str:
        """The ARM id of the group."""
        return f"{self.subscription_id}/resourceGroups/{self.group}"

    def resource_id(self, *parts: str) -> str:
        """`resourceId([subscription], [group], type, name, …)`: the type is the first part with a slash."""
        at = _type_among(parts)
        home = self if at == 0 else Home(self.subscription, parts[0]) if at == 1 else Home(*parts[at - 2 : at])
        return home.id_of(*parts[at:])

    def id_of(self, kind: str, *names: str) -> str:
        """The ARM id of a resource in the group."""
        return f"{self.group_id}/providers/{_path(kind, *names)}"

    def subscription_resource_id(self, *parts: str) -> str:
        """The same without a group: `subscriptionResourceId([subscription], type, name, …)`."""
        at = _type_among(parts)
        home = Home(parts[at - 1]) if at else self
        return f"{home.subscription_id}/providers/{_path(*parts[at:])}"


STAND_IN = Home()
"""What stands for the group that a template will be deployed to."""


def _type_among(parts: tuple[str, ...]) -> int:
    """Where the type stands. Raises LookupError where none of them is one."""
    for number, text in enumerate(parts):
        if "/" in text:
            return number
    raise LookupError(parts)


def _path(kind: str, *names: str) -> str:
    """`Microsoft.Network/virtualNetworks/vnet/subnets/a`; a name may be several, with slashes between."""
    namespace, *types = kind.split("/")
    pairs = zip(types, "/".join(names).split("/"), strict=False)
    return "/".join((namespace, *(f"{one}/{other}" for one, other in pairs)))
