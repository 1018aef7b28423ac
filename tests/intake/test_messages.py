"""Messages: read what is written, refuse what is bad by name and value, and keep to the schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from diagnostics.errors import ParseError
from diagnostics.intake.messages import (
    MOST_FINDINGS,
    ClosureRequest,
    DiagnosisRequest,
    Endpoint,
    Origin,
    Problem,
    Protocol,
    Reason,
    Recheck,
    RemediationRequest,
    is_host_or_address,
    is_vm_name,
)
from diagnostics.network.ids import ResourceId

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
VM = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-1"
NIC = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic-1"
DIAGNOSIS = {
    "schemaVersion": "1.0",
    "requestId": "r1",
    "problem": "vm-to-vm",
    "source": {"resourceId": VM},
    "destination": {"address": "10.0.0.4", "port": 443},
    "protocol": "Tcp",
    "origin": {"kind": "queue"},
}
REMEDIATION = {"requestId": "r1", "action": "reput-nic", "resourceId": NIC, "reason": {"findingId": "f1"}}
CLOSURE = {"requestId": "r1", "alertId": "a1"}
MESSAGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "diagnosis-request": (DiagnosisRequest, DIAGNOSIS),
    "remediation-request": (RemediationRequest, REMEDIATION),
    "closure-request": (ClosureRequest, CLOSURE),
}

_ids = st.sampled_from([VM, NIC, VM.lower(), VM.upper().replace("/SUBSCRIPTIONS", "/subscriptions")])
_ports = st.none() | st.integers(1, 65_535)
_names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}", fullmatch=True)
_addresses = st.ip_addresses().map(str) | st.sampled_from(["db.example.com", "db", "_srv.example.com."])
_texts = st.text(min_size=1, max_size=512).filter(lambda text: bool(text.strip()))
_sources = st.builds(Endpoint, resource_id=_ids, port=_ports) | st.builds(Endpoint, name=_names)
_ends = _sources | st.builds(Endpoint, address=_addresses, port=_ports)
_origins = st.builds(
    Origin,
    kind=st.sampled_from(["alert", "event", "queue", "sweep", "cli"]),
    alert_id=st.none() | _texts,
    alert_rule=st.none() | _texts,
    fired_at=st.none() | _texts,
)
_rechecks = st.builds(
    Recheck, of=_texts, round=st.integers(1, 9), findings=st.lists(_texts, max_size=MOST_FINDINGS).map(tuple)
)
_requests = {
    "diagnosis-request": st.builds(
        DiagnosisRequest,
        request_id=_texts,
        problem=st.sampled_from(Problem),
        source=_sources,
        destination=st.none() | _ends,
        protocol=st.none() | st.sampled_from(Protocol),
        origin=_origins,
        recheck=st.none() | _rechecks,
    ),
    "remediation-request": st.builds(
        RemediationRequest,
        request_id=_texts,
        resource_id=_ids,
        reason=st.builds(Reason, finding_id=st.none() | _texts),
        approved_by=st.none() | _texts,
    ),
    "closure-request": st.builds(
        ClosureRequest,
        request_id=_texts,
        alert_id=_texts,
        alert_rule=st.none() | _texts,
        resolved_at=st.none() | _texts,
    ),
}


def schema(name: str) -> Draft202012Validator:
    text = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(text)
    return Draft202012Validator(text)


@pytest.mark.parametrize("name", MESSAGES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_written_reads_back_and_keeps_to_the_schema(name: str, data: st.DataObject) -> None:
    message = data.draw(_requests[name])
    body = message.to_json()
    assert MESSAGES[name][0].read(body) == message
    assert list(schema(name).iter_errors(json.loads(body))) == []


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_of_a_schema_is_described(name: str) -> None:
    def described(part: Any) -> bool:
        own = all("description" in field and described(field) for field in part.get("properties", {}).values())
        return own and "additionalProperties" not in part

    text = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    fields = {field.encode_name for field in msgspec.structs.fields(MESSAGES[name][0])}
    assert set(text["properties"]) == fields
    assert described(text)


@pytest.mark.parametrize("name", MESSAGES)
def test_unknown_fields_are_passed_over(name: str) -> None:
    kind, fields = MESSAGES[name]
    more = fields | {"future": {"a": [1]}}
    assert kind.read(json.dumps(more).encode()) == kind.read(json.dumps(fields).encode())
    assert schema(name).is_valid(more)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("diagnosis-request", {"requestId": 5}, "$.requestId: Expected `str`, got `int`: 5"),
    ("diagnosis-request", {"requestId": ""}, "$.requestId: ''"),
    ("diagnosis-request", {"requestId": " "}, "$.requestId: ' '"),
    ("diagnosis-request", {"recheck": {"of": "", "round": 1}}, "$.recheck.of: ''"),
    ("diagnosis-request", {"recheck": {"of": "r0", "round": 0}}, "$.recheck.round: 0"),
    ("diagnosis-request", {"recheck": {"of": "r0", "round": 1, "findings": [" "]}}, "$.recheck.findings[0]: ' '"),
    ("diagnosis-request", {"recheck": {"of": "r0", "round": 1, "findings": ["f"] * 33}}, "$.recheck.findings: 33"),
    ("diagnosis-request", {"requestId": "x" * 513}, "$.requestId: 'xxx"),
    ("diagnosis-request", {"schemaVersion": "2.0"}, "$.schemaVersion: Invalid enum value '2.0'"),
    ("diagnosis-request", {"problem": "vm-to-moon"}, "$.problem: Invalid enum value 'vm-to-moon'"),
    ("diagnosis-request", {"problem": None}, "$.problem: Expected `str`, got `null`"),
    ("diagnosis-request", {"protocol": "Udp"}, "$.protocol: Invalid enum value 'Udp'"),
    ("diagnosis-request", {"source": None}, "$.source: Expected `object`, got `null`"),
    ("diagnosis-request", {"source": {}}, "$.source: needs resourceId or name"),
    ("diagnosis-request", {"source": {"address": "10.0.0.4"}}, "$.source: needs resourceId or name"),
    ("diagnosis-request", {"source": {"resourceId": "web-1"}}, "$.source.resourceId: 'web-1'"),
    (
        "diagnosis-request",
        {"source": {"resourceId": "/subscriptions/a?b"}},
        "$.source.resourceId: '/subscriptions/a?b'",
    ),
    ("diagnosis-request", {"source": {"name": "a b"}}, "$.source.name: 'a b'"),
    ("diagnosis-request", {"source": {"name": "x' or 1"}}, '$.source.name: "x\' or 1"'),
    ("diagnosis-request", {"destination": {}}, "$.destination: needs resourceId, name or address"),
    ("diagnosis-request", {"destination": {"address": "http://a/b"}}, "$.destination.address: 'http://a/b'"),
    ("diagnosis-request", {"destination": {"address": "10.0.0.4/24"}}, "$.destination.address: '10.0.0.4/24'"),
    ("diagnosis-request", {"destination": {"address": "a", "port": 0}}, "$.destination.port: 0 "),
    ("diagnosis-request", {"destination": {"address": "a", "port": 65536}}, "$.destination.port: 65536"),
    ("diagnosis-request", {"destination": {"address": "a", "port": "80"}}, "$.destination.port: Expected `int | null`"),
    ("diagnosis-request", {"origin": {"kind": "rumour"}}, "$.origin.kind: Invalid enum value 'rumour'"),
    ("diagnosis-request", {"origin": {}}, "$.origin: Object missing required field `kind`: {}"),
    ("remediation-request", {"action": "reboot"}, "$.action: Invalid enum value 'reboot'"),
    ("remediation-request", {"resourceId": "nic-1"}, "$.resourceId: 'nic-1'"),
    ("remediation-request", {"resourceId": None}, "$.resourceId: Expected `str`, got `null`"),
    ("remediation-request", {"reason": "because"}, "$.reason: Expected `object`, got `str`: 'because'"),
    ("remediation-request", {"requestId": ""}, "$.requestId: ''"),
    ("closure-request", {"alertId": ""}, "$.alertId: ''"),
    ("closure-request", {"alertId": ["a"]}, "$.alertId: Expected `str`, got `array`: ['a']"),
]


@pytest.mark.parametrize(("name", "change", "said"), BAD, ids=[f"{n} {c}"[:70] for n, c, _ in BAD])
def test_a_bad_field_is_named_with_its_value(name: str, change: dict[str, Any], said: str) -> None:
    kind, fields = MESSAGES[name]
    with pytest.raises(ParseError) as error:
        kind.read(json.dumps(fields | change).encode())
    assert str(error.value).startswith(said)
    assert not schema(name).is_valid(fields | change)


@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"null", b"{}", b'{"requestId":"\xff"}', b"[" * 100_000])
def test_junk_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(ParseError, match=r"^\$"):
        MESSAGES[name][0].read(body)


@pytest.mark.parametrize("written", ["TCP", "tcp", " Tcp"])
def test_protocols_and_problems_in_any_case(written: str) -> None:
    body = json.dumps(DIAGNOSIS | {"protocol": written, "problem": "VM-to-VM"}).encode()
    request = DiagnosisRequest.read(body)
    assert (request.protocol, request.problem) == (Protocol.TCP, Problem.VM_TO_VM)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("10.0.0.4", True),
        ("2001:db8::1", True),
        ("www.example.com", True),
        ("www.example.com.", True),
        ("localhost", True),
        ("fe80::1%eth0", False),
        ("fe80::1%;reboot", False),
        ("10.0.0", False),
        ("1.2.3.4.5", False),
        ("a" * 64, False),
        ("-a.example", False),
        ("a..b", False),
        ("a_b", False),
        ("a:80", False),
        ("a/b", False),
        ("a b", False),
        ("", False),
        ("bücher.example", False),
        ("10.0.0.4\n", False),
    ],
)
def test_hosts_and_addresses(text: str, good: bool) -> None:  # noqa: FBT001
    assert is_host_or_address(text) is good


@pytest.mark.parametrize(("text", "good"), [("web-1", True), ("web-1.corp.example", True), ("a'b", False), ("", False)])
def test_vm_names(text: str, good: bool) -> None:  # noqa: FBT001
    assert is_vm_name(text) is good


def test_a_request_to_put_back_is_the_same_in_the_same_episode_only() -> None:
    one, same, next_time = (
        RemediationRequest.to_reput(ResourceId.parse(nic), "f1", episode)
        for nic, episode in ((NIC, "monday"), (NIC.upper().replace("/SUBSC", "/subsc"), "monday"), (NIC, "tuesday"))
    )
    assert one.request_id == same.request_id != next_time.request_id
    assert RemediationRequest.read(one.to_json()) == one


def test_a_request_names_its_resources() -> None:
    request = DiagnosisRequest.read(json.dumps(DIAGNOSIS | {"destination": {"resourceId": NIC}}).encode())
    assert [resource.text for resource in request.resources] == [VM, NIC]
    assert str(request.destination) == "nic-1"
