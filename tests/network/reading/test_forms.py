"""The same network in every form in which it is exported is the same estate."""

import codecs
import json
from dataclasses import replace
from typing import Any

import pytest

from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_files, read_objects
from tests.network.reading.small import BODIES, body, detailed, flat, old, read, rid, row, table, told

WANTED = read(*BODIES)
ROWS = [row({"sku": None, **each}) for each in BODIES]


def test_the_bodies_are_read_as_they_are() -> None:
    assert WANTED.problems == ()
    network = next(iter(WANTED.networks.values()))
    assert network.prefixes == ("10.0.0.0/16", "2001:db8::/48")
    assert [subnet.prefixes for subnet in network.subnets] == [("10.0.1.0/24", "2001:db8:0:1::/64"), ("10.0.2.0/24",)]
    assert [(each.name, each.prefixes, each.allows_forwarded) for each in network.peerings] == [
        ("to-w", ("10.9.0.0/16",), True)
    ]
    assert [str(point.address) for point in WANTED.points] == ["10.0.1.4", "10.0.2.4"]
    assert [vm.running for vm in WANTED.vms.values()] == [True, False]
    assert [group.rules[0].destination_ports for group in WANTED.security_groups.values()] == [("80", "443")]
    assert [(each.propagates, each.routes[0].next_hop_address) for each in WANTED.route_tables.values()] == [
        (False, "10.0.1.4")
    ]
    assert [(each.address, each.sku) for each in WANTED.public_ips.values()] == [("198.51.100.4", "Standard")]


FORMS: dict[str, list[Any]] = {
    "a list of bodies": [list(BODIES)],
    "a page": [{"value": list(BODIES), "nextLink": "https://management.azure.com/…"}],
    "pages, one per kind": [{"value": [each]} for each in BODIES],
    "a page within a list": [[{"value": list(BODIES)}]],
    "Resource Graph": [{"totalRecords": 9, "count": 9, "data": ROWS, "facets": [], "resultTruncated": "false"}],
    "az graph query": [{"count": 9, "data": ROWS, "skip_token": None, "total_records": 9}],
    "an older table of Resource Graph": [{"data": table(ROWS), "count": 9}],
    "such a table by itself": [table(ROWS)],
    "az … list": [flat(list(BODIES))],
    "an older az … list": [old(flat(list(BODIES)))],
    "az vm list -d": [detailed(BODIES)],
    "az … show": [flat(each) for each in BODIES],
    "ids in capitals": [[{**each, "id": each["id"].upper()} for each in BODIES]],
    "a scenario of the sandbox": [{"name": "x", "alert": {"essentials": {}}, "resources": list(BODIES)}],
    "twice": [list(BODIES), flat(list(BODIES))],
}


@pytest.mark.parametrize("values", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_network(values: list[Any]) -> None:
    assert read_objects(values) == WANTED


TEXT = json.dumps(list(BODIES))
WRITTEN = {
    "UTF-8": TEXT.encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + TEXT.encode(),
    "UTF-16, little endian": codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
    "UTF-16, big endian": codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
    "JSON lines": b"\n".join(json.dumps(each).encode() for each in BODIES),
    "JSON lines of Windows": b"\r\n".join(json.dumps(each).encode() for each in BODIES) + b"\r\n",
    "white space around": b"\n\n  " + TEXT.encode() + b"\n",
}


@pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN)
def test_every_way_of_writing_is_the_same_network(content: bytes) -> None:
    assert read_files([("all.json", content)]) == WANTED


def test_an_empty_file_is_no_problem() -> None:
    assert read_files([("none.json", b" \n")]).problems == ()


UNREADABLE = {
    b'{"value": [': "not readable as JSON: ",
    b'{"id": 1}\n{"id": ': "not readable as JSON: ",
    codecs.BOM_UTF16_LE + b"\x00\xd8x": "not readable as utf-16-le",
    b"\xff\xfe\xfd": "not readable as utf-16-le",
    b"[" * 100_000: "not readable as JSON: ",
    b'"\xc3\x28"': "not readable as JSON: ",
}


@pytest.mark.parametrize(("content", "text"), UNREADABLE.items(), ids=range(len(UNREADABLE)))
def test_what_is_no_json_is_told_with_its_file(content: bytes, text: str) -> None:
    problems = read_files([("bad.json", content), ("good.json", TEXT.encode())]).problems
    assert [problem.where for problem in problems] == ["bad.json"]
    assert problems[0].text.startswith(text)


def test_the_place_of_a_problem_names_file_and_line() -> None:
    bad = json.dumps({"id": rid("publicIPAddresses", "p"), "properties": {"ipAddress": "10.0.0.999"}})
    problems = read_files([("x/pips.json", f"{bad}\n{bad}".encode()), ("one.json", bad.encode())]).problems
    assert [problem.where for problem in problems] == [
        "x/pips.json line 1 $.properties.ipAddress",
        "x/pips.json line 2 $.properties.ipAddress",
        "one.json $.properties.ipAddress",
    ]


def test_the_later_body_counts_but_keeps_the_power_state() -> None:
    earlier, later = body("publicIPAddresses", "p", ipAddress="198.51.100.1"), body("publicIPAddresses", "p")
    assert read(earlier, later).public_ips[ResourceId.parse(earlier["id"])].address is None
    plain = flat(BODIES[3])
    del plain["instanceView"]
    assert read(*BODIES, plain).vms == WANTED.vms


STUB: dict[str, Any] = {
    "changedTime": "2026-01-01T00:00:00+00:00",
    "createdTime": "2026-01-01T00:00:00+00:00",
    "extendedLocation": None,
    "identity": None,
    "kind": None,
    "location": "westeurope",
    "managedBy": None,
    "plan": None,
    "properties": None,
    "provisioningState": "Succeeded",
    "resourceGroup": "rg-net",
    "sku": None,
    "tags": {},
}


@pytest.mark.parametrize("given", BODIES, ids=lambda given: given["name"])
def test_a_row_of_az_resource_list_is_told_and_overwrites_nothing(given: dict[str, Any]) -> None:
    stub = STUB | {key: given[key] for key in ("id", "name", "type")}
    estate = read(*BODIES, [stub])
    assert [problem.where for problem in estate.problems] == ["$[9][0]"]
    assert "says nothing but that it exists" in estate.problems[0].text
    assert replace(estate, problems=()) == WANTED


def test_other_resources_are_passed_over_in_silence() -> None:
    others = [
        {"id": f"{rid('x', 'y').rpartition('/providers')[0]}/providers/Microsoft.Storage/storageAccounts/s", "sku": {}},
        {"id": rid("networkWatchers", "w"), "type": "Microsoft.Network/networkWatchers"},
        {"id": rid("applicationSecurityGroups", "asg"), "properties": {}},
    ]
    estate = read(others, *BODIES)
    assert estate.problems == ()
    assert replace(estate, facts=WANTED.facts) == WANTED
    assert len(estate.facts.resources) == len(WANTED.facts.resources) + len(others)


MISFITS: dict[str, Any] = {"a number": 5, "a text": "x", "null": None, "an empty mapping": {}, "no list": {"value": 5}}


@pytest.mark.parametrize("value", MISFITS.values(), ids=MISFITS)
def test_what_is_nothing_of_a_network_is_told(value: Any) -> None:
    assert [where for where, _ in told(value)] == ["$[0]"]


def test_a_table_whose_rows_do_not_fit() -> None:
    assert told({"columns": ["id", "name"], "rows": [["x"], 5]}) == [
        ("$[0].rows[0]", "has not the 2 columns of the table"),
        ("$[0].rows[1]", "has not the 2 columns of the table"),
    ]
