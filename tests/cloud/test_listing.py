import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from diagnostics.cloud import listing as module
from diagnostics.cloud import lists, versions
from diagnostics.cloud.clients import Clients
from diagnostics.cloud.listing import AzureEstates
from diagnostics.contracts import Estates, Listing
from diagnostics.errors import TemporaryError
from diagnostics.network.estate import Estate as Network
from diagnostics.network.ids import ResourceId
from diagnostics.network.reading import read_files
from diagnostics.scopes import Scopes
from diagnostics.settings import Settings
from sandbox.arm import Sandbox
from sandbox.scenario import DERIVED, Scenario
from tests.cloud.conftest import Estate

EVERY = frozenset(kind.lower() for kind in lists.ALL)
NSG, NIC = "microsoft.network/networksecuritygroups", "microsoft.network/networkinterfaces"
VM, SCALE_SET = "microsoft.compute/virtualmachines", "microsoft.compute/virtualmachinescalesets"
DENIED = {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization."}}
FIELDS = {
    NIC: "nics",
    NSG: "security_groups",
    VM: "vms",
    "microsoft.network/virtualnetworks": "networks",
    "microsoft.network/routetables": "route_tables",
    "microsoft.network/publicipaddresses": "public_ips",
    "microsoft.network/natgateways": "nat_gateways",
    "microsoft.network/loadbalancers": "load_balancers",
}


def listed(estate: Estate, scopes: str | None = None) -> Listing:
    estates: Estates = AzureEstates(estate.clients, Scopes.parse(scopes) if scopes else estate.settings.scopes)
    return estates.listing()


def subscription(estate: Estate, name: str = "vm-to-vm-nsg") -> str:
    return f"/subscriptions/{estate.subscription(name)}"


def ids_in(listing: Listing, kind: str) -> set[ResourceId]:
    """The ids of one lower-cased type in the pages."""
    rows = (row for _, body in listing.pages for row in json.loads(body)["value"])
    return {rid for row in rows if (rid := ResourceId.parse(row["id"])).type == kind}


def create(estate: Estate, path: str, **more: Any) -> ResourceId:
    rid = ResourceId.parse(path)
    parts = path.rsplit("/providers/", maxsplit=1)[-1].split("/")
    body = {"id": path, "name": rid.name, "type": "/".join([parts[0], *parts[1::2]]), "location": "westeurope"}
    estate.sandbox.create({**body, "properties": {}, **more})
    return rid


def what_is_unread(listing: Listing) -> list[str]:
    return [what for what, _ in listing.unread]


@contextmanager
def one(settings_for: Callable[..., Settings], scenario: Scenario) -> Iterator[AzureEstates]:
    """A scenario alone."""
    with Sandbox([scenario]) as sandbox:
        settings = settings_for(sandbox)
        yield AzureEstates(Clients(settings), settings.scopes)


@pytest.mark.parametrize("size", [1, 100])
def test_all_that_is_in_the_scenarios_is_read(start: Callable[..., Estate], size: int) -> None:
    estate = start(page_size=size)
    listing = listed(estate)
    read = read_files(listing.pages)
    bodies = [body for scenario in estate.sandbox.scenarios for body in scenario.resources]
    for kind, field in FIELDS.items():
        there = {ResourceId.parse(body["id"]) for body in bodies if body["type"].lower() == kind}
        assert set(getattr(read, field)) == there, kind
    monitors = ids_in(listing, "microsoft.network/networkwatchers/connectionmonitors")
    assert (len(monitors), len(ids_in(listing, "microsoft.network/networkwatchers"))) == (3, 5)
    assert (read.problems, listing.unread, listing.listed) == ((), (), EVERY)
    assert {state.power_state for state in read.vms.values()} == {"running"}


def test_bodies_are_as_azure_sent_them(estate: Estate) -> None:
    rows = [row for _, body in listed(estate, subscription(estate)).pages for row in json.loads(body)["value"]]
    group = estate.id("nsg-orders-data").text
    assert [row for row in rows if row["id"] == group] == [estate.sandbox.resource(group)]


def test_pages_have_names(start: Callable[..., Estate]) -> None:
    estate = start(page_size=1)
    names = [name for name, _ in listed(estate, subscription(estate)).pages if name.startswith("networkSecurityGroups")]
    assert names == [f"networkSecurityGroups of {estate.subscription('vm-to-vm-nsg')} page {n}" for n in (1, 2)]


def test_every_list_is_asked_for_at_its_version(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "NETWORK", "2099-01-01")
    listed(estate, subscription(estate))
    asked = {call.action[1].lower(): call.api_version for call in estate.sandbox.calls if "/subscr" in call.path}
    assert (asked[NIC], asked[VM]) == ("2099-01-01", versions.COMPUTE)
    assert asked["microsoft.insights/diagnosticsettings"] == versions.DIAGNOSTIC_SETTINGS
    assert asked["microsoft.authorization/locks"] == versions.LOCKS


def test_a_power_state_takes_nothing_away_from_a_vm(estate: Estate) -> None:
    vm = estate.id("vm-edge-proxy-01")
    estate.sandbox.power(vm.text, "PowerState/deallocated")
    read = read_files(listed(estate, subscription(estate, "secondary-nic")).pages).vms[vm]
    assert (read.power_state, len(read.nics)) == ("deallocated", 2)


def test_a_power_state_that_cannot_be_read_is_not_known(estate: Estate) -> None:
    estate.sandbox.faults.add(path="statusOnly", status=403, body=DENIED)
    listing = listed(estate, subscription(estate))
    assert {vm.power_state for vm in read_files(listing.pages).vms.values()} == {None}
    assert (what_is_unread(listing), VM in listing.listed) == ([f"instanceView of {subscription(estate)[15:]}"], True)


@pytest.mark.parametrize(
    "scope", ["{group}", "{loud}", "{group} {vm}", "{group} {subscription}/resourceGroups/rg-gone"]
)
def test_a_resource_group(estate: Estate, scope: str) -> None:
    vm = estate.id("vm-orders-web-01")
    group = vm.text.partition("/providers/")[0]
    loud = group.upper().replace("/SUBSCRIPTIONS", "/subscriptions").replace("/RESOURCEGROUPS", "/resourceGroups")
    listing = listed(estate, scope.format(group=group, loud=loud, vm=vm, subscription=subscription(estate)))
    read = read_files(listing.pages)
    assert (len(read.nics), len(read.vms), len(read.security_groups), read.problems) == (2, 2, 2, ())
    assert read.vms[vm].power_state == "running"
    assert all("/resourcegroups/" in call.path.lower() for call in estate.sandbox.calls if "subscr" in call.path)
    assert EVERY - listing.listed == (EVERY if "gone" in scope else {kind.lower() for kind in lists.WIDE})


def test_a_single_resource(estate: Estate) -> None:
    nic = estate.id("nic-orders-web-01")
    read = read_files(listed(estate, nic.text).pages)
    assert (list(read.nics), read.vms, read.security_groups) == ([nic], {}, {})


@pytest.mark.parametrize("scopes", ["{mg}", "{mg} {own}", "{mg} {own}/resourceGroups/rg-orders-prod-weu"])
def test_a_management_group(estate: Estate, scopes: str) -> None:
    group = "/providers/Microsoft.Management/managementGroups/MG-Contoso"
    listing = listed(estate, scopes.format(mg=group, own=subscription(estate)))
    assert len(ids_in(listing, "microsoft.network/networkwatchers")) == len(estate.sandbox.scenarios)
    assert (listing.unread, listing.listed) == ((), EVERY)
    assert estate.statuses("GET", subscription(estate) + "/providers/microsoft.network/routetables") == [200]


def test_a_management_group_that_cannot_be_read(estate: Estate) -> None:
    listing = listed(estate, f"/providers/Microsoft.Management/managementGroups/other {subscription(estate)}")
    assert len(ids_in(listing, NIC)) == 2
    assert (what_is_unread(listing), listing.listed) == (["subscriptions below management group other"], frozenset())


@pytest.mark.parametrize(
    ("path", "unread", "missing"),
    [
        (r"networkSecurityGroups\?", "networkSecurityGroups of {sub}", {NSG, "microsoft.insights/diagnosticsettings"}),
        (r"networkInterfaces\?", "networkInterfaces of {sub}", {NIC}),
        (r"flowLogs", "flowLogs of NetworkWatcher_westeurope", {"microsoft.network/networkwatchers/flowlogs"}),
        (r"diagnosticSettings", "diagnosticSettings of 2 in {sub}", {"microsoft.insights/diagnosticsettings"}),
        (r"/resources\?", "resources of {sub}", {kind.lower() for kind in lists.BY_GROUP}),
        (r"permissions\?", "permissions in {sub}", EVERY),
    ],
)
def test_a_list_that_may_not_be_read(estate: Estate, path: str, unread: str, missing: set[str]) -> None:
    estate.sandbox.faults.add(path=path, status=403, body=DENIED, times=9)
    listing = listed(estate, subscription(estate))
    assert what_is_unread(listing) == [unread.format(sub=estate.subscription("vm-to-vm-nsg"))]
    assert listing.unread[0][1].startswith("AuthorizationFailed")
    assert EVERY - listing.listed == missing
    assert ids_in(listing, VM)


def test_what_azure_leaves_out_is_not_taken_for_absent(settings_for: Callable[..., Settings]) -> None:
    with one(settings_for, Scenario.load(DERIVED / "vm-to-vm-unreadable-group.json")) as estates:
        listing = estates.listing()
    assert [group.name for group in ids_in(listing, NSG)] == ["nsg-orders-web"]
    assert EVERY - listing.listed == {NSG, "microsoft.insights/diagnosticsettings"}
    assert len(listing.unread) == 1
    assert "networkSecurityGroups/read is not allowed" in listing.unread[0][1]


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        ([(["*/read"], [])], True),
        ([(["*"], ["Microsoft.Authorization/*/Delete"])], True),
        ([(["microsoft.network/networkSECURITYgroups/*"], [])], True),
        ([(["*/read"], ["Microsoft.Network/networkSecurityGroups/read"])], False),
        ([(["*/read"], ["Microsoft.Network/*"]), (["Microsoft.Network/*/read"], None)], True),
        ([(["Microsoft.Network/networkSecurityGroups"], [])], False),
        ([(None, None)], False),
        ([], False),
    ],
)
def test_what_roles_allow(estate: Estate, held: list[tuple[Any, Any]], allowed: bool) -> None:  # noqa: FBT001
    roles = [{"actions": actions, "notActions": without} for actions, without in held]
    estate.sandbox.faults.add(path=r"permissions\?", status=200, body={"value": roles})
    assert (NSG in listed(estate, subscription(estate)).listed) is allowed


