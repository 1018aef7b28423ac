"""What a probe is about must lie in scope, all of it."""

from __future__ import annotations

from typing import Any

import pytest

from diagnostics.engine.gate import Gate
from diagnostics.errors import OutOfScopeError
from diagnostics.intake.messages import Protocol
from diagnostics.network.connectivity import Probe
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import Direction, FlowCheck, GuestScript, RuleCheck, Shell
from diagnostics.runbooks.probing import (
    CheckConnectivity,
    DiagnoseRules,
    Probing,
    ReadEffectiveRules,
    RunInGuest,
    VerifyFlow,
)
from tests.engine.house import ELSEWHERE, NIC, SUBSCRIPTION, VM, House

FAR_VM, FAR_NIC = (ResourceId.parse(rid.text.replace(SUBSCRIPTION, ELSEWHERE)) for rid in (VM, NIC))


def check(source: ResourceId, destination: ResourceId | str) -> Probing[Any]:
    return CheckConnectivity(Probe(source, "westeurope", destination, 443, Protocol.TCP))


def flow(vm: ResourceId, nic: ResourceId | None) -> Probing[Any]:
    return VerifyFlow(FlowCheck(vm, "westeurope", nic, Direction.OUTBOUND, "Tcp", "10.0.0.4", "10.0.0.5", None, 443))


def rules(target: ResourceId) -> Probing[Any]:
    return DiagnoseRules(RuleCheck(target, "westeurope", Direction.INBOUND, "Tcp", "10.0.0.4", "10.0.0.5", 443))


def script(vm: ResourceId) -> Probing[Any]:
    return RunInGuest(GuestScript(vm, "westeurope", Shell.LINUX, ("ip route",), "the routing table"))


@pytest.mark.parametrize(
    ("question", "inside"),
    [
        (check(VM, "10.0.0.5"), True),
        (check(VM, VM), True),
        (check(FAR_VM, "10.0.0.5"), False),
        (check(VM, FAR_VM), False),
        (flow(VM, None), True),
        (flow(VM, NIC), True),
        (flow(FAR_VM, None), False),
        (flow(VM, FAR_NIC), False),
        (rules(NIC), True),
        (rules(FAR_NIC), False),
        (script(VM), True),
        (script(FAR_VM), False),
        (ReadEffectiveRules(NIC), True),
        (ReadEffectiveRules(FAR_NIC), False),
    ],
)
def test_every_end_of_a_question_is_looked_at(question: Probing[Any], *, inside: bool) -> None:
    house = House()
    gate = Gate(house.scopes, house.inventory, house.clock)
    if inside:
        gate.require_all(question)
    else:
        with pytest.raises(OutOfScopeError, match=ELSEWHERE):
            gate.require_all(question)
