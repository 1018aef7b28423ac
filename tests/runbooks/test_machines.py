"""What the runbooks conclude from the machines themselves: off, failed, unreadable, ambiguous, on a second NIC."""

from __future__ import annotations

import pytest

from diagnostics.findings import Confidence, Outcome
from diagnostics.intake.messages import Endpoint, Problem
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Vm
from diagnostics.runbooks.questions import FindVms, Unread
from tests.runbooks.world import GROUP, World, check, ended, hop, net, vm

SOURCE = hop(vm("web-1"), "10.0.0.4", kind="Source")
DEAD = check("Unreachable", SOURCE, hop(None, "10.0.2.4"))
SECOND = Endpoint(resource_id=vm("sql-1").text, address="10.0.2.4", port=3389)


@pytest.mark.parametrize("name", ["web-1", "sql-1"], ids=["source", "destination"])
@pytest.mark.parametrize("state", ["deallocated", "stopped", "Stopped"])
def test_a_machine_that_is_off_is_not_probed(world: World, sql: Endpoint, name: str, state: str) -> None:
    world.machine(name, f"{name[:3]}-nic", state=state)
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, finding.resource.name, finding.confidence) == ("VM001", name, Confidence.PROVEN)
    assert f"az vm start --subscription s1 --resource-group rg --name {name}" == finding.remedy.az_cli
    assert (world.probes, ended(finding, "TCP ping")) == ([], Outcome.SKIPPED)


def test_a_power_state_that_azure_does_not_give_is_not_off(world: World, sql: Endpoint) -> None:
    world.machine("web-1", "web-nic", state=None)
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, len(world.probes)) == ("CON000", 1)
    assert [step.outcome for step in finding.steps if step.name == "Source runs"] == [Outcome.INCONCLUSIVE]


@pytest.mark.parametrize("probe", [DEAD, check("Reachable", SOURCE)], ids=["unreachable", "reachable"])
def test_a_failed_nic_is_only_possible_and_said_to_pass_traffic(world: World, probe: object) -> None:
    world.nic("web-nic", "web-1", "10.0.0.4", state="Failed")
    world.check = probe  # type: ignore[assignment]
    finding = world.only(vm("web-1"))
    assert (finding.check, finding.confidence, finding.resource.name) == ("NIC001", Confidence.POSSIBLE, "web-nic")
    assert "usually still passes traffic" in finding.because[0].text
    assert "--method put" in finding.remedy.az_cli


@pytest.mark.parametrize("state", ["Updating", "Succeeded", "Deleting", ""])
def test_only_failed_is_failed(world: World, state: str) -> None:
    world.nic("web-nic", "web-1", "10.0.0.4", state=state)
    assert world.only(vm("web-1")).check == "CON000"


@pytest.mark.parametrize(
    "unread",
    [Unread("web-1 is gone", missing=True), Unread("not allowed.", "Microsoft.Compute/virtualMachines/read", "/s")],
    ids=["missing", "forbidden"],
)
def test_an_unreadable_source_is_said_to_be_so(world: World, sql: Endpoint, unread: Unread) -> None:
    world.answers[vm("web-1")] = unread
    finding = world.only(vm("web-1"), sql)
    assert (finding.check, world.probes) == ("CON011", [])
    said = "does not exist" if unread.missing else f"could not be read: {unread.action} is missing"
    assert finding.because[0].text.count(f"Source exists: web-1 {said}") == 1


def test_an_unreadable_destination_is_probed_all_the_same(world: World, sql: Endpoint) -> None:
    world.answers[vm("sql-1")] = Unread("not allowed.", "Microsoft.Compute/virtualMachines/read")
    assert world.only(vm("web-1"), sql).check == "CON000"
    assert world.probes[0].destination == vm("sql-1")


@pytest.mark.parametrize(
    ("hits", "said"),
    [([], "no VM in scope is called web-1"), (["web-1", "web-1b"], "2 VMs in scope")],
    ids=["none", "several"],
)
@pytest.mark.parametrize("role", ["source", "destination"])
def test_a_name_that_is_not_one_vm_is_not_guessed(world: World, hits: list[str], said: str, role: str) -> None:
    world.answers["web-1"] = tuple(map(vm, hits))
    ends = ("web-1", Endpoint(name="x")) if role == "source" else (vm("sql-1"), Endpoint(name="web-1"))
    finding = world.only(*ends)
    assert (finding.check, world.probes) == ("CON011", [])
    assert said in finding.because[0].text


