"""What is sent when a NIC is put back, and what counts as a change."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.network import models

from diagnostics.network.model import Nic
from diagnostics.remediation.reput_nic import READ_ONLY, difference, writable

REPOSITORY = Path(__file__).parents[2]
OWN = sorted((REPOSITORY / "tests" / "data" / "nics").glob("*.json"))
CORPUS = Path(os.environ.get("VMREACH_CORPUS") or REPOSITORY.parent / "shared" / "corpus")


def nic(file: str = "load-balanced") -> dict[str, Any]:
    document: dict[str, Any] = json.loads((REPOSITORY / "tests/data/nics" / f"{file}.json").read_text("utf-8"))
    return document


def hints_of(model: type) -> dict[str, str]:
    """The annotations of a model's fields, its own and inherited, as they stand in the SDK's source."""
    return {
        name: str(hint)
        for kind in reversed(model.__mro__)
        for name, hint in vars(kind).get("__annotations__", {}).items()
    }


def parts(annotation: str) -> Iterator[Any]:
    """The models that a field's value is made of, but not those of other resources, which it only refers to."""
    for name in re.findall(r"_models\.(\w+)", annotation):
        model = getattr(models, name)
        if issubclass(model, Enum):
            continue
        if name.startswith("NetworkInterface") or "id" not in hints_of(model):
            yield model


