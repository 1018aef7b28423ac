"""Plans of the Bicep templates, with what most of their tests give."""

from functools import cache
from typing import Any

from tests.conftest import ROOT
from tools.infra.planned import Plan, plan

SITE, STORAGE, VAULT = "Microsoft.Web/sites", "Microsoft.Storage/storageAccounts", "Microsoft.KeyVault/vaults"
GROUP = "Microsoft.Insights/actionGroups"
IDENTITY = "<Microsoft.ManagedIdentity/userAssignedIdentities id-vmreach>"
WORKSPACE = "<Microsoft.OperationalInsights/workspaces log-vmreach>"
BICEP = ROOT / "infra" / "bicep"
SCOPE = "11111111-aaaa-4bbb-8ccc-000000000001"
ENTRA = {"entraClientId": "client", "entraObjectId": "object", "entraIdentifierUri": "api://vmreach"}
ACTION_GROUPS = "461e8683-5575-4561-ac7f-899cc907d62a"
"""The application that Azure Monitor calls as, in every tenant."""


@cache
def plain() -> Plan:
    """What is deployed where nothing is asked for."""
    return main()


def main(**values: Any) -> Plan:
    """What main.bicep deploys."""
    return plan(BICEP / "main.bicep", **{"scopes": [SCOPE], **values})


def watch(**values: Any) -> Plan:
    """What watch.bicep deploys for a further subscription."""
    given = {"actionGroupId": "calls", "operatorsActionGroupId": "tells", "identityId": "identity"}
    return plan(BICEP / "watch.bicep", **{**given, "storageAccountId": "storage", **values})


def one(made: Plan, kind: str) -> Any:
    """The only resource of a type."""
    (found,) = made.of(kind).values()
    return found


def properties(made: Plan, kind: str) -> Any:
    """The properties of the only resource of a type."""
    return one(made, kind)["properties"]


def below(made: Plan, kind: str) -> set[str]:
    """The last part of the names of resources."""
    return {name.rpartition("/")[2] for name in made.of(kind)}
