"""web-1 and sql-1 with what is around them, as a situation; what happened a test says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from diagnostics.findings import Finding
from diagnostics.intake.messages import DiagnosisRequest, Endpoint, Origin, Problem
from diagnostics.network.estate import Estate, NatGateway, VirtualNetwork
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import IpConfiguration, Nic, Subnet, Vm
from diagnostics.runbooks.questions import Event, Question, Unread
from diagnostics.runbooks.situation import Conditions, Machine, Situation
from diagnostics.runbooks.survey import Survey

MOMENT = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)
RG = "/subscriptions/S1/resourceGroups/rg/providers/"


def rid(text: str) -> ResourceId:
    return ResourceId.parse(text if text.startswith("/") else f"{RG}{text}")


def vm(name: str) -> ResourceId:
    return rid(f"Microsoft.Compute/virtualMachines/{name}")


def net(path: str) -> ResourceId:
    return rid(f"Microsoft.Network/{path}")


WEB, SQL = vm("web-1"), vm("sql-1")
WEB_NSG, SQL_NSG = net("networkSecurityGroups/nsg-web"), net("networkSecurityGroups/nsg-sql")
TABLE, VNET = net("routeTables/rt-web"), net("virtualNetworks/vnet")
FRONT, BACK = net("virtualNetworks/vnet/subnets/front"), net("virtualNetworks/vnet/subnets/back")
NAT, NAT_IP = net("natGateways/nat"), net("publicIPAddresses/nat-ip")
WEB_NIC, SQL_NIC, SQL_NIC_2 = (net(f"networkInterfaces/{n}") for n in ("web-nic", "sql-nic", "sql-nic-2"))
SQL_NSG_2 = net("networkSecurityGroups/nsg-sql-2")


def at(minutes: float) -> datetime:
    """So many minutes after the alert; negative ones are before it."""
    return MOMENT + timedelta(minutes=minutes)


def nic(key: ResourceId, of: ResourceId, subnet: ResourceId, address: str, group: ResourceId | None = None) -> Nic:
    configuration = IpConfiguration("ipconfig1", address, subnet, primary=True)
    return Nic(key, "westeurope", "Succeeded", of, None, group, (configuration,))


NICS = (
    nic(WEB_NIC, WEB, FRONT, "10.0.0.4"),
    nic(SQL_NIC, SQL, BACK, "10.0.1.4", SQL_NSG),
    nic(SQL_NIC_2, SQL, BACK, "10.0.1.5", SQL_NSG_2),
)
SUBNETS = (
    Subnet(FRONT, ("10.0.0.0/24",), WEB_NSG, TABLE, nat_gateway=NAT),
    Subnet(BACK, ("10.0.1.0/24",), None, None),
)
ESTATE = Estate(
    networks={VNET: VirtualNetwork(VNET, ("10.0.0.0/16",), SUBNETS)},
    nics={each.id: each for each in NICS},
    nat_gateways={NAT: NatGateway(NAT, (NAT_IP,))},
)


def machine(key: ResourceId, state: str | None = "running") -> Machine:
    nics = tuple((each.id, each) for each in NICS if each.vm == key)
    return Machine(key, Vm(key, "westeurope", state, "Linux", tuple(nic_id for nic_id, _ in nics)), nics)


def situation(
    *findings: Finding,
    kind: Any = "alert",
    fired: bool = True,
    now: datetime | None = None,
    source: Machine | None = None,
    destination: Machine | None = None,
    problem: Problem = Problem.VM_TO_VM,
    address: str | None = None,
    estate: Estate = ESTATE,
    alone: bool = False,
) -> Situation:
    """web-1 can't reach sql-1; `alone` leaves out sql-1."""
    other = Endpoint(resource_id=None if alone else SQL.text, address=address, port=1433)
    origin = Origin(kind=kind, fired_at=MOMENT.isoformat() if fired else None)
    request = DiagnosisRequest(request_id="r1", source=Endpoint(resource_id=WEB.text), destination=other, origin=origin)
    return Situation(
        request,
        Conditions(now or at(30), Endpoint(address="www.example.com", port=443)),
        problem,
        "as asked",
        source or machine(WEB),
        None if alone else destination or machine(SQL),
        findings=findings,
        survey=Survey(estate),
    )


def event(
    minutes: float,
    operation: str,
    resource: ResourceId,
    status: str = "Succeeded",
    who: str = "alex@contoso.com",
) -> Event:
    namespace = "" if operation.lower().startswith("microsoft.") else "Microsoft.Network/"
    return Event(at(minutes), who, f"{namespace}{operation}", resource, status)


def log(*events: Event) -> Any:
    """Answers with what the events tell of each resource and what is in it."""

    def answer(question: Question[Any]) -> Any:
        asked = getattr(question, "resource", None)
        return tuple(each for each in events if asked and each.resource.within(asked)) if asked else None

    return answer


def refusing(unread: Unread, of: Iterable[ResourceId] = (), *events: Event) -> Any:
    """Refuses the log of some resources, or of all; answers for the others."""
    some = set(of)

    def answer(question: Question[Any]) -> Any:
        asked = getattr(question, "resource", None)
        return unread if asked and (not some or asked in some) else log(*events)(question)

    return answer
