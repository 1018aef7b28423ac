"""What Azure lists of a small fleet, as an audit gets it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from diagnostics.checks import catalogue
from diagnostics.checks.policy import Policy
from diagnostics.contracts import Listing
from diagnostics.engine.audits import Rules
from diagnostics.findings import Severity
from diagnostics.network.ids import ResourceId
from tests.engine.house import GROUP, House, nic_document

TYPES = {
    "nsg": "Microsoft.Network/networkSecurityGroups",
    "vnet": "Microsoft.Network/virtualNetworks",
    "public": "Microsoft.Network/publicIPAddresses",
    "nic": "Microsoft.Network/networkInterfaces",
}
KINDS = frozenset(kind.lower() for kind in TYPES.values())
MADE = ("NIC001", "NSG001", "NET001", "PIP001")
OFF = frozenset(check.id for check in catalogue()) - {*MADE}
PLACE = "container reports"


def rid(kind: str, name: str) -> ResourceId:
    return ResourceId.parse(f"{GROUP}/providers/{TYPES[kind]}/{name}")


def resource(kind: str, name: str, state: str = "Failed", **properties: Any) -> dict[str, Any]:
    if kind == "nic":
        return nic_document(name, state)
    more = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": []} if kind == "vnet" else {}
    inner = {"provisioningState": state, "securityRules": [], **more, **properties}
    return {
        "id": rid(kind, name).text,
        "name": name,
        "type": TYPES[kind],
        "location": "westeurope",
        "properties": inner,
    }


def listing(
    *bodies: Mapping[str, Any], partial: Iterable[str] = (), unread: tuple[tuple[str, str], ...] = ()
) -> Listing:
    """A page for each body; everything was listed, but for the kinds in `partial`."""
    pages = tuple(
        (f"{body.get('type')} of sub page {number}", json.dumps({"value": [body]}).encode())
        for number, body in enumerate(bodies)
    )
    missing = frozenset(TYPES[kind].lower() for kind in partial)
    return Listing(pages, KINDS - missing, missing, unread)


def rules(severity: Severity | None = Severity.MEDIUM, **decided: Any) -> Rules:
    """Only the checks in `MADE` are made."""
    return Rules(Policy(**{"off": OFF, **decided}), severity, PLACE)


def fleet(*bodies: Mapping[str, Any], **decided: Any) -> House:
    """A house whose audits list these."""
    house = House()
    house.policy = {"audits": rules(**decided)}
    house.estates.listed = listing(*bodies)
    return house