@pytest.mark.parametrize(
    "body",
    [
        {"value": None},
        {},
        {"value": [None]},
        {"value": [{"id": 1, "properties": []}]},
        {"value": [], "nextLink": "http://evil/"},
    ],
)
def test_a_page_that_cannot_be_read_is_not_empty(estate: Estate, body: dict[str, Any]) -> None:
    estate.sandbox.faults.add(path=r"routeTables\?", status=200, body=body)
    listing = listed(estate, subscription(estate))
    assert what_is_unread(listing) == [f"routeTables of {estate.subscription('vm-to-vm-nsg')}"]
    assert "microsoft.network/routetables" not in listing.listed


def test_a_subscription_that_cannot_be_read(estate: Estate) -> None:
    listing = listed(estate, "11111111-2222-3333-4444-555555555555")
    assert (listing.pages, listing.listed) == ((), frozenset())
    assert "networkInterfaces of 11111111-2222-3333-4444-555555555555" in what_is_unread(listing)


def test_throttling_is_waited_for(estate: Estate) -> None:
    estate.sandbox.faults.add(path=r"networkInterfaces\?", status=429, headers={"Retry-After": "1"})
    assert len(ids_in(listed(estate, subscription(estate)), NIC)) == 2
    assert estate.statuses("GET", "/networkinterfaces") == [429, 200]


