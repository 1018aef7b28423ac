import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from diagnostics.cloud import versions
from diagnostics.errors import ForbiddenError, NotFoundError, ParseError, TemporaryError
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic, RouteTable, SecurityGroup, Subnet, Vm
from diagnostics.network.tags import ServiceTags
from diagnostics.runbooks.questions import Extension
from tests.cloud.conftest import Estate


def test_a_vm_has_its_power_state_and_nics(estate: Estate) -> None:
    vm = estate.id("vm-edge-proxy-01")
    estate.sandbox.power(vm.text, "PowerState/deallocated")
    read = Vm.decode(estate.inventory().body(vm))
    assert (read.power_state, read.running, read.location) == ("deallocated", False, "westeurope")
    assert [nic.name for nic in read.nics] == ["nic-edge-proxy-01-front", "nic-edge-proxy-01-mgmt"]


@pytest.mark.parametrize(
    ("name", "kind", "holds"),
    [
        ("nic-shop-web-01", Nic, "allowPort25Out"),
        ("nsg-orders-data", SecurityGroup, "deny-lateral-movement"),
        ("rt-billing-app", RouteTable, "blackhole-old-reporting"),
    ],
)
def test_everything_else_that_is_read(estate: Estate, name: str, kind: Any, holds: str) -> None:
    body = estate.inventory().body(estate.id(name))
    assert kind.decode(body).id == estate.id(name)
    assert holds in body.decode()


def test_a_nested_resource(estate: Estate) -> None:
    nic = Nic.decode(estate.inventory().body(estate.id("nic-shop-web-01")))
    assert (nic.failed, nic.vm) == (True, estate.id("vm-shop-web-01"))
    subnet = Subnet.decode(estate.inventory().body(next(c.subnet for c in nic.ip_configurations if c.subnet)))
    assert subnet.id.within(estate.id("vnet-shop-prod-weu"))


def test_only_machines_have_an_instance_view(estate: Estate) -> None:
    vm = estate.id("vm-shop-web-01")
    for path in (vm.text, vm.text.replace("virtualMachines/", "virtualMachineScaleSets/")):
        with suppress(NotFoundError):
            estate.inventory().body(ResourceId.parse(path))
    assert [call.query.get("$expand") for call in estate.sandbox.calls if "/virtualmachine" in call.path.lower()] == [
        "instanceView",
        None,
    ]


def test_a_nic_of_a_scale_set_is_read_at_its_own_version(estate: Estate) -> None:
    vm = estate.id("vm-shop-web-01").text.replace("virtualMachines/", "virtualMachineScaleSets/set/virtualMachines/")
    with pytest.raises(NotFoundError):
        estate.inventory().body(ResourceId.parse(f"{vm}/networkInterfaces/nic"))
    (call,) = [call for call in estate.sandbox.calls if call.path.endswith("/nic")]
    assert call.query == {"api-version": versions.SCALE_SET_NETWORK}


def test_ids_are_read_in_any_case(estate: Estate) -> None:
    nic = estate.id("nic-shop-web-01")
    loud = ResourceId.parse(nic.text.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))
    assert Nic.decode(estate.inventory().body(loud)).id == nic


def test_names_with_every_letter_that_azure_allows(estate: Estate) -> None:
    body = estate.sandbox.resource(estate.id("nic-shop-web-01").text)
    odd = body["id"].replace("rg-shop-prod-weu", "rg-(straße)_1.x")
    estate.sandbox.create(body | {"id": odd})
    assert Nic.decode(estate.inventory().body(ResourceId.parse(odd))).id.text == odd


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("vm-orders-web-01", ["vm-orders-web-01"]),
        ("VM-Orders-Web-01", ["vm-orders-web-01"]),
        ("vm-orders-web-01.corp.contoso.com", ["vm-orders-web-01"]),
        ("vm-orders", []),
        ("nic-orders-web-01", []),
    ],
)
def test_vms_are_found_by_name(estate: Estate, name: str, found: list[str]) -> None:
    assert [vm.name for vm in estate.inventory().named(name)] == found


