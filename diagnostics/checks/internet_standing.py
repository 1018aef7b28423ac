"""Where an NSG stands, and whether the other rules there close what it opens to the internet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from itertools import starmap
from operator import or_

from diagnostics.checks.internet_ports import Ports, Wanted
from diagnostics.checks.services import as_bits
from diagnostics.findings import Severity
from diagnostics.network.estate import Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.places import Use

_BASTION = "azurebastionsubnet"
_DOWN = {
    Severity.CRITICAL: Severity.HIGH,
    Severity.HIGH: Severity.MEDIUM,
    Severity.MEDIUM: Severity.LOW,
    Severity.LOW: Severity.INFO,
}


def one_step_down(severity: Severity) -> Severity:
    """A severity that is a little better."""
    return _DOWN.get(severity, severity)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an NSG stands, and what is open there.

    What it opens may be closed at each of its endpoints by the other NSG there, by security admin rules, or by rules of
    its own that are for other destinations. First each NSG is asked by itself: a port that one of them closes needs no
    other look. Then all rules together are asked, of one endpoint after the other.

    Attributes:
        use: the subnets, NICs and endpoints.
        known: whether all that stands behind it is known.
        doubtful: its endpoints that all rules together have to be asked of, with the ports that no NSG there closes by
            itself: as bits, see `as_bits`.
        into: tells what all rules together let in to an endpoint.
        exposed: what can be reached, or may be, of the endpoints to which a public address leads.
        bounds: tells a part of what `into` does, and a bound of it, with less work.
    """

    use: Use
    known: bool
    doubtful: tuple[tuple[Point, int], ...]
    into: Callable[[Point], Ports]
    exposed: tuple[tuple[Point, Ports], ...]
    bounds: Callable[[Point], tuple[Ports, Ports] | None] | None = None
    _looked: dict[int, Ports] = field(default_factory=dict, init=False, repr=False, compare=False)

    def closed(self, wanted: Wanted) -> bool:
        """Whether the other rules surely close some ports wherever it stands."""
        if not self.known or not self.use.points or any(ports.may(wanted) for _, ports in self.exposed):
            return False
        # Most ports that are open are so where another look has been before.
        if any(ports.may(wanted) for ports in self._looked.values()):
            return False
        ports = reduce(or_, starmap(as_bits, wanted.items()), 0)
        return not any(self._open(point, wanted) for point, perhaps in self.doubtful if perhaps & ports)

    def _open(self, point: Point, wanted: Wanted) -> bool:
        """Whether all rules together let something in to an endpoint."""
        bounds = self.bounds(point) if self.bounds else None
        if bounds and self._look(bounds[0], wanted):
            return True
        if bounds and not bounds[1].may(wanted):
            return False
        return self._look(self.into(point), wanted)

    def _look(self, found: Ports, wanted: Wanted) -> bool:
        self._looked[id(found)] = found  # it is kept: no such id is given away again
        return found.may(wanted)

    def reached(self, wanted: Wanted) -> tuple[Point, ...]:
        """The endpoints where some ports are reachable, or may be."""
        return tuple(point for point, ports in self.exposed if ports.may(wanted))

    def severity(self, own: Severity, wanted: Wanted) -> Severity:
        """How bad it is that the NSG opens some ports, by where it stands."""
        if self.reached(wanted) or not self.known:
            return own
        return one_step_down(own) if self.use.anywhere else Severity.INFO

    @property
    def for_bastion(self) -> bool:
        """Whether it is on AzureBastionSubnet alone, which has to be open on port 443."""
        return bool(self.use.subnets) and not self.use.nics and all(is_bastion(each.id) for each in self.use.subnets)


def is_bastion(subnet: ResourceId) -> bool:
    """Whether a subnet is the one that Azure Bastion stands in."""
    return subnet.name.lower() == _BASTION
