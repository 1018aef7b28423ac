"""A run ends before the Functions host ends it, whatever the settings are."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from diagnostics.app import App
from diagnostics.engine.turns import Manners

ROOT = Path(__file__).parents[2]
ENV = {
    "VMREACH_SCOPES": "11111111-aaaa-4bbb-8ccc-000000000001",
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
}


def longest_run() -> timedelta:
    hours, minutes, seconds = map(int, json.loads((ROOT / "host.json").read_text())["functionTimeout"].split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


@pytest.mark.parametrize("wait", ["0.05", "20", "420", "600", "720"])
def test_patience_turn_and_wait_fit_into_one_run(wait: str) -> None:
    manners = App(ENV | {"VMREACH_WAIT_SECONDS": wait}).policy.manners
    assert manners.wait == timedelta(seconds=float(wait))
    assert manners.patience >= timedelta(minutes=1)
    assert manners.patience + manners.turn + manners.wait <= longest_run() - timedelta(minutes=1)


def test_the_defaults_are_those_of_the_settings() -> None:
    assert App(ENV).policy.manners == Manners()
