"""Real bodies of Azure decode, and say what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from diagnostics.errors import ParseError
from diagnostics.intake import alerts, events
from diagnostics.network.connectivity import ConnectivityCheck, IssueType
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm


def bodies(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.json"))
    assert files, folder
    return files


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("nic", Nic), ("vm", Vm), ("subnet", Subnet), ("nsg", SecurityGroup), ("route_table", RouteTable)],
)
def test_every_body_decodes_to_the_resource_it_is(corpus: Path, folder: str, kind: Any) -> None:
    for file in bodies(corpus / folder):
        raw = json.loads(file.read_text(encoding="utf-8"))
        assert kind.decode(file.read_bytes()).id.text == raw["id"].rstrip("/"), file


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("nic_list", Nic), ("vmss_nic_list", Nic), ("nsg_list", SecurityGroup), ("rt_list", RouteTable)],
)
def test_every_body_of_a_list_decodes(corpus: Path, folder: str, kind: Any) -> None:
    for file in bodies(corpus / folder):
        exchange = json.loads(file.read_text(encoding="utf-8"))
        for raw in (exchange.get("response_body") or {}).get("value") or []:
            assert kind.decode(json.dumps(raw).encode()).id.name == raw["id"].rstrip("/").rsplit("/", 1)[1], file


def test_nothing_of_a_nic_gets_lost(corpus: Path) -> None:
    for file in bodies(corpus / "nic"):
        raw, nic = json.loads(file.read_text(encoding="utf-8"))["properties"], Nic.decode(file.read_bytes())
        addresses = [c["properties"].get("privateIPAddress") for c in raw.get("ipConfigurations", [])]
        assert [c.address for c in nic.ip_configurations] == [address or None for address in addresses], file
        assert nic.failed is (raw.get("provisioningState") == "Failed"), file


def test_every_subnet_has_its_prefixes(corpus: Path) -> None:
    for file in bodies(corpus / "subnet"):
        raw = json.loads(file.read_text(encoding="utf-8"))["properties"]
        said = {raw.get("addressPrefix"), *(raw.get("addressPrefixes") or [])} - {None, ""}
        assert set(Subnet.decode(file.read_bytes()).prefixes) == said, file


def test_every_connectivity_check_decodes(corpus: Path) -> None:
    for file in bodies(corpus / "connectivity_check"):
        raw, check = json.loads(file.read_text(encoding="utf-8")), ConnectivityCheck.decode(file.read_bytes())
        assert (check.raw_status, len(check.hops)) == (raw["connectionStatus"], len(raw["hops"])), file
        assert check.conclusive is (raw["probesSent"] > 0), file
        assert check.reachable is (raw["connectionStatus"] == "Reachable"), file


@pytest.mark.parametrize(
    ("number", "issues"),
    [
        ("006", [(IssueType.NO_ROUTE_LEARNED, "Outbound", True)]),
        ("016", [(IssueType.UNKNOWN, "Local", True)]),
        ("040", [(IssueType.NO_LISTENER, "Local", True), (IssueType.GUEST_FIREWALL, "Local", True)]),
        ("048", [(IssueType.USER_DEFINED_ROUTE, "Outbound", False)]),  # a route of Azure's own
        ("053", [(IssueType.GUEST_FIREWALL, "Local", True)]),
        ("002", []),
    ],
)
def test_issues_of_connectivity_checks(corpus: Path, number: str, issues: list[Any]) -> None:
    check = ConnectivityCheck.decode((corpus / "connectivity_check" / f"{number}.json").read_bytes())
    assert [(issue.type, issue.origin, issue.own) for _, issue in check.issues] == issues


@pytest.mark.parametrize(
    "folder",
    ["activity_log", "metrics", "alert_rule", "spec_example", "effective_routes", "topology", "troubleshoot", "nic"],
)
def test_what_is_no_alert_is_refused_or_ignored(corpus: Path, folder: str) -> None:
    for file in bodies(corpus / folder):
        for read in (alerts.read, events.read):
            try:
                answer: object = read(file.read_bytes())
            except ParseError as error:
                answer = error
            assert isinstance(answer, ParseError | alerts.Ignored), (file, answer)
