"""A picture that a simulator's camera took, on a sheet with captions like those of the drawn ones."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from .palette import LIGHT, Theme
from .svg import BOLD, FONTS, MARGIN_PX, Rect, rectangle, shortened, text_size, words

_LINE = 1.35


def foot_of(width: int, lines: int) -> int:
    """How high the captions of a sheet are, in pixels."""
    return round((0.8 + _LINE * lines) * text_size(width))


def mounted(png: bytes, width: int, height: int, caption: Sequence[str], theme: Theme = LIGHT) -> str:
    """A sheet (SVG) with the picture, as large as it fits whole, and the captions below it."""
    text, foot = text_size(width), foot_of(width, len(caption))
    lines = [
        words(shortened(line, text, width - 2 * MARGIN_PX), MARGIN_PX, height - foot + (row + 1) * _LINE * text, text,
              theme.text, BOLD if row == 0 else "")
        for row, line in enumerate(caption)
    ]  # fmt: skip
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" ',
            f'viewBox="0 0 {width} {height}" font-family="{FONTS}">',
            rectangle(Rect(0, 0, width, height), theme.background),
            f'<image width="{width}" height="{height - foot}" href="data:image/png;base64,{b64encode(png).decode()}"/>',
            *lines,
            "</svg>\n",
        ]
    )
