"""sql-1 with two network interfaces, asked by web-1: what its guest says is written down in tests/data/guest."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem, Protocol
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, Subnet, Vm
from diagnostics.network.probes import GuestOutput, GuestScript
from diagnostics.runbooks.probing import RunInGuest
from diagnostics.runbooks.questions import Asking, Question, ReadSubnet, Tell, Unread, answer_all
from diagnostics.runbooks.situation import Conditions, Machine, Situation

DATA = Path(__file__).parent.parent.parent / "data" / "guest"
NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)
GROUP = "/subscriptions/s1/resourceGroups/rg/providers/"


def vm_id(name: str) -> ResourceId:
    return ResourceId.parse(f"{GROUP}Microsoft.Compute/virtualMachines/{name}")


def net_id(kind: str, name: str) -> ResourceId:
    return ResourceId.parse(f"{GROUP}Microsoft.Network/{kind}/{name}")


def recorded(name: str) -> GuestOutput:
    return GuestOutput((DATA / f"{name}.txt").read_text(encoding="utf-8"), "")


def configuration(address: str | None, subnet: str, *, primary: bool = True) -> IpConfiguration:
    name = "ipconfig1" if primary else "ipconfig2"
    return IpConfiguration(name, address, net_id("virtualNetworks", f"vnet/subnets/{subnet}"), primary)


def nic(name: str, *configurations: IpConfiguration, primary: bool) -> Nic:
    return Nic(net_id("networkInterfaces", name), "westeurope", "Succeeded", None, primary, None, configurations)


FIRST = nic("sql-nic", configuration("10.0.1.4", "back"), primary=True)
SECOND = nic("sql-nic-2", configuration("10.0.2.4", "back-2"), primary=False)
WEB = nic("web-nic", configuration("10.0.0.4", "front"), configuration("fd00::4", "front"), primary=True)
PREFIXES = {"front": ("10.0.0.0/24", "fd00::/64"), "back": ("10.0.1.0/24",), "back-2": ("10.0.2.0/24", "fd00:2::/64")}


def machine(name: str, os: str, *nics: Nic, state: str | None = "running") -> Machine:
    vm = Vm(vm_id(name), "westeurope", state, os, tuple(each.id for each in nics))
    return Machine(vm.id, vm, tuple((each.id, each) for each in nics))


@dataclass
class Guest:
    """A situation about sql-1's second address, and what its guests answer. `asked` keeps the scripts."""

    output: GuestOutput | Unread
    os: str = "Linux"
    state: str | None = "running"
    allowed: bool = True
    address: str | None = "10.0.2.4"
    protocol: Protocol | None = None
    asked: list[GuestScript] = field(default_factory=list)
    subnets: bool = True
    first: Nic = FIRST
    second: Nic = SECOND

    def __call__(self, question: Question[Any]) -> Any:
        match question:
            case Tell():
                return None
            case RunInGuest(script):
                self.asked.append(script)
                return self.output
            case ReadSubnet(subnet) if self.subnets:
                return Subnet(subnet, PREFIXES[subnet.name], None, None)
            case ReadSubnet():
                return Unread("not allowed.", "Microsoft.Network/virtualNetworks/subnets/read")
        raise AssertionError(question)

    @property
    def sql(self) -> Machine:
        return machine("sql-1", self.os, self.first, self.second, state=self.state)

    @property
    def situation(self) -> Situation:
        end = Endpoint(resource_id=vm_id("sql-1").text, address=self.address, port=1433)
        source = Endpoint(resource_id=vm_id("web-1").text)
        request = DiagnosisRequest(
            request_id="r1", source=source, destination=end, protocol=self.protocol, origin=Origin(kind="queue")
        )
        conditions = Conditions(NOON, Endpoint(address="www.example.com", port=443), run_command=self.allowed)
        web = machine("web-1", self.os, WEB, state=self.state)
        return Situation(request, conditions, Problem.SECONDARY_NIC, "asked for", web, self.sql)

    def run[T](self, steps: Asking[T]) -> T:
        return answer_all(steps, self)
