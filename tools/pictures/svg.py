"""A picture as SVG text: the same picture is always the same text."""

from html import escape

from tools.pictures.shapes import Arrow, Box, Group, Picture, Rect, Text

_STYLE = """\
  <style>
    .plain, .function { fill: #ffffff; stroke: #0b5cad; stroke-width: 1.5; }
    .queue { fill: #eef4fb; stroke: #0b5cad; stroke-width: 1.5; }
    .result { fill: #eaf6ec; stroke: #2b7a3d; stroke-width: 1.5; }
    .outside { fill: #f6f6f6; stroke: #777777; stroke-width: 1.2; }
    .frame { fill: none; stroke: #9aa7b5; stroke-width: 1.2; }
    .option { stroke-dasharray: 6 4; }
    .arrow { fill: none; stroke: #444444; stroke-width: 1.4; }
    .head { marker-end: url(#head); }
    .fn { font-weight: 600; }
    .small { font-size: 11px; fill: #555555; }
    .group { font-size: 11px; font-weight: 600; fill: #44556a; text-anchor: start; }
    text { fill: #1f1f1f; text-anchor: middle; }
  </style>
  <defs>
    <marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
      <path d="M0 0 8 4 0 8z" fill="#444444"/>
    </marker>
  </defs>
"""
_FONTS = "Segoe UI, Liberation Sans, Helvetica, Arial, sans-serif"


def drawn(picture: Picture) -> str:
    """The SVG file of a picture."""
    size = f'viewBox="0 0 {picture.width} {picture.height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{_FONTS}" font-size="13" role="img"'
    paper = f'  <rect width="{picture.width}" height="{picture.height}" rx="8" fill="#ffffff"/>\n'
    label = f' aria-label="{escape(picture.label)}">\n'
    return head + label + _STYLE + paper + "".join(_parts(picture)) + "</svg>\n"


def _parts(picture: Picture) -> list[str]:
    groups = map(_group, picture.groups)
    return [*groups, *map(_arrow, picture.arrows), *map(_box, picture.boxes), *map(_text, picture.texts)]


def _group(group: Group) -> str:
    look = "frame option" if group.option else "frame"
    return _rect(group.rect, look, 10) + _text(group.text)


def _box(box: Box) -> str:
    round_ends = box.rect.height / 2 if box.kind == "queue" else 6
    return _rect(box.rect, box.kind, round_ends) + "".join(map(_text, box.texts))


def _arrow(arrow: Arrow) -> str:
    way = " ".join(f"{_number(point.x)},{_number(point.y)}" for point in arrow.points)
    look = "arrow head" if arrow.head else "arrow"
    return f'  <polyline class="{look}" points="{way}"/>\n' + "".join(map(_text, arrow.texts))


def _rect(rect: Rect, look: str, corners: float) -> str:
    place = f'x="{_number(rect.x)}" y="{_number(rect.y)}"'
    size = f'width="{_number(rect.width)}" height="{_number(rect.height)}" rx="{_number(corners)}"'
    return f'  <rect class="{look}" {place} {size}/>\n'


def _text(text: Text) -> str:
    look = f' class="{text.style}"' if text.style else ""
    return f'  <text x="{_number(text.at.x)}" y="{_number(text.at.y)}"{look}>{escape(text.words)}</text>\n'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
