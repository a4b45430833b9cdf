"""How the pictures of one film lie on its sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...env.household.picture import Theme
from ...env.household.picture.svg import Rect, rectangle

_GAP_PX = 2.0


class Sheet:
    """Pictures side by side, in as many columns as show them largest.

    Args:
        width, height: in pixels.
        count: of the pictures.
        aspect: width over height of what they show.
        theme: of the ground that they leave free.

    Attributes:
        wide, high: the size of each picture, in pixels.
    """

    def __init__(self, width: int, height: int, count: int, aspect: float, theme: Theme) -> None:
        self._width, self._height, self._count, self._theme = width, height, count, theme
        columns = max(range(1, count + 1), key=lambda n: min(width / n / aspect, height / math.ceil(count / n)))
        rows = math.ceil(count / columns)
        gap = 0.0 if count == 1 else _GAP_PX
        wide, high = (width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows
        self.wide, self.high = int(wide), int(high)
        self._cells = [
            Rect(int(index % columns * (wide + gap)), int(index // columns * (high + gap)), self.wide, self.high)
            for index in range(columns * rows)
        ]

    def laid_out(self, frames: Sequence[str]) -> str:
        """The sheet with its pictures, as SVG."""
        if len(frames) == 1:
            return frames[0]
        ground = rectangle(Rect(0, 0, self._width, self._height), self._theme.wall)
        empty = [rectangle(cell, self._theme.background) for cell in self._cells[self._count :]]
        placed = [
            frame.replace("<svg ", f'<svg x="{cell.x}" y="{cell.y}" ', 1)
            for frame, cell in zip(frames, self._cells, strict=False)
        ]
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" height="{self._height}">'
        return "".join([head, ground, *empty, *placed, "</svg>\n"])
