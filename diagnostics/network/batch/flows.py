"""Many flows, column by column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from diagnostics.network.batch.columns import Addresses, Ints, addresses, checked, version_of
from diagnostics.network.intervals import PORTS_TOP
from diagnostics.network.security import Flow

PROTOCOLS = ("tcp", "udp", "icmp", "esp", "ah")
NO_PORT = -1


@dataclass(frozen=True, slots=True)
class Flows:
    """Flows of which all sources are of one family, and all destinations: columns of one length, a row for each flow.

    Attributes:
        sources, destinations: addresses as numbers. IPv4: integers, shape (n,), best as uint32. IPv6: uint64, shape
            (n, 2), the leading 64 bits first.
        protocols: places in `names`.
        source_ports, destination_ports: -1 for none, as for "any"; for protocols without ports they do not count.
        names: the protocols that there are, in lower case.
    """

    sources: Addresses
    destinations: Addresses
    protocols: NDArray[np.integer]
    source_ports: NDArray[np.integer]
    destination_ports: NDArray[np.integer]
    names: tuple[str, ...] = PROTOCOLS

    def __post_init__(self) -> None:
        """Raises ValueError where the columns are not of one length, or hold what is no address, port or protocol."""
        for name in ("sources", "destinations"):
            object.__setattr__(self, name, checked(getattr(self, name), name))
        for name, first, last in (
            ("protocols", 0, len(self.names) - 1),
            ("source_ports", NO_PORT, PORTS_TOP),
            ("destination_ports", NO_PORT, PORTS_TOP),
        ):
            column = getattr(self, name)
            if column.shape != (len(self),):
                raise ValueError(f"{name}: shape {column.shape} for {len(self)} flows")
            if len(self) and not first <= int(column.min()) <= int(column.max()) <= last:
                raise ValueError(f"{name}: not all lie within {first} and {last}")
        if len(self.destinations) != len(self):
            raise ValueError(f"destinations: {len(self.destinations)} for {len(self)} flows")

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def versions(self) -> tuple[int, int]:
        """The families of the sources and of the destinations."""
        return version_of(self.sources), version_of(self.destinations)

    def parts(self, size: int) -> Iterator[tuple[slice, Self]]:
        """The flows, so many at a time."""
        for begin in range(0, len(self), size):
            rows = slice(begin, begin + size)
            yield (
                rows,
                type(self)(
                    self.sources[rows],
                    self.destinations[rows],
                    self.protocols[rows],
                    self.source_ports[rows],
                    self.destination_ports[rows],
                    self.names,
                ),
            )

    @classmethod
    def by_family(cls, flows: Iterable[Flow]) -> Iterator[tuple[Ints, Self]]:
        """Single flows in columns, by the families of their ends; with the place of each among those given."""
        grouped: dict[tuple[int, int], list[tuple[int, Flow]]] = defaultdict(list)
        for place, flow in enumerate(flows):
            grouped[flow.source.version, flow.destination.version].append((place, flow))
        for versions, placed in grouped.items():
            yield np.array([place for place, _ in placed]), cls._of([flow for _, flow in placed], *versions)

    @classmethod
    def _of(cls, flows: Sequence[Flow], source: int, destination: int) -> Self:
        names = {name: place for place, name in enumerate(sorted({flow.protocol.lower() for flow in flows}))}
        return cls(
            addresses((int(flow.source) for flow in flows), source),
            addresses((int(flow.destination) for flow in flows), destination),
            np.array([names[flow.protocol.lower()] for flow in flows]),
            _ports(flow.source_port for flow in flows),
            _ports(flow.destination_port for flow in flows),
            tuple(names),
        )


def _ports(ports: Iterable[int | None]) -> Ints:
    return np.array([NO_PORT if port is None else port for port in ports])
