"""Several diagnoses of one VM at once, against Azure as the sandbox plays it: it ends a check that meets another."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest

from diagnostics.engine.gate import Gate
from diagnostics.engine.memory import Memory
from diagnostics.engine.probes import Probes
from diagnostics.engine.session import Nobody, Session
from diagnostics.engine.turns import Manners, Turns
from diagnostics.intake import alerts
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Protocol
from diagnostics.network.connectivity import Probe
from diagnostics.runbooks.diagnosis import Diagnosis
from diagnostics.runbooks.probing import CheckConnectivity
from diagnostics.runbooks.situation import Conditions
from sandbox import scenario as told
from tests.cloud.conftest import Estate

CHECK = "/connectivitycheck"
FAILS = {"hops": [], "connectionStatus": "Unreachable", "probesSent": 30, "probesFailed": 30}
COLLIDED = {"code": "RetryableError", "message": "A retryable error occurred."}


class Hasty:
    """A clock whose seconds are short for whoever waits."""

    def __init__(self, meanwhile: Callable[[], object] = bool) -> None:
        self.meanwhile = meanwhile

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        self.meanwhile()
        time.sleep(seconds / 200)


def two_alerts(estate: Estate) -> list[DiagnosisRequest]:
    """Two requests about the source of scenario vm-to-vm-nsg, as two alert rules would make them."""
    read = alerts.read(msgspec.json.encode(estate.scenario("vm-to-vm-nsg").alert))
    assert isinstance(read, alerts.Accepted)
    (request,) = read.requests
    return [msgspec.structs.replace(request, request_id=f"r{number}") for number in range(2)]


def diagnosed(estate: Estate, request: DiagnosisRequest, memory: Memory) -> Diagnosis:
    inventory, clock = estate.inventory(), Hasty()
    gate = Gate(estate.settings.scopes, inventory, clock)
    adapters = inventory, estate.watcher(), estate.guest(), estate.monitor()
    session = Session(*adapters, gate, clock, memory, memory, Manners())
    conditions = Conditions(clock.now(), Endpoint(address="www.microsoft.com", port=443))
    return session.work(request, conditions, Nobody())


@pytest.mark.parametrize("one_memory", [True, False], ids=["in turn", "each for itself"])
def test_two_alerts_for_one_vm_are_checked_one_after_the_other(estate: Estate, *, one_memory: bool) -> None:
    """The second case shows that the checks of the first would meet: even then both are answered in the end."""
    shared = Memory()
    with ThreadPoolExecutor(2) as threads:
        work = [
            threads.submit(diagnosed, estate, request, shared if one_memory else Memory())
            for request in two_alerts(estate)
        ]
        first, second = (future.result() for future in work)
    assert [finding.finding_id for finding in first.findings] == [finding.finding_id for finding in second.findings]
    assert first.works is False
    statuses = estate.statuses("POST", CHECK)
    assert statuses.count(202) >= 2
    assert (429 in statuses) is not one_memory
    assert shared.leased == {}


def test_a_check_that_azure_took_and_ended_as_retryable_is_asked_again(estate: Estate) -> None:
    """Azure says so where the answer is looked for: nothing was checked, and nobody is held up meanwhile."""
    scripted, memory = estate.scenario("vm-to-vm-nsg").probes, Memory()
    held: list[str] = []

    def meanwhile() -> None:
        held.extend(memory.leased)
        scripted["connectivityCheck"] = [told.Probe(answer=FAILS)]

    scripted["connectivityCheck"] = [told.Probe(error=COLLIDED)]
    clock = Hasty(meanwhile)
    turns, until = Turns("r1", memory, clock, Manners()), clock.now() + Manners().patience
    probes = Probes("r1", estate.watcher(), None, memory, turns, clock, until)
    web, sql = estate.id("vm-orders-web-01"), estate.id("vm-orders-sql-01")
    question = CheckConnectivity(Probe(web, "westeurope", sql, 1433, Protocol.TCP))
    assert probes.answer(question) == question.read(json.dumps(FAILS).encode())
    assert (estate.statuses("POST", CHECK), held, memory.leased) == ([202, 202], [], {})
