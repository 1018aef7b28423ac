"""What is deployed: who starts vmreach, what it runs on, what it may ask, and who hears of it."""

from tools.pictures.shapes import Arrow, Box, Group, Kind, Picture, Point, Rect, note


def _box(x: int, y: int, width: int, height: int, title: str, *small: str, kind: Kind = "plain") -> Box:
    return Box(Rect(x, y, width, height), title, small, kind)


_RULES = _box(36, 104, 228, 62, "Alert rules", "NIC write failed, VM availability,", "health, NSG and route writes")
_TESTS = _box(36, 188, 228, 46, "Connection Monitor (option)", "a rule for tests that fail")
_EVENTS = _box(36, 308, 228, 46, "Event Grid system topic", "NIC writes that fail")
_MACHINES = _box(
    36, 424, 228, 62, "VMs and their networks", "NICs, NSGs, routes, peerings,", "addresses", kind="outside"
)
_ARM = _box(
    36,
    540,
    228,
    62,
    "What Azure answers",
    "ARM, Network Watcher, metrics,",
    "Resource Graph, activity log",
    kind="outside",
)

_GROUP = _box(354, 104, 136, 62, "Action group", "common alert schema,", "key or Entra ID")
_ALERTS = _box(578, 113, 126, 44, "alerts", "HTTP", kind="function")
_TIMERS = _box(730, 113, 126, 44, "sweep, audit", "timers", kind="function")
_WORKERS = _box(634, 183, 222, 44, "diagnose, remediate", "close, poison: each has its queue", kind="function")
_QUEUES = _box(578, 300, 126, 62, "queues", "requests, poison,", "findings", kind="queue")
_TABLES = _box(728, 300, 60, 62, "tables", "store")
_BLOBS = _box(798, 300, 60, 62, "blobs", "reports")
_VAULT = _box(578, 434, 280, 46, "Key Vault", "webhook URL, keys of the functions")
_IDENTITY = _box(354, 538, 136, 66, "Managed identity", "user-assigned;", "arrows: its roles")
_LOGS = _box(
    578, 538, 280, 66, "Application Insights, workspace", "logs of runs, diagnostic settings,", "log alerts, workbook"
)

_TEAMS = _box(950, 113, 146, 44, "Teams channel", "Adaptive Cards", kind="result")
_SYSTEMS = _box(950, 309, 146, 44, "Your systems", "take the findings", kind="result")
_OPERATORS = _box(950, 548, 146, 46, "Operators", "mail, workbook", kind="result")

_STARTED = (
    Arrow((_RULES.on("right"), Point(352, 135))),
    Arrow((_TESTS.on("right"), Point(306, 211), Point(306, 135)), head=False),
    Arrow((_GROUP.on("right"), Point(576, 135)), (note("HTTPS", 514, 128),)),
    Arrow((_EVENTS.on("right"), Point(576, 331)), (note("as the identity", 432, 324),)),
    Arrow((_MACHINES.on("top", 0.1), Point(58.8, 356)), (note("writes", 84, 394),)),
)
_WORKING = (
    Arrow(
        (Point(616, 157), Point(616, 298)),
    ),
    Arrow(
        (Point(666, 300), Point(666, 229)),
    ),
    Arrow((Point(758, 242), Point(758, 298))),
    Arrow((Point(828, 242), Point(828, 298))),
)
_TOLD = (
    Arrow((Point(884, 135), Point(948, 135))),
    Arrow((Point(641, 362), Point(641, 378), Point(920, 378), Point(920, 331), Point(948, 331))),
    Arrow((_LOGS.on("right"), Point(948, 571))),
)
_ALLOWED = (
    Arrow((_IDENTITY.on("left"), Point(266, 571)), (note("diagnose,", 307, 564), note("guest", 307, 586))),
    Arrow((_IDENTITY.on("top", 0.2), Point(381.2, 455), Point(266, 455)), (note("remediate", 307, 448),)),
    Arrow((_IDENTITY.on("right"), Point(576, 571)), (note("telemetry", 534, 564),)),
    Arrow((_IDENTITY.on("top", 0.7), Point(449.2, 457), Point(576, 457)), (note("secrets", 504, 450),)),
    Arrow((_IDENTITY.on("top", 0.45), Point(415.2, 389), Point(548, 389)), (note("data roles", 476, 382),)),
)

ARCHITECTURE = Picture(
    width=1116,
    height=640,
    label="What is deployed: watched subscriptions, the resource group of vmreach, and who hears of findings",
    boxes=(
        *(_RULES, _TESTS, _EVENTS, _MACHINES, _ARM, _GROUP, _ALERTS, _TIMERS, _WORKERS),
        *(_QUEUES, _TABLES, _BLOBS, _VAULT, _IDENTITY, _LOGS, _TEAMS, _SYSTEMS, _OPERATORS),
    ),
    groups=(
        Group(Rect(20, 20, 254, 600), "Each watched subscription"),
        Group(Rect(340, 20, 560, 600), "Resource group rg-vmreach"),
        Group(Rect(538, 46, 354, 446), "Virtual network with private endpoints (option)", option=True),
        Group(Rect(550, 76, 334, 166), "Function app: Flex Consumption, Python 3.13"),
        Group(Rect(550, 258, 334, 152), "Storage account: no shared keys", below=True),
    ),
    arrows=(*_STARTED, *_WORKING, *_TOLD, *_ALLOWED),
)
