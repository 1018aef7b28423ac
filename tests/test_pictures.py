"""The pictures of the documentation are what their source draws, and can be read."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tools.pictures import PICTURES
from tools.pictures.faults import faults
from tools.pictures.shapes import Arrow, Box, Group, Picture, Point, Rect, note
from tools.pictures.svg import drawn

IMAGES = Path(__file__).parent.parent / "docs" / "images"
BOX = Box(Rect(20, 20, 120, 44), "a box", ("small",))
PLAIN = Picture(300, 200, "a picture", (BOX,))


@pytest.mark.parametrize("name", PICTURES)
def test_the_committed_picture_is_what_the_source_draws(name: str) -> None:
    assert (IMAGES / name).read_text() == drawn(PICTURES[name]), "python -m tools.pictures draws it anew"


@pytest.mark.parametrize("name", PICTURES)
def test_nothing_in_a_picture_leaves_its_box_or_lies_on_something_else(name: str) -> None:
    assert faults(PICTURES[name]) == []


@pytest.mark.parametrize("name", PICTURES)
def test_every_word_of_a_picture_is_in_its_svg(name: str) -> None:
    texts = [element.text for element in ET.fromstring(drawn(PICTURES[name])).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314, our own text
    assert {text.words for box in PICTURES[name].boxes for text in box.texts} <= set(texts)


@pytest.mark.parametrize(
    ("picture", "fault"),
    [
        (PLAIN, None),
        (replace(PLAIN, boxes=(replace(BOX, title="much too long for such a small box"),)), "too long for its box"),
        (replace(PLAIN, texts=(note("at the edge", 290, 100),)), "leaves the picture"),
        (replace(PLAIN, texts=(note("one", 200, 100), note("two", 205, 104))), "lie on each other"),
        (
            replace(PLAIN, boxes=(BOX, Box(Rect(139, 20, 90, 44), "other"))),
            "boxes 'a box' and 'other' lie on each other",
        ),
        (replace(PLAIN, boxes=(BOX, Box(Rect(140, 20, 90, 44), "other"))), None),
        (replace(PLAIN, texts=(note("over there", 140, 40),)), "lies on 'a box'"),
        (replace(PLAIN, arrows=(Arrow((Point(0, 40), Point(200, 40))),)), "through the box 'a box'"),
        (replace(PLAIN, arrows=(Arrow((BOX.on("right"), Point(200, 42))),)), None),
        (
            replace(PLAIN, texts=(note("hit", 200, 46),), arrows=(Arrow((BOX.on("right"), Point(250, 42))),)),
            "through 'hit'",
        ),
        (replace(PLAIN, groups=(Group(Rect(10, 4, 60, 100), ""),)), "through the box 'a box'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_faults_of_a_picture_are_told(picture: Picture, fault: str | None) -> None:
    found = faults(picture)
    assert any(fault in one for one in found) if fault else found == []
