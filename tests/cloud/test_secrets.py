"""With everything logged, no secret is: neither tokens nor keys, signatures or the webhook's path."""

import logging
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from azure.storage.queue import AccountSasPermissions, QueueServiceClient, ResourceTypes, generate_account_sas

from diagnostics.cloud.queues import Queues
from diagnostics.cloud.reports import BlobReports
from diagnostics.cloud.tables import Tables
from diagnostics.findings import Confidence, Finding, Remedy, Resource, Severity
from diagnostics.remediation.reput_nic import writable
from diagnostics.settings import Settings, Storage
from diagnostics.sinks.teams import TeamsSink
from sandbox.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from tests.cloud.conftest import Estate

FINDING = Finding(
    finding_id="f",
    check="NIC001",
    title="t",
    severity=Severity.HIGH,
    confidence=Confidence.PROVEN,
    resource=Resource(id="", name="n", type="t"),
    remedy=Remedy(summary="s"),
)


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All that any logger has to say."""
    names = ["azure", "urllib3", "urllib3.connectionpool", "requests", "msal", "diagnostics", ""]
    caplog.set_level(logging.DEBUG)
    for name in names:
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def logged(caplog: pytest.LogCaptureFixture) -> str:
    formatter = logging.Formatter()
    return "\n".join(
        [*(formatter.format(record) for record in caplog.records), *(repr(r.__dict__) for r in caplog.records)]
    )


def with_sas(storage: Azurite) -> tuple[str, str]:
    """A connection string with a shared access signature, and that."""
    sas = generate_account_sas(
        ACCOUNT,
        ACCOUNT_KEY,
        ResourceTypes(service=True, container=True, object=True),
        AccountSasPermissions(read=True, write=True, create=True, add=True, list=True),
        datetime.now(UTC) + timedelta(hours=1),
    )
    with QueueServiceClient.from_connection_string(storage.connection_string) as service:
        return f"QueueEndpoint={service.url.split('?')[0]};SharedAccessSignature={sas}", sas


def test_a_put_does_not_log_its_token(estate: Estate, everything: pytest.LogCaptureFixture) -> None:
    nic = estate.id("nic-shop-web-01")
    document = estate.nics().get(nic)
    estate.nics().put(nic, writable(document.body), etag=document.etag)
    token = estate.clients.credential.get_token(estate.settings.cloud.audience).token
    text = logged(everything)
    assert "networkInterfaces" in text
    assert [
        secret for secret in (token, token.rsplit(".", 1)[1], estate.sandbox.identity_header) if secret in text
    ] == []


def test_a_failed_put_does_not_either(estate: Estate, everything: pytest.LogCaptureFixture) -> None:
    nic = estate.id("nic-shop-web-01")
    estate.sandbox.faults.add(method="PUT", status=403)
    with pytest.raises(Exception, match="SandboxFault") as error:
        estate.nics().put(nic, {}, etag="")
    token = estate.clients.credential.get_token(estate.settings.cloud.audience).token
    assert token not in logged(everything) + str(error.value)


def test_storage_does_not_log_its_key(storage: Azurite, everything: pytest.LogCaptureFixture) -> None:
    Queues(Storage(storage.connection_string)).send("quiet-queue", b"{}")
    Tables(Storage(storage.connection_string)).upsert("quiettable", {"PartitionKey": "p", "RowKey": "r"})
    BlobReports(Storage(storage.connection_string), "quiet-container").save("a.txt", "a", "text/plain")
    text = logged(everything)
    assert "quiet-queue" in text
    assert "quiettable" in text
    assert "quiet-container" in text
    assert [word for word in (ACCOUNT_KEY, "SharedKey ", f"{ACCOUNT}:") if word in text] == []


def test_storage_does_not_log_a_signature(storage: Azurite, everything: pytest.LogCaptureFixture) -> None:
    connection, sas = with_sas(storage)
    Queues(Storage(connection)).send("quiet-queue", b"{}")
    signature = sas.split("sig=")[1].split("&")[0]
    text = logged(everything)
    assert "quiet-queue" in text
    assert signature not in text


def test_teams_does_not_log_its_address(estate: Estate, everything: pytest.LogCaptureFixture) -> None:
    TeamsSink(estate.sandbox.teams_url).send(FINDING)
    assert len(estate.sandbox.teams) == 1
    address = urlsplit(estate.sandbox.teams_url)
    text = logged(everything)
    assert [part for part in (address.path, address.query, address.query.split("sig=")[1]) if part in text] == []


def test_settings_do_not_show_theirs(estate: Estate, storage: Azurite) -> None:
    env = {**estate.sandbox.environment(), "AzureWebJobsStorage": storage.connection_string}
    shown = repr(Settings.from_env(env))
    assert [s for s in (ACCOUNT_KEY, "sig=", urlsplit(estate.sandbox.teams_url).path) if s in shown] == []
