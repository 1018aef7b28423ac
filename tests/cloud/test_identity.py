"""Storage without keys: tokens of the app's identity, over TLS, to an Azurite that wants them."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from diagnostics.cloud.queues import Queues
from diagnostics.cloud.reports import BlobReports
from diagnostics.cloud.tables import Tables
from diagnostics.errors import SettingsError
from diagnostics.settings import Settings, Storage
from sandbox import azurite
from sandbox.processes import Child
from tests.cloud.conftest import Estate

PLAIN = "http://127.0.0.1:9/account"
_LISTENING = re.compile(r"Azurite (\w+) service is successfully listening at (https://\S+)")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cert.pem and key.pem of 127.0.0.1."""
    folder, key = tmp_path_factory.mktemp("tls"), ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder


@pytest.fixture(scope="module")
def services(certificate: Path) -> Iterator[dict[str, str]]:
    """Addresses of the queue and the table service, by name; tokens are checked there."""
    tls = ["--oauth", "basic", "--cert", str(certificate / "cert.pem"), "--key", str(certificate / "key.pem")]
    with Child("Azurite", [*azurite._command(), *tls]) as child:  # noqa: SLF001 - the sandbox itself has no TLS

        def listening() -> dict[str, str] | None:
            found = dict(_LISTENING.findall(child.output()))
            return found if len(found) == 3 else None

        yield {name: f"{url}/{azurite.ACCOUNT}" for name, url in child.wait_for(listening, 60).items()}


@pytest.fixture
def storage_by_identity(
    services: dict[str, str], certificate: Path, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> Storage:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate / "cert.pem"))
    uris = {f"AzureWebJobsStorage__{name}ServiceUri": services[name.title()] for name in ("queue", "table", "blob")}
    return Settings.from_env({**estate.sandbox.environment(), **uris}).storage


def test_all_storage_by_identity(storage_by_identity: Storage, estate: Estate) -> None:
    Queues(storage_by_identity).send("by-identity", b"{}")
    BlobReports(storage_by_identity, "by-identity").save("a.txt", "a", "text/plain")
    tables = Tables(storage_by_identity)
    assert tables.insert("byidentity", {"PartitionKey": "p", "RowKey": "r"})
    assert tables.get("byidentity", "p", "r") is not None
    asked = {call.query["resource"] for call in estate.sandbox.calls if call.path == "/msi/token"}
    assert asked == {"https://storage.azure.com"}


def test_a_user_assigned_identity_is_asked_for_by_its_id(storage_by_identity: Storage, estate: Estate) -> None:
    mine = Storage("", storage_by_identity.queue_uri, storage_by_identity.table_uri, client_id="my-client")
    Queues(mine).send("by-identity", b"{}")
    assert [call.query["client_id"] for call in estate.sandbox.calls if call.path == "/msi/token"] == ["my-client"]


@pytest.mark.parametrize(
    "send",
    [
        lambda storage: Queues(storage).send("q-1", b"{}"),
        lambda storage: Tables(storage).upsert("t1t", {"PartitionKey": "p", "RowKey": "r"}),
        lambda storage: BlobReports(storage, "c-1").save("a.txt", "a", "text/plain"),
    ],
)
@pytest.mark.parametrize(
    "storage",
    [Storage("", PLAIN, PLAIN, blob_uri=PLAIN), Storage("no connection string")],
)
def test_storage_that_cannot_be_used_names_the_setting(send: Callable[[Storage], None], storage: Storage) -> None:
    """A token would go over plain http, or nobody could say where to."""
    with pytest.raises(SettingsError, match="AzureWebJobsStorage: "):
        send(storage)


@pytest.mark.parametrize(("cloud", "suffix"), [("public", "core.windows.net"), ("china", "core.chinacloudapi.cn")])
def test_an_account_name_is_enough(estate: Estate, cloud: str, suffix: str) -> None:
    env = {**estate.sandbox.environment(), "VMREACH_CLOUD": cloud, "AzureWebJobsStorage__accountName": "stvmreach"}
    storage = Settings.from_env(env).storage
    assert (storage.queue_uri, storage.table_uri) == (
        f"https://stvmreach.queue.{suffix}",
        f"https://stvmreach.table.{suffix}",
    )
