"""Where a box fits: along an edge, in the open, and what is in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..scene.graph import Box

_TOUCH_M = 1e-3
"""Boxes that overlap by less than this only touch."""


class Solid(NamedTuple):
    """A box by its corners, in metres."""

    x0: float
    x1: float
    y0: float
    y1: float
    z0: float
    z1: float

    @classmethod
    def of(cls, center: tuple[float, float, float], size: tuple[float, float, float]) -> Solid:
        """The same as a centre and a size."""
        (x, y, z), (sx, sy, sz) = center, size
        return cls(x - sx / 2, x + sx / 2, y - sy / 2, y + sy / 2, z - sz / 2, z + sz / 2)

    @property
    def middle(self) -> tuple[float, float]:
        """The middle, seen from above."""
        return (self.x0 + self.x1) / 2, (self.z0 + self.z1) / 2

    def box(self) -> Box:
        """The same as a scene graph's box, to the millimetre."""
        x0, x1, y0, y1, z0, z1 = self
        return Box(
            (round((x0 + x1) / 2, 3), round((y0 + y1) / 2, 3), round((z0 + z1) / 2, 3)),
            (round(x1 - x0, 3), round(y1 - y0, 3), round(z1 - z0, 3)),
        )

    def grown(self, margin: float) -> Solid:
        """The same with a margin around it on the floor plane."""
        return Solid(self.x0 - margin, self.x1 + margin, self.y0, self.y1, self.z0 - margin, self.z1 + margin)

    def hits(self, other: Solid) -> bool:
        """Whether two boxes overlap by more than a touch."""
        return (
            self.x0 < other.x1 - _TOUCH_M
            and other.x0 < self.x1 - _TOUCH_M
            and self.z0 < other.z1 - _TOUCH_M
            and other.z0 < self.z1 - _TOUCH_M
            and self.y0 < other.y1 - _TOUCH_M
            and other.y0 < self.y1 - _TOUCH_M
        )

    def within(self, x0: float, x1: float, z0: float, z1: float) -> bool:
        """Whether it lies in a rectangle on the floor plane."""
        return (
            self.x0 >= x0 - _TOUCH_M
            and self.x1 <= x1 + _TOUCH_M
            and self.z0 >= z0 - _TOUCH_M
            and self.z1 <= z1 + _TOUCH_M
        )


class Form(NamedTuple):
    """A box that stands with its back to an edge: length along it, height, depth away from it, and where its
    bottom is; `inset` is the gap between the edge and its back."""

    length: float
    height: float
    depth: float
    bottom: float = 0.0
    inset: float = 0.0


class Edge(NamedTuple):
    """A straight line that things stand along: the inside of a wall, or the back of a piece of furniture.

    `side` says which side of the room (or piece) it is; things extend to the other side.
    """

    side: str
    start: float
    end: float
    at: float

    @property
    def runs_along_x(self) -> bool:
        """Whether it runs from west to east."""
        return self.side in ("south", "north")

    def solid(self, along: float, form: Form, extra: float = 0.0) -> Solid:
        """Where a box is whose middle is at `along`; `extra` deepens it."""
        near, far = form.inset, form.inset + form.depth + extra
        inward = 1.0 if self.side in ("west", "south") else -1.0
        low, high = sorted((self.at + inward * near, self.at + inward * far))
        left, right = along - form.length / 2, along + form.length / 2
        if self.runs_along_x:
            return Solid(left, right, form.bottom, form.bottom + form.height, low, high)
        return Solid(low, high, form.bottom, form.bottom + form.height, left, right)

    def gaps(
        self, form: Form, blockers: Iterable[Solid], deep_blockers: Iterable[Solid] = (), extra: float = 0.0
    ) -> list[tuple[float, float]]:
        """The stretches where the middle of a box may be so that it hits no blocker.

        Deep blockers are not hit by the box with `extra` metres before it either.
        """
        half = form.length / 2
        low, high = self.start + half, self.end - half
        if low > high + _TOUCH_M:
            return []
        along_x = self.runs_along_x
        middle, whole = (self.start + self.end) / 2, form._replace(length=self.end - self.start)
        strip, deep = self.solid(middle, whole), self.solid(middle, whole, extra)
        hits = [blocker for blocker in blockers if blocker.hits(strip)]
        hits += [blocker for blocker in deep_blockers if blocker.hits(deep)]
        taken = sorted((hit.x0 - half, hit.x1 + half) if along_x else (hit.z0 - half, hit.z1 + half) for hit in hits)
        found: list[tuple[float, float]] = []
        for start, end in taken:
            if start >= low - _TOUCH_M:
                found.append((low, min(start, high)))
            low = max(low, end)
        if low <= high + _TOUCH_M:
            found.append((low, high))
        return [(start, end) for start, end in found if start <= end + _TOUCH_M]


def in_the_open(
    area: Sequence[float], size: tuple[float, float, float], margin: float, blockers: Sequence[Solid]
) -> Solid | None:
    """A free place on the floor of a rectangle (x0, x1, z0, z1), as near to its middle as can be.

    `margin` is kept to all sides, the walls included.
    """
    x0, x1, z0, z1 = area
    width, height, depth = size
    reach_x, reach_z = (x1 - x0 - width) / 2 - margin, (z1 - z0 - depth) / 2 - margin
    if reach_x < 0 or reach_z < 0:
        return None
    middle_x, middle_z = (x0 + x1) / 2, (z0 + z1) / 2
    for dx, dz in _spiral(reach_x, reach_z):
        solid = Solid.of((middle_x + dx, height / 2, middle_z + dz), size)
        wide = solid.grown(margin)
        if not any(wide.hits(blocker) for blocker in blockers):
            return solid
    return None


def _spiral(reach_x: float, reach_z: float) -> list[tuple[float, float]]:
    """Offsets within reach, nearest first."""
    step = 0.25
    columns, rows = int(reach_x / step), int(reach_z / step)
    offsets = [(i * step, j * step) for i in range(-columns, columns + 1) for j in range(-rows, rows + 1)]
    return sorted(offsets, key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset))
