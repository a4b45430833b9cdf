"""SVG as text: a few elements, safe text, and how wide text is without asking a font."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape

from ..scene.graph import Box

MARGIN_PX = 10.0
FONTS = "'Source Sans Pro', 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
"""The first is the one that `raster` brings along; a browser may have another."""

_LONGEST = 2000
"""What comes after this many characters of a text is not even looked at; no picture has room for it."""

_NARROW, _WIDE = frozenset("fijlrt.,:;'|!()[]{} -"), frozenset("mwMW@%…—")


class Rect(NamedTuple):
    """A rectangle in pixels, y down."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: Rect) -> float:
        """The area that two rectangles share."""
        wide = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        high = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return wide * high if wide > 0 and high > 0 else 0.0


class View(NamedTuple):
    """Where metres are on the sheet: x to the right, z up.

    Attributes:
        scale: pixels for a metre.
        left, top: the pixel of the point (0, 0).
        text: the size of ordinary text, in pixels.
    """

    scale: float
    left: float
    top: float
    text: float

    def point(self, x: float, z: float) -> tuple[float, float]:
        """The pixel of a point on the floor plane (metres; north is up)."""
        return self.left + x * self.scale, self.top - z * self.scale

    def rect(self, box: Box) -> Rect:
        """A box seen from above."""
        (cx, _, cz), (sx, _, sz) = box
        x, y = self.point(cx - sx / 2, cz + sz / 2)
        return Rect(x, y, sx * self.scale, sz * self.scale)


def text_size(width: float) -> float:
    """The size of ordinary text on a sheet, in pixels."""
    return min(24.0, max(10.0, width / 70))


def num(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")


def printable(text: str) -> str:
    """Untrusted text on one line, without what could not stand in XML or would turn text around."""
    return " ".join("".join(char if char.isprintable() else " " for char in text[:_LONGEST]).split())


def rectangle(at: Rect, fill: str, more: str = "", radius: float = 0.0) -> str:
    """A filled rectangle; `more` are further attributes."""
    rounded = f' rx="{num(radius)}"' if radius else ""
    size = f'width="{num(at.width)}" height="{num(at.height)}"'
    return f'<rect x="{num(at.x)}" y="{num(at.y)}" {size}{rounded} fill="{fill}"{more}/>'


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line as part of a path's `d`."""
    return f"M{num(x1)} {num(y1)}L{num(x2)} {num(y2)}"


def words(text: str, x: float, y: float, size: float, fill: str, more: str = "") -> str:
    """One line of text, its vertical middle at y; it starts at x unless `more` anchors it otherwise."""
    baseline = num(y + 0.34 * size)
    safe = escape(printable(text))
    return f'<text x="{num(x)}" y="{baseline}" font-size="{num(size)}" fill="{fill}"{more}>{safe}</text>'


MIDDLE = ' text-anchor="middle"'
BOLD = ' font-weight="600"'


def width_of(text: str, size: float) -> float:
    """About how many pixels wide a text is; rather too many than too few."""
    ems = 0.0
    for char in text:
        if char in _NARROW:
            ems += 0.33
        elif char in _WIDE:
            ems += 0.9
        elif char.islower():
            ems += 0.53
        else:
            ems += 0.64 if char < "\u1100" else 1.05
    return ems * size


def shortened(text: str, size: float, width: float) -> str:
    """The text, cut with an ellipsis where it would be wider than `width` pixels."""
    text = printable(text)
    if width_of(text, size) <= width:
        return text
    room = width - width_of("…", size)
    for end, char in enumerate(text):
        room -= width_of(char, size)
        if room < 0:
            return text[:end].rstrip() + "…"
    return text


def wrapped(text: str, size: float, width: float, most: int) -> list[str]:
    """The text in at most `most` lines of at most `width` pixels, cut with an ellipsis if it is longer."""
    lines: list[str] = []
    rest = printable(text)
    while rest:
        if len(lines) == most - 1 or width_of(rest, size) <= width:
            lines.append(shortened(rest, size, width))
            break
        room, end = width, 0
        for char in rest:
            room -= width_of(char, size)
            if room < 0:
                break
            end += 1
        space = rest.rfind(" ", 1, end + 1)
        end = space if space > 0 else max(end, 1)
        lines.append(rest[:end])
        rest = rest[end:].lstrip()
    return lines
