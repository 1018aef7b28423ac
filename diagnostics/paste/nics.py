"""What to do about a network interface whose last operation failed."""

from __future__ import annotations

import shlex

from diagnostics.findings import Remedy
from diagnostics.network.ids import ResourceId
from diagnostics.paste import az
from diagnostics.paste.links import LEARN


def reput_nic(nic: ResourceId) -> Remedy:
    """What to do about a NIC in state Failed: GET it and PUT it back unchanged."""
    # Without a host, az takes the ARM endpoint of the cloud that it is logged in to.
    url = shlex.quote(f"{nic.text}?api-version=2026-03-01")
    text = (
        "GET the network interface and PUT it back unchanged; vmreach does that itself when VMREACH_REMEDIATION_MODE "
        "is auto. If the PUT fails, its error names what is really wrong."
    )
    get, put = (f"az rest --method {method} --url {url}" for method in ("get", "put"))
    return Remedy(
        summary=text,
        az_cli=az.lines(f"{get} --output-file nic.json", f"{put} --body '@nic.json'"),
        doc_url=f"{LEARN}/azure/networking/troubleshoot-failed-state",
    )
