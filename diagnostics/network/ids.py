"""ARM resource ids: parse, compare, link.

Azure compares ids case-insensitively and hands them out in every case: alert targets are lower-cased, resource groups
of a VM's networkProfile are sometimes upper-cased. A `ResourceId` keeps the spelling it was given, and equals every
other spelling of the same id.
"""

from __future__ import annotations

import re
from typing import Self
from urllib.parse import quote

import msgspec

from diagnostics.errors import ParseError

# A dot segment would climb out of the path that the id becomes part of.
_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[^/?#\\\s%&\x00-\x1f][^/?#\\%&\x00-\x1f]*)+")
_LONGEST = 1_024

VIRTUAL_MACHINE = "microsoft.compute/virtualmachines"
SCALE_SET = "microsoft.compute/virtualmachinescalesets"
SCALE_SET_VM = "microsoft.compute/virtualmachinescalesets/virtualmachines"
NETWORK_INTERFACE = "microsoft.network/networkinterfaces"
SCALE_SET_NETWORK_INTERFACE = "microsoft.compute/virtualmachinescalesets/virtualmachines/networkinterfaces"
IP_CONFIGURATION = "microsoft.network/networkinterfaces/ipconfigurations"
SUBNET = "microsoft.network/virtualnetworks/subnets"


def region(location: str) -> str:
    """A region in one spelling: Azure writes `West Europe` and `westeurope`."""
    return location.replace(" ", "").lower()


class ResourceId(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One ARM resource id, `/subscriptions/{guid}[/resourceGroups/{name}[/providers/{namespace}/{type}/{name}…]]`.

    Two ids are equal, and hash alike, when they differ only in case.

    Attributes:
        name: the resource's own name: the last part.

    Source: Azure Resource Manager, "Resource naming restrictions" and "Template functions: resourceId".
    """

    text: str
    subscription: str
    resource_group: str
    type: str
    names: tuple[str, ...]
    key: str
    name: str = ""

    # Asked a million times for a large estate: without the tuples that a dataclass compares and hashes.
    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, ResourceId) else NotImplemented

    __ne__ = object.__ne__  # by `__eq__`; that of a Struct goes by identity

    def __hash__(self) -> int:
        return hash(self.key)

    @classmethod
    def parse(cls, text: object, where: str = "resource id") -> Self:
        """Read an id from text.

        Args:
            text: what should be an id; anything but an id is an error, not a crash.
            where: the field it came from, named in the error.

        Raises:
            ParseError: the text is no ARM id below a subscription.
        """
        if not isinstance(text, str) or not text.startswith("/") or len(text) > _LONGEST:
            raise ParseError(f"{where}: {_shown(text)} is not an ARM resource id")
        plain = text.rstrip("/")
        if not _PATH.fullmatch(plain):
            raise ParseError(f"{where}: {_shown(text)} has an empty or forbidden part")
        parts = plain.split("/")[1:]
        if len(parts) < 2 or parts[0].lower() != "subscriptions":
            raise ParseError(f"{where}: {_shown(text)} does not start with /subscriptions/{{id}}")
        group, rest = "", parts[2:]
        if len(rest) >= 2 and rest[0].lower() == "resourcegroups":
            group, rest = rest[1], rest[2:]
        kinds, names = _provider(rest, text, where)
        subscription = parts[1].lower()
        name = names[-1] if names else group or subscription
        return cls(plain, subscription, group, kinds, names, plain.lower(), name)

    @classmethod
    def maybe(cls, text: object) -> Self | None:
        """The id in the text, or None where the text is none."""
        try:
            return cls.parse(text)
        except ParseError:
            return None

    @property
    def parent(self) -> Self | None:
        """The resource that this one lies in (a subnet's virtual network), or None for a top-level one."""
        if len(self.names) < 2:
            return None
        text, key = self.text.rsplit("/", 2)[0], self.key.rsplit("/", 2)[0]
        kind = self.type.rpartition("/")[0]
        return type(self)(text, self.subscription, self.resource_group, kind, self.names[:-1], key, self.names[-2])

    def portal_url(self, portal: str) -> str:
        """The resource's page in a portal such as `https://portal.azure.com`."""
        return f"{portal}{page_of(self.text)}"

    def within(self, scope: ResourceId) -> bool:
        """Whether the scope, a subscription, resource group or resource, is this id or contains it."""
        return self.key == scope.key or self.key.startswith(scope.key + "/")

    def __str__(self) -> str:
        return self.text


def page_of(text: str) -> str:
    """The page of the resource with an id, without the portal's host."""
    return f"/#@/resource{quote(text)}"


def _provider(rest: list[str], text: str, where: str) -> tuple[str, tuple[str, ...]]:
    """The type, lower-cased, and names behind the last `providers`: an extension resource is what it extends with."""
    if not rest:
        return "", ()
    marks = [i for i, part in enumerate(rest) if part.lower() == "providers" and i % 2 == 0]
    if not marks or marks[0] != 0:
        raise ParseError(f"{where}: {_shown(text)} has no /providers/ where one belongs")
    tail = rest[marks[-1] + 1 :]
    if len(tail) < 3 or len(tail) % 2 == 0:
        raise ParseError(f"{where}: {_shown(text)} has a type without a name, or a name without a type")
    return "/".join([tail[0], *tail[1::2]]).lower(), tuple(tail[2::2])


def _shown(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) <= 200 else shown[:200] + "…"
