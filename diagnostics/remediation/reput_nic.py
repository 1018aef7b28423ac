"""Putting a failed network interface back: what is sent, and whether anything was lost.

A PUT replaces the whole resource: what it leaves out goes back to its default. So a NIC is sent exactly as it was read,
known and unknown properties alike, minus what ARM says is read-only.

Source: "Troubleshoot Azure Microsoft.Network failed provisioning state"; azure-mgmt-network 33.1 (api-version
2026-03-01), visibility of the properties of NetworkInterface; tests/remediation holds the two lists together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

READ_ONLY = frozenset(
    {
        ("name",),
        ("type",),
        ("etag",),
        ("properties", "virtualMachine"),
        ("properties", "privateEndpoint"),
        ("properties", "tapConfigurations"),
        ("properties", "macAddress"),
        ("properties", "primary"),
        ("properties", "vnetEncryptionSupported"),
        ("properties", "defaultOutboundConnectivityEnabled"),
        ("properties", "hostedWorkloads"),
        ("properties", "dscpConfiguration"),
        ("properties", "resourceGuid"),
        ("properties", "provisioningState"),
        ("properties", "dnsSettings", "appliedDnsServers"),
        ("properties", "dnsSettings", "internalFqdn"),
        ("properties", "dnsSettings", "internalDomainNameSuffix"),
        ("properties", "ipConfigurations", "[]", "etag"),
        ("properties", "ipConfigurations", "[]", "type"),
        ("properties", "ipConfigurations", "[]", "properties", "provisioningState"),
        ("properties", "ipConfigurations", "[]", "properties", "privateLinkConnectionProperties"),
    }
)
"""Paths of the properties that ARM sets itself; `[]` stands for the items of a list."""

type Path = tuple[str, ...]

_MISSING = object()


def writable(nic: Mapping[str, Any]) -> dict[str, Any]:
    """The body to PUT: the NIC as it was read, without its read-only properties. The argument is not changed."""
    return {key: _without(item, (key,)) for key, item in nic.items() if (key,) not in READ_ONLY}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """What differs between the writable properties of two readings of a NIC, one line each; empty when nothing does.

    Ids are compared case-insensitively, since Azure rewrites them on a PUT, and an empty list, or an object that holds
    nothing, is the same as an absent one: Azure writes either.
    """
    return tuple(_differences(writable(before), writable(after), "$"))


def _without(value: Any, path: Path) -> Any:
    if isinstance(value, Mapping):
        kept = ((key, item) for key, item in value.items() if (*path, key) not in READ_ONLY)
        return {key: _without(item, (*path, key)) for key, item in kept}
    if isinstance(value, list):
        return [_without(item, (*path, "[]")) for item in value]
    return value


def _differences(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _differences(before.get(key, _MISSING), after.get(key, _MISSING), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(old, new, f"{path}[{position}]")
    elif not _same(before, after):
        yield f"{path}: {_shown(before)} became {_shown(after)}"


def _same(before: Any, after: Any) -> bool:
    if _empty(before) and _empty(after):
        return True
    if isinstance(before, str) and isinstance(after, str):
        return before.lower() == after.lower() if before.lower().startswith("/subscriptions/") else before == after
    return type(before) is type(after) and bool(before == after)


def _empty(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_empty, value.values()))
    return value is _MISSING or value is None or value == []


def _shown(value: Any) -> str:
    return "absent" if value is _MISSING else repr(value)[:120]
