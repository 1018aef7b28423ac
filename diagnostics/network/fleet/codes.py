"""What becomes of a flow on its way there or back, in a number; and how several ways become one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum

import numpy as np

from diagnostics.network.fleet.bits import Ints


class Code(IntEnum):
    """What a way makes of a flow; the first four are also verdicts, as the ends that are possible (3 is both).

    Attributes:
        NONE: there is no such flow: the families differ.
        ARRIVES: delivered to the destination: whatever its end makes of it.
        DOUBTED: delivered, but never better than unknown.
        SPLIT: it may be delivered, or allowed on another way.
        ASK: only `Reach` itself can tell, unless it is denied before.
        PLATFORM: an address of Azure's platform, for which other rules count: only `Reach` can tell.
    """

    NONE = 0
    ALLOWED = 1
    DENIED = 2
    UNKNOWN = 3
    ARRIVES = 4
    DOUBTED = 5
    SPLIT = 6
    ASK = 7
    PLATFORM = 8


BITS = 4
"""Of a code; above them is the number of what stands in the way, an appliance that is still to be passed."""

_VERDICTS = (Code.ALLOWED, Code.DENIED, Code.UNKNOWN)
_MEANS = {
    **{code: (code, code, code) for code in _VERDICTS},
    Code.ARRIVES: _VERDICTS,
    Code.DOUBTED: (Code.UNKNOWN, Code.DENIED, Code.UNKNOWN),
    Code.SPLIT: (Code.ALLOWED, Code.UNKNOWN, Code.UNKNOWN),
}
"""The verdict, where the destination's end allows, denies, does not know."""
_BY_MEANING = {meaning: code for code, meaning in _MEANS.items()}


def _settled(codes: Iterable[Code]) -> Code:
    """The one code of several ways of which one is taken: known where all of them end alike."""
    ways = set(codes)
    for special in (Code.PLATFORM, Code.ASK):
        if special in ways:
            return special
    means = [_MEANS[way] for way in ways - {Code.NONE}]
    if not means:
        return Code.NONE
    one, other, third = (ends[0] if len(set(ends)) == 1 else Code.UNKNOWN for ends in zip(*means, strict=True))
    return _BY_MEANING[one, other, third]


def _doubted(code: Code) -> Code:
    """A code where something unknown stands in the way: never better than unknown."""
    if code not in _MEANS:
        return code
    one, other, third = (Code.DENIED if end is Code.DENIED else Code.UNKNOWN for end in _MEANS[code])
    return _BY_MEANING[one, other, third]


def _ended(code: Code, end: Code) -> Code:
    """A code, where the destination's end has a verdict."""
    if end is Code.ASK and code in {Code.ARRIVES, Code.DOUBTED, Code.SPLIT}:
        return Code.ASK
    return _MEANS[code][end - 1] if code in _MEANS and end in _VERDICTS else code


def _behind(verdict: Code, code: Code) -> Code:
    """A code behind rules that have a verdict."""
    if verdict is Code.DENIED and code not in {Code.NONE, Code.PLATFORM}:
        return Code.DENIED
    return _doubted(code) if verdict is Code.UNKNOWN else code


def _together(verdict: Code, answer: Code) -> Code:
    """What rules and the way of the answer make of what is delivered: both must allow it."""
    if answer is Code.NONE or (answer is Code.ASK and verdict is not Code.DENIED):
        return answer
    for worst in (Code.DENIED, Code.UNKNOWN):
        if worst in {verdict, answer}:
            return worst
    return verdict


def _table(combine: Callable[[Code, Code], Code]) -> Ints:
    return np.array([[combine(one, other) for other in Code] for one in Code], np.int64)


_ALL = tuple(Code)
SETTLED = np.array([_settled(code for code in _ALL if chosen >> code & 1) for chosen in range(1 << len(_ALL))])
"""The code of several ways, by the codes among them as bits."""
DOUBTED = np.array([_doubted(code) for code in _ALL])
"""Each code, where something unknown stands in the way."""
ENDED = _table(_ended)
"""Each code, by what the destination's end makes of it."""
BEHIND = _table(_behind)
"""For each verdict of rules, each code behind them."""
TOGETHER = _table(_together)
"""For each verdict of rules, each end of the answer."""
