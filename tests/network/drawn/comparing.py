"""The engine and the interpreter about one flow, and how their answers have to relate.

The interpreter walks every world: each way in which what is not known may be. The engine reasons with bounds, stage by
stage, and takes what is not known at one stage for independent of what is not known at another. So

1. where the engine is sure, every world agrees with it: it never says allowed or denied where a world says otherwise;
2. where the engine says unknown, worlds in which every question is answered anew each time it is asked disagree too:
   it is unsure only where the same unknown decides twice (an address that a gateway may have learnt, at two NSGs);
3. but for one circumstance: a flow that leaves with a public address that nobody knows, for a public address of the
   estate itself. The engine does not go on there if something takes the flow, although rules may not ask who it is.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.network.estate import Estate, Point
from diagnostics.network.path import Kind, Path
from diagnostics.network.reach import Reach
from diagnostics.network.reading import read_objects
from diagnostics.network.security import Flow
from tests.network.drawn.estates import Query
from tests.network.interpreter.answers import interpret, packet_of
from tests.network.interpreter.documents import Cloud, Json


@dataclass(frozen=True)
class Comparison:
    """What three ways of answering said.

    Attributes:
        worlds: the interpreter's verdict.
        apart: the interpreter's where the same question twice may have two answers.
    """

    engine: Path
    worlds: str
    apart: str

    @property
    def wrong(self) -> bool:
        """Whether the engine says something that does not hold, or is unsure where it need not be."""
        if self.engine.verdict != "unknown":
            return self.engine.verdict != self.worlds
        return self.apart != "unknown" and not self.leaves_unknown

    @property
    def unsure(self) -> bool:
        """Whether the engine leaves open what every world agrees about."""
        return self.engine.verdict == "unknown" != self.worlds

    @property
    def leaves_unknown(self) -> bool:
        """Whether it leaves with an address that nobody knows for one of the estate's own."""
        reasons = (reason for reason in self.engine.because if reason.kind is Kind.WAY_OUT)
        return any("public address that" in name for reason in reasons for name in reason.missing)


class Both:
    """The engine and the interpreter, for the same documents."""

    def __init__(self, documents: Sequence[Json]) -> None:
        self._cloud, self._reach = Cloud(documents), Reach(read_objects(documents))
        self._points = _points(self._reach.estate)

    def about(self, query: Query) -> Comparison:
        source, destination = ipaddress.ip_address(query.source), ipaddress.ip_address(query.destination)
        flow = Flow(source, destination, query.protocol, query.ports[1], query.ports[0])
        ends = self._points.get(query.source_at.lower()), self._points.get(query.destination_at.lower())
        worlds, apart = (
            interpret(
                self._cloud,
                packet_of(query.source, query.destination, query.protocol, query.ports[1], query.ports[0]),
                query.source_at or None,
                query.destination_at or None,
                together=together,
                quick=True,
            )
            for together in (True, False)
        )
        engine = self._reach.path(flow, source=ends[0], destination=ends[1])
        return Comparison(engine, worlds.verdict, apart.verdict)


def _points(estate: Estate) -> dict[str, Point]:
    return {point.configuration.id.key: point for point in estate.points if point.configuration.id}
