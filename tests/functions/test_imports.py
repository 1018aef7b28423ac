"""A cold start pays only for what it runs: which modules are loaded when."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.functions.conftest import Stack

LISTED = "import json, sys; print(json.dumps(sorted(sys.modules)))"
INDEX = "import function_app; function_app.app.get_functions()"
HEAVY = (
    "azure.mgmt",
    "azure.identity",
    "azure.storage",
    "azure.data",
    "azure.core",
    "msal",
    "requests",
    "numpy",
    "rich",
)


def loaded(code: str, **env: str) -> set[str]:
    """The modules of a new process after some code."""
    program = [sys.executable, "-W", "error", "-c", f"{code}\n{LISTED}"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, env=env, check=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))


def below(modules: set[str], *packages: str) -> list[str]:
    return sorted(name for name in modules for package in packages if f"{name}.".startswith(f"{package}."))


def test_indexing_loads_no_sdk() -> None:
    modules = loaded(INDEX)
    assert "diagnostics.triggers.sweep" in modules
    assert below(modules, *HEAVY) == []


def test_indexing_needs_no_settings() -> None:
    assert "diagnostics.app" in loaded(INDEX)


CALL = """
import function_app
from diagnostics.app import app
answer = app().acceptor.accept(ALERT)
assert answer.status == 202, answer
"""


@pytest.mark.parametrize(("kind", "loads"), [("fired", "azure.storage.queue"), ("ignored", "azure.data.tables")])
def test_answering_an_alert_loads_no_more_than_it_needs(auto: Stack, kind: str, loads: str) -> None:
    alert = json.loads(json.dumps(auto.scenario("healthy").alert))
    if kind == "ignored":
        alert["data"]["essentials"] |= {"alertTargetIDs": [], "configurationItems": []}
        alert["data"]["alertContext"] = {}
        alert["data"].pop("customProperties", None)
    env = {**auto.sandbox.environment(), "AzureWebJobsStorage": auto.azurite.connection_string}
    modules = loaded(f"ALERT = {json.dumps(alert).encode()!r}\n{CALL}", **env)
    auto.settle()
    unused = ("azure.mgmt", "azure.identity", "azure.storage.blob", "msal", "diagnostics.cloud.clients", "numpy")
    assert below(modules, *unused, "diagnostics.engine.engine", "diagnostics.reports") == []
    assert below(modules, loads)
    others = {"azure.storage.queue", "azure.data.tables"} - {loads}
    assert below(modules, *others) == []
