"""All that is told of real bodies, and why a person agrees; the tests fail when something new is told, or no more."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.corpus.test_reading import bodies, read

NO_RESOURCE = "holds no resource, list of resources or answer that is known here"
EXISTS = "says nothing but that it exists: export it with the list command of its own kind"
APART = "belongs to …, which is in none of the files"
WHOSE = "it is not said which NIC this is of: put its id beside it, or name the file after it"
NO_ID = "… is no resource id"

# Folder → what is told, how often, and why that is right.
TOLD: dict[str, dict[str, tuple[int, str]]] = {
    "private_endpoint": {},
    "avnm": {},
    "avnm_security": {},
    "network_watcher": {},
    "subnet": {APART: (33, "a subnet by itself: its network has to be exported too")},
    "effective_routes": {WHOSE: (7, "a bare answer does not name its NIC, and 001.json does not either")},
    "exchange_effective": {
        WHOSE: (2, "bare answers"),
        NO_RESOURCE: (2, "errors: the NIC has no running VM"),
    },
    "exchange_nic": {NO_RESOURCE: (5, "errors: not found, refused")},
    "exchange_nsg": {NO_RESOURCE: (1, "an error")},
    "exchange_nsg_rule": {APART: (37, "rules by themselves"), NO_RESOURCE: (4, "errors")},
    "exchange_route": {APART: (21, "routes by themselves"), NO_RESOURCE: (3, "errors")},
    "exchange_route_table": {NO_RESOURCE: (1, "an error")},
    "exchange_subnet": {APART: (22, "subnets by themselves"), NO_RESOURCE: (4, "errors")},
    "ip_flow_verify": {NO_RESOURCE: (8, "verdicts are not configuration")},
    "next_hop": {NO_RESOURCE: (4, "next hops are not configuration")},
    "security_group_view": {
        NO_RESOURCE: (23, "a view for people, of which `effectiveNetworkSecurityGroups` says more")
    },
    "topology": {EXISTS: (77, "names and associations, without addresses, rules or routes")},
    "resource_graph": {
        EXISTS: (3, "the query projected away the properties"),
    },
    "exported_config": {
        NO_ID: (80, "test cases of another project, in the shape of exports, with ids that are cut short"),
        "Expected `object | null`, got `str`: …": (1, "one of them, with an id where a reference belongs"),
    },
}


def told(corpus: Path, folder: str) -> Counter[str]:
    """How often each text is told about the bodies of a folder, without the names in it."""
    found: Counter[str] = Counter()
    for name, value in bodies(corpus, folder):
        if value is not None:
            found.update(plain(problem.text) for problem in read(name, value).problems)
    return found


def plain(text: str) -> str:
    if text.startswith("Expected"):
        return re.sub(r"'.*'", "…", text)
    return re.sub(r"'[^']*' is no resource id", NO_ID, re.sub(r"belongs to \S+,", "belongs to …,", text))


@pytest.mark.parametrize("folder", TOLD)
def test_all_that_is_told(corpus: Path, folder: str) -> None:
    assert told(corpus, folder) == {text: times for text, (times, _) in TOLD[folder].items()}


def test_ids_that_are_cut_short_are_those_of_made_up_cases(corpus: Path) -> None:
    """The eleven files that really were exported are read without a word."""
    spoken = {name for name, value in bodies(corpus, "exported_config") if read(name, value).problems}
    real = {name for name, value in bodies(corpus, "exported_config") if str(value["id"]).startswith("/subscriptions/")}
    assert not spoken & real
    assert len(real) == 11


def test_every_problem_says_where_it_is(corpus: Path) -> None:
    for folder in TOLD:
        for name, value in bodies(corpus, folder):
            for problem in read(name, value).problems if value is not None else ():
                assert problem.where.startswith(f"{name}.json $"), problem
                assert len(json.dumps(problem.text)) < 400, problem
