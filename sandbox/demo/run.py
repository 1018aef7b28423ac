"""One scenario, run: fire its alert, watch what happens, until its outcome is there or the time is up."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sandbox.scenario import Scenario
from sandbox.stack import Stack

_PATIENCE = 25.0  # seconds for one scenario
_LOOK = 0.02

type Json = dict[str, Any]


@dataclass
class Outcome:
    """What happened.

    Attributes:
        status: of the HTTP answer to the alert.
        milliseconds: that the answer took.
        findings: the messages of queue `findings` about this scenario, in order.
        cards: the Teams messages about it, in order.
        states: the provisioning states that the healed NIC went through.
        before, after: the healed NIC as Azure had it before the alert and at the end.
        put: the body of the PUT that healed it.
    """

    scenario: Scenario
    status: int = 0
    answer: str = ""
    milliseconds: float = 0.0
    findings: list[Json] = field(default_factory=list)
    cards: list[Json] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    before: Json = field(default_factory=dict)
    after: Json = field(default_factory=dict)
    put: Json = field(default_factory=dict)

    @property
    def checks(self) -> list[str]:
        """The checks of the findings, each once, in order."""
        return list(dict.fromkeys(str(finding["check"]) for finding in self.findings))

    @property
    def remediation(self) -> str | None:
        """The state that a remediation left the NIC in, or None where there was none."""
        told = any(finding["status"] in {"remediated", "remediation-failed"} for finding in self.findings)
        return self.states[-1] if told and self.states else None

    @property
    def names_the_cause(self) -> bool:
        """Whether the findings name what the scenario says is to blame."""
        said = " ".join(str(cause) for finding in self.findings for cause in finding["because"])
        return self.scenario.expected.because.lower() in said.lower()

    @property
    def changed(self) -> list[str]:
        """The paths of the healed NIC's values that are not as they were."""
        before, after = paths(self.before), paths(self.after)
        return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))

    @property
    def lossless(self) -> bool:
        """Whether nothing changed but what Azure itself writes on every PUT."""
        return all(path.rsplit(".", 1)[-1] in {"etag", "provisioningState"} for path in self.changed)

    @property
    def as_expected(self) -> bool:
        """Whether checks, cause and remediation are those of the scenario, and everything reached Teams as well."""
        expected = self.scenario.expected
        same = self.checks == expected.checks and self.remediation == expected.remediation
        told = self.status == 202 and self.names_the_cause and len(self.cards) == len(self.findings)
        return same and told and self.lossless


def run(stack: Stack, scenario: Scenario) -> Outcome:
    """Fire the scenario's alert over HTTP and wait for what the scenario expects, or for all that comes in time."""
    outcome = Outcome(scenario)
    nic = _failed_nic(scenario) if scenario.expected.remediation else None
    if nic:
        outcome.before = stack.azure.resource(nic)
        outcome.states.append(outcome.before["properties"]["provisioningState"])
    posted, cards = time.perf_counter(), len(stack.azure.teams)
    response = stack.functions.post("/api/alerts", scenario.alert)
    outcome.milliseconds = (time.perf_counter() - posted) * 1_000
    outcome.status, outcome.answer = response.status_code, response.text
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and not _complete(outcome):
        if nic:
            _watch(stack, nic, outcome)
        outcome.findings += _ours(scenario, map(msgspec.json.decode, stack.findings()))
        outcome.cards = stack.azure.teams[cards:]
        time.sleep(_LOOK)
    if nic:
        outcome.after = stack.azure.resource(nic)
        outcome.put = next(
            (c.body for c in stack.azure.calls if c.method == "PUT" and c.path.lower() == nic.lower()), {}
        )
    return outcome


def paths(value: Any, path: str = "") -> dict[str, Any]:
    """Every value in a JSON document by its path, list positions included."""
    if isinstance(value, dict):
        return {p: v for key, item in value.items() for p, v in paths(item, f"{path}.{key}".lstrip(".")).items()}
    if isinstance(value, list):
        return {p: v for i, item in enumerate(value) for p, v in paths(item, f"{path}[{i}]").items()}
    return {path: value}


def _complete(outcome: Outcome) -> bool:
    expected = outcome.scenario.expected
    healed = expected.remediation is None or outcome.remediation is not None
    return set(expected.checks) <= set(outcome.checks) and healed and len(outcome.cards) >= len(outcome.findings)


def _watch(stack: Stack, nic: str, outcome: Outcome) -> None:
    state = stack.azure.resource(nic)["properties"]["provisioningState"]
    if state != outcome.states[-1]:
        outcome.states.append(state)


def _ours(scenario: Scenario, findings: Iterator[Json]) -> list[Json]:
    return [finding for finding in findings if finding["resource"]["subscriptionId"].lower() == scenario.subscription]


def _failed_nic(scenario: Scenario) -> str:
    nics = (body for body in scenario.resources if body["type"].lower() == "microsoft.network/networkinterfaces")
    return next(str(body["id"]) for body in nics if body["properties"]["provisioningState"] == "Failed")
