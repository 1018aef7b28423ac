"""Plans of the Bicep templates, with what most of their tests give."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
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


_folder = ContextVar("folder", default=BICEP)


@contextmanager
def of(templates: Path) -> Iterator[None]:
    """Have plans be of the templates in another folder."""
    before = _folder.set(templates)
    try:
        yield
    finally:
        _folder.reset(before)


def folder() -> Path:
    """Where the templates are that plans are of."""
    return _folder.get()


def plain() -> Plan:
    """What is deployed where nothing is asked for."""
    return _plain(folder())


@cache
def _plain(templates: Path) -> Plan:
    with of(templates):
        return main()


def main(**values: Any) -> Plan:
    """What main.bicep deploys."""
    return plan(folder() / "main.bicep", **{"scopes": [SCOPE], **values})


def watch(**values: Any) -> Plan:
    """What watch.bicep deploys for a further subscription."""
    given = {"actionGroupId": "calls", "operatorsActionGroupId": "tells", "identityId": "identity"}
    return plan(folder() / "watch.bicep", **{**given, "storageAccountId": "storage", **values})


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
