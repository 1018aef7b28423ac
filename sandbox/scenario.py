"""A scenario: a small estate in which something is broken, what Azure answers when asked about it, and what to expect.

Scenarios are files: whole estates in ``sandbox/estates``, and in ``sandbox/scenarios`` what differs from one of those
(`derive` tells how that is written). Answers are written down, never computed: a test against the sandbox is not the
product agreeing with itself.
"""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from sandbox import effective
from sandbox.derive import derive

type Json = dict[str, Any]

ESTATES = Path(__file__).parent / "estates"
DERIVED = Path(__file__).parent / "scenarios"

# What a probe entry may match, by kind of probe.
_MATCHABLE = {
    "connectivityCheck": {"source", "destination", "port", "protocol"},
    "ipFlowVerify": {
        "targetResourceId", "targetNicResourceId", "direction", "protocol",
        "localPort", "remotePort", "localIPAddress", "remoteIPAddress",
    },
    "nextHop": {"targetResourceId", "targetNicResourceId", "sourceIPAddress", "destinationIPAddress"},
    "networkConfigurationDiagnostic": {
        "targetResourceId", "verbosityLevel", "direction", "protocol", "source", "destination", "destinationPort",
    },
    "effectiveNetworkSecurityGroups": {"nic"},
    "effectiveRouteTable": {"nic"},
    "runCommand": {"vm", "commandId", "script"},
}  # fmt: skip

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class ScenarioError(ValueError):
    """A scenario file that cannot be used; says which file, where in it, and why."""


