import re
from typing import Any

import pytest

from diagnostics.errors import ForbiddenError, NotFoundError, ParseError, TemporaryError
from diagnostics.network.ids import ResourceId
from tests.cloud.conftest import Estate


def test_a_vm_has_its_power_state_and_nics(estate: Estate) -> None:
    vm = estate.id("vm-edge-proxy-01")
    estate.sandbox.power(vm.text, "PowerState/deallocated")
    read = estate.inventory().vm(vm)
    assert (read.power_state, read.running, read.location) == ("deallocated", False, "westeurope")
    assert [nic.name for nic in read.nics] == ["nic-edge-proxy-01-front", "nic-edge-proxy-01-mgmt"]


def test_everything_else_that_is_read(estate: Estate) -> None:
    inventory = estate.inventory()
    nic = inventory.nic(estate.id("nic-shop-web-01"))
    assert (nic.failed, nic.vm) == (True, estate.id("vm-shop-web-01"))
    subnet = inventory.subnet(next(c.subnet for c in nic.ip_configurations if c.subnet))
    assert subnet.id.within(estate.id("vnet-shop-prod-weu"))
    group = inventory.security_group(estate.id("nsg-orders-data"))
    assert "deny-lateral-movement" in {rule.name for rule in group.rules}
    table = inventory.route_table(estate.id("rt-billing-app"))
    assert "blackhole-old-reporting" in {route.name for route in table.routes}


def test_ids_are_read_in_any_case(estate: Estate) -> None:
    nic = estate.id("nic-shop-web-01")
    assert (
        estate.inventory().nic(ResourceId.parse(nic.text.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))).id == nic
    )


def test_names_with_every_letter_that_azure_allows(estate: Estate) -> None:
    body = estate.sandbox.resource(estate.id("nic-shop-web-01").text)
    odd = body["id"].replace("rg-shop-prod-weu", "rg-(straße)_1.x")
    estate.sandbox.create(body | {"id": odd})
    assert estate.inventory().nic(ResourceId.parse(odd)).id.text == odd


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
        assert not estate.inventory().nic(healthy).failed
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
        estate.inventory().nic(
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
    estate.inventory().nic(estate.id("nic-shop-web-01"))
    assert estate.statuses("GET", "/networkinterfaces/") == tries


def test_a_query_is_a_read_and_is_repeated(estate: Estate) -> None:
    estate.sandbox.faults.add(path="ResourceGraph", status=429, headers={"Retry-After": "1"})
    assert len(estate.inventory(estate.subscription("internet-failed-nic")).failed_nics()) == 1
    assert estate.statuses("POST", "resourcegraph") == [429, 200]


def test_a_function_does_not_sleep_as_long_as_azure_asks(estate: Estate) -> None:
    estate.sandbox.faults.add(path="networkInterfaces", status=429, headers={"Retry-After": "300"})
    with pytest.raises(TemporaryError) as error:
        estate.inventory().nic(estate.id("nic-shop-web-01"))
    assert error.value.retry_after == 300
    assert estate.statuses("GET", "/networkinterfaces/") == [429]


def test_a_body_that_is_not_what_it_should_be_names_the_place(estate: Estate) -> None:
    nic = estate.id("nic-shop-web-01")
    estate.sandbox.change(nic.text, {"properties.ipConfigurations": "none"})
    with pytest.raises(ParseError, match=re.escape("$.properties.ipConfigurations")):
        estate.inventory().nic(nic)
