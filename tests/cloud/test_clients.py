from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from diagnostics.cloud import versions
from diagnostics.cloud.clients import Clients
from diagnostics.errors import SettingsError, TemporaryError
from diagnostics.network.ids import ResourceId
from diagnostics.settings import Settings
from tests.cloud.conftest import Estate

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


def default_version(client: Any) -> str:
    """The newest that an SDK knows: what it takes when it is told nothing."""
    return str(client._config.api_version)  # noqa: SLF001 - it has no public name


@pytest.mark.parametrize(
    ("kind", "version"), [(NetworkManagementClient, versions.NETWORK), (ComputeManagementClient, versions.COMPUTE)]
)
def test_the_versions_are_those_of_the_sdks(kind: Callable[..., Any], version: str) -> None:
    with kind(credential=None, subscription_id=SUBSCRIPTION) as client:
        found = default_version(client) if kind is NetworkManagementClient else compute_default(client)
    assert found == version


def compute_default(client: Any) -> str:
    return str(getattr(client.virtual_machines._config, "api_version", ""))  # noqa: SLF001


def test_a_client_is_made_once_for_all_threads(estate: Estate) -> None:
    with ThreadPoolExecutor(16) as threads:
        made = set(threads.map(lambda _: id(estate.clients.network(SUBSCRIPTION)), range(64)))
        credentials = set(threads.map(lambda _: id(estate.clients.credential), range(64)))
    assert (len(made), len(credentials)) == (1, 1)


def test_threads_read_with_the_same_client(estate: Estate) -> None:
    names = [f"nic-{name}" for name in ("shop-web-01", "crm-app-01", "orders-web-01", "orders-sql-01")] * 8
    nics = estate.nics()
    with ThreadPoolExecutor(16) as threads:
        read = threads.map(lambda name: str(nics.get(estate.id(name)).body["name"]), names)
    assert list(read) == names
    assert estate.statuses("GET", "/msi/token") == [200]


def test_a_token_goes_over_loopback(estate: Estate) -> None:
    assert estate.nics().get(estate.id("nic-crm-app-01")).provisioning_state == "Succeeded"


@pytest.mark.parametrize("address", ["http://management.azure.com", "http://10.0.0.4", "http://127.0.0.1.example.com"])
def test_plain_http_is_refused_elsewhere(estate: Estate, address: str) -> None:
    env = {**estate.sandbox.environment(), "AzureWebJobsStorage": "unused", "VMREACH_ARM_ENDPOINT": address}
    with pytest.raises(SettingsError, match="plain http is for loopback only"):
        Settings.from_env(env)


def test_the_sdk_would_refuse_it_too(estate: Estate) -> None:
    """Even if the settings let it through, no token would leave this machine in the clear."""
    object.__setattr__(estate.settings, "arm_endpoint", "http://192.0.2.1")
    nic = ResourceId.parse(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.Network/networkInterfaces/n")
    with pytest.raises(TemporaryError, match="non-TLS"):
        Clients(estate.settings).network(SUBSCRIPTION).network_interfaces.get(nic.resource_group, nic.name)


def test_the_audience_is_that_of_the_cloud(estate: Estate) -> None:
    env = {**estate.sandbox.environment(), "AzureWebJobsStorage": "unused", "VMREACH_CLOUD": "usgovernment"}
    clients = Clients(Settings.from_env(env))
    with clients.network(SUBSCRIPTION) as client:
        assert client._config.credential_scopes == ["https://management.usgovcloudapi.net/.default"]  # noqa: SLF001
