"""Cards of long diagnoses: what found something comes first, the rest is named, sentences stay whole."""

from __future__ import annotations

import pytest

from diagnostics.findings import Cause, Outcome, Remedy, Step
from diagnostics.sinks.card import card
from tests.sinks.test_card import FINDING, NSG, action, replace, words


def step(name: str, outcome: Outcome, summary: str = "") -> Step:
    return Step(name=name, outcome=outcome, summary=summary)


def test_steps_that_found_something_are_told_and_the_others_named() -> None:
    quiet = [step(f"p{i}", Outcome.PASSED, "fine") for i in range(7)] + [step("s", Outcome.SKIPPED, "not asked")]
    steps = (*quiet[:4], step("broken", Outcome.FAILED, "why"), step("dark", Outcome.INCONCLUSIVE), *quiet[4:])
    said = words(card(replace(FINDING, steps=steps))["body"])
    told = "Failed\nbroken\nwhy\nInconclusive\ndark\n7 passed\np0, p1, p2, p3, p4, p5, p6\n1 skipped\ns\n"
    assert f"Steps\n{told}" in said


def test_few_steps_are_all_told() -> None:
    steps = tuple(step(f"s{i}", Outcome.PASSED, f"fine {i}") for i in range(6))
    said = words(card(replace(FINDING, steps=steps))["body"])
    assert "Passed\ns5\nfine 5" in said
    assert "6 passed" not in said


def test_steps_without_room_are_counted() -> None:
    steps = tuple(step(f"s{i}", Outcome.FAILED if i % 2 else Outcome.INCONCLUSIVE) for i in range(26))
    said = words(card(replace(FINDING, steps=steps))["body"])
    assert "… 14 more steps: 1 failed, 13 inconclusive" in said


def test_what_decides_stands_above_what_was_probed_and_is_not_said_twice() -> None:
    probed = Cause(kind="probe", text="30 of 30 probes failed")
    named = Cause(kind="route", text="route to-fw of rt-web leads it astray", name="to-fw", resource_id="/x/rt-web")
    said = words(card(replace(FINDING, because=(probed, named, *FINDING.because)))["body"])
    lines = (named.text, "Denied at the subnet.", "Security rule Deny_All in nsg-web", probed.text, "How sure")
    assert "Why\n" + "\n".join(lines) in said


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("az vm start", "az command"),
        ("# first: az group create\naz network x", "az command"),
        ("az x \\\n  --name y", "az command"),
        ("route add 0.0.0.0 mask 0.0.0.0 -p 10.0.0.1", "Command in the guest"),
        ("# as root\nip rule show", "Command in the guest"),
    ],
)
def test_what_is_typed_in_a_guest_is_no_az_command(code: str, title: str) -> None:
    assert action(card(replace(FINDING, remedy=Remedy(summary="", az_cli=code))), title)


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("no access over scope '" + NSG + "' or it is invalid", "no access over scope '…/nsg-web' or it is invalid"),
        ("on " + NSG + "/securityRules/a.", "on …/a."),
        ("in /subscriptions/s/resourceGroups/rg", "in /subscriptions/s/resourceGroups/rg"),
        ("word " * 60, "word " * 51 + "word…"),
        ("x" * 250 + " and" * 9, "x" * 250 + " and and…"),
        ("x" * 300, "x" * 259 + "…"),
    ],
)
def test_sentences_end_with_a_word_and_name_resources(summary: str, shown: str) -> None:
    said = words(card(replace(FINDING, steps=(step("s", Outcome.FAILED, summary),)))["body"]).split("\n")
    assert said[said.index("s") + 1] == shown


def test_what_to_do_is_whole() -> None:
    summary = "add a rule that allows exactly it " * 20
    steps = tuple(step(f"s{i}", Outcome.FAILED, "x" * 260) for i in range(12))
    assert summary.strip() in words(card(replace(FINDING, remedy=Remedy(summary=summary), steps=steps))["body"])
