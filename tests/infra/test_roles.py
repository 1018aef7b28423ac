"""The custom roles allow what the code calls, and nothing else: held to the calls that the sandbox records.

The diagnoses of all scenarios are held to them where they are worked through: tests/scenarios.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from diagnostics.cloud.guest import AzureGuest
from diagnostics.cloud.inventory import AzureInventory
from diagnostics.cloud.listing import AzureEstates
from diagnostics.cloud.nics import AzureNics
from diagnostics.network.ids import ResourceId
from diagnostics.network.probes import GuestScript, Shell
from diagnostics.remediation.reput_nic import writable
from diagnostics.runbooks.probing import RunInGuest
from diagnostics.scopes import Scopes
from sandbox.arm import Call
from sandbox.arm.calls import NIC_LINKS
from sandbox.scenario import Probe, all_scenarios
from tests.infra.roles import ROLES, actions, lacking, needed
from tests.scenarios.conftest import Diagnoses, worked

MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/mg-contoso"
DIAGNOSED, FAILED_NIC, JUMP = ("healthy", "internet-appliance-missing"), "internet-failed-nic", "secondary-nic"
NAMED = {each.name: each for each in all_scenarios() if each.name in {*DIAGNOSED, FAILED_NIC, JUMP}}
PRINTED = {"value": [{"code": "ProvisioningState/succeeded", "message": "[stdout]\nup\n[stderr]\n"}]}


def id_of(scenario: str, name: str) -> ResourceId:
    return ResourceId.parse(next(body["id"] for body in NAMED[scenario].resources if body["name"] == name))


NIC, VM = id_of(FAILED_NIC, "nic-shop-web-01"), id_of(JUMP, "vm-ops-jump-01")
SUBSCRIPTION, NETWORK = f"/subscriptions/{NIC.subscription}", NIC.text.rpartition("/networkInterfaces/")[0]
SCALE_SET = VM.text.replace("virtualMachines/vm-ops-jump-01", "virtualMachineScaleSets/vmss-jump")
# "Track asynchronous Azure operations": a service may answer with either header, and both are followed.
UNRECORDED = {
    "microsoft.network/locations/operations/read": "recorded answers of Network Watcher have a Location alone"
}
LINKED = {
    "applicationGateways/gw/backendAddressPools/web": "applicationGatewayBackendAddressPools",
    "loadBalancers/chain/frontendIPConfigurations/in": "gatewayLoadBalancer",
    "virtualNetworkTaps/tap": "virtualNetworkTaps",
}


def create(azure: Diagnoses, path: str, **properties: Any) -> None:
    parts = path.rpartition("/providers/")[2].split("/")
    body = {"id": path, "name": parts[-1], "type": "/".join([parts[0], *parts[1::2]]), "location": "westeurope"}
    azure.sandbox.create({**body, "properties": properties})


def diagnose(azure: Diagnoses) -> None:
    """Alerts, and what none of the scenarios comes upon."""
    for name in DIAGNOSED:
        azure.of(NAMED[name])
    inventory = AzureInventory(azure.clients, azure.settings.scopes)
    inventory.service_tags(NIC.subscription, "westeurope")
    instance = ResourceId.parse(f"{SCALE_SET}/virtualMachines/0")
    for path, like in ((instance.text, VM), (f"{instance}/networkInterfaces/nic", NIC)):
        create(azure, path, **azure.sandbox.resource(like.text)["properties"])
        inventory.body(ResourceId.parse(path))
    inventory.extensions(instance)


def sweep(azure: Diagnoses) -> None:
    inventory = AzureInventory(azure.clients, azure.settings.scopes)
    assert inventory.unreadable() == []
    assert NIC in inventory.failed_nics()
    assert AzureNics(azure.clients, 0.02, 5.0).get(NIC).provisioning_state == "Failed"


def audit(azure: Diagnoses) -> None:
    """Everything below a management group, with a scale set and a gateway in it."""
    create(azure, SCALE_SET, orchestrationMode="Uniform")
    create(azure, f"{NETWORK}/virtualNetworkGateways/gateway")
    listing = AzureEstates(azure.clients, Scopes.parse(MANAGEMENT_GROUP)).listing()
    assert (listing.unread, listing.partial) == ((), frozenset())


def put_back(azure: Diagnoses) -> None:
    """A NIC with every kind of link."""
    for path in LINKED:
        parts = path.split("/")
        inner = [{"id": f"{NETWORK}/{path}", "name": parts[-1], "properties": {}}] if len(parts) > 2 else []
        create(azure, f"{NETWORK}/{parts[0]}/{parts[1]}", **{parts[2]: inner} if inner else {})
    (first, *_) = azure.sandbox.resource(NIC.text)["properties"]["ipConfigurations"]
    for path, link in LINKED.items():
        there = {"id": f"{NETWORK}/{path}"}
        first["properties"][link] = there if link == "gatewayLoadBalancer" else [there]
    azure.sandbox.change(NIC.text, {"properties.ipConfigurations": [first]})
    nics = AzureNics(azure.clients, 0.02, 5.0)
    before = nics.settled(NIC)
    nics.put(NIC, writable(before.body), etag=before.etag)
    assert nics.settled(NIC).provisioning_state == "Succeeded"


def look_inside(azure: Diagnoses) -> None:
    """Scripts in a VM and in an instance of a scale set."""
    NAMED[JUMP].probes["runCommand"] = [Probe(answer=PRINTED)]
    guest = AzureGuest(azure.clients, 0.02, 5.0)
    for vm in (VM, ResourceId.parse(f"{SCALE_SET}/virtualMachines/0")):
        question = RunInGuest(GuestScript(vm, "westeurope", Shell.LINUX, ("ip route",), "the routing table"))
        assert question.read(guest.collect(question, guest.submit(question))).stdout == "up"


type Run = Callable[[Diagnoses], None]
type Runs = dict[Run, list[Call]]
ROLE: dict[Run, str] = {
    diagnose: "diagnose",
    sweep: "diagnose",
    audit: "diagnose",
    put_back: "remediate",
    look_inside: "guest",
}


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    """What each run asked of Azure, one after the other."""
    made: Runs = {}
    with worked(list(NAMED.values())) as azure:
        for run in ROLE:
            before = len(azure.sandbox.calls)
            run(azure)
            made[run] = azure.sandbox.calls[before:]
        yield made


@pytest.mark.parametrize("run", ROLE, ids=[run.__name__ for run in ROLE])
def test_each_run_is_allowed_by_its_role_alone(runs: Runs, run: Run) -> None:
    assert lacking(runs[run], [ROLE[run]]) == []


@pytest.mark.parametrize("role", ROLES)
def test_no_role_allows_what_no_call_needs(runs: Runs, role: str) -> None:
    called = needed(call for run, calls in runs.items() if ROLE[run] == role for call in calls).keys() | UNRECORDED
    assert [f"{role}: {spelt} is needed by no call" for key, spelt in actions(role).items() if key not in called] == []


def test_every_link_of_a_nic_was_put_back(runs: Runs) -> None:
    assert {link.lower() for link in NIC_LINKS.values()} <= needed(runs[put_back]).keys()


def test_an_action_that_is_missing_is_named_with_its_call(runs: Runs) -> None:
    join = "Microsoft.Network/publicIPAddresses/join/action"
    left = {action: why for action, why in ROLES["remediate"]["actions"].items() if action != join}
    told = lacking(runs[put_back], ["remediate"], {"remediate": {"actions": left}})
    assert told == [f"role remediate lacks {join}, needed for PUT {NIC}"]


def test_the_audit_finds_nothing_that_the_role_keeps_from_it() -> None:
    held = {"value": [{"actions": list(ROLES["diagnose"]["actions"]), "notActions": []}]}
    with worked([NAMED["healthy"]]) as azure:
        azure.sandbox.faults.add(path=r"permissions\?", status=200, body=held)
        listing = AzureEstates(azure.clients, azure.settings.scopes).listing()
    assert (listing.unread, listing.partial) == ((), frozenset())


@pytest.mark.parametrize("role", ROLES)
def test_actions_are_single_ones_that_change_nothing_else(role: str) -> None:
    listed = ROLES[role]["actions"]
    assert all(re.fullmatch(r"Microsoft\.[A-Za-z]+(/[A-Za-z]+)+/(read|write|action)", action) for action in listed)
    assert [action for action in listed if action.endswith("/write")] == {
        "remediate": ["Microsoft.Network/networkInterfaces/write"]
    }.get(role, [])
    assert list(listed) == sorted(listed)
    assert len({action.lower() for action in listed}) == len(listed)
    assert all(len(reason) > 10 for reason in listed.values())


def test_roles_have_names_and_say_what_they_are_for() -> None:
    assert list(ROLES) == ["diagnose", "remediate", "guest"]
    assert all(set(role) == {"title", "description", "actions"} for role in ROLES.values())
    assert [role["title"] for role in ROLES.values()] == ["vmreach diagnose", "vmreach remediate", "vmreach guest"]
