"""Real bodies become an estate: each alone and all together, in every form people have them in, with nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup
from diagnostics.network.reading import read_files, read_objects

type Json = Any

FIELDS = {
    "nic": "nics",
    "nsg": "security_groups",
    "route_table": "route_tables",
    "vnet": "networks",
    "vm": "vms",
    "nic_list": "nics",
    "vmss_nic_list": "nics",
    "nsg_list": "security_groups",
    "rt_list": "route_tables",
}
SAYS_NOTHING = {"nsg_list/016"}  # {"nextLink": ""}: a page of a preview API, without a list


def bodies(corpus: Path, *folders: str) -> Iterator[tuple[str, Json]]:
    """What Azure answered, with the name of its file: the bodies of a folder, or the responses of its exchanges."""
    for folder in folders:
        for file in sorted((corpus / folder).glob("*.json")):
            value, name = json.loads(file.read_text(encoding="utf-8")), f"{folder}/{file.stem}"
            if isinstance(value, list):
                yield from ((f"{name}#{step['step']}", step["response_body"]) for step in value)
            else:
                yield name, value.get("response_body", value)


def read(name: str, value: Json) -> Estate:
    return read_files([(f"{name}.json", json.dumps(value).encode())])


def resources(value: Json) -> list[Json]:
    """The resources of a body or a page; an instance of a scale set has its public IPs among its NICs."""
    listed = value.get("value", []) if "id" not in value else [value]
    return [each for each in listed if "/publicipaddresses/" not in each["id"].lower()]


def properties(raw: Json) -> Json:
    return raw.get("properties") or {}


@pytest.mark.parametrize(("folder", "field"), FIELDS.items())
def test_every_body_is_read_and_nothing_is_told(corpus: Path, folder: str, field: str) -> None:
    for name, value in bodies(corpus, folder):
        known = read(name, value)
        assert {each.text for each in getattr(known, field)} == {each["id"].rstrip("/") for each in resources(value)}
        assert bool(known.problems) is (name in SAYS_NOTHING), (name, known.problems)


@pytest.mark.parametrize("folder", ["nic", "nic_list", "vmss_nic_list", "exchange_nic"])
def test_every_address_of_every_nic(corpus: Path, folder: str) -> None:
    for name, value in bodies(corpus, folder):
        known = read(name, value or {}).nics
        for raw in resources(value or {}):
            made: Nic = known[ResourceId.parse(raw["id"])]
            written = [properties(each) for each in properties(raw).get("ipConfigurations") or []]
            assert [each.address for each in made.ip_configurations] == [
                each.get("privateIPAddress") or None for each in written
            ], name
            for each, said in zip(made.ip_configurations, written, strict=True):
                assert of(each.subnet) == (said.get("subnet") or {}).get("id"), name
                assert of(each.public_ip) == (said.get("publicIPAddress") or {}).get("id"), name
                assert [of(group) for group in each.security_groups] == ids(said, "applicationSecurityGroups"), name
                assert [of(pool) for pool in each.pools] == ids(said, "loadBalancerBackendAddressPools"), name
            assert of(made.security_group) == (properties(raw).get("networkSecurityGroup") or {}).get("id"), name
            assert made.ip_forwarding is bool(properties(raw).get("enableIPForwarding")), name


def of(rid: ResourceId | None) -> str | None:
    return rid.text if rid else None


def ids(said: Json, key: str) -> list[str]:
    return [each["id"] for each in said.get(key) or []]


@pytest.mark.parametrize("folder", ["nsg", "nsg_list", "exchange_nsg"])
def test_every_rule_of_every_nsg(corpus: Path, folder: str) -> None:
    for name, value in bodies(corpus, folder):
        known = read(name, value or {}).security_groups
        for raw in resources(value or {}):
            made: SecurityGroup = known[ResourceId.parse(raw["id"])]
            written = [
                (each, properties(each))
                for key in ("securityRules", "defaultSecurityRules")
                for each in properties(raw).get(key) or []
            ]
            assert len(made.rules) == len(written), name
            for rule, (each, said) in zip(made.rules, written, strict=True):
                assert (rule.name, rule.priority) == (each["name"], said["priority"]), name
                assert (rule.direction, rule.access, rule.protocol) == (
                    said["direction"],
                    said["access"],
                    said["protocol"],
                ), name
                assert set(rule.sources) == both(said, "sourceAddressPrefix"), name
                assert set(rule.destinations) == both(said, "destinationAddressPrefix"), name
                assert set(rule.source_ports) == both(said, "sourcePortRange"), name
                assert set(rule.destination_ports) == both(said, "destinationPortRange"), name
                assert [of(g) for g in rule.source_groups] == ids(said, "sourceApplicationSecurityGroups"), name
                groups = ids(said, "destinationApplicationSecurityGroups")
                assert [of(g) for g in rule.destination_groups] == groups, name


def both(said: Json, key: str) -> set[str]:
    """The singular and the plural field."""
    plural = f"{key}es" if key.endswith("x") else f"{key}s"
    return {said.get(key), *(said.get(plural) or [])} - {None, ""}


@pytest.mark.parametrize("folder", ["route_table", "rt_list", "exchange_route_table"])
def test_every_route_of_every_table(corpus: Path, folder: str) -> None:
    for name, value in bodies(corpus, folder):
        known = read(name, value or {}).route_tables
        for raw in resources(value or {}):
            made: RouteTable = known[ResourceId.parse(raw["id"])]
            written = [(each["name"], properties(each)) for each in properties(raw).get("routes") or []]
            assert [(r.name, r.prefix, r.next_hop_type, r.next_hop_address or None) for r in made.routes] == [
                (key, said["addressPrefix"], said["nextHopType"], said.get("nextHopIpAddress") or None)
                for key, said in written
            ], name
            assert made.propagates is not properties(raw).get("disableBgpRoutePropagation", False), name


def test_every_prefix_of_every_network(corpus: Path) -> None:
    for name, raw in bodies(corpus, "vnet"):
        (made,) = read(name, raw).networks.values()
        said = properties(raw)
        assert list(made.prefixes) == said["addressSpace"]["addressPrefixes"], name
        assert [(each.id.name, set(each.prefixes)) for each in made.subnets] == [
            (each["name"], both(properties(each), "addressPrefix")) for each in said.get("subnets") or []
        ], name
        peerings = said.get("virtualNetworkPeerings") or []
        assert [(each.name, each.remote.text, each.state) for each in made.peerings] == [
            (each["name"], properties(each)["remoteVirtualNetwork"]["id"], properties(each)["peeringState"])
            for each in peerings
        ], name


def test_what_azure_told_of_nics(corpus: Path) -> None:
    for name, value in bodies(corpus, "effective_nsg"):
        (groups,) = read(name, value).effective_groups.values()
        assert [len(each.rules) for each in groups] == [len(raw["effectiveSecurityRules"]) for raw in value["value"]]
    rid = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/nic-1"
    nic = {"id": rid, "properties": {}}
    for name, value in bodies(corpus, "effective_routes"):
        known = read_files([("nics.json", json.dumps([nic]).encode()), ("nic-1.json", json.dumps(value).encode())])
        (routes,) = known.effective_routes.values()
        rows = [(row["addressPrefix"], row["nextHopType"], row["nextHopIpAddress"]) for row in value["value"]]
        made = [(list(r.prefixes), r.next_hop_type, list(r.next_hop_addresses)) for r in routes]
        assert made == rows, name


def test_public_ips_of_the_instances_of_a_scale_set(corpus: Path) -> None:
    found = [
        (read(name, value).public_ips, each)
        for name, value in bodies(corpus, "vmss_nic_list")
        for each in value.get("value", [])
        if each not in resources(value)
    ]
    assert found
    for known, raw in found:
        assert known[ResourceId.parse(raw["id"])].address == properties(raw).get("ipAddress")


def test_lists_of_service_tags(corpus: Path) -> None:
    for name, value in bodies(corpus, "service_tags"):
        known = read(name, value)
        assert not known.problems, name
        assert len(known.service_tags.prefixes) == len(value["values"]), name


def test_a_folder_of_everything_is_one_estate(corpus: Path) -> None:
    """All bodies of all kinds together: the same resources as one by one, the latest body of each."""
    folders = ("vnet", "subnet", "nic", "nsg", "route_table", "vm", "private_endpoint")
    found = list(bodies(corpus, *folders))
    known = read_files((f"{name}.json", json.dumps(value).encode()) for name, value in found)
    kinds = {raw["id"].lower(): name.split("/", maxsplit=1)[0] for name, raw in found}
    for folder in ("vnet", "nic", "nsg", "route_table", "vm"):
        assert len(getattr(known, FIELDS[folder])) == list(kinds.values()).count(folder), folder
    lost = [raw["id"].rsplit("/", 2)[0].lower() for name, raw in found if name.startswith("subnet")]
    assert len(known.problems) == sum(network not in kinds for network in lost)
    assert all("which is in none of the files" in problem.text for problem in known.problems)


def flat(value: Json) -> Json:
    """As `az` writes it: without the levels `properties`, with nulls for what is absent."""
    if isinstance(value, list):
        return [flat(each) for each in value]
    if not isinstance(value, dict):
        return value
    absent = {"networkSecurityGroup": None, "routeTable": None, "virtualMachine": None, "resourceGroup": "rg"}
    inner = value.get("properties")
    own = absent | inner if isinstance(inner, dict) else {}
    return {key: flat(each) for key, each in (own | value).items() if key != "properties" or not own}


def respelled(value: Json) -> Json:
    """As older versions of `az` spell it."""
    if isinstance(value, list):
        return [respelled(each) for each in value]
    if not isinstance(value, dict):
        return value
    old = {"privateIPA": "privateIpA", "publicIPA": "publicIpA", "frontendIPC": "frontendIpC", "enableIPF": "enableIpF"}
    found = {}
    for key, each in value.items():
        start = next((new + key[len(was) :] for was, new in old.items() if key.startswith(was)), key)
        found[start] = respelled(each)
    return found


def row(value: Json) -> Json:
    """As Resource Graph has it: the type in lower case, and columns of its own."""
    parts = value["id"].split("/")
    kind = "/".join([parts[6], *parts[7::2]]).lower()
    columns = {"tenantId": "t", "kind": "", "managedBy": "", "plan": None, "zones": None, "identity": None}
    return value | columns | {"type": kind, "resourceGroup": parts[4].lower()}


def table(value: Json) -> Json:
    names = sorted(row(value))
    columns = [{"name": name, "type": "string"} for name in names]
    return {"totalRecords": 1, "data": {"columns": columns, "rows": [[row(value)[name] for name in names]]}}


FORMS: dict[str, Callable[[Json], Json]] = {
    "az": flat,
    "older az": lambda value: respelled(flat(value)),
    "az list": lambda value: [flat(value)],
    "Resource Graph": lambda value: {"totalRecords": 1, "count": 1, "data": [row(value)]},
    "Resource Graph, table": table,
    "az graph query": lambda value: {"count": 1, "data": [row(value)], "skip_token": None, "total_records": 1},
    "page": lambda value: {"value": [value], "nextLink": "https://…"},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("folder", ["nic", "nsg", "route_table", "vnet", "vm", "private_endpoint", "exported_config"])
def test_every_form_of_a_body_is_the_same_estate(corpus: Path, folder: str, form: str) -> None:
    for name, value in bodies(corpus, folder):
        if ResourceId.maybe(value["id"]) is None:
            continue  # a made-up case
        plain, other = read_objects([value]), read_objects([FORMS[form](value)])
        assert replace(plain, problems=()) == replace(other, problems=()), name
        assert len(plain.problems) == len(other.problems), (name, other.problems)