def test_vms_of_one_name_in_two_subscriptions_are_both_found(estate: Estate) -> None:
    twin = estate.sandbox.resource(estate.id("vm-crm-app-01").text)
    path = estate.id("vm-shop-web-01").text.replace("vm-shop-web-01", "vm-crm-app-01")
    estate.sandbox.create(twin | {"id": path})
    assert len(estate.inventory().named("vm-crm-app-01")) == 2


@pytest.mark.parametrize("name", ["", "a' or 1==1", "a\nb", "x" * 300])
def test_what_is_no_name_never_gets_into_a_query(estate: Estate, name: str) -> None:
    with pytest.raises(ParseError):
        estate.inventory().named(name)
    assert estate.sandbox.calls == []


def test_failed_nics_of_all_pages(estate: Estate) -> None:
    nic = estate.sandbox.resource(estate.id("nic-shop-web-01").text)
    for number in range(2_100):
        estate.sandbox.create(nic | {"id": f"{nic['id']}-{number}", "name": f"{nic['name']}-{number}"})
    assert len(set(estate.inventory().failed_nics())) == 2_101
    assert estate.statuses("POST", "resourcegraph") == [200, 200, 200]


def test_a_stale_row_is_a_candidate_all_the_same(estate: Estate) -> None:
    healthy = estate.id("nic-crm-app-01")
    scenario = next(each for each in estate.sandbox.scenarios if each.name == "healthy")
    scenario.stale_graph[healthy.text] = {"properties.provisioningState": "Failed"}
    try:
        assert healthy in estate.inventory().failed_nics()
        assert not Nic.decode(estate.inventory().body(healthy)).failed
    finally:
        scenario.stale_graph.clear()


@pytest.mark.parametrize(
    ("scopes", "found"),
    [
        ("{shop}", 1),
        ("{crm}", 0),
        ("{crm},{shop}", 1),
        ("/subscriptions/{shop}/resourceGroups/rg-shop-prod-weu", 1),
        ("/subscriptions/{shop}/resourceGroups/rg-other", 0),
        ("/providers/Microsoft.Management/managementGroups/mg-contoso", 1),
        ("/providers/Microsoft.Management/managementGroups/MG-Contoso {shop}", 1),
    ],
)
def test_scopes_bound_what_is_found(estate: Estate, scopes: str, found: int) -> None:
    ids = {"shop": estate.subscription("internet-failed-nic"), "crm": estate.subscription("healthy")}
    assert len(estate.inventory(scopes.format(**ids)).failed_nics()) == found


def test_subscriptions_below_management_groups(estate: Estate) -> None:
    inventory = estate.inventory()
    everything = frozenset(each.subscription for each in estate.sandbox.scenarios)
    assert inventory.subscriptions_below(["mg-contoso"]) == everything
    assert inventory.subscriptions_below([]) == frozenset()
    with pytest.raises(ForbiddenError):
        inventory.subscriptions_below(["mg-of-others"])


OTHER = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("named", ["{mine},{other}", "{other}"])
def test_subscriptions_that_cannot_be_read_are_named(estate: Estate, named: str) -> None:
    scopes = named.format(mine=estate.subscription("healthy"), other=OTHER)
    assert list(estate.inventory(scopes).unreadable()) == [OTHER]


def test_candidates_of_nothing_readable_are_an_error_and_not_none(estate: Estate) -> None:
    with pytest.raises(ForbiddenError):
        estate.inventory(OTHER).failed_nics()


def test_what_does_not_exist(estate: Estate) -> None:
    with pytest.raises(NotFoundError, match="nic-gone: ResourceNotFound"):
        estate.inventory().body(
            ResourceId.parse(estate.id("nic-shop-web-01").text.replace("nic-shop-web-01", "nic-gone"))
        )


@pytest.mark.parametrize(
    ("fault", "tries"),
    [
        ({"status": 429, "headers": {"Retry-After": "1"}}, [429, 200]),
        ({"status": 503, "body": "<html>503</html>"}, [503, 200]),
        ({"drop": True}, [0, 200]),
    ],
)
def test_a_short_disturbance_is_not_noticed(estate: Estate, fault: dict[str, Any], tries: list[int]) -> None:
    estate.sandbox.faults.add(path="(networkInterfaces|ResourceGraph)", **fault)
    estate.inventory().body(estate.id("nic-shop-web-01"))
    assert estate.statuses("GET", "/networkinterfaces/") == tries


