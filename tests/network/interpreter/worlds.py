"""Possible worlds: whatever is not known is asked, and a run is repeated until every answer was tried."""

from collections.abc import Callable, Hashable, Iterator, Sequence


class World:
    """One way things may be: a script of answers, longer by one for every new question.

    Attributes:
        asked: the questions of this run, in order.
    """

    def __init__(self, script: Sequence[int] = (), *, together: bool = True) -> None:
        """With `together` false, the same question twice is two questions: unknowns that know nothing of each other."""
        self.asked: list[tuple[Hashable, ...]] = []
        self._script = list(script)
        self._trace: list[tuple[int, int]] = []
        self._answers: dict[Hashable, int] = {}
        self._together = together

    def ask[T](self, key: tuple[Hashable, ...], options: Sequence[T]) -> T:
        """One of the options; in another world, another."""
        if self._together and key in self._answers:
            return options[self._answers[key]]
        place = len(self._trace)
        choice = self._script[place] if place < len(self._script) else 0
        self._trace.append((choice, len(options)))
        self._answers[key] = choice
        self.asked.append(key)
        return options[choice]

    def perhaps(self, *key: Hashable) -> bool:
        return self.ask(key, (False, True))

    def following(self) -> list[int] | None:
        """The script of the next world; None after the last."""
        for place in range(len(self._trace) - 1, -1, -1):
            choice, count = self._trace[place]
            if choice + 1 < count:
                return [before for before, _ in self._trace[:place]] + [choice + 1]
        return None


class TooManyWorldsError(Exception):
    """More worlds than a test has time for."""


def every_world[T](run: Callable[[World], T], *, together: bool = True, limit: int = 4000) -> Iterator[tuple[T, World]]:
    """What each world makes of it."""
    script: list[int] | None = []
    for _ in range(limit):
        world = World(script or (), together=together)
        yield run(world), world
        script = world.following()
        if script is None:
            return
    raise TooManyWorldsError
