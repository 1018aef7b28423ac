"""Flows to measure with, in columns: between addresses that rules name, to ports that they name."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diagnostics.network.batch import PROTOCOLS, Flows
from diagnostics.network.cells import address_at, family
from diagnostics.network.security import Flow, Terms


def flow_columns(terms: Sequence[Terms], version: int, count: int) -> Flows:
    """So many flows between addresses of a family, the same every time."""
    rng = np.random.default_rng(version)
    ends = [span for each in terms for side in (each.sources, each.destinations) for span in family(side.must, version)]
    ports = np.array([span for each in terms for span in each.destination_ports])
    first, last = ports[rng.integers(len(ports), size=count)].T
    return Flows(
        _addresses(rng, ends, version, count),
        _addresses(rng, ends, version, count),
        rng.choice(3, count, p=(0.7, 0.2, 0.1)).astype(np.uint8),
        rng.integers(1_024, 65_536, count),
        first + (rng.random(count) * (last - first + 1)).astype(np.int64),
    )


def listed(flows: Flows, count: int) -> list[Flow]:
    """The first flows, one by one."""
    source, destination = flows.versions
    ports = flows.destination_ports, flows.source_ports
    rows = zip(flows.sources, flows.destinations, flows.protocols, *ports, strict=True)
    return [
        Flow(
            address_at(_number(near), source), address_at(_number(far), destination), PROTOCOLS[kind], int(to), int(by)
        )
        for near, far, kind, to, by in islice(rows, count)
    ]


def _addresses(rng: np.random.Generator, ends: Sequence[tuple[int, int]], version: int, count: int) -> NDArray[Any]:
    """Addresses in some of the ranges; of IPv6, the leading half is the first of a range, or the one behind it."""
    chosen, spread = rng.integers(len(ends), size=count), rng.random(count)
    if version == 4:
        first, last = np.array(ends)[chosen].T
        found: NDArray[Any] = first + (spread * (last - first + 1)).astype(np.int64)
        return found.astype(np.uint32)
    halves = np.array([(first >> 64, first & (2**64 - 1)) for first, _ in ends], np.uint64)[chosen]
    halves[:, 0] += (spread < 0.5).astype(np.uint64)
    return halves


def _number(address: Any) -> int:
    return int(address) if np.ndim(address) == 0 else int(address[0]) << 64 | int(address[1])