def test_a_query_is_a_read_and_is_repeated(estate: Estate) -> None:
    estate.sandbox.faults.add(path="ResourceGraph", status=429, headers={"Retry-After": "1"})
    assert len(estate.inventory(estate.subscription("internet-failed-nic")).failed_nics()) == 1
    assert estate.statuses("POST", "resourcegraph") == [429, 200]


def test_a_function_does_not_sleep_as_long_as_azure_asks(estate: Estate) -> None:
    estate.sandbox.faults.add(path="networkInterfaces", status=429, headers={"Retry-After": "300"})
    with pytest.raises(TemporaryError) as error:
        estate.inventory().body(estate.id("nic-shop-web-01"))
    assert error.value.retry_after == 300
    assert estate.statuses("GET", "/networkinterfaces/") == [429]


AGENT = ("AzureNetworkWatcherExtension", "Microsoft.Azure.NetworkWatcher", "NetworkWatcherAgentLinux", "Succeeded")


@pytest.mark.parametrize("size", [1, 100])
def test_extensions_of_all_pages(start: Callable[..., Estate], size: int) -> None:
    estate = start(page_size=size)
    vm = estate.id("vm-orders-web-01")
    others = {"properties": {}, "name": "odd", "type": "Microsoft.Compute/virtualMachines/extensions"}
    estate.sandbox.create(others | {"id": f"{vm}/extensions/odd"})
    found = estate.inventory().extensions(vm)
    assert [each.name for each in found] == ["AzureMonitorLinuxAgent", AGENT[0], "odd"]
    assert (found[1], found[2]) == (Extension(*AGENT), Extension("odd", "", "", ""))
    assert estate.statuses("GET", "/extensions") == [200] * (3 // size or 1)


def test_a_vm_without_extensions(estate: Estate) -> None:
    vm = estate.id("vm-orders-web-01")
    for extension in estate.inventory().extensions(vm):
        estate.sandbox.delete(f"{vm}/extensions/{extension.name}")
    assert list(estate.inventory().extensions(vm)) == []


def test_extensions_that_azure_did_not_list_are_not_none(estate: Estate) -> None:
    estate.sandbox.faults.add(method="GET", path="/extensions", status=200, body={})
    with pytest.raises(ParseError, match=r"\$.*value"):
        estate.inventory().extensions(estate.id("vm-orders-web-01"))


def test_extensions_of_what_does_not_exist(estate: Estate) -> None:
    with pytest.raises(NotFoundError):
        estate.inventory().extensions(ResourceId.parse(estate.id("vm-orders-web-01").text + "-gone"))


def test_service_tags_are_read_once_a_day(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory, subscription = estate.inventory(), estate.subscription("healthy")
    for location in ("westeurope", "West Europe"):
        tags = ServiceTags.decode(inventory.service_tags(subscription, location))
        assert "20.190.128.0/18" in tags.prefixes["azureactivedirectory"]
    assert estate.statuses("GET", "/servicetags") == [200]
    later = time.monotonic() + 24 * 60 * 60 + 1
    with monkeypatch.context() as patched:
        patched.setattr("diagnostics.cloud.inventory.time.monotonic", lambda: later)
        inventory.service_tags(subscription, "westeurope")
    assert len(estate.statuses("GET", "/servicetags")) == 2


def test_service_tags_of_all_pages(estate: Estate) -> None:
    subscription = estate.subscription("healthy")
    path = f"/subscriptions/{subscription}/providers/Microsoft.Network/locations/westeurope/serviceTags"
    first = {
        "changeNumber": "7",
        "values": [{"name": "Odd", "properties": {"addressPrefixes": ["192.0.2.0/24"]}}],
        "nextLink": f"{estate.sandbox.url}{path}?api-version={versions.NETWORK}&page=2",
    }
    estate.sandbox.faults.add(method="GET", path="serviceTags", status=200, body=first)
    body = estate.inventory().service_tags(subscription, "westeurope")
    assert {"odd", "azureactivedirectory"} <= ServiceTags.decode(body).prefixes.keys()
    assert json.loads(body)["changeNumber"] == "7"


@pytest.mark.parametrize("location", ["", "west/../x", "a?b", "x" * 41])
def test_what_is_no_region_never_gets_into_a_path(estate: Estate, location: str) -> None:
    with pytest.raises(ParseError, match="is not a region"):
        estate.inventory().service_tags(estate.subscription("healthy"), location)
    assert estate.sandbox.calls == []


def at(estate: Estate, address: str, scopes: str | None = None) -> set[str]:
    return {found.name for found in estate.inventory(scopes).at_address(address)}


def add(estate: Estate, kind: str, name: str, properties: dict[str, Any]) -> None:
    """A resource of Microsoft.Network in the subscription of scenario healthy."""
    path = estate.id("nic-crm-app-01").text.replace("networkInterfaces/nic-crm-app-01", f"{kind}/{name}")
    body = {"id": path, "name": name, "type": f"Microsoft.Network/{kind}", "location": "westeurope"}
    estate.sandbox.create(body | {"properties": properties})


def configured(*addresses: str | None) -> list[dict[str, Any]]:
    return [
        {"name": f"c{i}", "properties": {"privateIPAddress": each} if each else {}} for i, each in enumerate(addresses)
    ]


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("10.99.0.4", {"nic-three"}),
        ("10.99.0.6", {"nic-three", "lb-inside"}),
        ("10.99.0.7", {"fw"}),
        ("10.99.0.8", {"fw-hub"}),
        ("10.99.0.9", set()),
        ("10.99.0.40", set()),
        ("fd00:99::5", {"nic-three"}),
        ("fd00:0099:0:0:0:0:0:5", {"nic-three"}),
        ("FD00:99::0006", {"nic-three"}),
        ("fd00:99::", set()),
    ],
)
def test_what_has_an_address(estate: Estate, address: str, found: set[str]) -> None:
    spelled_out = "FD00:0099:0000:0000:0000:0000:0000:0006"
    addresses = ("10.99.0.4", None, "10.99.0.6", "fd00:99::5", spelled_out)
    add(estate, "networkInterfaces", "nic-three", {"ipConfigurations": configured(*addresses)})
    add(estate, "loadBalancers", "lb-inside", {"frontendIPConfigurations": configured(None, "10.99.0.6", "10.99.0.6")})
    add(estate, "loadBalancers", "lb-empty", {"frontendIPConfigurations": []})
    add(estate, "azureFirewalls", "fw", {"ipConfigurations": configured("10.99.0.7")})
    add(estate, "azureFirewalls", "fw-hub", {"hubIPAddresses": {"privateIPAddress": "10.99.0.8"}})
    add(estate, "publicIPAddresses", "not-asked-for", {"ipConfigurations": configured("10.99.0.4")})
    assert at(estate, address) == found


