"""The answers of connectivity checks, under every spelling that SDK, documentation and wire use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.mgmt.network import models

from diagnostics.network.connectivity import (
    ConnectionStatus,
    ConnectivityCheck,
    IssueType,
    issue_type,
    rule_name,
)

T = IssueType


def decode(*hops: dict[str, Any], **more: Any) -> ConnectivityCheck:
    answer = {"hops": hops, "connectionStatus": "Unreachable", "probesSent": 30, "probesFailed": 30} | more
    return ConnectivityCheck.decode(json.dumps(answer).encode())


def of(context: object, kind: str = "NetworkSecurityRule") -> Any:
    issue = {"origin": "Inbound", "severity": "Error", "type": kind, "context": context}
    return decode({"type": "Source", "issues": [issue]}).issues[0][1]


@pytest.mark.parametrize(
    ("spellings", "kind"),
    [
        ("NetworkSecurityRule,networkSecurityRule,Network Security Rule,NSG", T.NETWORK_SECURITY_RULE),
        ("UserDefinedRoute,User Defined Route,user-defined route,UDR", T.USER_DEFINED_ROUTE),
        ("CPU,Cpu,cpu,High CPU", T.CPU),
        ("Memory,memory,MEMORY,High memory", T.MEMORY),
        ("GuestFirewall,Guest Firewall,guest-firewall,guest_firewall", T.GUEST_FIREWALL),
        ("DnsResolution,DNSResolution,DNS Resolution,DNS resolution", T.DNS_RESOLUTION),
        ("SocketError,Socket Error,SocketBind,socket bind", T.SOCKET_ERROR),
        ("NoListenerOnDestination,No listener on destination port", T.NO_LISTENER),
        ("AgentStopped,Agent Stopped", T.AGENT_STOPPED),
        ("NoRouteLearned", T.NO_ROUTE_LEARNED),
        ("20,ArpMissing,Unknown,Würgegriff,", T.UNKNOWN),
    ],
)
def test_every_spelling_of_an_issue(spellings: str, kind: IssueType) -> None:
    assert {issue_type(text) for text in spellings.split(",")} == {kind}


@pytest.mark.parametrize("member", list(models.IssueType), ids=str)
def test_every_issue_of_the_sdk_is_known(member: models.IssueType) -> None:
    assert (issue_type(member.value) is IssueType.UNKNOWN) is (member.value == "Unknown")


@pytest.mark.parametrize("member", list(models.ConnectionStatus), ids=str)
def test_every_status_of_the_sdk_is_known(member: models.ConnectionStatus) -> None:
    assert (decode(connectionStatus=member.value).status is ConnectionStatus.UNKNOWN) is (member.value == "Unknown")


@pytest.mark.parametrize(
    ("raw", "status", "reachable"),
    [
        ("Reachable", ConnectionStatus.REACHABLE, True),
        ("Connected", ConnectionStatus.REACHABLE, True),
        ("reachable", ConnectionStatus.REACHABLE, True),
        ("Degraded", ConnectionStatus.DEGRADED, True),
        ("Unreachable", ConnectionStatus.UNREACHABLE, False),
        ("Disconnected", ConnectionStatus.UNREACHABLE, False),
        ("Unknown", ConnectionStatus.UNKNOWN, False),
        ("Brandnew", ConnectionStatus.UNKNOWN, False),
        (None, ConnectionStatus.UNKNOWN, False),
    ],
)
def test_both_families_of_status(raw: str | None, status: ConnectionStatus, reachable: bool) -> None:  # noqa: FBT001
    check = decode(connectionStatus=raw)
    assert (check.status, check.reachable, check.raw_status) == (status, reachable, raw or "")


@pytest.mark.parametrize(
    ("status", "sent", "issues", "conclusive"),
    [
        ("Reachable", 30, [], True),
        ("Unreachable", 30, [], True),
        ("Unreachable", 0, [], False),
        ("Unreachable", None, [], False),
        ("Unreachable", 0, [{"type": "DNSResolution"}], True),
        ("Reachable", 0, [], False),
        ("Unknown", 0, [{"type": "NoRouteLearned"}], False),
        ("Unknown", 30, [], False),
    ],
)
def test_no_probe_proves_nothing(status: str, sent: int | None, issues: list[Any], conclusive: bool) -> None:  # noqa: FBT001
    check = decode({"type": "Source", "issues": issues}, connectionStatus=status, probesSent=sent, probesFailed=sent)
    assert check.conclusive is conclusive


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ([{"key": "RuleName", "value": "UserRule_deny"}], "deny"),
        ([{"key": "RuleName", "value": "DefaultRule_DenyAllInBound"}], "DenyAllInBound"),
        ([{"key": "rulename", "value": "securityRules/deny"}, {"key": "Nsg", "value": "nsg-1"}], "deny"),
        ([{"RuleName": "defaultSecurityRules/DenyAllInBound"}], "DenyAllInBound"),
        ({"RuleName": "UserRule_deny"}, "deny"),
        ({"Usage": "99"}, "99"),
        ({"Usage": 99.5}, "99.5"),
        ([{"key": "RouteType", "value": "User"}], ""),
        ([{"key": "RouteType", "value": "User"}, {"key": "RouteName", "value": "to-fw"}], "to-fw"),
        ([{"key": "RuleName", "value": None}], ""),
        ([{"key": "RuleName"}], ""),
        ([{}], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_what_an_issue_names(context: object, name: str) -> None:
    assert of(context).name == name


@pytest.mark.parametrize(
    ("context", "own"),
    [
        ({"RuleName": "UserRule_deny"}, True),
        ({"RuleName": "UserRule_DenyAllInBound"}, True),
        ({"RuleName": "deny"}, True),
        ({"RuleName": "DefaultRule_DenyAllInBound"}, False),
        ({"RuleName": "defaultSecurityRules/DenyAllOutBound"}, False),
        ({"RuleName": "denyallinbound"}, False),
        ({"RouteType": "User"}, True),
        ({"RouteType": "Default"}, False),
        ({"RouteType": "System"}, False),
        ({}, True),
    ],
)
def test_whose_rule_or_route_it_is(context: object, own: bool) -> None:  # noqa: FBT001
    assert of(context).own is own


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("UserRule_deny-rdp", "deny-rdp"),
        ("userrule_deny-rdp", "deny-rdp"),
        ("DefaultRule_DenyAllInBound", "DenyAllInBound"),
        ("defaultSecurityRules/DenyAllInBound", "DenyAllInBound"),
        ("securityRules/deny", "deny"),
        ("my-UserRule_x", "my-UserRule_x"),
        ("", ""),
    ],
)
def test_rule_names(text: str, bare: str) -> None:
    assert rule_name(text) == bare


def test_issues_on_links_count_once() -> None:
    issue = {"origin": "Local", "severity": "Error", "type": "CPU", "context": []}
    hop = {"type": "Source", "issues": [issue], "links": [{"issues": [issue]}], "previousLinks": [{"issues": None}]}
    link = {"type": "VnetLocal", "links": [{"issues": []}], "previousLinks": [{"issues": [issue | {"type": "Memory"}]}]}
    assert [found.type for _, found in decode(hop, link).issues] == [IssueType.CPU, IssueType.MEMORY]


def test_an_unknown_issue_is_kept_as_azure_wrote_it() -> None:
    assert [of(None, kind).raw_type for kind in ("ArpMissing", "20")] == ["ArpMissing", "20"]
    check = decode({"issues": [{"type": 20}, {}]})
    assert [(found.type, found.raw_type) for _, found in check.issues] == [(T.UNKNOWN, "20"), (T.UNKNOWN, "")]


def test_almost_everything_may_be_missing() -> None:
    check = ConnectivityCheck.decode(b'{"hops": [{}, {"issues": [{"context": {}}]}], "nextHopAnalysis": {"a": 1}}')
    assert (check.raw_status, check.probes_sent, check.latency, len(check.hops)) == ("", 0, None, 2)
    assert not check.conclusive


def test_losses_in_words() -> None:
    assert decode(probesFailed=7).lost == "7 of 30 probes failed"
