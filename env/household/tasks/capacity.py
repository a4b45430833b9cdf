"""Whether things will find a place on a support, wherever and in whatever order they are put there."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..scene.graph import Box, SceneGraph, Vec

_GRID_M = 0.2
"""Coarser than the search for a free place (see `spots`), so that what is free here is found there."""

_LARGE_M2, _SPARSE, _SMALL = 1.0, 1 / 5, 1 / 20
"""A large support takes small things until they cover so much of it: then 50,000 random layouts all had room."""


def has_room(graph: SceneGraph, support: int, sizes: Sequence[Vec]) -> bool:
    """Whether things of these sizes, turned or not, fit on a support, in addition to what is on it.

    cwah's rule, half of the support covered, is no promise: things in awkward places block more than they cover.
    """
    box = graph.nodes[support].box
    if box is None:
        return False
    riders = [graph.nodes[number].box for number in graph.sources(support, "ON")]
    there = [rider for rider in riders if rider is not None]
    longest = max((max(width, depth) for width, _, depth in sizes), default=0.0)
    if longest <= min(box.size[0], box.size[2]) and _is_sparse(box, [*(rider.size for rider in there), *sizes]):
        return True
    return all(
        _finds_a_place(box, there, turned, [*sizes[:index], *sizes[index + 1 :]])
        for index, size in enumerate(sizes)
        for turned in (size, _turned(size))
    )


def _is_sparse(box: Box, sizes: Sequence[Vec]) -> bool:
    area = box.size[0] * box.size[2]
    covered = [width * depth for width, _, depth in sizes]
    return area >= _LARGE_M2 and sum(covered) <= _SPARSE * area and max(covered, default=0.0) <= _SMALL * area


def _finds_a_place(box: Box, there: Sequence[Box], size: Vec, others: Sequence[Vec]) -> bool:
    """Whether a point of the grid stays free for a thing, even if each of the others blocks as many as it can."""
    (cx, _, cz), (width, _, depth) = box
    hx, hz = (width - size[0]) / 2, (depth - size[2]) / 2
    if hx < 0 or hz < 0:
        return False
    columns, rows = int(2 * hx / _GRID_M) + 1, int(2 * hz / _GRID_M) + 1
    free = 0
    for row in range(rows):
        for column in range(columns):
            x, z = cx - hx + column * _GRID_M, cz - hz + row * _GRID_M
            free += not any(_overlap(x, z, size, other) for other in there)
    for other in others:
        free -= max(
            min(columns, _blocked(size[0] + width)) * min(rows, _blocked(size[2] + depth))
            for width, _, depth in (other, _turned(other))
        )
    return free > 0


def _overlap(x: float, z: float, size: Vec, other: Box) -> bool:
    (ox, _, oz), (width, _, depth) = other
    return abs(x - ox) < (width + size[0]) / 2 and abs(z - oz) < (depth + size[2]) / 2


def _turned(size: Vec) -> Vec:
    return size[2], size[1], size[0]


def _blocked(length: float) -> int:
    """The most grid points that an open interval of this length can hold."""
    return math.ceil(length / _GRID_M)
