"""What the Bicep templates deploy, in values: storage, the network, the roles, and what is logged."""

from typing import Any

import pytest

from diagnostics.cloud import queues, store
from tests.infra import plans
from tests.infra.plans import IDENTITY, SITE, STORAGE, VAULT, WORKSPACE, below, main, one, plain, properties
from tests.infra.roles import ROLES
from tools.infra.planned import plan
from tools.infra.twins import ROLES as BUILT_IN

INSIGHTS, LOGS = "Microsoft.Insights/components", "Microsoft.Insights/diagnosticSettings"
ASSIGNED, DEFINED = "Microsoft.Authorization/roleAssignments", "Microsoft.Authorization/roleDefinitions"
ENDPOINT, SECURITY = "Microsoft.Network/privateEndpoints", "Microsoft.Network/networkSecurityGroups"


def test_storage_is_what_vmreach_works_with() -> None:
    work = {queues.DIAGNOSIS, queues.CLOSURE, queues.REMEDIATION}
    poison = {f"{name}-poison" for name in work}
    assert below(plain(), f"{STORAGE}/queueServices/queues") == work | poison | {"findings"}
    tables = {store.REQUESTS, store.FINDINGS, store.ALERTS, store.ATTEMPTS, store.JOURNAL, store.LEASES}
    assert below(plain(), f"{STORAGE}/tableServices/tables") == tables
    containers = plain().of(f"{STORAGE}/blobServices/containers")
    assert below(plain(), f"{STORAGE}/blobServices/containers") == {"app-package", "reports"}
    assert {each["properties"]["publicAccess"] for each in containers.values()} == {"None"}


def test_old_reports_go_and_nothing_else() -> None:
    made = main(reportsContainer="audits", reportRetentionDays=30, logRetentionDays=60)
    (rule,) = properties(made, f"{STORAGE}/managementPolicies")["policy"]["rules"]
    assert rule["definition"]["filters"]["prefixMatch"] == ["audits/"]
    assert rule["definition"]["actions"] == {"baseBlob": {"delete": {"daysAfterModificationGreaterThan": 30}}}
    assert properties(made, "Microsoft.OperationalInsights/workspaces")["retentionInDays"] == 60
    none = main(reportsContainer="off")
    assert none.of(f"{STORAGE}/managementPolicies") == {}
    assert below(none, f"{STORAGE}/blobServices/containers") == {"app-package"}