def read_only(model: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths that the SDK never sends, of a model and the models that it is made of."""
    model({})  # the SDK fills the table of fields in when the first one is made
    hints = hints_of(model)
    for name, field in model._attr_to_rest_field.items():  # noqa: SLF001 - there is no public way to ask
        here, annotation = (*path, field._rest_name), hints[name]  # noqa: SLF001
        if field._visibility == ["read"]:  # noqa: SLF001
            yield here
            continue
        for part in parts(annotation):
            yield from read_only(part, (*here, "[]") if "list[" in annotation.lower() else here)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value below, with its path; empty lists and objects count as values."""
    if isinstance(value, dict | list) and value:
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from leaves(item, (*path, str(key)))
    else:
        yield path, value


def is_read_only(path: tuple[str, ...]) -> bool:
    pattern = tuple("[]" if part.isdecimal() else part for part in path)
    return any(pattern[: len(known)] == known for known in READ_ONLY)


def bodies() -> Iterator[dict[str, Any]]:
    """Every NIC of the corpus that is whole."""
    for path in sorted([*CORPUS.glob("nic/*.json"), *CORPUS.glob("exchange_nic/*.json")]):
        read = json.loads(path.read_text("utf-8"))
        answer = read.get("response_body", read) or {}
        yield from (item for item in answer.get("value", [answer]) if isinstance(item.get("properties"), dict))


def test_read_only_is_what_the_sdk_says() -> None:
    assert frozenset(read_only(models.NetworkInterface)) == READ_ONLY


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_what_is_sent_is_what_was_read_less_what_is_read_only(path: Path) -> None:
    before = nic(path.stem)
    sent = writable(before)
    assert dict(leaves(sent)) == {path: value for path, value in leaves(before) if not is_read_only(path)}
    assert before == nic(path.stem)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_it_is_what_the_sdk_would_send(path: Path) -> None:
    encoder = pytest.importorskip("azure.mgmt.network._utils.model_base").SdkJSONEncoder
    before = nic(path.stem)
    assert json.loads(json.dumps(models.NetworkInterface(before), cls=encoder, exclude_readonly=True)) == writable(
        before
    )


def test_what_is_sent_shares_nothing_with_what_was_read() -> None:
    before = nic()
    sent = writable(before)
    sent["properties"]["ipConfigurations"][0]["properties"].clear()
    sent["properties"]["dnsSettings"]["dnsServers"].append("10.9.9.9")
    assert before == nic()


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (VMREACH_CORPUS)")
def test_no_nic_of_the_corpus_loses_anything() -> None:
    seen = 0
    for seen, before in enumerate(bodies(), 1):  # noqa: B007 - the number is looked at afterwards
        original = copy.deepcopy(before)
        sent = writable(before)
        assert dict(leaves(sent)) == {path: value for path, value in leaves(before) if not is_read_only(path)}
        assert before == original
        assert difference(before, sent) == ()
        assert writable(sent) == sent
        Nic.decode(
            json.dumps(
                {**before, "id": nic()["id"].format(group="/subscriptions/s/resourceGroups/g", name="n")}
            ).encode()
        )
    assert seen > 300


def at(*path: str | int) -> Callable[[dict[str, Any]], Any]:
    """The object at a path of `properties`."""

    def find(document: dict[str, Any]) -> Any:
        found: Any = document["properties"]
        for part in path:
            found = found[part]
        return found

    return find


FIRST = ("ipConfigurations", 0, "properties")
CHANGES: list[tuple[str, Callable[[dict[str, Any]], object], str]] = [
    ("a tag", lambda d: d.update(tags={"owner": "me"}), "$.tags: absent became {'owner': 'me'}"),
    ("a location", lambda d: d.update(location="WestEurope"), "$.location: 'westeurope' became 'WestEurope'"),
    ("a zone", lambda d: d.pop("extendedLocation"), "$.extendedLocation: {'name"),
    (
        "a flag",
        lambda d: at()(d).update(enableIPForwarding=False),
        "$.properties.enableIPForwarding: True became False",
    ),
    (
        "a flag to a number",
        lambda d: at()(d).update(enableIPForwarding=1),
        "$.properties.enableIPForwarding: True became 1",
    ),
    (
        "a flag left out",
        lambda d: at()(d).pop("enableAcceleratedNetworking"),
        "$.properties.enableAcceleratedNetworking: False became absent",
    ),
    (
        "a text emptied",
        lambda d: at("dnsSettings")(d).update(internalDnsNameLabel=""),
        "$.properties.dnsSettings.internalDnsNameLabel",
    ),
    ("a DNS server", lambda d: at("dnsSettings", "dnsServers")(d).pop(), "$.properties.dnsSettings.dnsServers"),
    (
        "DNS servers swapped",
        lambda d: at("dnsSettings", "dnsServers")(d).reverse(),
        "$.properties.dnsSettings.dnsServers[0]",
    ),
    (
        "a static address",
        lambda d: at(*FIRST)(d).update(privateIPAddress="10.0.2.21"),
        "$.properties.ipConfigurations[0].properties.privateIPAddress",
    ),
    ("an allocation", lambda d: at(*FIRST)(d).update(privateIPAllocationMethod="Dynamic"), "privateIPAllocationMethod"),
    (
        "a public IP",
        lambda d: at(*FIRST)(d).pop("publicIPAddress"),
        "$.properties.ipConfigurations[0].properties.publicIPAddress",
    ),
    (
        "a delete option",
        lambda d: at(*FIRST, "publicIPAddress", "properties")(d).update(deleteOption="Detach"),
        "deleteOption",
    ),
    ("a subnet", lambda d: at(*FIRST, "subnet")(d).update(id="/subscriptions/s/other"), ".subnet.id"),
    ("an ASG", lambda d: at(*FIRST, "applicationSecurityGroups")(d).clear(), ".applicationSecurityGroups"),
    ("a pool", lambda d: at(*FIRST)(d).pop("loadBalancerBackendAddressPools"), ".loadBalancerBackendAddressPools"),
    ("a configuration", lambda d: at("ipConfigurations")(d).pop(), "$.properties.ipConfigurations"),
    (
        "something unheard of",
        lambda d: at(*FIRST)(d).update(futureThing={"a": [1]}),
        ".futureThing: absent became {'a': [1]}",
    ),
]


@pytest.mark.parametrize(("edit", "line"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_every_change_is_told_both_ways(edit: Callable[[dict[str, Any]], object], line: str) -> None:
    after = nic()
    edit(after)
    told = difference(nic(), after)
    assert len(told) == 1 or line.endswith("[0]")
    assert line in told[0]
    assert len(difference(after, nic())) == len(told)


def shout(value: Any) -> Any:
    """The same with every resource id in capitals."""
    if isinstance(value, dict):
        return {key: shout(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shout(item) for item in value]
    return value.upper() if isinstance(value, str) and value.startswith("/subscriptions/") else value


SAME: list[tuple[str, Callable[[dict[str, Any]], object]]] = [
    ("nothing", lambda d: d),
    ("a state", lambda d: at()(d).update(provisioningState="Succeeded")),
    ("states within", lambda d: at(*FIRST)(d).update(provisioningState="Succeeded")),
    ("versions", lambda d: (d.update(etag="new"), at("ipConfigurations", 0)(d).update(etag="new"))),
    ("what a VM adds", lambda d: at()(d).update(virtualMachine={"id": "/v"}, primary=True, macAddress="00-11")),
    ("an empty list for none", lambda d: at()(d).update(futureThings=[])),
    ("an empty object for none", lambda d: d.update(tags={})),
    ("null for none", lambda d: d.update(tags=None)),
    ("an object of empty things for none", lambda d: at()(d).update(future={"things": [], "more": {"x": None}})),
    ("private link, which Azure fills in", lambda d: at(*FIRST)(d).pop("privateLinkConnectionProperties")),
    ("domain suffix", lambda d: at("dnsSettings")(d).update(internalDomainNameSuffix="other.cloudapp.net")),
]


@pytest.mark.parametrize("edit", [row[1] for row in SAME], ids=[row[0] for row in SAME])
def test_what_is_no_change_is_not_told(edit: Callable[[dict[str, Any]], object]) -> None:
    after = nic()
    edit(after)
    assert (difference(nic(), after), difference(after, nic())) == ((), ())


def test_dns_settings_that_hold_nothing_are_none() -> None:
    after = nic("plain")
    del after["properties"]["dnsSettings"]
    assert (difference(nic("plain"), after), difference(after, nic("plain"))) == ((), ())


def test_ids_are_the_same_in_any_case_and_texts_are_not() -> None:
    before = json.loads(json.dumps(nic()).replace("{group}", "/subscriptions/s/resourceGroups/g"))
    assert difference(before, shout(before)) == difference(shout(before), before) == ()
    assert difference({**before, "kind": "a"}, {**before, "kind": "A"}) == ("$.kind: 'a' became 'A'",)


@pytest.mark.parametrize("prefix", ["/subscriptions/", "/SUBSCRIPTIONS/", "/Subscriptions/"])
def test_an_id_is_an_id_however_it_begins(prefix: str) -> None:
    one, other = (
        {"properties": {"networkSecurityGroup": {"id": f"{start}s/x"}}} for start in (prefix, "/subscriptions/")
    )
    assert difference(one, other) == difference(other, one) == ()