def test_a_name_that_is_one_vm_is_that_vm(world: World) -> None:
    world.answers["web-1"] = (vm("web-1"),)
    assert world.only("web-1").resource.id == vm("web-1").text
    assert world.asked[0] == FindVms("web-1")


@pytest.mark.parametrize(
    "name",
    ["Microsoft.Compute/virtualMachineScaleSets/ss", "Microsoft.Storage/storageAccounts/files"],
)
@pytest.mark.parametrize("role", ["source", "destination"])
def test_what_is_no_machine_is_said_to_be_none(world: World, name: str, role: str) -> None:
    other = ResourceId.parse(GROUP + name)
    ends = (other, None) if role == "source" else (vm("web-1"), Endpoint(resource_id=other.text))
    finding = world.only(*ends)
    assert (finding.check, world.probes) == ("CON011", [])
    assert "name a VM or one of its NICs" in finding.because[0].text


@pytest.mark.parametrize("tail", ["", "/networkInterfaces/ss-nic"], ids=["instance", "NIC of an instance"])
def test_an_instance_of_a_scale_set_is_a_machine(world: World, tail: str) -> None:
    instance = ResourceId.parse(f"{GROUP}Microsoft.Compute/virtualMachineScaleSets/ss/virtualMachines/3")
    world.answers[instance] = Vm(instance, "westeurope", "running", "Linux", ())
    finding = world.only(ResourceId.parse(instance.text + tail))
    assert (finding.check, world.probes[0].source) == ("CON000", instance)
    assert finding.title == "No fault found: ss_3 → the internet works now"


def test_a_nic_stands_for_its_vm(world: World) -> None:
    assert world.only(net("networkInterfaces", "web-nic")).resource.id == vm("web-1").text


@pytest.mark.parametrize("role", ["source", "destination"])
def test_a_nic_attached_to_nothing_is_said_to_be_so(world: World, role: str) -> None:
    world.nic("loose", None, "10.0.0.9")
    loose = net("networkInterfaces", "loose")
    ends = (loose, None) if role == "source" else (vm("web-1"), Endpoint(resource_id=loose.text))
    finding = world.only(*ends)
    assert (finding.check, world.probes) == ("CON011", [])
    assert "attached to no VM" in finding.because[0].text


@pytest.mark.parametrize(
    "end",
    [SECOND, Endpoint(resource_id=net("networkInterfaces", "sql-nic-2").text, port=3389)],
    ids=["by address", "by the NIC's id"],
)
def test_a_silent_secondary_nic_points_to_the_guests_gateway(world: World, end: Endpoint) -> None:
    world.check = DEAD
    diagnosis = world.diagnose(vm("web-1"), end)
    (finding,) = diagnosis.findings
    assert (diagnosis.problem, world.probes[0].destination) == (Problem.SECONDARY_NIC, "10.0.2.4")
    assert (finding.check, finding.confidence, finding.because[0].name) == ("CON016", Confidence.POSSIBLE, "sql-nic-2")
    assert finding.remedy.az_cli == "route add 0.0.0.0 mask 0.0.0.0 -p 10.0.2.1"


def test_the_gateway_is_not_made_up(world: World) -> None:
    world.check = DEAD
    world.answers.pop(next(key for key in world.answers if str(key).endswith("/back-2")))
    finding = world.only(vm("web-1"), SECOND)
    assert finding.remedy.az_cli == ""
    assert "first usable address of its subnet" in finding.remedy.summary


def test_a_primary_nic_does_not_lack_a_gateway(world: World) -> None:
    world.check = DEAD
    end = Endpoint(resource_id=vm("sql-1").text, address="10.0.1.4", port=1433)
    finding = world.only(vm("web-1"), end, problem=Problem.SECONDARY_NIC)
    assert "gateway" not in finding.title
    assert "is unreachable" in finding.title