@pytest.mark.parametrize("path", [r"networkInterfaces\?", "flowLogs", "permissions"])
def test_what_may_work_later_is_raised(estate: Estate, path: str) -> None:
    estate.sandbox.faults.add(path=path, status=429, headers={"Retry-After": "300"}, times=9)
    with pytest.raises(TemporaryError) as error:
        listed(estate, subscription(estate))
    assert error.value.retry_after == 300


def test_gateways_are_listed_in_the_groups_that_have_one(estate: Estate) -> None:
    own = subscription(estate)
    kinds = ("virtualNetworkGateways", "localNetworkGateways", "connections")
    for number, kind in enumerate(kinds):
        create(estate, f"{own}/resourceGroups/rg-hub-{number // 2}/providers/Microsoft.Network/{kind}/a-{number}")
    found = listed(estate, own)
    assert [len(ids_in(found, f"microsoft.network/{kind.lower()}")) for kind in kinds] == [1, 1, 1]
    assert estate.statuses("GET", "/virtualnetworkgateways") == [200, 200]


def scale_set(estate: Estate, mode: str | None) -> str:
    path = f"{subscription(estate)}/resourceGroups/rg-orders-prod-weu/providers/Microsoft.Compute"
    path = f"{path}/virtualMachineScaleSets/set"
    nic = f"{path}/virtualMachines/0/networkInterfaces/nic"
    create(estate, path, properties={"orchestrationMode": mode} if mode else {})
    create(estate, f"{path}/virtualMachines/0", properties={"networkProfile": {"networkInterfaces": [{"id": nic}]}})
    create(estate, nic, properties={"virtualMachine": {"id": f"{path}/virtualMachines/0"}, "ipConfigurations": []})
    create(estate, f"{nic}/ipConfigurations/a/publicIPAddresses/pip", properties={"ipAddress": "20.1.2.3"})
    return nic


