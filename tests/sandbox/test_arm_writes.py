import copy
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import msgspec
import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from sandbox.arm import Sandbox
from sandbox.arm.clients import Azure, code_of, connected
from sandbox.scenario import ESTATES, Operation, Scenario

SHOP = "rg-shop-prod-weu"
NIC = "nic-shop-web-01"
NOT_COMPARED = {"etag", "provisioningState"}


@pytest.fixture
def azure() -> Iterator[Azure]:
    with connected("internet-failed-nic") as azure:
        yield azure


def plain(value: Any) -> Any:
    """A body without what every write changes."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if name not in NOT_COMPARED}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_a_nic_put_back_as_it_was_loses_nothing_and_succeeds(azure: Azure) -> None:
    before = azure.sandbox.resource(azure.id(NIC))
    nic = azure.network.network_interfaces.get(SHOP, NIC)
    assert nic.provisioning_state == "Failed"
    after = azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, nic).result()
    assert after.provisioning_state == "Succeeded"
    now = azure.sandbox.resource(azure.id(NIC))
    assert plain(now) == plain(before)
    assert now["etag"] != before["etag"]
    assert {c["properties"]["provisioningState"] for c in now["properties"]["ipConfigurations"]} == {"Succeeded"}


def test_the_answer_to_a_put(azure: Azure) -> None:
    sent = azure.sandbox.resource(azure.id(NIC))
    answer = azure.call("PUT", azure.id(NIC), json=sent)
    assert answer.status_code == 200
    assert answer.headers["Azure-AsyncNotification"] == "Enabled"
    assert answer.headers["Retry-After"] == "0"
    assert answer.headers["Azure-AsyncOperation"].startswith(azure.sandbox.url + "/subscriptions/")
    assert answer.json()["properties"]["provisioningState"] == "Updating"
    assert azure.call("GET", azure.id(NIC)).json()["properties"]["provisioningState"] == "Updating"


@pytest.mark.parametrize("told", [None, "1"])
def test_retry_after_is_as_configured(told: str | None) -> None:
    with connected("internet-failed-nic", retry_after=told) as azure:
        answer = azure.call("PUT", azure.id(NIC), json=azure.sandbox.resource(azure.id(NIC)))
    assert answer.headers.get("Retry-After") == told


def test_read_only_fields_stay_the_servers(azure: Azure) -> None:
    before = azure.sandbox.resource(azure.id(NIC))
    sent: Any = copy.deepcopy(before)
    sent["etag"] = 'W/"mine"'
    sent["properties"] |= {"macAddress": "00-00-00-00-00-00", "resourceGuid": "mine", "primary": False}
    sent["properties"]["dnsSettings"]["internalFqdn"] = "mine"
    azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, sent).result()
    assert plain(azure.sandbox.resource(azure.id(NIC))) == plain(before)


def test_what_is_left_out_falls_back_to_defaults(azure: Azure) -> None:
    sent = azure.sandbox.resource(azure.id(NIC))
    configurations = sent["properties"]["ipConfigurations"]
    small: Any = {"location": "westeurope", "properties": {"ipConfigurations": configurations[:1]}}
    azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, small).result()
    now = azure.sandbox.resource(azure.id(NIC))
    assert "tags" not in now
    assert "networkSecurityGroup" not in now["properties"]
    assert not now["properties"]["enableAcceleratedNetworking"]
    assert not now["properties"]["enableIPForwarding"]
    assert not now["properties"]["allowPort25Out"]
    assert now["properties"]["dnsSettings"]["dnsServers"] == []
    assert now["properties"]["auxiliaryMode"] == "None"
    assert len(now["properties"]["ipConfigurations"]) == 1


def test_a_put_at_an_old_api_version_loses_what_that_version_hides(azure: Azure) -> None:
    old = {"api-version": "2020-03-01"}
    nic = azure.network.network_interfaces.get(SHOP, NIC, params=old)
    azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, nic, params=old).result()
    now = azure.sandbox.resource(azure.id(NIC))["properties"]
    assert (now["auxiliaryMode"], now["auxiliarySku"]) == ("None", "None")
    assert now["vnetEncryptionSupported"]  # read-only: not lost


def test_a_future_property_that_the_service_has_is_accepted(azure: Azure) -> None:
    azure.sandbox.change(azure.id(NIC), {"properties.hyperMode": {"level": 3}})
    sent: Any = azure.sandbox.resource(azure.id(NIC))
    azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, sent).result()
    assert azure.sandbox.resource(azure.id(NIC))["properties"]["hyperMode"] == {"level": 3}


@pytest.mark.parametrize(
    ("where", "value", "path"),
    [
        ("enableIpForwarding", True, "properties.enableIpForwarding"),
        ("enableIPForwarding", "yes", "properties.enableIPForwarding"),
        ("ipConfigurations", {}, "properties.ipConfigurations"),
        ("dnsSettings", {"servers": []}, "properties.dnsSettings.servers"),
        ("nicType", "Rubber", "properties.nicType"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused(azure: Azure, where: str, value: Any, path: str) -> None:
    sent = azure.sandbox.resource(azure.id(NIC))
    sent["properties"][where] = value
    answer = azure.call("PUT", azure.id(NIC), json=sent)
    assert code_of(answer) == (400, "InvalidRequestFormat")
    assert [f"Path '{path}'" in d["message"] for d in answer.json()["error"]["details"]] == [True]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"location": ""}, "LocationRequired"),
        ({"properties": None}, "InvalidRequestFormat"),
        ({"properties": {"ipConfigurations": []}}, "InvalidRequestFormat"),
        ({"properties": {"ipConfigurations": [{"properties": {}}]}}, "ResourceNameMissing"),
    ],
)
def test_a_body_without_what_has_no_default_is_refused(azure: Azure, change: dict[str, Any], code: str) -> None:
    sent = azure.sandbox.resource(azure.id(NIC)) | change
    assert code_of(azure.call("PUT", azure.id(NIC), json=sent)) == (400, code)


def test_null_is_as_good_as_left_out(azure: Azure) -> None:
    sent = azure.sandbox.resource(azure.id(NIC))
    sent["properties"] |= {"workloadType": None, "networkSecurityGroup": None}
    azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, cast("Any", sent)).result()
    assert not {"workloadType", "networkSecurityGroup"} & azure.sandbox.resource(azure.id(NIC))["properties"].keys()


def test_a_scenario_may_say_how_writes_end() -> None:
    loaded = Scenario.load(ESTATES / "internet-failed-nic.json")
    nic = next(body["id"] for body in loaded.resources if body["name"] == NIC)
    failing = msgspec.structs.replace(loaded, operations={nic: Operation("Failed", asynchronous=False)})
    with Sandbox([failing]) as sandbox, ExitStack() as stack:
        answer = Azure(sandbox, stack).call("PUT", nic, json=sandbox.resource(nic))
    assert "Azure-AsyncOperation" not in answer.headers
    assert answer.json()["properties"]["provisioningState"] == "Failed"


def test_a_body_that_is_not_json_is_refused(azure: Azure) -> None:
    assert code_of(azure.call("PUT", azure.id(NIC), data=b"{")) == (400, "InvalidRequestContent")


def test_a_reference_to_nothing_is_refused(azure: Azure) -> None:
    sent = azure.sandbox.resource(azure.id(NIC))
    sent["properties"]["networkSecurityGroup"]["id"] += "-gone"
    assert code_of(azure.call("PUT", azure.id(NIC), json=sent)) == (400, "InvalidResourceReference")


def test_if_match(azure: Azure) -> None:
    nic = azure.network.network_interfaces.get(SHOP, NIC)
    azure.sandbox.change(azure.id(NIC), {"tags.touched": "yes"})
    put = azure.network.network_interfaces.begin_create_or_update
    with pytest.raises(HttpResponseError, match="PreconditionFailed") as error:
        put(SHOP, NIC, nic, headers={"If-Match": nic.etag or ""})
    answer: Any = error.value.response
    assert answer.status_code == 412
    assert answer.json()["error"]["details"][0]["code"] == "PreconditionFailedEtagMismatch"
    fresh = azure.network.network_interfaces.get(SHOP, NIC)
    assert put(SHOP, NIC, fresh, headers={"If-Match": fresh.etag or ""}).result().tags == fresh.tags


def test_a_second_put_during_the_first_is_refused(azure: Azure) -> None:
    put = azure.network.network_interfaces.begin_create_or_update
    nic = azure.network.network_interfaces.get(SHOP, NIC)
    azure.sandbox.hold(azure.id(NIC))
    poller = put(SHOP, NIC, nic)
    with pytest.raises(ResourceExistsError, match="AnotherOperationInProgress"):
        put(SHOP, NIC, nic)
    assert azure.network.network_interfaces.get(SHOP, NIC).provisioning_state == "Updating"
    azure.sandbox.release(azure.id(NIC))
    assert poller.result().provisioning_state == "Succeeded"


def test_an_operation_that_fails_late(azure: Azure) -> None:
    error = {"code": "InternalServerError", "message": "An error occurred."}
    azure.sandbox.script(azure.id(NIC), Operation("Failed", error))
    nic = azure.network.network_interfaces.get(SHOP, NIC)
    poller = azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, nic)
    with pytest.raises(HttpResponseError, match="InternalServerError"):
        poller.result()
    assert azure.network.network_interfaces.get(SHOP, NIC).provisioning_state == "Failed"


def test_a_failure_that_the_poller_does_not_see(azure: Azure) -> None:
    azure.sandbox.script(azure.id(NIC), Operation("Failed", asynchronous=False))
    nic = azure.network.network_interfaces.get(SHOP, NIC)
    result = azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, nic).result()
    assert result.provisioning_state == "Failed"


def test_a_missing_join_right(azure: Azure) -> None:
    subnet = azure.id("vnet-shop-prod-weu") + "/subnets/snet-shop-web"
    azure.sandbox.faults.linked_authorization("Microsoft.Network/virtualNetworks/subnets/join/action", subnet)
    nic = azure.network.network_interfaces.get(SHOP, NIC)
    with pytest.raises(HttpResponseError, match=r"subnets/join/action' on the linked scope\(s\)") as error:
        azure.network.network_interfaces.begin_create_or_update(SHOP, NIC, nic)
    assert error.value.status_code == 403


def test_role_actions_of_a_nic_write(azure: Azure) -> None:
    azure.call("PUT", azure.id(NIC), json=azure.sandbox.resource(azure.id(NIC)))
    assert azure.sandbox.calls[-1].role_actions == (
        "Microsoft.Network/networkInterfaces/write",
        "Microsoft.Network/applicationSecurityGroups/joinIpConfiguration/action",
        "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
        "Microsoft.Network/loadBalancers/inboundNatRules/join/action",
        "Microsoft.Network/networkSecurityGroups/join/action",
        "Microsoft.Network/publicIPAddresses/join/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    )


def test_a_new_nic_is_created_with_an_address(azure: Azure) -> None:
    subnet = {"id": azure.id("vnet-shop-prod-weu") + "/subnets/snet-shop-web"}
    body: Any = {
        "location": "westeurope",
        "properties": {"ipConfigurations": [{"name": "a", "properties": {"subnet": subnet}}]},
    }
    path = azure.id(NIC).replace(NIC, "nic-new")
    answer = azure.call("PUT", path, json=body)
    assert answer.status_code == 201
    nic = azure.network.network_interfaces.begin_create_or_update(SHOP, "nic-newer", body).result()
    assert [c.private_ip_address for c in nic.ip_configurations or []] == ["10.80.1.5"]
    assert answer.json()["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.80.1.4"


def test_security_groups_and_route_tables_are_written_the_same_way() -> None:
    with connected("vm-to-vm-udr") as azure:
        group, table = "nsg-billing-db", "rt-billing-app"
        network, name = azure.network, "rg-billing-prod-weu"
        rules = network.network_security_groups.get(name, group)
        rules.security_rules = []
        written = network.network_security_groups.begin_create_or_update(name, group, rules).result()
        assert (written.security_rules, len(written.default_security_rules or [])) == ([], 6)
        routes = network.route_tables.get(name, table)
        routes.routes = [route for route in routes.routes or [] if route.next_hop_type != "None"]
        after = network.route_tables.begin_create_or_update(name, table, routes).result()
        assert [route.name for route in after.routes or []] == ["kms-direct", "azure-monitor-direct"]
        assert len(after.subnets or []) == 1
