from concurrent.futures import ThreadPoolExecutor

import pytest

from diagnostics.cloud.clients import Clients
from diagnostics.errors import SettingsError
from diagnostics.settings import Settings
from tests.cloud.conftest import Estate

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


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


@pytest.mark.parametrize("address", ["http://management.azure.com", "http://10.0.0.4", "http://127.0.0.1.example.com"])
def test_plain_http_is_refused_elsewhere(estate: Estate, address: str) -> None:
    env = {**estate.sandbox.environment(), "AzureWebJobsStorage": "unused", "VMREACH_ARM_ENDPOINT": address}
    with pytest.raises(SettingsError, match="plain http is for loopback only"):
        Settings.from_env(env)


def test_the_audience_is_that_of_the_cloud(estate: Estate) -> None:
    env = {**estate.sandbox.environment(), "AzureWebJobsStorage": "unused", "VMREACH_CLOUD": "usgovernment"}
    clients = Clients(Settings.from_env(env))
    with clients.network(SUBSCRIPTION) as client:
        assert client._config.credential_scopes == ["https://management.usgovcloudapi.net/.default"]  # noqa: SLF001
