"""An activity-log alert about a write of vmreach's own starts nothing."""

import json

import pytest

from diagnostics.intake import alerts

OWN = "7e0c1d9a-0000-4000-8000-000000000001"
NIC = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/nic"


def payload(claims: object) -> bytes:
    essentials = {"alertId": "a", "alertTargetIDs": [NIC], "signalType": "Activity Log", "monitorCondition": "Fired"}
    context = {"authorization": {"scope": NIC}, "claims": claims}
    data = {"essentials": essentials, "alertContext": context}
    return json.dumps({"schemaId": "azureMonitorCommonAlertSchema", "data": data}).encode()


@pytest.mark.parametrize("claims", [json.dumps({"appid": OWN.upper()}), {"appid": OWN}], ids=["text", "object"])
def test_our_own_write_is_ignored(claims: object) -> None:
    read = alerts.read(payload(claims), own_client_id=OWN)
    assert isinstance(read, alerts.Ignored)
    assert "own" in read.reason


@pytest.mark.parametrize("claims", [json.dumps({"appid": "someone"}), "no json", None, 3, "[[["])
def test_anybody_elses_write_is_not(claims: object) -> None:
    assert isinstance(alerts.read(payload(claims), own_client_id=OWN), alerts.Accepted)
