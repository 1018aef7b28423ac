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


@pytest.mark.parametrize(
    ("url", "is_arm"),
    [
        ("https://management.azure.com/subscriptions/s", True),
        ("https://MANAGEMENT.azure.com:443/subscriptions/s", True),
        ("https://brazilus.management.azure.com/subscriptions/s", True),
        ("http://management.azure.com/subscriptions/s", False),
        ("https://management.azure.com:8443/subscriptions/s", False),
        ("https://evilmanagement.azure.com/subscriptions/s", False),
        ("https://management.azure.com.example.com/subscriptions/s", False),
        ("https://management.azure.com@example.com/subscriptions/s", False),
        ("https://example.com@management.azure.com/subscriptions/s", False),
        ("https://example.com\\.management.azure.com/subscriptions/s", False),
        ("https://management.azure.com\n.example.com/subscriptions/s", False),
        ("https://management.azure.com:port/subscriptions/s", False),
        ("//management.azure.com/subscriptions/s", False),
        ("/subscriptions/s", False),
    ],
)
def test_where_a_token_may_go(estate: Estate, url: str, is_arm: bool) -> None:  # noqa: FBT001
    env = {"VMREACH_SCOPES": SUBSCRIPTION, "AzureWebJobsStorage": "unused"}
    assert Clients(Settings.from_env(env)).is_arm(url) is is_arm
    assert estate.clients.is_arm(f"{estate.sandbox.url}/subscriptions/s")


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
