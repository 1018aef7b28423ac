"""Identity, authentication, headers and reads, with the real SDK clients."""

from collections.abc import Iterator

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox.arm import Sandbox
from sandbox.arm.clients import ARM, Azure, code_of, connected
from sandbox.scenario import scenarios

SHOP = "rg-shop-prod-weu"


@pytest.fixture(scope="module")
def azure() -> Iterator[Azure]:
    with connected("internet-failed-nic") as azure:
        yield azure


@pytest.mark.parametrize(
    ("query", "header", "status"),
    [
        ("resource=https://management.azure.com&api-version=2019-08-01", "right", 200),
        ("resource=https://management.azure.com&api-version=2019-08-01", "wrong", 401),
        ("resource=https://management.azure.com&api-version=2018-02-01", "right", 400),
        ("api-version=2019-08-01", "right", 400),
    ],
)
def test_identity_endpoint(azure: Azure, query: str, header: str, status: int) -> None:
    secret = azure.sandbox.identity_header if header == "right" else "guess"
    url = f"{azure.sandbox.identity_endpoint}?{query}"
    answer = requests.get(url, headers={"X-IDENTITY-HEADER": secret}, timeout=9)
    assert answer.status_code == status
    assert ("access_token" in answer.json()) == (status == 200)


def test_a_token_is_required_and_challenged(azure: Azure) -> None:
    path = f"{azure.sandbox.url}{azure.id('nic-shop-web-01')}?api-version=2026-03-01"
    for headers in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eA=="}):
        answer = requests.get(path, headers=headers, timeout=9)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith('Bearer authorization_uri="https://login.windows.net/')


def test_a_token_for_something_else_is_refused(azure: Azure) -> None:
    other = azure.credential.get_token("https://storage.azure.com/.default").token
    answer = azure.call("GET", azure.id("nic-shop-web-01"), headers={"Authorization": f"Bearer {other}"})
    assert code_of(answer) == (401, "InvalidAuthenticationTokenAudience")


def test_tokens_expire() -> None:
    with connected("healthy") as azure:
        token = azure.credential.get_token(f"{ARM}/.default").token
        azure.sandbox.expire_tokens()
        answer = azure.call("GET", "/subscriptions", headers={"Authorization": f"Bearer {token}"})
        assert code_of(answer) == (401, "ExpiredAuthenticationToken")


@pytest.mark.parametrize(
    ("version", "code"), [("", "MissingApiVersionParameter"), ("latest", "InvalidApiVersionParameter")]
)
def test_api_version_is_required(azure: Azure, version: str, code: str) -> None:
    answer = azure.call("GET", azure.id("nic-shop-web-01"), params={"api-version": version})
    assert code_of(answer) == (400, code)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/subscriptions/0f0f0f0f-0000-4000-8000-000000000000/resourceGroups", "SubscriptionNotFound"),
        ("{sub}/resourceGroups/rg-none/providers/Microsoft.Network/networkInterfaces", "ResourceGroupNotFound"),
        ("{group}/providers/Microsoft.Network/networkInterfaces/none", "ResourceNotFound"),
        ("{group}/providers/Microsoft.Network/virtualNetworks/vnet-shop-prod-weu/subnets/none", "ResourceNotFound"),
        ("/nonsense", "NotFound"),
    ],
)
def test_what_does_not_exist(azure: Azure, path: str, code: str) -> None:
    sub = f"/subscriptions/{azure.scenario.subscription}"
    answer = azure.call("GET", path.format(sub=sub, group=f"{sub}/resourceGroups/{SHOP}"))
    assert code_of(answer) == (404, code)


def test_headers_of_every_answer(azure: Azure) -> None:
    asked = {"x-ms-correlation-request-id": "5b1c"}
    first = azure.call("GET", azure.id("nic-shop-web-01"), headers=asked)
    second = azure.call("POST", azure.id("NetworkWatcher_westeurope") + "/nextHop", json={})
    assert first.headers["x-ms-correlation-request-id"] == "5b1c"
    assert first.headers["x-ms-request-id"] != second.headers["x-ms-request-id"]
    assert 0 < int(first.headers["x-ms-ratelimit-remaining-subscription-reads"]) < 250
    assert 0 < int(second.headers["x-ms-ratelimit-remaining-subscription-writes"]) < 200


def test_ids_compare_case_insensitively(azure: Azure) -> None:
    body = azure.call("GET", azure.id("nic-shop-web-01").lower()).json()
    assert body["id"] == azure.id("nic-shop-web-01")


def test_lists_by_group_by_subscription_and_in_parents(azure: Azure) -> None:
    network, compute = azure.network, azure.compute
    assert [nic.name for nic in network.network_interfaces.list(SHOP)] == ["nic-shop-web-01"]
    assert [nic.name for nic in network.network_interfaces.list_all()] == ["nic-shop-web-01"]
    assert [w.location for w in network.network_watchers.list_all()] == ["westeurope"]
    assert [s.name for s in network.subnets.list(SHOP, "vnet-shop-prod-weu")] == ["snet-shop-web"]
    assert network.subnets.get(SHOP, "vnet-shop-prod-weu", "snet-shop-web").name == "snet-shop-web"
    assert len(list(network.security_rules.list(SHOP, "nsg-shop-web"))) == 2
    assert network.security_rules.get(SHOP, "nsg-shop-web", "allow-web-in").priority == 200
    assert len(list(network.default_security_rules.list(SHOP, "nsg-shop-web"))) == 6
    assert len(list(network.public_ip_addresses.list(SHOP))) == 3
    assert [vm.name for vm in compute.virtual_machines.list_all()] == ["vm-shop-web-01"]
    extensions = compute.virtual_machine_extensions.list(SHOP, "vm-shop-web-01").value or []
    assert {e.publisher for e in extensions} == {"Microsoft.Azure.Monitor", "Microsoft.Azure.NetworkWatcher"}


