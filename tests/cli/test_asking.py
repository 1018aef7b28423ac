"""What was asked becomes the request that a queue message would be, checked by the same rules."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

import pytest

from diagnostics.cli import asking
from diagnostics.cli.parser import parser
from diagnostics.errors import ParseError
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem, Protocol

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
SUB = "11111111-aaaa-4bbb-8ccc-000000000001"
VM = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm2"
NIC = f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic2"


def asked(*arguments: str) -> argparse.Namespace:
    return parser().parse_args(["diagnose", *arguments])


def read(*arguments: str) -> DiagnosisRequest:
    return asking.read(asked(*arguments), NOW)


DESTINATIONS: dict[str, dict[str, Any]] = {
    "vm2": {"name": "vm2"},
    "vm2:3389": {"name": "vm2", "port": 3389},
    " vm2:3389 ": {"name": "vm2", "port": 3389},
    "10.0.0.4": {"address": "10.0.0.4"},
    "10.0.0.4:22": {"address": "10.0.0.4", "port": 22},
    "2001:db8::4": {"address": "2001:db8::4"},
    "[2001:db8::4]": {"address": "2001:db8::4"},
    "[2001:db8::4]:443": {"address": "2001:db8::4", "port": 443},
    "api.contoso.example": {"address": "api.contoso.example"},
    "api.contoso.example:443": {"address": "api.contoso.example", "port": 443},
    VM: {"resource_id": VM},
    f"{VM}:1433": {"resource_id": VM, "port": 1433},
    f"{NIC.upper()}:22": {"resource_id": NIC.upper(), "port": 22},
}


@pytest.mark.parametrize(("text", "meant"), DESTINATIONS.items())
def test_a_destination_however_it_is_written(text: str, meant: dict[str, Any]) -> None:
    assert read("--source", "vm1", "--dest", text).destination == Endpoint(**meant)


@pytest.mark.parametrize(("text", "meant"), [("vm1", {"name": "vm1"}), (VM, {"resource_id": VM})])
def test_a_source_is_a_name_or_an_id(text: str, meant: dict[str, Any]) -> None:
    assert read("--source", text).source == Endpoint(**meant)


def test_all_that_can_be_said() -> None:
    given = ("--protocol", "icmp", "--problem", "secondary-nic", "--alert-time", "2026-11-25T02:00:00Z")
    request = read("--source", "vm1", "--dest", "vm2", *given)
    assert (request.problem, request.protocol) == (Problem.SECONDARY_NIC, Protocol.ICMP)
    assert request.origin == Origin(kind="cli", fired_at="2026-11-25T02:00:00Z")


def test_what_is_not_said_is_left_to_the_runbook() -> None:
    request = read("--source", "vm1")
    assert (request.problem, request.protocol, request.destination) == (Problem.AUTO, None, None)
    assert request.origin == Origin(kind="cli")


def test_every_question_has_an_id_of_its_own() -> None:
    later = asking.read(asked("--source", "vm1"), NOW.replace(second=1))
    ids = {read("--source", "vm1").request_id, read("--source", "vm2").request_id, later.request_id}
    assert len(ids) == 3


WRONG = {
    "a port that is none": (["--dest", "vm2:99999"], "--dest: 'vm2:99999': '99999' is no port (1 to 65535)"),
    "a port that is a word": (["--dest", "vm2:https"], "--dest: 'vm2:https': 'https' is no port (1 to 65535)"),
    "a URL": (["--dest", "https://a.example/x"], "--dest: 'https://a.example/x'"),
    "no name": (["--dest", "vm 2"], "--dest: 'vm 2' is not the name of a VM"),
    "nothing": (["--dest", ""], "--dest: '' is not the name of a VM"),
    "half an id": (["--dest", "/subscriptions/x/y"], "--dest: '/subscriptions/x/y' has no /providers/"),
    "a zone": (["--dest", "fe80::1%eth0"], "--dest: 'fe80::1%eth0' is neither an IP address nor a host name"),
    "half of a character": (["--dest", "vm\udcff"], r"--dest: 'vm\\udcff' is not the name of a VM"),
    "a time that is none": (["--alert-time", "yesterday"], "--alert-time: 'yesterday' is no time such as 2026-"),
    "a time to come": (["--alert-time", "2099-01-01"], "--alert-time: '2099-01-01' is still to come"),
}


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_bad_input_names_the_option_and_the_value(arguments: list[str], said: str) -> None:
    with pytest.raises(ParseError) as refused:
        read("--source", "vm1", *arguments)
    assert str(refused.value).startswith(said)


def test_a_source_with_a_port_is_no_name() -> None:
    with pytest.raises(ParseError, match=r"^--source: 'vm1:22' is not the name of a VM$"):
        read("--source", "vm1:22")


OTHER = "22222222-aaaa-4bbb-8ccc-000000000002"
SCOPES = {
    "said": (["--source", "vm1", "--subscription", SUB], OTHER, [f"/subscriptions/{SUB}"], "--subscription"),
    "said twice": (
        ["--source", "vm1", "--subscription", SUB, "--subscription", OTHER],
        "",
        [f"/subscriptions/{SUB}", f"/subscriptions/{OTHER}"],
        "--subscription",
    ),
    "of the environment": (["--source", VM], OTHER, [f"/subscriptions/{OTHER}"], "VMREACH_SCOPES"),
    "of the ids": (
        ["--source", "vm1", "--dest", f"{VM}:22"],
        " ",
        [f"/subscriptions/{SUB}"],
        "the subscriptions of the ids that were given",
    ),
}


@pytest.mark.parametrize(("arguments", "env", "meant", "by"), SCOPES.values(), ids=SCOPES)
def test_what_may_be_looked_at(arguments: list[str], env: str, meant: list[str], by: str) -> None:
    scopes, said_by = asking.scopes_of(asked(*arguments), env, read(*arguments))
    assert ([str(scope) for scope in scopes.resources], said_by) == (meant, by)


def test_a_management_group_may_be_named() -> None:
    group = "/providers/Microsoft.Management/managementGroups/prod"
    arguments = ("--source", "vm1", "--subscription", group)
    assert asking.scopes_of(asked(*arguments), "", read(*arguments))[0].management_groups == ("prod",)


def test_a_bare_name_needs_a_place_to_look_for_it() -> None:
    with pytest.raises(ParseError, match=r"'vm1' is a name, and no subscription says where .*--subscription ID"):
        asking.scopes_of(asked("--source", "vm1"), "", read("--source", "vm1"))


CONNECTIONS = {
    "by names": (["--source", "vm1", "--dest", "vm2:22", "--protocol", "tcp"], "vm1 → vm2:22, tcp"),
    "by ids": (["--source", VM, "--dest", f"{NIC}:22"], "vm2 → nic2:22"),
    "IPv6": (["--source", "vm1", "--dest", "[2001:db8::4]:443"], "vm1 → [2001:db8::4]:443"),
    "IPv6 without a port": (["--source", "vm1", "--dest", "2001:db8::4"], "vm1 → 2001:db8::4"),
    "nowhere": (["--source", "vm1"], "vm1 → (no destination named)"),
}


@pytest.mark.parametrize(("arguments", "words"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_the_connection_in_words(arguments: list[str], words: str) -> None:
    assert asking.connection(read(*arguments)) == words
