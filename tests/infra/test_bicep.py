"""What the Bicep templates deploy, in values: the app, its settings, who may call it, and what they give.

`terraform test` holds the other way to the same.
"""

import json
import re
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.infra.plans import (
    ACTION_GROUPS,
    BICEP,
    ENTRA,
    GROUP,
    IDENTITY,
    SCOPE,
    SITE,
    STORAGE,
    VAULT,
    WORKSPACE,
    below,
    main,
    one,
    plain,
    properties,
)
from tools.infra.documented import settings
from tools.infra.planned import FailedError, Plan
from tools.infra.read_bicep import read

INSIGHTS = "Microsoft.Insights/components"
WEBHOOK = "https://example.westeurope.logic.azure.com/workflows/1"
DEFAULTS = {name: value for name, value in settings(ROOT / "docs" / "settings.md").items() if value}
PARAMETERS = read(BICEP / "main.bicep").parameters
GIVEN: dict[str, Any] = {
    "remediationMode": "approve",
    "sweepSchedule": "0 */5 * * * *",
    "auditSchedule": "0 30 4 * * MON-FRI",
    "auditSeverity": "off",
    "auditPolicy": "@policy/audit.toml",
    "reportsContainer": "audits",
    "findingsQueue": "told",
    "internetTarget": "[2001:db8::1]:8443",
    "runCommand": "on",
    "checksPerRegion": 8,
    "recheckMinutes": 0,
    "historyHours": 24,
    "cloud": "usgovernment",
    "armEndpoint": "https://management.usgovcloudapi.net",
    "pollSeconds": 2,
    "waitSeconds": 300,
}


def told(made: Plan) -> dict[str, str]:
    """The app settings."""
    (found,) = (body for name, body in made.of(f"{SITE}/config").items() if name.endswith("/appsettings"))
    return dict(found["properties"])


def ours(made: Plan) -> dict[str, str]:
    return {name: value for name, value in told(made).items() if name.startswith("VMREACH_")}


def test_settings_that_are_not_given_have_their_defaults() -> None:
    assert ours(plain()) == DEFAULTS | {"VMREACH_SCOPES": SCOPE}


def test_each_setting_is_what_its_parameter_says() -> None:
    made = ours(main(scopes=[SCOPE, "/subscriptions/s/resourceGroups/g"], teamsWebhookUrl=WEBHOOK, **GIVEN))
    assert made.pop("VMREACH_SCOPES") == f"{SCOPE},/subscriptions/s/resourceGroups/g"
    reference = re.fullmatch(
        r"@Microsoft\.KeyVault\(SecretUri=<.*>\.properties\.vaultUrisecrets/(.*)\)",
        made.pop("VMREACH_TEAMS_WEBHOOK_URL"),
    )
    assert reference
    assert reference[1] in below(main(teamsWebhookUrl=WEBHOOK), f"{VAULT}/secrets")
    words = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper(): str(value) for name, value in GIVEN.items()}
    assert made == {f"VMREACH_{name}": value for name, value in words.items()}


def test_the_host_is_told_whose_identity_to_use() -> None:
    made = told(plain())
    client = f"{IDENTITY}.properties.clientId"
    account = f"<{STORAGE} {one(plain(), STORAGE)['name']}>.properties.primaryEndpoints"
    assert {name: made[name] for name in made.keys() - ours(plain()).keys()} == {
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"ClientId={client};Authorization=AAD",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"<{INSIGHTS} appi-vmreach>.properties.ConnectionString",
        "AZURE_CLIENT_ID": client,
        "AzureWebJobsSecretStorageKeyVaultClientId": client,
        "AzureWebJobsSecretStorageKeyVaultUri": f"<{VAULT} {one(plain(), VAULT)['name']}>.properties.vaultUri",
        "AzureWebJobsSecretStorageType": "keyvault",
        **{f"AzureWebJobsStorage__{each}ServiceUri": f"{account}.{each}" for each in ("blob", "queue", "table")},
        "AzureWebJobsStorage__clientId": client,
        "AzureWebJobsStorage__credential": "managedidentity",
    }