class While(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A condition on the estate: an entry applies only while the resource is in this provisioning state."""

    resource: str
    provisioning_state: str


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One scripted answer. Every key of `match` is optional; an empty one matches every request.

    Of several `answers` the n-th request that matches gets the n-th, and every later one the last.
    """

    match: dict[str, str | int] = {}
    applies_while: While | None = msgspec.field(name="while", default=None)
    answer: Json | None = None
    answers: list[Json] = []
    error: Json | None = None

    def __post_init__(self) -> None:
        if [self.answer is None, not self.answers, self.error is None].count(False) != 1:
            raise ValueError("a probe entry has either an answer, or answers, or an error {status, code, message}")

    def nth(self, count: int) -> Json | None:
        """The answer to the request that is the `count`-th to match, from 0; None where the entry has an error."""
        return self.answers[min(count, len(self.answers) - 1)] if self.answers else self.answer


class Operation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """How a write to a resource ends.

    With ``"asynchronous": false`` the service answers 200 at once, without Azure-AsyncOperation, and the body has the
    result as its provisioning state already: a client that only waits for the poller takes a Failed one for success.
    """

    result: Literal["Succeeded", "Failed", "Canceled"] = "Succeeded"
    error: Json | None = None
    asynchronous: bool = True


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A metric's newest values, oldest first, one a step, by aggregation (``average``, ``maximum``); null is a gap.

    With a `filter` on dimensions (``ConnectionState eq 'Failed'``) they are what a request with that filter gets.
    """

    resource: str
    name: str
    unit: str
    values: dict[str, list[float | None]]
    filter: str = ""


type Outcome = Literal["passed", "failed", "inconclusive", "skipped"]


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person who knows Azure's networks would conclude.

    Attributes:
        problem: which of the runbook's problems it is, as picked: never `auto`, unless nothing has to be picked.
        checks: ids of the findings, the main cause first.
        because: a text that must occur in the causes of the first finding; empty where nothing is wrong.
        confidence: how sure the first finding may be.
        status: whether the first finding is open, or gone at the second look.
        remedy: a text that must occur in what the first finding says to do: in words, as a command or as Bicep.
        change: who wrote what blocks, where the activity log tells.
        remediation: how a remediation ends.
        steps: how a step ends, by its name, where that matters.
    """

    problem: str
    checks: list[str]
    because: str
    confidence: Literal["proven", "likely", "possible"] | None = None
    status: Literal["open", "resolved"] = "open"
    remedy: str = ""
    change: str = ""
    remediation: str | None = None
    steps: dict[str, Outcome] = {}


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One estate file. Probe entries are tried in order and the first that matches answers.

    Attributes:
        forbidden: resources that the product's identity may not read.
        base: the scenario that it is derived from; empty for a whole estate.
        run_command: whether the owner lets scripts that only look be run in guests.
    """

    name: str
    title: str
    story: str
    problem: str
    resources: list[Json]
    alert: Json
    expected: Expected
    power_states: dict[str, str] = {}
    extensions: dict[str, list[Json]] = {}
    probes: dict[str, list[Probe]] = {}
    operations: dict[str, Operation] = {}
    activity_log: list[Json] = []
    metrics: list[Metric] = []
    stale_graph: dict[str, Json] = {}
    management_groups: list[str] = []
    forbidden: list[str] = []
    run_command: bool = False
    base: str = ""

    def __post_init__(self) -> None:
        for index, body in enumerate(self.resources):
            missing = {"id", "name", "type"} - body.keys()
            if missing:
                raise ValueError(f"resources[{index}] has no {', '.join(sorted(missing))}")
        for kind, entries in self.probes.items():
            _require_known(f"probes.{kind}", {kind}, set(_MATCHABLE))
            for index, entry in enumerate(entries):
                _require_known(f"probes.{kind}[{index}].match", set(entry.match), _MATCHABLE[kind])

    @property
    def subscription(self) -> str:
        """The id of the subscription that holds the estate, lower-case."""
        return str(self.resources[0]["id"]).split("/")[2].lower()

    @classmethod
    def load(cls, path: Path, fired_at: datetime | None = None) -> "Scenario":
        """Read an estate file and move its alert and activity log in time, so that the alert fires at `fired_at` (now).

        Azure keeps an activity log for 90 days and the product looks back from the alert, so written-down times age.

        Raises:
            ScenarioError: the file, or the one that it is derived from, is not a scenario.
        """
        try:
            scenario = msgspec.convert(_document(path, ()), type=cls)
            fired = datetime.fromisoformat(scenario.alert["data"]["essentials"]["firedDateTime"])
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            raise ScenarioError(f"{path.name}: {error}") from error
        delta = timedelta(seconds=round(((fired_at or datetime.now(UTC)) - fired).total_seconds()))
        return msgspec.structs.replace(
            scenario, alert=_shift(scenario.alert, delta), activity_log=_shift(scenario.activity_log, delta)
        )


def scenarios(folder: Path = ESTATES, fired_at: datetime | None = None) -> list[Scenario]:
    """All scenarios of a folder, in the order of their file names: without one, the whole estates."""
    return [Scenario.load(path, fired_at) for path in sorted(folder.glob("*.json"))]


def all_scenarios(fired_at: datetime | None = None) -> list[Scenario]:
    """The whole estates, then what is derived from them."""
    return [*scenarios(ESTATES, fired_at), *scenarios(DERIVED, fired_at)]


def _document(path: Path, above: tuple[str, ...]) -> Json:
    """A scenario file as a whole one; `above` are the files that led to it."""
    if path.name in above:
        raise ValueError(f"derived from itself: {' -> '.join((*above, path.name))}")
    document: Json = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    if "base" not in document:
        effective.complete(document)
        return document
    candidates = (folder / f"{document['base']}.json" for folder in (path.parent, ESTATES))
    base = next((each for each in candidates if each.exists()), None)
    if base is None:
        raise ValueError(f"base: there is no scenario {document['base']}")
    return derive(_document(base, (*above, path.name)), document)


def _require_known(where: str, given: set[str], known: set[str]) -> None:
    if given - known:
        raise ValueError(f"{where}: {', '.join(sorted(given - known))} is not one of {', '.join(sorted(known))}")


def _shift[T](value: T, delta: timedelta) -> T:
    """Move every time in a JSON value; fractions and suffixes stay as they were written."""

    def later(found: re.Match[str]) -> str:
        return (datetime.fromisoformat(found[0]) + delta).isoformat()

    text = msgspec.json.encode(value).decode()
    return msgspec.json.decode(_TIME.sub(later, text), type=type(value))