def test_a_secondary_nic_that_is_not_there(world: World) -> None:
    finding = world.only(vm("web-1"), problem=Problem.SECONDARY_NIC)
    assert (finding.check, world.probes) == ("CON011", [])
    assert "no secondary network interface" in finding.because[0].text


@pytest.mark.parametrize(
    ("source", "end", "problem"),
    [
        ("sql-1", Endpoint(address="10.0.2.4", port=22), Problem.AUTO),
        ("sql-1", None, Problem.SECONDARY_NIC),
        ("web-1", Endpoint(address="10.0.0.4", port=22), Problem.AUTO),
        ("web-1", Endpoint(resource_id=vm("web-1").text, port=22), Problem.AUTO),
    ],
    ids=["own second address", "own second NIC", "own address", "itself"],
)
def test_what_a_vm_sends_to_itself_proves_nothing(
    world: World, source: str, end: Endpoint | None, problem: Problem
) -> None:
    finding = world.only(vm(source), end, problem=problem)
    assert finding.check == "CON011"
    assert "never leaves it" in finding.because[0].text
    assert "internet" not in finding.title


@pytest.mark.parametrize(
    ("end", "problem", "why"),
    [
        (None, Problem.VM_TO_INTERNET, "no destination"),
        (Endpoint(resource_id=vm("sql-1").text), Problem.VM_TO_VM, "the destination is sql-1"),
        (SECOND, Problem.SECONDARY_NIC, "sql-nic-2 is a secondary NIC of sql-1"),
        (Endpoint(address="10.9.0.4"), Problem.VM_TO_VM, "10.9.0.4 is a private address"),
        (Endpoint(address="fd00::4"), Problem.VM_TO_VM, "private address"),
        (Endpoint(address="10.0.0.4"), Problem.VM_TO_VM, "an address of the source itself"),
        (Endpoint(address="8.8.8.8"), Problem.VM_TO_INTERNET, "no address of a virtual network"),
        (Endpoint(address="pay.example.com", port=443), Problem.VM_TO_INTERNET, "pay.example.com:443"),
        (Endpoint(name="unheard-of"), Problem.VM_TO_VM, "meant to be a VM"),
    ],
)
def test_auto_picks_with_a_reason(world: World, end: Endpoint | None, problem: Problem, why: str) -> None:
    diagnosis = world.diagnose(vm("web-1"), end)
    assert diagnosis.problem is problem
    assert why in diagnosis.why


@pytest.mark.parametrize(
    ("end", "probed", "title"),
    [
        (None, ("www.example.com", 443), "the internet"),
        (Endpoint(address="8.8.8.8", port=53), ("8.8.8.8", 53), "8.8.8.8:53"),
        (Endpoint(address="8.8.8.8"), ("8.8.8.8", 443), "8.8.8.8:443"),
        (Endpoint(resource_id=vm("sql-1").text, port=1433), ("www.example.com", 443), "the internet"),
    ],
    ids=["nothing named", "address and port", "address", "a VM"],
)
def test_the_way_out_tells_what_was_tried(
    world: World, end: Endpoint | None, probed: tuple[str, int], title: str
) -> None:
    finding = world.only(vm("web-1"), end, problem=Problem.VM_TO_INTERNET)
    assert (world.probes[0].destination, world.probes[0].port) == probed
    assert finding.title == f"No fault found: web-1 → {title} works now"


def test_no_way_out_points_to_outbound_access(world: World) -> None:
    world.check = check("Unreachable", SOURCE, hop(None, "198.51.100.9", kind="Internet"))
    finding = world.only(vm("web-1"))
    assert (finding.check, finding.confidence) == ("CON009", Confidence.POSSIBLE)
    assert "NAT gateway" in finding.remedy.summary


def test_every_finding_carries_the_request_and_all_steps(world: World, sql: Endpoint) -> None:
    diagnosis = world.diagnose(vm("web-1"), sql)
    assert diagnosis.findings[0].steps == diagnosis.steps
    assert diagnosis.findings[0].request_id == "r1"
    assert [step.name for step in diagnosis.steps][:2] == ["Source exists", "Destination exists"]