@pytest.mark.parametrize(("mode", "there"), [("Uniform", True), (None, True), ("FLEXIBLE", False)])
def test_what_uniform_scale_sets_have(estate: Estate, mode: str | None, there: bool) -> None:  # noqa: FBT001
    nic = ResourceId.parse(scale_set(estate, mode))
    read: Network = read_files(listed(estate, subscription(estate)).pages)
    assert (nic in read.nics, len(read.public_ips)) == (there, there)
    states = {vm.id.name: vm.power_state for vm in read.vms.values() if vm.id.type == f"{SCALE_SET}/virtualmachines"}
    assert states == ({"0": "running"} if there else {})
    asked = [call.api_version for call in estate.sandbox.calls if call.path.endswith("set/networkInterfaces")]
    assert asked == [versions.SCALE_SET_NETWORK] * there


def test_what_watches_and_guards_is_listed(estate: Estate) -> None:
    own, group, vm = subscription(estate), estate.id("nsg-orders-data"), estate.id("vm-orders-web-01")
    watcher = next(iter(ids_in(listed(estate, own), "microsoft.network/networkwatchers")))
    created = [
        create(estate, f"{watcher}/flowLogs/log"),
        create(estate, f"{group}/providers/Microsoft.Insights/diagnosticSettings/all"),
        create(estate, f"{own}/resourceGroups/rg-orders-prod-weu/providers/Microsoft.Insights/activityLogAlerts/a"),
        create(estate, f"{own}/providers/Microsoft.Authorization/locks/keep"),
        create(estate, f"{vm}/providers/Microsoft.Authorization/locks/keep"),
    ]
    found = listed(estate, own)
    assert all(rid in ids_in(found, rid.type) for rid in created)
    assert all(rid.type in found.listed for rid in created)


@pytest.mark.parametrize(("scope", "found"), [("{sub}", 3), ("{group}", 3), ("{vm}", 3), ("{nic}", 2), ("{other}", 1)])
def test_locks_that_bear_on_the_scope(estate: Estate, scope: str, found: int) -> None:
    own, vm, nic = subscription(estate), estate.id("vm-orders-web-01"), estate.id("nic-orders-web-01")
    group, other = f"{own}/resourceGroups/rg-orders-prod-weu", f"{own}/resourceGroups/NetworkWatcherRG"
    for locked in (own, group, vm):
        create(estate, f"{locked}/providers/Microsoft.Authorization/locks/keep")
    listing = listed(estate, scope.format(sub=own, group=group, vm=vm, nic=nic, other=other))
    assert len(ids_in(listing, "microsoft.authorization/locks")) == found


def test_what_costs_a_call_each_is_bounded_and_said(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 1)
    listing = listed(estate, subscription(estate))
    assert listing.unread == (
        ("diagnosticSettings of 1 more resources", "each costs a call, and only the first 1 are asked for"),
    )
    assert EVERY - listing.listed == {"microsoft.insights/diagnosticsettings"}
    assert estate.statuses("GET", "diagnosticsettings") == [200]
