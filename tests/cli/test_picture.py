"""The picture in README.md shows what `explain` prints."""

import xml.etree.ElementTree as ET

from tests.cli.picture import PICTURE, picture, printed


def test_the_picture_is_up_to_date() -> None:
    assert PICTURE.read_text() == picture() + "\n", "draw it anew: python -m tests.cli.picture"


def test_it_is_xml_that_loads_nothing() -> None:
    text = PICTURE.read_text()
    ET.fromstring(text)  # noqa: S314 - our own
    assert "url(http" not in text
    assert "@font-face" not in text


def test_what_is_printed_on_a_terminal_has_colour_and_says_the_same_without() -> None:
    shown = printed()
    assert "\x1b[1;31mDENIED" in shown
    assert "deny-lateral-movement" in shown
