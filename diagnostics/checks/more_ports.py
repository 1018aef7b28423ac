"""What an NSG lets in from the internet that is no service with a check of its own."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.checks.catalogue import check
from diagnostics.checks.found import Said
from diagnostics.checks.internet import ADVICE, _judged, _What
from diagnostics.checks.internet_groups import Group, groups, long_spans
from diagnostics.checks.internet_ports import WITH_PORTS, Wanted, by_protocol, together
from diagnostics.checks.services import SERVICES, Kind
from diagnostics.checks.view import View
from diagnostics.findings import Severity
from diagnostics.network.intervals import PORTS_TOP, Intervals

_NONE = Intervals.none(PORTS_TOP)
_OTHERS = {
    protocol: Intervals.all(PORTS_TOP) - together(each.ports(protocol) for each in SERVICES) for protocol in WITH_PORTS
}


@check("INT027", "NSG lets the internet in to other ports", Severity.INFO)
def other_ports(view: View) -> Iterator[Said]:
    """Ports of no service that has a check of its own answer everybody: to be held against what is meant to be public.

    Ranges of a thousand ports or more are told by INT026, rules that open every port by INT001.
    """
    for each in groups(view):
        yield from _judged(view, each, _What("other ports", Severity.INFO, _others(each), ADVICE[Kind.OTHER]))


def _others(each: Group) -> Wanted:
    """The ports that no other check tells of."""
    if not each.rest.opens:
        return _OTHERS
    told = by_protocol(each.broad)
    return {
        protocol: ports - long_spans(each.rest.of(protocol)) - told.get(protocol, _NONE)
        for protocol, ports in _OTHERS.items()
    }
