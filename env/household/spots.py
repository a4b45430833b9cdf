"""Where a thing can stand on a support or lie in a container.

A support is searched row by row for the free place that is nearest to where one would like to put the
thing; a container layer by layer, from the bottom, each layer like a support. Nothing overlaps what is
already there. Equal scenes give equal places.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, hypot, inf

from .graph import Box, SceneGraph, Vec

_ROW_M, _MAX_ROWS = 0.1, 32
"""Rows are this far apart, and further on supports so deep (floors) that there would be more than the second."""

_MAX_LAYERS = 12
"""How many heights are tried in a container."""

_SEAT_M, _BACKLESS_M = 0.45, 0.7
"""Things on a seat rest at seat height, not on top of its back; what is lower than the second has no back."""

_ROUNDING_M = 1e-6

_Span = tuple[float, float, float, float]
"""Something seen from above: centre x, centre z, width, depth."""


def support_height(graph: SceneGraph, support: int) -> float:
    """Metres above the floor at which things rest on a support."""
    node = graph.nodes[support]
    assert node.box is not None
    if "SITTABLE" in node.properties and node.box.size[1] > _BACKLESS_M:
        return node.box.bottom + _SEAT_M
    return node.box.top


def free_spot(graph: SceneGraph, support: int, size: Vec, near: tuple[float, float]) -> Vec | None:
    """The centre of the free place for a box of `size` on a support that is nearest to `near` (x, z).

    None: nothing is free.
    """
    box = graph.nodes[support].box
    if box is None or size[0] > box.size[0] + _ROUNDING_M or size[2] > box.size[2] + _ROUNDING_M:
        return None
    taken = [(b.center[0], b.center[2], b.size[0], b.size[2]) for b in _boxes(graph, graph.sources(support, "ON"))]
    place = _nearest_gap(box, size, near, taken)
    return None if place is None else (place[0], support_height(graph, support) + size[1] / 2, place[1])


def is_free(graph: SceneGraph, support: int, size: Vec, at: tuple[float, float]) -> Vec | None:
    """The centre of a box of `size` exactly at `at` (x, z) on a support; None: it is taken, or not on the support."""
    spot = free_spot(graph, support, size, at)
    return spot if spot is not None and hypot(spot[0] - at[0], spot[2] - at[1]) <= _ROUNDING_M else None


def inner_spot(graph: SceneGraph, container: int, size: Vec, near: tuple[float, float]) -> Vec | None:
    """The centre of a free place in a container, as low as possible and there as near to `near` as possible.

    What is too wide or too deep stands in the middle and sticks out. None: it is too high, or the
    container is full.
    """
    box = graph.nodes[container].box
    if box is None or size[1] > box.size[1] + _ROUNDING_M:
        return None
    things = list(_boxes(graph, graph.contents(container)))
    size = (min(size[0], box.size[0]), size[1], min(size[2], box.size[2]))
    if sum(_volume(thing, box) for thing in things) + size[0] * size[1] * size[2] > _volume(box, box) + _ROUNDING_M:
        return None
    highest = box.top - size[1] + _ROUNDING_M
    floors = {box.bottom, *(thing.top for thing in things if box.bottom < thing.top <= highest)}
    for floor in sorted(floors)[:_MAX_LAYERS]:
        top = floor + size[1]
        taken = [
            (thing.center[0], thing.center[2], thing.size[0], thing.size[2])
            for thing in things
            if thing.bottom < top - _ROUNDING_M and thing.top > floor + _ROUNDING_M
        ]
        place = _nearest_gap(box, size, near, taken)
        if place is not None:
            return place[0], floor + size[1] / 2, place[1]
    return None


def is_crowded(graph: SceneGraph, support: int, size: Vec) -> bool:
    """Whether one more thing would cover more than half of a support (cwah's rule for laying out a scene)."""
    box = graph.nodes[support].box
    if box is None:
        return True
    covered = size[0] * size[2]
    for other in _boxes(graph, graph.sources(support, "ON")):
        covered += other.size[0] * other.size[2]
    return covered > box.size[0] * box.size[2] / 2


def _boxes(graph: SceneGraph, numbers: Iterable[int]) -> Iterable[Box]:
    for number in numbers:
        box = graph.nodes[number].box
        if box is not None:
            yield box


def _volume(thing: Box, container: Box) -> float:
    """How much of a container a thing takes up; what sticks out does not count."""
    return (
        min(thing.size[0], container.size[0])
        * min(thing.size[1], container.size[1])
        * min(thing.size[2], container.size[2])
    )


def _nearest_gap(box: Box, size: Vec, near: tuple[float, float], taken: list[_Span]) -> tuple[float, float] | None:
    """The centre (x, z) within a box, seen from above, nearest to `near`, where `size` overlaps nothing taken."""
    (cx, _, cz), (width, _, depth) = box
    hx, hz = max(0.0, (width - size[0]) / 2), max(0.0, (depth - size[2]) / 2)
    low, high = cx - hx, cx + hx
    near_x, near_z = min(max(near[0], low), high), min(max(near[1], cz - hz), cz + hz)
    if not any(
        abs(x - near_x) < (width + size[0]) / 2 - _ROUNDING_M and abs(z - near_z) < (depth + size[2]) / 2 - _ROUNDING_M
        for x, z, width, depth in taken
    ):
        return near_x, near_z
    found: tuple[float, float] | None = None
    closest = inf
    for z in _rows(cz - hz, cz + hz, near_z):
        if abs(z - near_z) >= closest:
            break
        x = _free_in_row(low, high, near_x, _blocked(z, size, taken))
        if x is not None and hypot(x - near_x, z - near_z) < closest:
            found, closest = (x, z), hypot(x - near_x, z - near_z)
    return found


def _rows(low: float, high: float, near: float) -> list[float]:
    """The rows from `low` to `high`, and the one at `near`; the nearest ones first."""
    steps = min(_MAX_ROWS, ceil((high - low) / _ROW_M))
    rows = [near, *(low + (high - low) * step / steps for step in range(steps + 1))] if steps else [near]
    return sorted(rows, key=lambda z: (abs(z - near), z))


def _blocked(z: float, size: Vec, taken: list[_Span]) -> list[tuple[float, float]]:
    """The stretches of a row in which the centre of a thing cannot be, by where they begin."""
    return sorted(
        (x - (width + size[0]) / 2, x + (width + size[0]) / 2)
        for x, other_z, width, depth in taken
        if abs(z - other_z) < (depth + size[2]) / 2 - _ROUNDING_M
    )


def _free_in_row(low: float, high: float, near: float, blocked: list[tuple[float, float]]) -> float | None:
    """The value from `low` to `high` nearest to `near` that is in none of the stretches; their ends are free."""
    best: float | None = None
    begin = low
    for start, end in [*blocked, (inf, inf)]:
        if begin <= min(start, high):
            value = min(max(near, begin), start, high)
            if best is None or abs(value - near) < abs(best - near):
                best = value
        begin = max(begin, end)
        if begin > high:
            break
    return best
