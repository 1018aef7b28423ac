"""How data flows: what starts a function, which queues join them, where findings go."""

from tools.pictures.shapes import Arrow, Box, Kind, Picture, Point, Rect, note

_BUS = 700  # the line that carries what functions tell to where findings go


def _box(x: int, y: int, width: int, title: str, *small: str, kind: Kind) -> Box:
    return Box(Rect(x, y, width, 44), title, small, kind)


_MONITOR = _box(16, 40, 130, "Azure Monitor", "alert, by HTTP", kind="outside")
_EVENTS = _box(16, 120, 130, "Event Grid, people", "other systems", kind="outside")
_QUARTER = _box(16, 288, 130, "timer", "every 15 minutes", kind="outside")
_DAILY = _box(16, 368, 130, "timer", "once a day", kind="outside")
_ALERTS = _box(192, 40, 104, "alerts", kind="function")
_SWEEP = _box(192, 288, 104, "sweep", "failed NICs", kind="function")
_AUDIT = _box(192, 368, 104, "audit", "all checks", kind="function")
_CLOSURES = _box(342, 40, 150, "closure-requests", kind="queue")
_DIAGNOSES = _box(342, 120, 150, "diagnosis-requests", kind="queue")
_REMEDIES = _box(342, 204, 150, "remediation-requests", kind="queue")
_REPORTS = _box(342, 346, 150, "reports", "txt, json, sarif, csv", kind="result")
_POISONED = _box(342, 448, 150, "…-poison queues", kind="queue")
_CLOSE = _box(540, 40, 116, "close", "resolves findings", kind="function")
_DIAGNOSE = _box(540, 120, 116, "diagnose", "works the runbook", kind="function")
_REMEDIATE = _box(540, 204, 116, "remediate", "GET, PUT, GET", kind="function")
_POISON = _box(540, 448, 116, "poison", "nothing is lost", kind="function")
_FINDINGS = _box(752, 82, 160, "findings queue", kind="queue")
_TEAMS = _box(752, 162, 160, "Teams", "cards, one digest a day", kind="result")
_STORE = _box(752, 242, 160, "store", "what is known, who has it", kind="result")


def _level(start: Point, x: float, *, head: bool = True) -> Arrow:
    return Arrow((start, Point(x, start.y)), head=head)


def _across(start: Box, end: Box) -> Arrow:
    return _level(start.on("right"), end.rect.x - 2)


_CHAIN = (
    (_MONITOR, _ALERTS),
    (_EVENTS, _DIAGNOSES),
    (_QUARTER, _SWEEP),
    (_DAILY, _AUDIT),
    (_ALERTS, _CLOSURES),
    (_CLOSURES, _CLOSE),
    (_DIAGNOSES, _DIAGNOSE),
    (_REMEDIES, _REMEDIATE),
    (_POISONED, _POISON),
)
_FORKS = (
    Arrow((Point(318, 62), Point(318, 142)), head=False),  # alerts that fire
    Arrow((_SWEEP.on("top"), Point(244, 226), Point(340, 226))),
    Arrow((_DIAGNOSE.on("bottom", 0.3), Point(574.8, 184), Point(417, 184), Point(417, 202))),
    Arrow((_AUDIT.on("right", 0.2), Point(340, 376.8))),
    Arrow((Point(300, 470), Point(340, 470)), (note("any queue,", 246, 467), note("five failed tries", 246, 482))),
)
_TELLING = (
    *(_level(teller.on("right"), _BUS, head=False) for teller in (_CLOSE, _DIAGNOSE, _REMEDIATE, _POISON)),
    _level(_SWEEP.on("right"), _BUS, head=False),
    _level(_AUDIT.on("right", 0.75), _BUS, head=False),
    Arrow((Point(_BUS, 62), Point(_BUS, 470)), head=False),
    *(_level(Point(_BUS, place.on("left").y), place.rect.x - 2) for place in (_FINDINGS, _TEAMS, _STORE)),
)

FLOW = Picture(
    width=932,
    height=520,
    label="How data flows through vmreach",
    boxes=(
        *(_MONITOR, _EVENTS, _QUARTER, _DAILY, _ALERTS, _SWEEP, _AUDIT),
        *(_CLOSURES, _DIAGNOSES, _REMEDIES, _REPORTS, _POISONED),
        *(_CLOSE, _DIAGNOSE, _REMEDIATE, _POISON, _FINDINGS, _TEAMS, _STORE),
    ),
    arrows=(*(_across(start, end) for start, end in _CHAIN), *_FORKS, *_TELLING),
)
