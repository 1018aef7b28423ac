"""An audit by several processes: checks of a large estate take long, and a machine has several cores.

Only where a process can be forked and nothing else runs in it: then the estate need not be read again, nor sent. So the
function app, whose worker runs threads, makes its audits in one process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime

import msgspec

from diagnostics.checks.audit import Audit, Suppressed, Unknown, audit, chosen, joined
from diagnostics.checks.catalogue import Check
from diagnostics.checks.parts import parts
from diagnostics.checks.policy import Policy
from diagnostics.errors import PermanentError
from diagnostics.findings import Finding
from diagnostics.network.decoding import prepare
from diagnostics.network.estate import Estate

_WORTH = 2_000
"""Rules, NICs and routes from which it is worth it: with fewer, one process is done in half a second."""


class _Sent(msgspec.Struct):
    """What another process found by its part of the checks."""

    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]
    suppressed: tuple[Suppressed, ...]
    files: dict[str, str]


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
        processes: at most so many; by default one for each core where the estate is large, as far as there are parts
            for them. It is one where processes cannot be forked.

    Raises:
        PermanentError: a process was ended from outside.
    """
    several = parts(chosen(policy, only))
    most = min(len(several), processes or (os.process_cpu_count() or 1 if _large(estate) else 1))
    if most <= 1 or sys.platform != "linux":
        return audit(estate, policy, now, only)
    return _by(most, several, estate, policy, now)


def _large(estate: Estate) -> bool:
    rules = sum(len(group.rules) for group in estate.security_groups.values())
    routes = sum(len(table.routes) for table in estate.route_tables.values())
    return rules + routes + len(estate.nics) >= _WORTH


def _by(
    processes: int, several: Sequence[Sequence[Check]], estate: Estate, policy: Policy | None, now: datetime | None
) -> Audit:
    """The first part here, the others by one process less: what they find has to be sent."""
    names = [[each.id for each in part] for part in several]
    forking = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes - 1, forking, _begin, (estate, policy, now)) as pool:
        sent = [pool.submit(_send, some) for some in names[1:]]
        first = audit(estate, policy, now, names[0])
        try:
            others = [_received(each.result(), part) for each, part in zip(sent, several[1:], strict=True)]
        except BrokenProcessPool:
            raise PermanentError(
                "a process of the audit was ended from outside, perhaps for want of memory: `--jobs 1` takes less"
            ) from None
    return joined([first, *others])


type _Asked = tuple[Estate, Policy | None, datetime | None]

_asked: list[_Asked] = []
"""In a forked process, what to look at: it is there already, so it does not have to be sent."""


def _begin(estate: Estate, policy: Policy | None, now: datetime | None) -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it; the first process tells
    _asked.append((estate, policy, now))


def _send(only: Sequence[str]) -> bytes:
    estate, policy, now = _asked[0]
    found = audit(estate, policy, now, only)
    return msgspec.msgpack.encode(_Sent(found.findings, found.unknown, found.suppressed, dict(found.files)))


def _received(body: bytes, part: Sequence[Check]) -> Audit:
    prepare(_Sent)
    sent = msgspec.msgpack.decode(body, type=_Sent)
    return Audit(sent.findings, sent.unknown, sent.suppressed, tuple(part), sent.files)
