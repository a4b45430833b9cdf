"""Which of the free places along walls is the best one for a piece."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from random import Random
from typing import NamedTuple

from .fitting import Edge, Form, Solid
from .layout import OPPOSITE
from .rules import Prefer

_WHIM = 0.1
"""How much worse than the best a place may be and still be chosen, as a part of the edge's length."""

_EAGER = 3.0
"""How much more a metre counts for pieces that go with a door or another piece."""

_WRONG_WALL_M = 8.0
"""How far a place counts to be from the preferred one if it is not even at the opposite wall."""


class Placed(NamedTuple):
    """A piece that has its place; `side` is the wall its back is to, if it is to one."""

    number: int
    solid: Solid
    side: str | None

    @property
    def back(self) -> tuple[float, float]:
        """The middle of its back, seen from above."""
        x0, x1, _, _, z0, z1 = self.solid
        x, z = self.solid.middle
        return {"west": (x0, z), "east": (x1, z), "south": (x, z0), "north": (x, z1)}.get(self.side or "", (x, z))


def best_place(
    gaps: Iterable[tuple[Edge, tuple[float, float]]],
    form: Form,
    prefer: Prefer,
    doors: Sequence[tuple[float, float]],
    anchor: Placed | None,
    rng: Random,
) -> tuple[Edge, float] | None:
    """The edge and the place along it that are preferred, with some whim. None: there is no gap.

    Of each gap its ends are considered, so that furniture stands in rows, and the point nearest to what is preferred.
    """
    best: tuple[float, Edge, float] | None = None
    for edge, (low, high) in gaps:
        whim = _WHIM * (edge.end - edge.start)
        nearest = (min(max(along, low), high) for along in _wanted(edge, prefer, doors, anchor))
        for along in (low, high, *nearest):
            score = _distance(edge, along, form, prefer, doors, anchor) + whim * rng.random()
            if best is None or score < best[0]:
                best = (score, edge, along)
    return None if best is None else (best[1], best[2])


def _wanted(edge: Edge, prefer: Prefer, doors: Sequence[tuple[float, float]], anchor: Placed | None) -> list[float]:
    """Places along an edge that would suit, were they free."""
    axis = 0 if edge.runs_along_x else 1
    if prefer is Prefer.DOOR:
        return [door[axis] for door in doors]
    if anchor is not None and prefer in (Prefer.NEAR, Prefer.OPPOSITE):
        return [anchor.solid.middle[axis]]
    return [(edge.start + edge.end) / 2]


def _distance(
    edge: Edge,
    along: float,
    form: Form,
    prefer: Prefer,
    doors: Sequence[tuple[float, float]],
    anchor: Placed | None,
) -> float:
    """How far a place is from what is preferred, in metres."""
    middle = (edge.start + edge.end) / 2
    here = (along, edge.at) if edge.runs_along_x else (edge.at, along)
    if prefer in (Prefer.DOOR, Prefer.QUIET) and doors:
        to_door = min(math.dist(here, door) for door in doors)
        return _EAGER * to_door if prefer is Prefer.DOOR else abs(along - middle) - to_door
    if anchor is not None and prefer is Prefer.NEAR:
        return _EAGER * math.dist(here, anchor.back)
    if anchor is not None and prefer is Prefer.OPPOSITE:
        across = 0.0 if anchor.side == OPPOSITE[edge.side] else _WRONG_WALL_M
        return across + _EAGER * abs(along - anchor.solid.middle[0 if edge.runs_along_x else 1])
    if prefer in (Prefer.MIDDLE, Prefer.QUIET):
        return abs(along - middle)
    return min(along - edge.start, edge.end - along) - form.length / 2
