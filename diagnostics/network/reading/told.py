"""What Azure itself answered about a NIC: effective routes and effective security rules, and which NIC is meant.

Source: "Diagnose a virtual machine routing problem", "Diagnose a virtual machine network traffic filter problem".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from diagnostics.errors import ParseError
from diagnostics.network.estate import EffectiveGroup, EffectiveRoute
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import SecurityRule, reference
from diagnostics.network.prefixes import read_prefix
from diagnostics.network.reading import forms

_DEFAULT = "defaultsecurityrules"
_OLDER = {"DefaultRule": _DEFAULT, "UserRule": "securityrules"}


def route(read: forms.EffectiveRoute) -> EffectiveRoute:
    """A row of effective routes."""
    return EffectiveRoute(
        name=read.name or "",
        source=read.source,
        active=read.state.lower() == "active",
        prefixes=_texts(read.address_prefix),
        next_hop_type=read.next_hop_type,
        next_hop_addresses=_texts(read.next_hop_ip_address),
    )


def group(read: forms.EffectiveGroup) -> EffectiveGroup:
    """The effective security rules of one NSG."""
    association = read.association
    return EffectiveGroup(
        id=reference(read.network_security_group),
        rules=tuple(map(_rule, read.effective_security_rules or ())),
        tag_map=_readable(read.tag_map) if isinstance(read.tag_map, dict) else {},
        on_subnet=bool(association and association.subnet and not association.network_interface),
    )


def _readable(tags: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The tags all of whose prefixes can be read: of another one, the part that can would look like all of it."""
    return {tag: prefixes for tag, prefixes in tags.items() if all(map(read_prefix, prefixes))}


def nic_of(groups: Iterable[forms.EffectiveGroup]) -> ResourceId | None:
    """The NIC that effective security rules say they are of."""
    found = (reference(each.association.network_interface) for each in groups if each.association)
    return next(filter(None, found), None)


def meant(about: str, ids: Iterable[ResourceId], what: str, owners: Mapping[ResourceId, ResourceId]) -> ResourceId:
    """Which resource an answer is about.

    Args:
        about: its id or name, or that of its owner; or the name of a file in which the name stands.
        ids: the resources that it can be.
        what: what they are, for the error.
        owners: the VM of each NIC; empty for other resources.

    Raises:
        ParseError: it is not said, or several resources can be meant.
    """
    if about.startswith("/") and (rid := ResourceId.maybe(about)) and rid not in owners.values():
        return rid
    listed = list(ids)
    ways = ((rid.key, rid) for rid in listed), ((rid.name.lower(), rid) for rid in listed)
    owned = ((owners[rid], rid) for rid in listed if rid in owners)
    by_owner = [(text, rid) for owner, rid in owned for text in (owner.key, owner.name.lower())]
    for names in (*map(list, ways), by_owner):
        if found := _named(about.lower(), names):
            return found
    raise ParseError(f"it is not said which {what} this is of: put its id beside it, or name the file after it")


def _named(about: str, names: list[tuple[str, ResourceId]]) -> ResourceId | None:
    """The one whose name it is, or stands in it; the longest such name, if only one has it."""
    exact = [rid for name, rid in names if name == about]
    inside = [(name, rid) for name, rid in names if re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", about)]
    longest = max((len(name) for name, _ in inside), default=0)
    found = {*exact} or {rid for name, rid in inside if len(name) == longest}
    return found.pop() if len(found) == 1 else None


def _rule(read: forms.EffectiveRule) -> SecurityRule:
    kind, name = _named_by_azure(read.name)
    sources = _together(read.source_address_prefix, read.source_address_prefixes)
    destinations = _together(read.destination_address_prefix, read.destination_address_prefixes)
    return SecurityRule(
        name=name,
        priority=read.priority,
        direction=read.direction,
        access=read.access,
        default=kind.lower() == _DEFAULT,
        protocol=read.protocol,
        sources=read.expanded_source_address_prefix or sources,
        source_ports=_together(read.source_port_range, read.source_port_ranges),
        destinations=read.expanded_destination_address_prefix or destinations,
        destination_ports=_together(read.destination_port_range, read.destination_port_ranges),
    )


def _named_by_azure(text: str) -> tuple[str, str]:
    """Whether it is a default rule, and its name: `defaultSecurityRules/X`, and in older answers `DefaultRule_X`."""
    kind, _, name = text.rpartition("/")
    older, _, rest = text.partition("_")
    return (_OLDER[older], rest) if not kind and older in _OLDER and rest else (kind, name)


def _together(one: str | None, many: tuple[str, ...] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in (one, *(many or ())) if text))


def _texts(read: tuple[str, ...] | str | None) -> tuple[str, ...]:
    """Older answers and the portal's download have one text where newer ones have a list."""
    listed: Iterator[str] = iter((read,) if isinstance(read, str) else read or ())
    return tuple(part for text in listed for part in re.split(r"[,\s]+", text) if part)
