"""Lists that are more than what lies below a path: extensions, service tags, statuses, scale sets, all resources."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from sandbox.arm import Sandbox
from sandbox.arm.clients import Azure, code_of, connected
from sandbox.scenario import DERIVED, Scenario


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with connected("vm-to-vm-nsg") as azure:
        yield azure


def test_extensions_of_a_vm(azure: Azure) -> None:
    found: Any = azure.compute.virtual_machine_extensions.list("rg-orders-prod-weu", "vm-orders-web-01").value
    assert {each.name: each.properties.publisher for each in found} == {
        "AzureMonitorLinuxAgent": "Microsoft.Azure.Monitor",
        "AzureNetworkWatcherExtension": "Microsoft.Azure.NetworkWatcher",
    }
    gone = azure.call("GET", azure.id("vm-orders-web-01") + "-gone/extensions")
    assert code_of(gone) == (404, "ResourceNotFound")


def test_service_tags_as_arm_answers_them(azure: Azure) -> None:
    answer = azure.network.service_tags.list("westeurope")
    assert (answer.name, answer.type, answer.change_number) == ("Public", "Microsoft.Network/serviceTags", "1")
    tags = {tag.name: tag for tag in answer.values_property or []}
    properties = tags["AzureActiveDirectory"].properties
    assert properties is not None
    assert (properties.change_number, properties.system_service, properties.region) == ("1", "AzureAD", "")
    assert "20.190.128.0/18" in (properties.address_prefixes or [])
    assert azure.sandbox.calls[-1].role_actions == ("Microsoft.Network/locations/serviceTags/read",)


def test_service_tags_of_a_subscription_that_does_not_exist(azure: Azure) -> None:
    path = "/subscriptions/0f0f0f0f-0000-4000-8000-000000000000/providers/Microsoft.Network/locations/westeurope"
    assert code_of(azure.call("GET", f"{path}/serviceTags")) == (404, "SubscriptionNotFound")


def test_statuses_of_all_vms_say_nothing_else(azure: Azure) -> None:
    found = {vm.name: vm for vm in azure.compute.virtual_machines.list_all(status_only="true")}
    view = found["vm-orders-web-01"].instance_view
    assert view is not None
    assert [status.code for status in view.statuses or []] == ["ProvisioningState/succeeded", "PowerState/running"]
    assert all(vm.network_profile is None and vm.storage_profile is None for vm in found.values())
    assert all(vm.instance_view is None for vm in azure.compute.virtual_machines.list_all())


@pytest.fixture
def own() -> Iterator[Azure]:
    """A sandbox that a test may change."""
    with connected("vm-to-vm-nsg") as azure:
        yield azure


def created(azure: Azure, path: str) -> str:
    """The id of a new resource, in the group of the scenario."""
    parts = path.split("/")
    kind = "/".join([parts[0], *parts[1::2]])
    rid = f"/subscriptions/{azure.scenario.subscription}/resourceGroups/rg-orders-prod-weu/providers/{path}"
    azure.sandbox.create({"id": rid, "name": parts[-1], "type": kind, "location": "westeurope", "properties": {}})
    return rid


def listed(azure: Azure, path: str, **params: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = azure.call("GET", path, params=params).json()["value"]
    return rows


def test_scale_sets(own: Azure) -> None:
    scale_set = created(own, "Microsoft.Compute/virtualMachineScaleSets/set")
    vm = created(own, "Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0")
    nic = created(own, "Microsoft.Compute/virtualMachineScaleSets/set/virtualMachines/0/networkInterfaces/nic")
    created(own, "Microsoft.Compute/virtualMachineScaleSets/set2/virtualMachines/0/networkInterfaces/nic")
    nics = own.network.network_interfaces.list_virtual_machine_scale_set_network_interfaces("rg-orders-prod-weu", "set")
    assert [each.id for each in nics] == [nic]
    (machine,) = listed(own, f"{scale_set}/virtualMachines", **{"$expand": "instanceView"})
    assert (machine["id"], "statuses" in machine["properties"]["instanceView"]) == (vm, True)
    assert listed(own, f"{scale_set}/publicIPAddresses") == []
    assert code_of(own.call("GET", f"{scale_set}3/networkInterfaces")) == (404, "ResourceNotFound")


def test_gateways_have_no_list_of_a_subscription(own: Azure) -> None:
    gateway = created(own, "Microsoft.Network/virtualNetworkGateways/vpn")
    assert [each.id for each in own.network.virtual_network_gateways.list("rg-orders-prod-weu")] == [gateway]
    path = f"/subscriptions/{own.scenario.subscription}"
    everywhere = own.call("GET", f"{path}/providers/Microsoft.Network/virtualNetworkGateways")
    assert code_of(everywhere) == (404, "NotFound")
    sought = " or ".join(f"resourceType eq 'microsoft.network/{kind}'" for kind in ("virtualnetworkgateways", "nats"))
    (row,) = listed(own, f"{path}/resources", **{"$filter": sought})
    assert (row["id"], "properties" in row) == (gateway, False)
    kinds = {row["type"].lower() for row in listed(own, f"{path}/resources")}
    assert {"microsoft.network/virtualnetworkgateways", "microsoft.network/networkwatchers/connectionmonitors"} <= kinds
    odd = own.call("GET", f"{path}/resources", params={"$filter": "name eq 'vpn'"})
    assert code_of(odd) == (400, "InvalidFilterInQueryString")


def test_lists_of_what_extends_a_resource(own: Azure) -> None:
    group = own.id("nsg-orders-data")
    path = f"{group}/providers/Microsoft.Insights/diagnosticSettings"
    assert listed(own, path) == []
    setting = {"id": f"{path}/all", "name": "all", "type": "Microsoft.Insights/diagnosticSettings", "properties": {}}
    own.sandbox.create(setting)
    assert listed(own, path) == [setting]
    gone = own.call("GET", path.replace("nsg-orders-data", "nsg-gone"))
    assert code_of(gone) == (404, "ResourceNotFound")


def test_what_may_not_be_read_is_left_out_of_lists() -> None:
    scenario = Scenario.load(DERIVED / "vm-to-vm-unreadable-group.json")
    path = f"/subscriptions/{scenario.subscription}/providers"
    closed = f"{path}/Microsoft.Network/routeTables"
    scenario.forbidden.append(closed)
    with ExitStack() as stack:
        azure = Azure(stack.enter_context(Sandbox([scenario])), stack)
        assert [row["name"] for row in listed(azure, f"{path}/Microsoft.Network/networkSecurityGroups")] == [
            "nsg-orders-web"
        ]
        assert code_of(azure.call("GET", closed)) == (403, "AuthorizationFailed")
        (role,) = listed(azure, f"{path}/Microsoft.Authorization/permissions")
    denied = ["microsoft.network/networksecuritygroups/read", "microsoft.network/routetables/read"]
    assert (role["actions"], role["notActions"]) == (["*/read"], denied)
