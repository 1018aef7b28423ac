"""web and sql in one network, as ARM shows it: what differs in it, a test says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from diagnostics.findings import Finding
from diagnostics.intake.messages import Protocol
from diagnostics.network.connectivity import ConnectivityCheck
from diagnostics.runbooks.reading import gather
from diagnostics.runbooks.rules import steps as rule_steps
from diagnostics.runbooks.situation import Situation
from tests.network.arm import Json, machine, network, nsg, rule, subnet, table
from tests.runbooks.azure import Azure, checked, hop, vm

SILENT = checked("Unreachable", hop("10.0.1.4", "Source"), hop("10.0.2.4"))
ARRIVES = checked("Reachable", hop("10.0.1.4", "Source"), hop("10.0.2.4"))


@dataclass
class House:
    """web (10.0.1.4, subnet a) and sql (10.0.2.4, subnet b); what differs, a test says."""

    groups: dict[str, list[Json]] = field(default_factory=dict)
    on_a: str = ""
    on_b: str = ""
    on_sql: str = ""
    routes: dict[str, str] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)
    sql_state: str = "running"
    sql: tuple[str, ...] = ("10.0.2.4",)
    web: tuple[str, ...] = ("10.0.1.4",)
    sql_more: dict[str, Any] = field(default_factory=dict)
    peers: dict[str, str] = field(default_factory=dict)
    extra: tuple[Json, ...] = ()

    def azure(self) -> Azure:
        home = network(
            "v",
            "10.0.0.0/16 fd00::/48",
            subnet("a", "10.0.1.0/24", "fd00:0:0:1::/64", nsg=self.on_a, table="rt" if self.routes else ""),
            subnet("b", "10.0.2.0/24", "fd00:0:0:2::/64", nsg=self.on_b, table="rt-back" if self.back else ""),
            subnet("fw", "10.0.9.0/24"),
            peers=self.peers,
        )
        return Azure.of(
            home,
            machine("web", "v/a", *self.web),
            machine("sql", "v/b", *self.sql, nsg=self.on_sql, **self.sql_more),
            vm("vm-web", "web"),
            vm("vm-sql", "sql", state=self.sql_state),
            *(nsg(name, *rules) for name, rules in self.groups.items()),
            table("rt", **self.routes),
            table("rt-back", **self.back),
            *self.extra,
        )


def judged(
    house: House,
    address: str = "10.0.2.4",
    *,
    port: int | None = 443,
    probe: ConnectivityCheck | None = SILENT,
    protocol: Protocol | None = None,
    to: str | None = "vm-sql",
    azure: Azure | None = None,
) -> Situation:
    known = azure or house.azure()
    situation = known.situation("vm-web", to, port=port, protocol=protocol)
    situation = known.run(gather.survey(situation, address))
    return known.run(rule_steps.security(situation, address, port, probe))


def only(situation: Situation) -> Finding:
    (finding,) = situation.findings
    return finding


def deny(name: str = "deny", priority: int = 200, **terms: Any) -> Json:
    return rule(name, priority, "Deny", **terms)


def allow(name: str = "allow", priority: int = 100, **terms: Any) -> Json:
    return rule(name, priority, "Allow", **terms)


def nsgs(on_b: list[Json] | None = None, on_sql: list[Json] | None = None, on_a: list[Json] | None = None) -> House:
    given = {"nsg-a": on_a, "nsg-b": on_b, "nsg-sql": on_sql}
    groups = {name: rules for name, rules in given.items() if rules is not None}
    names = {name: name if name in groups else "" for name in given}
    return House(groups, on_a=names["nsg-a"], on_b=names["nsg-b"], on_sql=names["nsg-sql"])


APPLIANCE = "10.0.9.4"
VIA = {"via-nva": f"10.0.2.0/24 VirtualAppliance {APPLIANCE}"}


def nva(*, forwards: bool = True, state: str = "running") -> tuple[Json, ...]:
    found = machine("nva", "v/fw", APPLIANCE)
    found["properties"]["enableIPForwarding"] = forwards
    return found, vm("vm-nva", "nva", state=state)
