"""Lists that belong to no resource type that can be written: extensions of a VM, service tags of a region."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.arm.clients import Azure, code_of, connected


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
