"""What the Functions host is told: every function with its trigger, queue, route, key and schedule."""

import json
from pathlib import Path

from function_app import app
from sandbox.host.launcher import FunctionsHost
from tests.conftest import ROOT
from tests.functions.conftest import Stack

SNAPSHOT = Path(__file__).parent / "bindings.json"


def test_the_bindings_are_those_that_were_agreed_on() -> None:
    """A change of these is a change of the deployed app: where it is meant, write the file again."""
    found = {each.get_function_name(): each.get_raw_bindings() for each in app.get_functions()}
    bindings = {name: [json.loads(binding) for binding in raw] for name, raw in found.items()}
    assert bindings == json.loads(SNAPSHOT.read_text())


def test_the_worker_library_indexes_the_same_functions(auto: Stack) -> None:
    assert sorted(auto.host.functions) == sorted(json.loads(SNAPSHOT.read_text()))


def test_every_queue_that_is_read_has_its_poison_queue_read() -> None:
    triggers = [binding for raw in json.loads(SNAPSHOT.read_text()).values() for binding in raw]
    queues = {binding["queueName"] for binding in triggers if binding["type"] == "queueTrigger"}
    assert {queue for queue in queues if not queue.endswith("-poison") and f"{queue}-poison" not in queues} == set()


def host_without(stack: Stack, *missing: str) -> FunctionsHost:
    env = {**stack.sandbox.environment(), "AzureWebJobsStorage": stack.azurite.connection_string}
    never = dict.fromkeys(("VMREACH_SWEEP_SCHEDULE", "VMREACH_AUDIT_SCHEDULE"), "0 0 0 1 1 *")
    wrong = dict.fromkeys(missing, "")
    return FunctionsHost(ROOT, env | never | {"VMREACH_CLOUD": "mars"} | wrong)


def test_wrong_settings_are_listed_once_and_everything_is_indexed(auto: Stack) -> None:
    with host_without(auto, "VMREACH_SCOPES") as host:
        assert sorted(host.functions) == sorted(auto.host.functions)
        answer = host.post("/api/alerts", auto.scenario("healthy").alert)
        log = host.output()
    assert answer.status_code == 500
    assert "VMREACH" not in answer.text
    assert log.count("SettingsError: settings: ") == 1
    assert "VMREACH_SCOPES: names no subscription" in log
    assert "VMREACH_CLOUD: 'mars' is none of public, usgovernment, china" in log
