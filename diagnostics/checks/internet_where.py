"""Sentences on where an NSG stands, and what of that can be reached from the internet."""

from __future__ import annotations

from collections.abc import Iterable

from diagnostics.checks.internet_ports import Wanted
from diagnostics.checks.internet_seen import seen
from diagnostics.checks.internet_standing import Standing
from diagnostics.checks.view import View
from diagnostics.checks.words import counted, listed
from diagnostics.network.estate import Point
from diagnostics.network.ids import ResourceId
from diagnostics.network.model import Nic
from diagnostics.network.places import Use

_NAMED = 3


class _Attached:
    """Sentences on where NSGs stand, where nothing of that can be reached: each is written once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._said: dict[tuple[int, bool], tuple[Use, str]] = {}

    def of(self, standing: Standing) -> str:
        """That of one."""
        key = id(standing.use), standing.known  # every use is kept: no such id is given away again
        if key not in self._said:
            self._said[key] = standing.use, _attached(self._view, standing.use, known=standing.known)
        return self._said[key][1]


def behind(view: View, points: Iterable[Point]) -> str:
    """The VMs of some endpoints by name; the NIC where the VM is not known."""
    owners = {owner(view, point.nic): None for point in points}
    return listed(sorted(each.name for each in owners), _NAMED)


def owner(view: View, nic: Nic) -> ResourceId:
    """The VM of a NIC; the NIC where none is known."""
    vm = view.vm_of(nic)
    return vm.id if vm else nic.vm or nic.id


def where(view: View, standing: Standing, wanted: Wanted) -> str:
    """A sentence on where an NSG stands, and what of that can be reached."""
    if reached := standing.reached(wanted):
        sure = [p for p, ports in standing.exposed if ports.opened(wanted)]
        asleep = all(seen(view).asleep(point.nic) for point in sure or reached)
        said = f"{'can' if sure else 'may'} be reached there from the internet{' once it runs' if asleep else ''}"
        return f"{behind(view, sure or reached)} {said}."
    return view.once(_Attached).of(standing)


def _attached(view: View, use: Use, *, known: bool) -> str:
    """A sentence on where something is used that cannot be reached there."""
    if not use.anywhere:
        return "It is attached to nothing." if use.known else "Where it is attached is not known."
    names = listed([*(f"subnet {each.id.name}" for each in use.subnets), *(each.id.name for each in use.nics)], _NAMED)
    names = names or counted(len(use.unseen), "place") + " that cannot be seen"
    if not known:
        return f"It is attached to {names}; not all that stands behind it is known."
    if not use.points:
        return f"It is attached to {names}, where nothing is yet."
    text = f"It is attached to {names}; behind it {behind(view, use.points)}. No public address leads there today"
    return f"{text}, and the next one that does opens it."
