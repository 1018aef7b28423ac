"""What becomes of one flow: every world is walked, and what they agree on is the answer."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from tests.network.interpreter.documents import Cloud, Config
from tests.network.interpreter.paths import DroppedError, Walk
from tests.network.interpreter.security import Packet
from tests.network.interpreter.worlds import World, every_world


@dataclass(frozen=True)
class Answer:
    """A verdict, and what it was made of.

    Attributes:
        back: empty where no answer is followed in any world.
        because: names of rules, routes and circumstances that decided, in order, over all worlds.
        hops: the ids of the IP configurations that were visited, in order.
        asked: the questions that nobody could answer.
    """

    verdict: str
    there: str
    back: str
    because: tuple[str, ...]
    hops: tuple[str, ...]
    asked: tuple[str, ...]
    worlds: int


@dataclass(frozen=True)
class _Run:
    there: bool
    back: bool | None
    because: tuple[str, ...]
    hops: tuple[str, ...]

    @property
    def arrives(self) -> bool:
        return self.there and self.back is not False


def packet_of(
    source: str, destination: str, protocol: str = "Tcp", port: int | None = 443, source_port: int | None = 50000
) -> Packet:
    return Packet(ipaddress.ip_address(source), ipaddress.ip_address(destination), protocol, source_port, port)


def interpret(
    cloud: Cloud,
    packet: Packet,
    source: str | None = None,
    destination: str | None = None,
    *,
    together: bool = True,
    quick: bool = False,
) -> Answer:
    """The verdict of a flow; `source` and `destination` are ids of IP configurations where addresses are ambiguous.

    With `quick`, two worlds that differ are enough: only the verdict is whole then.
    """
    from_config = _config(cloud, packet.source, source)
    to_config = None if from_config else _config(cloud, packet.destination, destination)
    runs, asked = [], []
    for run, world in every_world(lambda world: _run(cloud, world, packet, from_config, to_config), together=together):
        runs.append(run)
        asked += [str(key[0]) for key in world.asked]
        if quick and len({run.arrives for run in runs}) > 1:
            break
    return _answer(runs, asked)


def _config(cloud: Cloud, place: object, wanted: str | None) -> Config | None:
    if wanted is not None:
        return cloud.by_id[wanted.lower()]
    found = [config for config in cloud.configs if config.address == place]
    if len(found) > 1:
        raise ValueError(f"{place} is owned by {', '.join(config.id for config in found)}")
    return found[0] if found else None


def _run(cloud: Cloud, world: World, packet: Packet, source: Config | None, destination: Config | None) -> _Run:
    there = Walk(cloud, world)
    try:
        target = there.there(packet, source, destination)
    except DroppedError:
        return _Run(there=False, back=None, because=tuple(there.because), hops=tuple(there.hops))
    if target is None:
        return _Run(there=True, back=None, because=tuple(there.because), hops=tuple(there.hops))
    back, arrived = Walk(cloud, world), True
    try:
        back.back(target, source, there.passed)
    except DroppedError:
        arrived = False
    return _Run(there=True, back=arrived, because=(*there.because, *back.because), hops=(*there.hops, *back.hops))


def _answer(runs: Sequence[_Run], asked: Sequence[str]) -> Answer:
    return Answer(
        verdict=_verdict([run.arrives for run in runs]),
        there=_verdict([run.there for run in runs]),
        back=_verdict([run.back for run in runs if run.back is not None]),
        because=tuple(dict.fromkeys(name for run in runs for name in run.because)),
        hops=tuple(dict.fromkeys(hop for run in runs for hop in run.hops)),
        asked=tuple(dict.fromkeys(asked)),
        worlds=len(runs),
    )


def _verdict(outcomes: Sequence[bool]) -> str:
    if not outcomes:
        return ""
    if len(set(outcomes)) > 1:
        return "unknown"
    return "allowed" if outcomes[0] else "denied"
