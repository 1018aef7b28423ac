"""An audit by several processes: checks of a large estate take long, and a machine has several cores.

Only where a process can be forked and nothing else runs in it: then the estate need not be read again, nor sent. So the
function app, whose worker runs threads, makes its audits in one process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.sharedctypes import Synchronized

import msgspec

from diagnostics.checks.audit import Audit, Suppressed, Unknown, audit, audited, chosen, joined
from diagnostics.checks.catalogue import Check
from diagnostics.checks.parts import Parts, parts
from diagnostics.checks.policy import Policy
from diagnostics.errors import PermanentError
from diagnostics.findings import Finding
from diagnostics.network.decoding import prepare
from diagnostics.network.estate import Estate

_WORTH = 2_000
"""Rules, NICs and routes from which it is worth it: with fewer, one process is done in half a second."""

_MOST = 8
"""More processes do not help: what the internet gets in to is asked by one of them."""

_AT_ONCE = 20
"""NSGs that a process takes at once."""


class _Sent(msgspec.Struct):
    """What another process found."""

    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    suppressed: tuple[Suppressed, ...]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Work:
    """What several processes do together; all of them were forked with it.

    Attributes:
        next: the place of the first NSG that none of them has taken.
    """

    estate: Estate
    policy: Policy | None
    now: datetime | None
    parts: Parts
    next: Synchronized[int]

    def audit(self, whole: Sequence[Check]) -> Audit:
        """What a process finds by some checks of its own, and then by those that all share."""
        return audited(self.estate, self.policy, self.now, (*whole, *self.parts.by_nsg), self._left(whole))

    def _left(self, whole: Sequence[Check]) -> Iterator[tuple[Sequence[Check], slice | None]]:
        yield whole, None
        many = len(self.estate.security_groups) if self.parts.by_nsg else 0
        while (first := self._taken()) < many:
            yield self.parts.by_nsg, slice(first, first + _AT_ONCE)

    def _taken(self) -> int:
        with self.next.get_lock():
            first = self.next.value
            self.next.value = first + _AT_ONCE
        return first


def made(
    estate: Estate,
    policy: Policy | None = None,
    now: datetime | None = None,
    only: Sequence[str] | None = None,
    processes: int | None = None,
) -> Audit:
    """Make all checks over an estate; it does not show by how many processes.

    Args:
        estate: what to look at.
        policy: what its owner decided; by default nothing.
        now: the time: suppressions end by it, and rules are old by it.
        only: the ids of the checks to make; by default all.
        processes: by default one for each core where the estate is large. It is one where they cannot be forked.

    Raises:
        PermanentError: a process was ended from outside.
    """
    many = min(processes or (os.process_cpu_count() or 1 if _large(estate) else 1), _MOST)
    if many == 1 or sys.platform != "linux":
        return audit(estate, policy, now, only)
    try:
        found = _by(many, _Work(estate, policy, now, parts(chosen(policy, only)), _counter()))
    except OSError:  # no process can be begun here, or nothing be shared with it: one tells the same
        for begun in multiprocessing.active_children():
            begun.terminate()
        return audit(estate, policy, now, only)
    except BrokenProcessPool:
        raise PermanentError(
            "a process of the audit was ended from outside, perhaps for want of memory: `--jobs 1` takes less"
        ) from None
    if any(not each.resource.id for each in found.unknown):
        return audit(estate, policy, now, only)  # where input keeps a check from its end, that is elsewhere in each
    return found


def _large(estate: Estate) -> bool:
    rules = sum(len(group.rules) for group in estate.security_groups.values())
    routes = sum(len(table.routes) for table in estate.route_tables.values())
    return rules + routes + len(estate.nics) >= _WORTH


def _counter() -> Synchronized[int]:
    return multiprocessing.get_context("fork").Value("i", 0)


def _by(processes: int, work: _Work) -> Audit:
    """This process takes NSGs from the start: what it finds need not be sent. The others have checks of their own."""
    others = range(1, processes)
    shares = [[*range(len(work.parts.whole))][number - 1 :: processes - 1] for number in others]
    forking = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes - 1, forking, _begin, (work,)) as pool:
        sent = [pool.submit(_send, share) for share in shares]
        first = work.audit(())
        received = [_received(each.result(), work, share) for each, share in zip(sent, shares, strict=True)]
    return joined([first, *received])


_work: list[_Work] = []
"""In a forked process, what there is to do: it is there already, so it does not have to be sent."""


def _begin(work: _Work) -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it; the first process tells
    _work.append(work)


def _checks(work: _Work, share: Sequence[int]) -> list[Check]:
    return [each for part in share for each in work.parts.whole[part]]


def _send(share: Sequence[int]) -> bytes:
    (work,) = _work
    found = work.audit(_checks(work, share))
    return msgspec.msgpack.encode(_Sent(found.findings, found.unknown, found.suppressed, dict(found.files)))


def _received(body: bytes, work: _Work, share: Sequence[int]) -> Audit:
    prepare(_Sent)
    sent = msgspec.msgpack.decode(body, type=_Sent)
    checks = (*_checks(work, share), *work.parts.by_nsg)
    return Audit(sent.findings, sent.unknown, sent.suppressed, checks, sent.files)
