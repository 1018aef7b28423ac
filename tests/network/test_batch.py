"""Many flows and addresses at once: what goes in, what comes out, and what is refused."""

import ipaddress
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from diagnostics.network.batch import VERDICTS, Decider, Flows, decide_all, next_hops
from diagnostics.network.batch.columns import Cuts, addresses
from diagnostics.network.model import SecurityRule
from diagnostics.network.routing import NextHop, Table
from diagnostics.network.security import Context, Flow, Terms
from tests.network.builders import flow, rule

TCP, UDP, ICMP = range(3)


def ready(*rules: SecurityRule) -> list[tuple[SecurityRule, Terms]]:
    return [(each, Terms.lenient(each, Context())) for each in rules]


WEB = ready(
    rule("ssh", 100, "Deny", protocol="Tcp", ports="22", sources="10.0.0.0/8"),
    rule("partner", 110, "Deny", sources="Partner", ports="443"),
    rule("web", 120, "Allow", protocol="Tcp", ports="443 80"),
    rule("six", 130, "Allow", sources="fd00::/8", protocol="Icmp"),
    rule("ping", 140, "Allow", protocol="Icmp", ports="1"),
)


def told(*flows: Flow) -> list[tuple[str, str] | None]:
    """The rule and the verdict of each flow."""
    found: dict[int, tuple[str, str] | None] = {}
    for places, columns in Flows.by_family(flows):
        decisions = Decider.of(WEB).decide(columns)
        for place, by, verdict in zip(places.tolist(), decisions.rules, decisions.verdicts, strict=True):
            found[place] = (WEB[by][0].name, VERDICTS[verdict].value) if by >= 0 else None
    return [found[place] for place in range(len(flows))]


def test_a_flow_is_decided_by_the_first_rule_that_matches() -> None:
    assert told(
        flow("10.0.0.4", "10.1.0.4", 22),
        flow("192.0.2.1", "10.1.0.4", 22),
        flow("192.0.2.1", "10.1.0.4", 80),
        flow("192.0.2.1", "10.1.0.4", 80, "TCP"),
        flow("192.0.2.1", "10.1.0.4", 80, "Udp"),
    ) == [("ssh", "denied"), None, ("web", "allowed"), ("web", "allowed"), None]


def test_what_may_match_before_it_and_says_the_contrary_makes_it_unknown() -> None:
    assert told(flow("192.0.2.1", "10.1.0.4"), flow("10.0.0.4", "10.1.0.4", None)) == [("web", "unknown"), None]


def test_ports_do_not_count_for_protocols_without_them() -> None:
    assert told(flow("192.0.2.1", "10.1.0.4", None, "Icmp"), flow("192.0.2.1", "10.1.0.4", 80, "Icmp")) == [
        ("ping", "unknown"),
        ("ping", "unknown"),
    ]


def test_families_do_not_match_each_other_and_keep_their_places() -> None:
    mixed = Flow(ipaddress.ip_address("fd00::1"), ipaddress.ip_address("10.1.0.4"), "Tcp", 80)
    assert told(flow("fd00::1", "fd01::1", 80), mixed, flow("10.0.0.4", "10.1.0.4", 22)) == [
        ("web", "allowed"),
        ("web", "allowed"),
        ("ssh", "denied"),
    ]


def columns(**other: Any) -> Flows:
    """Two flows, with some columns replaced."""
    given = {
        "sources": np.array([1, 2], np.uint32),
        "destinations": np.array([3, 4]),
        "protocols": np.array([TCP, ICMP], np.uint8),
        "source_ports": np.array([-1, -1]),
        "destination_ports": np.array([80, -1]),
    }
    return Flows(**(given | other))


def test_columns_are_enough() -> None:
    found = decide_all(WEB, columns())
    assert found.rules.tolist() == [2, 4]
    assert [VERDICTS[each] for each in found.verdicts] == ["allowed", "unknown"]


def test_no_rules_decide_nothing_and_no_flows_are_none() -> None:
    assert decide_all([], columns()).verdicts.tolist() == [-1, -1]
    none = np.array([], np.int64)
    assert len(decide_all(WEB, Flows(none, none, none, none, none)).rules) == 0


@pytest.mark.parametrize(
    ("column", "values", "text"),
    [
        ("sources", np.array([1, -1]), "sources: not all are IPv4 addresses"),
        ("sources", np.array([1, 2**32]), "sources: not all are IPv4 addresses"),
        ("sources", np.array([1.0, 2.0]), "sources: float64 of shape"),
        ("destinations", np.array([[1, 2], [3, 4]]), "destinations: int64 of shape"),
        ("destinations", np.array([1], np.uint32), "destinations: 1 for 2 flows"),
        ("protocols", np.array([0, 5]), "protocols: not all lie within 0 and 4"),
        ("source_ports", np.array([0, 65_536]), "source_ports: not all lie within -1 and 65535"),
        ("destination_ports", np.array([-2, 0]), "destination_ports: not all"),
        ("destination_ports", np.array([0]), "destination_ports: shape"),
    ],
)
def test_what_is_no_column_of_flows_is_refused(column: str, values: np.ndarray[Any, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        columns(**{column: values})


@pytest.mark.parametrize("version", [4, 6])
def test_many_ranges_are_searched_instead_of_tabled(version: int) -> None:
    rng, size = np.random.default_rng(version), 4 if version == 4 else 16
    starts = sorted({0, *(int.from_bytes(rng.bytes(size)) for _ in range(2_000))})
    others = (int.from_bytes(rng.bytes(size)) for _ in range(2_000))
    asked = [*starts, *(start - 1 for start in starts[1:]), *others]
    table = Table(tuple(starts), tuple(NextHop(None, missing=frozenset({str(start)})) for start in starts))
    found = Cuts(starts, version).find(addresses(asked, version)).tolist()
    assert [table.hops[place] for place in found] == [table.of(address) for address in asked]


def test_next_hops_are_places_in_the_table() -> None:
    table = Table((0, 10, 20), (NextHop(None), NextHop(None, missing=frozenset({"x"})), NextHop(None)))
    assert next_hops(table, np.array([0, 9, 10, 19, 20, 2**32 - 1])).tolist() == [0, 0, 1, 1, 2, 2]
    with pytest.raises(ValueError, match="addresses: float64"):
        next_hops(table, np.array([0.5]))


def test_a_cold_start_does_not_import_it() -> None:
    program = "import sys, function_app; print('numpy' in sys.modules or 'diagnostics.network.batch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
