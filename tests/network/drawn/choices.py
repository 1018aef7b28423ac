"""Choices among small pools: by Hypothesis, which makes what fails small, or by a seeded generator, which is fast."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Choices:
    """What an estate is drawn with; the first of several options is the simplest one.

    Attributes:
        number: a number from 0 to the one that is given.
    """

    number: Callable[[int], int]

    def of[T](self, options: Sequence[T]) -> T:
        return options[self.number(len(options) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(99) >= 100 - percent

    def some[T](self, options: Sequence[T], least: int, most: int) -> list[T]:
        """Different ones of the options, in any order."""
        left, found = list(options), []
        for _ in range(min(least + self.number(most - least), len(left))):
            found.append(left.pop(self.number(len(left) - 1)))
        return found

    def cased(self, text: str) -> str:
        """A text whose case does not count."""
        if not self.chance(15):
            return text
        return self.of([text.lower(), text.upper(), text.swapcase()])


def seeded(seed: int) -> Choices:
    numbers = random.Random(seed)  # noqa: S311 - nothing secret
    return Choices(lambda most: numbers.randint(0, most))
