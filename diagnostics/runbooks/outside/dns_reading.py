"""Reading what has the address of a DNS server, and what is around it, where the survey did not come by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from diagnostics.network import ids
from diagnostics.network.estate import Estate
from diagnostics.network.ids import ResourceId
from diagnostics.network.owners import Owners
from diagnostics.network.prefixes import Address, address_of, is_public
from diagnostics.network.reading import read_objects
from diagnostics.runbooks.questions import Asking, FindByAddress, ReadBody, Unread, ask
from diagnostics.runbooks.reading import surroundings
from diagnostics.runbooks.reading.gather import NOT_ITS_OWN
from diagnostics.runbooks.survey import Survey

MOST_READS = 24
_MOST_CANDIDATES = 8
_MACHINES = frozenset({ids.VIRTUAL_MACHINE, ids.SCALE_SET_VM})
_KEPT = (
    "networks",
    "nics",
    "vms",
    "security_groups",
    "route_tables",
    "public_ips",
    "nat_gateways",
    "load_balancers",
    "firewalls",
)


class Servers:
    """An estate that grows by what DNS servers need. The survey stays as it was.

    Attributes:
        estate: what is known.
        gaps: what could not be read or looked up, one fact a line.
    """

    def __init__(self, survey: Survey, nic: ResourceId) -> None:
        self.estate = survey.configured
        self.gaps: dict[str, None] = {}
        self._nics, self._balancers = {nic: None}, dict[ResourceId, None]()
        self._settled = {rid for rid, _ in survey.unread}
        self._left = MOST_READS

    def find(self, address: Address) -> Asking[None]:
        """Read who has a private address, and its surroundings; of a public one there is nothing to read."""
        if is_public(address) or address.is_loopback:
            return
        yield from self._owner(address)
        fronts = [known for rid in self._balancers if (known := self.estate.load_balancers.get(rid))]
        texts = [text for known in fronts for pool in known.pools.values() for text in pool]
        for text in texts[:_MOST_CANDIDATES]:
            if member := address_of(text):
                yield from self._owner(member)

    def _owner(self, address: Address) -> Asking[None]:
        yield from self._settle([address])
        if not self._near(self.estate, address):
            found = yield from ask(FindByAddress(str(address)))
            if isinstance(found, Unread):
                self.gaps[f"who has {address}: {found}"] = None
                return
            yield from self._candidates(found[:_MOST_CANDIDATES], address)
        for point in self.estate.at(address):
            self._nics[point.nic.id] = None
        for front in Owners(self.estate).frontends(address):
            self._balancers[front.balancer.id] = None
        yield from self._settle([address])

    def _candidates(self, found: Iterable[ResourceId], address: Address) -> Asking[None]:
        """Those that have it in a network nearby; one alone counts wherever it is."""
        bodies = {}
        for rid in found:
            body = yield from self._body(rid)
            if body is not None:
                bodies[rid] = body
        close = {rid: body for rid, body in bodies.items() if self._near(read_objects([body]), address)}
        self._take(close or (bodies if len(bodies) == 1 else {}))

    def _near(self, estate: Estate, address: Address) -> bool:
        return Owners(estate).find(address, surroundings.near(self.estate, self._nics)) is not None

    def _settle(self, towards: list[Address]) -> Asking[None]:
        """Read what is missing, until nothing is that may be read."""
        while wanted := [rid for rid in dict.fromkeys(self._missing(towards)) if not self._is_settled(rid)]:
            bodies = {}
            for rid in wanted:
                body = yield from self._body(rid)
                if body is not None:
                    bodies[rid] = body
            self._take(bodies)

    def _missing(self, towards: list[Address]) -> Iterable[ResourceId]:
        return surroundings.missing(self.estate, self._nics, self._balancers, towards)

    def _is_settled(self, rid: ResourceId) -> bool:
        return rid in self._settled or any(rid in getattr(self.estate, name) for name in _KEPT)

    def _body(self, rid: ResourceId) -> Asking[Any]:
        self._settled.add(rid)
        if rid.type.startswith("microsoft.compute/") and rid.type not in _MACHINES:
            self.gaps[f"{rid.name}: {NOT_ITS_OWN}"] = None
            return None
        if self._left <= 0:
            self.gaps[f"{rid.name}: not read, {MOST_READS} resources around DNS servers are the most"] = None
            return None
        self._left -= 1
        body = yield from ask(ReadBody(rid))
        if isinstance(body, Unread):
            self.gaps[f"{rid.name}: {body}"] = None
            return None
        return body

    def _take(self, bodies: Mapping[ResourceId, Any]) -> None:
        more = read_objects(bodies.values())
        known: dict[str, Any] = {name: {**getattr(self.estate, name), **getattr(more, name)} for name in _KEPT}
        self.estate = replace(self.estate, **known, problems=(*self.estate.problems, *more.problems))
        self.gaps |= {f"{problem.where}: {problem.text}": None for problem in more.problems}
