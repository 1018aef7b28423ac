"""What is wrong with a picture: text that leaves its box, things on each other, lines through text or boxes."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from tools.pictures.shapes import Picture, Point, Rect, Text

_EDGE = 4  # pixels between a text and the edge of its box


def faults(picture: Picture) -> list[str]:
    """One sentence for each fault; none for a picture that can be read."""
    return [*_overflowing(picture), *_overlapping(picture), *_crossed(picture)]


def _overflowing(picture: Picture) -> Iterator[str]:
    for box in picture.boxes:
        inside = box.rect.grown(-_EDGE)
        yield from (f"'{text.words}' is too long for its box" for text in box.texts if not _holds(inside, text.rect))
    whole = Rect(0, 0, picture.width, picture.height)
    yield from (f"'{text.words}' leaves the picture" for text in _texts(picture) if not _holds(whole, text.rect))


def _overlapping(picture: Picture) -> Iterator[str]:
    for one, other in combinations(_texts(picture), 2):
        if _meet(one.rect, other.rect):
            yield f"'{one.words}' and '{other.words}' lie on each other"
    for box, other_box in combinations(picture.boxes, 2):
        if _meet(box.rect, other_box.rect):
            yield f"the boxes '{box.title}' and '{other_box.title}' lie on each other"
    for text in _loose(picture):
        yield from (f"'{text.words}' lies on '{box.title}'" for box in picture.boxes if _meet(box.rect, text.rect))


def _crossed(picture: Picture) -> Iterator[str]:
    for line in [*(arrow.points for arrow in picture.arrows), *(_frame(group.rect) for group in picture.groups)]:
        struck = (text for text in _texts(picture) if _through(line, text.rect))
        yield from (f"a line runs through '{text.words}'" for text in struck)
        cut = (box for box in picture.boxes if _through(line, box.rect.grown(-1)))
        yield from (f"a line runs through the box '{box.title}'" for box in cut)


def _loose(picture: Picture) -> list[Text]:
    named = [group.text for group in picture.groups]
    return [*picture.texts, *named, *(text for arrow in picture.arrows for text in arrow.texts)]


def _texts(picture: Picture) -> list[Text]:
    return [*_loose(picture), *(text for box in picture.boxes for text in box.texts)]


def _holds(outer: Rect, inner: Rect) -> bool:
    across = outer.x <= inner.x and inner.x + inner.width <= outer.x + outer.width
    return across and outer.y <= inner.y and inner.y + inner.height <= outer.y + outer.height


def _meet(one: Rect, other: Rect) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.y + other.height and other.y < one.y + one.height


def _frame(rect: Rect) -> tuple[Point, ...]:
    right, bottom = rect.x + rect.width, rect.y + rect.height
    corners = (Point(rect.x, rect.y), Point(right, rect.y), Point(right, bottom), Point(rect.x, bottom))
    return *corners, corners[0]


def _through(line: tuple[Point, ...], rect: Rect) -> bool:
    return any(_meet(_span(start, end), rect) for start, end in pairwise(line))


def _span(start: Point, end: Point) -> Rect:
    """The line between two points as a thin rectangle: lines are level or upright."""
    x, y = min(start.x, end.x), min(start.y, end.y)
    return Rect(x, y, abs(end.x - start.x), abs(end.y - start.y)).grown(0.1)
