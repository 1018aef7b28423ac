"""What a picture is made of: boxes with text, groups around them, and arrows from box to box."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["function", "queue", "result", "outside", "plain"]
Side = Literal["left", "right", "top", "bottom"]

LINE = 16
TITLE = 13
SMALL = 11


class Point(NamedTuple):
    """A place in a picture, in pixels from its top left corner."""

    x: float
    y: float


class Rect(NamedTuple):
    """A rectangle: its top left corner and its size."""

    x: float
    y: float
    width: float
    height: float

    def grown(self, by: float) -> "Rect":
        """The rectangle with a margin around it, or without one where `by` is negative."""
        return Rect(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)


@dataclass(frozen=True)
class Text:
    """One line of text around a place: `y` is its baseline."""

    words: str
    at: Point
    size: int = TITLE
    style: str = ""
    anchor: Literal["middle", "start"] = "middle"

    @property
    def rect(self) -> Rect:
        """The space it takes, estimated on the generous side: no two machines have the same font."""
        width = sum(map(_width, self.words)) * self.size
        left = self.at.x - (width / 2 if self.anchor == "middle" else 0)
        return Rect(left, self.at.y - 0.8 * self.size, width, self.size)


@dataclass(frozen=True)
class Box:
    """A thing: its title, and small print below."""

    rect: Rect
    title: str
    small: tuple[str, ...] = ()
    kind: Kind = "plain"

    @property
    def texts(self) -> tuple[Text, ...]:
        """Its lines, in the middle of the box."""
        x = self.rect.x + self.rect.width / 2
        top = self.rect.y + self.rect.height / 2 - len(self.small) * LINE / 2 + 4.5
        style = "fn" if self.kind == "function" else ""
        small = (Text(words, Point(x, top + LINE * (at + 1)), SMALL, "small") for at, words in enumerate(self.small))
        return Text(self.title, Point(x, top), TITLE, style), *small

    def on(self, side: Side, part: float = 0.5) -> Point:
        """A point of its edge: `part` of the way from left to right, or from top to bottom."""
        x, y, width, height = self.rect
        if side in ("left", "right"):
            return Point(x + (width if side == "right" else 0), y + part * height)
        return Point(x + part * width, y + (height if side == "bottom" else 0))


@dataclass(frozen=True)
class Group:
    """A frame around boxes that belong together; one that is an option has a dashed line."""

    rect: Rect
    title: str
    option: bool = False
    below: bool = False

    @property
    def text(self) -> Text:
        """Its title, in its top left corner, or in the lower one."""
        y = self.rect.y + (self.rect.height - 9 if self.below else 17)
        return Text(self.title, Point(self.rect.x + 10, y), SMALL, "group", "start")


@dataclass(frozen=True)
class Arrow:
    """A line through points; one without a head only joins other lines."""

    points: tuple[Point, ...]
    texts: tuple[Text, ...] = ()
    head: bool = True


@dataclass(frozen=True)
class Picture:
    """Everything in one picture, and what it says to those who can't see it."""

    width: int
    height: int
    label: str
    boxes: tuple[Box, ...]
    groups: tuple[Group, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    texts: tuple[Text, ...] = ()


def note(words: str, x: float, y: float) -> Text:
    """Small print beside an arrow."""
    return Text(words, Point(x, y), SMALL, "small")


def _width(letter: str) -> float:
    if letter in "mwMW@%—…":
        return 0.9
    if letter in "ijlIft.,:;'|!()[]r-·/ ":
        return 0.36
    return 0.74 if letter.isupper() else 0.58