def test_blobs_have_no_copies_elsewhere_and_are_kept_for_a_week_when_deleted() -> None:
    assert one(plain(), STORAGE)["sku"] == {"name": "Standard_LRS"}
    blobs = properties(plain(), f"{STORAGE}/blobServices")
    assert blobs["deleteRetentionPolicy"] == blobs["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 7}


@pytest.mark.parametrize(("kind", "address"), [(STORAGE, "203.0.113.7"), (VAULT, "203.0.113.7/32")])
def test_storage_and_vault_refuse_all_others_where_the_network_is_private(kind: str, address: str) -> None:
    asked = {"deployerAddresses": ["203.0.113.7/32"]}
    private = properties(main(privateNetwork=True, **asked), kind)["networkAcls"]
    assert (private["defaultAction"], private["bypass"]) == ("Deny", "AzureServices")
    assert [rule["value"] for rule in private["ipRules"]] == [address]
    public = properties(main(**asked), kind)["networkAcls"]
    assert (public["defaultAction"], public["ipRules"]) == ("Allow", [])


def test_there_is_no_network_unless_asked() -> None:
    assert [each.type for each in plain().resources if each.type.startswith("Microsoft.Network/")] == []
    assert properties(plain(), SITE)["virtualNetworkSubnetId"] is None


def test_a_private_network_has_a_half_for_functions_and_one_for_endpoints() -> None:
    made = main(privateNetwork=True)
    functions, endpoints = properties(made, "Microsoft.Network/virtualNetworks")["subnets"]
    assert functions["properties"]["addressPrefix"] == "10.90.0.0/25"
    assert [each["properties"]["serviceName"] for each in functions["properties"]["delegations"]] == [
        "Microsoft.App/environments"
    ]
    assert endpoints["properties"]["addressPrefix"] == "10.90.0.128/25"
    assert endpoints["properties"]["privateEndpointNetworkPolicies"] == "NetworkSecurityGroupEnabled"
    for subnet, end in ((functions, "functions"), (endpoints, "endpoints")):
        assert subnet["properties"]["networkSecurityGroup"] == {"id": f"<{SECURITY} nsg-vmreach-{end}>"}
    subnet_id = "<Microsoft.Network/virtualNetworks/subnets vnet-vmreach/functions>"
    assert properties(made, SITE)["virtualNetworkSubnetId"] == subnet_id


def test_only_functions_reach_the_endpoints() -> None:
    rules = main(privateNetwork=True).of(SECURITY)["nsg-vmreach-endpoints"]["properties"]["securityRules"]
    fields = ("access", "direction", "protocol", "sourceAddressPrefix", "destinationAddressPrefix")
    said = [tuple(rule["properties"][each] for each in (*fields, "destinationPortRange")) for rule in rules]
    assert said == [
        ("Allow", "Inbound", "Tcp", "10.90.0.0/25", "10.90.0.128/25", "443"),
        ("Deny", "Inbound", "*", "*", "*", "*"),
    ]
    assert [rule["properties"]["priority"] for rule in rules] == [100, 4096]


def test_blobs_queues_tables_and_the_vault_have_endpoints_and_zones() -> None:
    made = main(privateNetwork=True)
    reached = {}
    for body in made.of(ENDPOINT).values():
        (connection,) = body["properties"]["privateLinkServiceConnections"]
        (group,) = connection["properties"]["groupIds"]
        reached[group] = connection["properties"]["privateLinkServiceId"].partition(" ")[0]
    assert reached == {"blob": f"<{STORAGE}", "queue": f"<{STORAGE}", "table": f"<{STORAGE}", "vault": f"<{VAULT}"}
    zones = {f"privatelink.{each}.core.windows.net" for each in ("blob", "queue", "table")}
    assert set(made.of("Microsoft.Network/privateDnsZones")) == {*zones, "privatelink.vaultcore.azure.net"}
    assert len(made.of("Microsoft.Network/privateDnsZones/virtualNetworkLinks")) == 4
    for name, body in made.of(f"{ENDPOINT}/privateDnsZoneGroups").items():
        (zone,) = body["properties"]["privateDnsZoneConfigs"]
        assert f"privatelink.{name.split('/')[0].rpartition('-')[2]}" in zone["properties"]["privateDnsZoneId"]


def test_the_identity_has_these_roles_of_azure_each_on_one_resource() -> None:
    found = {}
    for body in (each.body for each in plain().resources if each.type == ASSIGNED):
        role = body["properties"]["roleDefinitionId"].partition(" ")[2].rstrip(">")
        found[BUILT_IN[role]] = str(body["scope"]).partition(" ")[0].lstrip("<")
        assert body["properties"]["principalId"] == f"{IDENTITY}.properties.principalId"
    assert found == {
        "Storage Blob Data Owner": STORAGE,
        "Storage Queue Data Contributor": STORAGE,
        "Storage Table Data Contributor": STORAGE,
        "Key Vault Secrets Officer": VAULT,
        "Monitoring Metrics Publisher": INSIGHTS,
    }


@pytest.mark.parametrize(
    ("asked", "roles"),
    [
        ({}, []),
        ({"assignDiagnoseRole": True}, ["diagnose"]),
        ({"remediationMode": "approve"}, ["remediate"]),
        ({"remediationMode": "auto", "runCommand": "on"}, ["remediate", "guest"]),
        ({"remediationMode": "auto", "runCommand": "on", "assignRemediateRole": False, "assignGuestRole": False}, []),
        ({"assignRemediateRole": True, "assignGuestRole": True}, ["remediate", "guest"]),
    ],
)
def test_custom_roles_are_made_where_asked_for_or_needed(asked: dict[str, Any], roles: list[str]) -> None:
    made = main(**asked)
    titles = [f"{ROLES[role]['title']} (vmreach, 00000000)" for role in roles]
    assert [body["properties"]["roleName"] for body in made.of(DEFINED).values()] == titles
    given = [body["properties"] for body in made.of(ASSIGNED).values() if "scope" not in body]
    assert [each["roleDefinitionId"] for each in given] == [f"<{DEFINED} {name}>" for name in made.of(DEFINED)]
    assert {each["principalId"] for each in given} <= {f"{IDENTITY}.properties.principalId"}


@pytest.mark.parametrize(
    ("name", "scope"), [("modules/roles.bicep", "<subscription>"), ("management-group.bicep", "<managementGroup>")]
)
def test_a_custom_role_has_the_actions_of_the_shared_file_and_no_others(name: str, scope: str) -> None:
    asked = {f"assign{role.title()}Role": True for role in ROLES}
    made = plan(plans.folder() / name, principalId="somebody", **asked)
    for role, body in zip(ROLES.values(), made.of(DEFINED).values(), strict=True):
        said = body["properties"]
        assert said["permissions"] == [
            {"actions": sorted(role["actions"]), "notActions": [], "dataActions": [], "notDataActions": []}
        ]
        assert (said["assignableScopes"], said["description"]) == ([scope], role["description"])
    assert [body["properties"]["principalId"] for body in made.of(ASSIGNED).values()] == ["somebody"] * len(ROLES)
    assert plan(plans.folder() / name, principalId="somebody").resources == ()


def test_app_storage_and_vault_log_to_the_workspace() -> None:
    found = {}
    for body in (each.body for each in plain().resources if each.type == LOGS):
        assert body["properties"]["workspaceId"] == WORKSPACE
        assert all(each["enabled"] for each in body["properties"]["logs"])
        on = str(body["scope"]).lstrip("<").partition(" ")[0].removeprefix(f"{STORAGE}/")
        found[on] = [each.get("category", each.get("categoryGroup")) for each in body["properties"]["logs"]]
    assert found == {
        "blobServices": ["StorageRead", "StorageWrite", "StorageDelete"],
        "queueServices": ["StorageWrite", "StorageDelete"],
        "tableServices": ["StorageRead", "StorageWrite", "StorageDelete"],
        VAULT: ["audit"],
        SITE: ["FunctionAppLogs"],
    }