def test_the_app_has_one_identity_for_everything() -> None:
    site = one(plain(), SITE)
    assert site["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}}
    assert site["properties"]["keyVaultReferenceIdentity"] == IDENTITY
    storage = site["properties"]["functionAppConfig"]["deployment"]["storage"]
    assert storage["authentication"] == {
        "type": "UserAssignedIdentity",
        "userAssignedIdentityResourceId": IDENTITY,
    }
    assert storage["value"].endswith(".primaryEndpoints.blobapp-package")


def test_the_app_lets_azure_monitor_in_and_takes_no_password() -> None:
    site = properties(plain(), SITE)
    config = site["siteConfig"]
    assert (site["httpsOnly"], site["publicNetworkAccess"]) == (True, "Enabled")
    assert (config["minTlsVersion"], config["scmMinTlsVersion"]) == ("1.2", "1.2")
    assert config["ipSecurityRestrictionsDefaultAction"] == "Deny"
    allowed = [(rule["action"], rule.get("tag"), rule["ipAddress"]) for rule in config["ipSecurityRestrictions"]]
    assert allowed == [("Allow", "ServiceTag", "ActionGroup")]
    policies = plain().of(f"{SITE}/basicPublishingCredentialsPolicies")
    assert {name.rpartition("/")[2]: body["properties"]["allow"] for name, body in policies.items()} == {
        "ftp": False,
        "scm": False,
    }


def test_others_are_let_in_where_they_are_named() -> None:
    made = main(alertAddresses=["192.0.2.0/24", "198.51.100.7/32"], deployerAddresses=["203.0.113.7/32"])
    rules = properties(made, SITE)["siteConfig"]["ipSecurityRestrictions"]
    assert [rule["ipAddress"] for rule in rules] == ["ActionGroup", "192.0.2.0/24", "198.51.100.7/32"]
    assert len({rule["priority"] for rule in rules}) == len({rule["name"] for rule in rules}) == 3


def authentication(made: Plan) -> Any:
    (found,) = (body for name, body in made.of(f"{SITE}/config").items() if name.endswith("/authsettingsV2"))
    return found["properties"]


def test_the_endpoint_has_a_key_and_no_token_unless_asked() -> None:
    made = authentication(plain())
    assert (made["platform"]["enabled"], made["globalValidation"]["requireAuthentication"]) == (False, False)
    group = properties(plain(), GROUP)
    (receiver,) = group["azureFunctionReceivers"]
    (key,) = (each["properties"]["value"] for each in plain().of(f"{VAULT}/secrets").values())
    assert receiver["httpTriggerUrl"] == f"{plain().outputs['alertEndpoint']}?code={key}"
    assert (group["enabled"], receiver["useCommonAlertSchema"], receiver["functionName"]) == (True, True, "alerts")
    assert group["webhookReceivers"] == []


def test_with_entra_id_only_action_groups_may_call() -> None:
    made = main(**ENTRA)
    asked = authentication(made)
    assert asked["platform"]["enabled"]
    validation = asked["globalValidation"]
    assert (validation["requireAuthentication"], validation["unauthenticatedClientAction"]) == (True, "Return401")
    directory = asked["identityProviders"]["azureActiveDirectory"]
    assert directory["registration"]["clientId"] == "client"
    assert directory["validation"]["allowedAudiences"] == ["api://vmreach", "client"]
    assert directory["validation"]["defaultAuthorizationPolicy"] == {"allowedApplications": [ACTION_GROUPS]}
    (receiver,) = properties(made, GROUP)["webhookReceivers"]
    assert (receiver["objectId"], receiver["identifierUri"]) == ("object", "api://vmreach")
    assert (receiver["useAadAuth"], receiver["useCommonAlertSchema"]) == (True, True)
    assert "/api/alerts?code=" in receiver["serviceUri"]
    assert properties(made, GROUP)["azureFunctionReceivers"] == []


def test_whatever_has_a_region_has_the_tags() -> None:
    made = main(tags={"owner": "network"}, privateNetwork=True, operatorEmails=["ops@example.com"])
    placed = [each for each in made.resources if "location" in each.body]
    assert len(placed) > 20
    assert [each.name for each in placed if "owner" not in each.body.get("tags", {})] == []


def test_outputs_are_what_they_are_called() -> None:
    made = main(operatorEmails=["ops@example.com"]).outputs
    assert made["identityId"] == IDENTITY
    assert made["identityPrincipalId"] == f"{IDENTITY}.properties.principalId"
    assert made["identityClientId"] == f"{IDENTITY}.properties.clientId"
    assert made["workspaceId"] == WORKSPACE
    assert made["actionGroupId"] == f"<{GROUP} ag-vmreach>"
    assert made["operatorsActionGroupId"] == f"<{GROUP} ag-vmreach-operators>"
    assert made["storageAccountId"] == f"<{STORAGE} {made['storageAccountName']}>"
    assert made["alertEndpoint"] == f"https://<{SITE} {made['functionAppName']}>.properties.defaultHostName/api/alerts"
    assert made["resourceGroupName"] == "rg-vmreach"


def test_the_longest_name_makes_names_that_azure_takes() -> None:
    made = main(name="network-reach-prod-x")
    assert re.fullmatch(r"[a-z0-9]{3,24}", one(made, STORAGE)["name"])
    assert re.fullmatch(r"(?=.{3,24}$)[a-z](-?[a-z0-9])+", one(made, VAULT)["name"])
    assert len(one(made, SITE)["name"]) <= 60
    assert len(properties(made, GROUP)["groupShortName"]) <= 12


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"reportsContainer": "app-package"}, "reportsContainer: "),
        ({"findingsQueue": "closure-requests-poison"}, "findingsQueue: "),
        ({"entraClientId": "client"}, "all three or none"),
        ({**ENTRA, "entraObjectId": ""}, "all three or none"),
    ],
)
def test_what_cannot_be_is_refused(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(FailedError, match=said):
        main(**asked)


def test_azd_gives_every_parameter_from_a_variable_of_its_name() -> None:
    given = json.loads((BICEP / "main.parameters.json").read_text())["parameters"]
    assert list(given) == list(PARAMETERS)
    own = {"location": "${AZURE_LOCATION}", "environmentName": "${AZURE_ENV_NAME}"}
    own["resourceGroupName"] = "rg-${AZURE_ENV_NAME}"
    own["assignDiagnoseRole"] = "${VMREACH_ASSIGN_DIAGNOSE_ROLE=true}"  # `azd up` makes something that works
    for name, parameter in PARAMETERS.items():
        assert given[name]["value"] == own.get(name, f"${{VMREACH_{parameter.words.upper()}}}")
