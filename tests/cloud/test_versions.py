"""The api-versions are the SDKs' own defaults, and every call is made at them."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient

from diagnostics.cloud import versions
from diagnostics.network.connectivity import Probe
from diagnostics.network.probes import GuestScript, Shell
from diagnostics.remediation.reput_nic import writable
from diagnostics.runbooks.probing import CheckConnectivity, ReadEffectiveRules, RunInGuest
from diagnostics.runbooks.questions import ReadChanges, ReadMetrics
from sandbox.scenario import Probe as ScriptedProbe
from tests.cloud.conftest import Estate


def versions_of(estate: Estate, kind: str) -> set[str | None]:
    return {call.api_version for call in estate.sandbox.calls if kind in call.path.lower()}


def run_everything(estate: Estate) -> None:
    nic, vm = estate.id("nic-shop-web-01"), estate.id("vm-shop-web-01")
    inventory, now = estate.inventory(), datetime.now(UTC)
    inventory.body(vm)
    inventory.body(nic)
    inventory.extensions(vm)
    inventory.service_tags(vm.subscription, "westeurope")
    document = estate.nics().get(nic)
    estate.nics().put(nic, writable(document.body), etag=document.etag)
    check, watcher = CheckConnectivity(Probe(vm, "westeurope", "www.microsoft.com", 443, "Tcp")), estate.watcher()
    watcher.collect(check, watcher.submit(check))
    watcher.submit(ReadEffectiveRules(nic))
    estate.scenario("internet-failed-nic").probes["runCommand"] = [ScriptedProbe(answer={"value": []})]
    estate.guest().submit(RunInGuest(GuestScript(vm, "westeurope", Shell.LINUX, ("true",), "nothing")))
    estate.monitor().metrics(ReadMetrics(vm, ("Percentage CPU",), now - timedelta(minutes=5), now))
    estate.monitor().changes(ReadChanges(nic, now - timedelta(minutes=5), now))


def test_the_versions_are_the_newest_that_the_sdks_know(estate: Estate) -> None:
    network: NetworkManagementClient = estate.clients.network(estate.id("nic-shop-web-01").subscription)
    compute: ComputeManagementClient = estate.clients.compute(estate.id("vm-shop-web-01").subscription)
    network.network_interfaces.get("rg-shop-prod-weu", "nic-shop-web-01")
    compute.virtual_machines.get("rg-shop-prod-weu", "vm-shop-web-01")
    assert versions_of(estate, "microsoft.network") == {versions.NETWORK}
    assert versions_of(estate, "microsoft.compute") == {versions.COMPUTE}


def test_every_call_is_made_at_these_versions(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "NETWORK", "2099-01-01")
    monkeypatch.setattr(versions, "COMPUTE", "2099-02-02")
    run_everything(estate)
    assert versions_of(estate, "microsoft.network") == {"2099-01-01"}
    assert versions_of(estate, "microsoft.compute") == {"2099-02-02", versions.METRICS}  # metrics of a VM
    assert versions_of(estate, "microsoft.insights") == {versions.METRICS, versions.ACTIVITY_LOG}