def test_a_type_without_resources_is_an_empty_list(azure: Azure) -> None:
    assert list(azure.network.route_tables.list_all()) == []


def test_paging() -> None:
    with connected("internet-failed-nic", page_size=2) as azure:
        names = [address.name for address in azure.network.public_ip_addresses.list_all()]
        assert names == ["pip-shop-web-01", "pip-lb-shop-web", "pip-lb-shop-web-v6"]
        assert len([c for c in azure.sandbox.calls if c.action[1].endswith("publicIPAddresses")]) == 2


def test_power_state_in_both_instance_views(azure: Azure) -> None:
    vm = azure.compute.virtual_machines.get(SHOP, "vm-shop-web-01", expand="instanceView")
    assert vm.instance_view is not None
    view = azure.compute.virtual_machines.instance_view(SHOP, "vm-shop-web-01")
    for statuses in (vm.instance_view.statuses, view.statuses):
        assert [s.code for s in statuses or []] == ["ProvisioningState/succeeded", "PowerState/running"]
    assert azure.compute.virtual_machines.get(SHOP, "vm-shop-web-01").instance_view is None


def test_locks_are_inherited() -> None:
    with connected("healthy") as azure:
        nic = azure.id("nic-crm-app-01")
        group = nic.partition("/providers")[0]
        path = f"{nic}/providers/Microsoft.Authorization/locks"
        assert azure.call("GET", path).json() == {"value": []}
        lock = {"type": "Microsoft.Authorization/locks", "name": "keep", "properties": {"level": "ReadOnly"}}
        for scope in (group, azure.id("vm-crm-app-01")):
            azure.sandbox.create(lock | {"id": f"{scope}/providers/Microsoft.Authorization/locks/keep"})
        assert [body["id"] for body in azure.call("GET", path).json()["value"]] == [
            f"{group}/providers/Microsoft.Authorization/locks/keep"
        ]


def test_subscriptions_and_groups(azure: Azure) -> None:
    sub = f"/subscriptions/{azure.scenario.subscription}"
    assert [s["state"] for s in azure.call("GET", "/subscriptions").json()["value"]] == ["Enabled"]
    assert azure.call("GET", sub).json()["displayName"] == "sub-internet-failed-nic"
    groups = azure.call("GET", f"{sub}/resourcegroups").json()["value"]
    assert {g["name"] for g in groups} == {SHOP, "NetworkWatcherRG"}
    assert azure.call("GET", f"{sub.upper()}/resourceGroups/{SHOP.upper()}").json()["name"] == SHOP


def test_an_old_api_version_hides_newer_fields(azure: Azure) -> None:
    path = azure.id("nic-shop-web-01")
    new = azure.call("GET", path).json()["properties"]
    old = azure.call("GET", path, params={"api-version": "2020-03-01"}).json()["properties"]
    hidden = {"auxiliaryMode", "auxiliarySku", "disableTcpStateTracking", "vnetEncryptionSupported", "allowPort25Out"}
    assert new.keys() - old.keys() == hidden | {"defaultOutboundConnectivityEnabled"}
    (listed,) = azure.call("GET", path.rpartition("/")[0], params={"api-version": "2020-03-01"}).json()["value"]
    assert listed["properties"] == old


def test_calls_are_recorded_with_their_action() -> None:
    with connected("healthy") as azure:
        azure.network.network_interfaces.get("rg-crm-prod-weu", "nic-crm-app-01")
        with pytest.raises(ResourceNotFoundError) as error:
            azure.compute.virtual_machines.get("rg-crm-prod-weu", "none")
        assert error.value.error is not None
        assert error.value.error.code == "ResourceNotFound"
        get, missed = azure.sandbox.calls[-2:]
        assert get.action == ("GET", "Microsoft.Network/networkInterfaces")
        assert get.role_actions == ("Microsoft.Network/networkInterfaces/read",)
        assert (get.status, get.api_version, get.body) == (200, "2026-03-01", None)
        assert (missed.status, missed.api_version) == (404, "2026-04-01")


def test_what_the_sandbox_does_not_do_is_said(azure: Azure) -> None:
    for method, path in (("DELETE", azure.id("nic-shop-web-01")), ("PUT", azure.id("vm-shop-web-01"))):
        assert code_of(azure.call(method, path, json={})) == (405, "MethodNotAllowed")
    with pytest.raises(HttpResponseError, match="MethodNotAllowed"):
        azure.compute.virtual_machines.begin_deallocate(SHOP, "vm-shop-web-01")


def test_no_estate_has_admin_rules(azure: Azure) -> None:
    listing = azure.network.list_network_manager_effective_security_admin_rules
    assert not listing(SHOP, "vnet-shop-prod-weu", {}).value
    path = azure.id("vnet-shop-prod-weu") + "/listNetworkManagerEffectiveSecurityAdminRules"
    assert azure.call("POST", path, json={}).json() == {"value": []}
    assert code_of(azure.call("POST", path.replace("vnet-", "none-"), json={})) == (404, "ResourceNotFound")


def test_environment_names_every_subscription() -> None:
    loaded = [scenario for scenario in scenarios() if scenario.problem == "vm-to-vm"]
    with Sandbox(loaded) as sandbox:
        scopes = sandbox.environment()["VMREACH_SCOPES"].split(",")
    assert scopes == [f"/subscriptions/{scenario.subscription}" for scenario in loaded]
