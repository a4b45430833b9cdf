"""Where a thing can stand on a support or lie in a container.

A support is searched row by row for the free place that is nearest to where one would like to put the
thing; a container layer by layer, from the bottom, each layer like a support. Nothing overlaps what is
already there. Equal scenes give equal places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil, hypot, inf

from ..scene.graph import Box, SceneGraph, Vec

_ROW_M, _MAX_ROWS = 0.1, 32
"""Rows are this far apart, and further on supports so deep (floors) that there would be more than the second."""

_MAX_LAYERS = 12
"""How many heights are tried in a container."""

_SEAT_M, _BACKLESS_M = 0.45, 0.7
"""Things on a seat rest at seat height, not on top of its back; what is lower than the second has no back."""

_ROUNDING_M = 1e-6

_Taken = tuple[float, float, float, float]
"""A rectangle seen from above: x from, x to, z from, z to."""


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
    things = _boxes(graph, graph.sources(support, "ON"))
    place = _nearest_gap(box, size, near, [_around(thing, size) for thing in things])
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
    (width, height, depth), floor, highest = size, box.bottom, box.top - size[1] + _ROUNDING_M
    size = min(width, box.size[0]), height, min(depth, box.size[2])
    floors = [floor, *sorted({thing.top for thing in things if floor < thing.top <= highest})]
    for floor in floors[:_MAX_LAYERS]:
        low, high = floor + _ROUNDING_M, floor + height - _ROUNDING_M
        taken = [_around(thing, size) for thing in things if thing.bottom < high and thing.top > low]
        place = _nearest_gap(box, size, near, taken)
        if place is not None:
            return place[0], floor + height / 2, place[1]
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


def _around(thing: Box, size: Vec) -> _Taken:
    """Where the centre of a box of `size` cannot be because of a thing."""
    (x, _, z), (width, _, depth) = thing
    half_x, half_z = (width + size[0]) / 2, (depth + size[2]) / 2
    return x - half_x, x + half_x, z - half_z, z + half_z


def _nearest_gap(box: Box, size: Vec, near: tuple[float, float], taken: list[_Taken]) -> tuple[float, float] | None:
    """The centre (x, z) within a box, seen from above, nearest to `near`, where `size` overlaps nothing."""
    (cx, _, cz), (width, _, depth) = box
    half_x, half_z = max(0.0, (width - size[0]) / 2), max(0.0, (depth - size[2]) / 2)
    low, high = cx - half_x, cx + half_x
    near_x, near_z = min(max(near[0], low), high), min(max(near[1], cz - half_z), cz + half_z)
    found: tuple[float, float] | None = None
    closest = inf
    for z in _rows(cz - half_z, cz + half_z, near_z):
        gap = abs(z - near_z)
        if gap >= closest:
            break
        blocked = [(x0, x1) for x0, x1, z0, z1 in taken if z0 + _ROUNDING_M < z < z1 - _ROUNDING_M]
        x = _free_in_row(low, high, near_x, blocked)
        if x is not None and hypot(x - near_x, gap) < closest:
            found, closest = (x, z), hypot(x - near_x, gap)
    return found


def _rows(low: float, high: float, near: float) -> Iterator[float]:
    """The row at `near`, and those on either side of it up to the edges; the nearest ones first."""
    yield near
    step = max(_ROW_M, (high - low) / _MAX_ROWS)
    for number in range(1, ceil((high - low) / step) + 1):
        if near - low > (number - 1) * step:
            yield max(low, near - number * step)
        if high - near > (number - 1) * step:
            yield min(high, near + number * step)


def _free_in_row(low: float, high: float, near: float, blocked: list[tuple[float, float]]) -> float | None:
    """The value from `low` to `high` nearest to `near` that is in none of the stretches; their ends are free."""
    if not any(start + _ROUNDING_M < near < end - _ROUNDING_M for start, end in blocked):
        return near
    best: float | None = None
    begin = low
    for start, end in [*sorted(blocked), (inf, inf)]:
        if begin <= start:
            value = min(max(near, begin), start, high)
            if best is None or abs(value - near) < abs(best - near):
                best = value
        begin = max(begin, end)
        if begin > high:
            break
    return best