def test_the_last_of_many_addresses_is_found(estate: Estate) -> None:
    many = [f"10.99.{number // 250}.{number % 250}" for number in range(600)]
    add(estate, "loadBalancers", "lb-large", {"frontendIPConfigurations": configured(*many)})
    assert at(estate, many[-1]) == {"lb-large"}


def test_networks_overlap_and_scopes_bound_what_is_found(estate: Estate) -> None:
    nic = estate.sandbox.resource(estate.id("nic-shop-web-01").text)
    address = nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    add(estate, "networkInterfaces", "nic-twin", {"ipConfigurations": configured(address)})
    assert at(estate, address) == {"nic-shop-web-01", "nic-twin"}
    assert at(estate, address, estate.subscription("healthy")) == {"nic-twin"}
    group = estate.id("nic-shop-web-01").text.partition("/providers/")[0]
    assert at(estate, address, group) == {"nic-shop-web-01"}


@pytest.mark.parametrize(
    "address", ["", "10.0.0", "10.0.0.4'", "a') or 1==1", "fe80::1%') or (1==1", "10.0.0.0/8", "010.0.0.1"]
)
def test_what_is_no_address_never_gets_into_a_query(estate: Estate, address: str) -> None:
    with pytest.raises(ParseError):
        estate.inventory().at_address(address)
    assert estate.sandbox.calls == []


def test_addresses_that_nothing_can_be_asked_about_are_an_error_and_not_none(estate: Estate) -> None:
    with pytest.raises(ForbiddenError):
        estate.inventory(OTHER).at_address("10.0.0.4")
