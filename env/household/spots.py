"""Where a thing can stand on a support or lie in a container."""

from __future__ import annotations

from .graph import Box, SceneGraph, Vec

GRID_M = 0.2
"""Free places on a support are looked for this far apart."""

_SEAT_M, _BACKLESS_M = 0.45, 0.7
"""Things on a seat rest at seat height, not on top of its back; what is lower than the second has no back."""


def support_height(graph: SceneGraph, support: int) -> float:
    """Metres above the floor at which things rest on a support."""
    node = graph.nodes[support]
    assert node.box is not None
    if "SITTABLE" in node.properties and node.box.size[1] > _BACKLESS_M:
        return node.box.bottom + _SEAT_M
    return node.box.top


def free_spot(graph: SceneGraph, support: int, size: Vec, near: tuple[float, float]) -> Vec | None:
    """The centre of a free place for a box of `size` on a support, at `near` if that is free.

    The rest is searched in a fixed grid, so equal scenes give equal places. None: nothing is free.
    """
    box = graph.nodes[support].box
    if box is None:
        return None
    (cx, _, cz), (width, _, depth) = box
    hx, hz = (width - size[0]) / 2, (depth - size[2]) / 2
    if hx < 0 or hz < 0:
        return None
    taken: list[Box] = []
    for other in graph.sources(support, "ON"):
        other_box = graph.nodes[other].box
        if other_box is not None:
            taken.append(other_box)
    y = support_height(graph, support) + size[1] / 2

    def is_free(x: float, z: float) -> bool:
        for (ox, _, oz), (sx, _, sz) in taken:
            if abs(x - ox) < (sx + size[0]) / 2 and abs(z - oz) < (sz + size[2]) / 2:
                return False
        return True

    x, z = min(max(near[0], cx - hx), cx + hx), min(max(near[1], cz - hz), cz + hz)
    if is_free(x, z):
        return x, y, z
    columns, rows = int(2 * hx / GRID_M) + 1, int(2 * hz / GRID_M) + 1
    for row in range(rows):
        for column in range(columns):
            x, z = cx - hx + column * GRID_M, cz - hz + row * GRID_M
            if is_free(x, z):
                return x, y, z
    return None


def inner_spot(graph: SceneGraph, container: int, size: Vec, near: tuple[float, float]) -> Vec | None:
    """The centre of a place in a container; things may be stacked there. None: it is too high for it."""
    box = graph.nodes[container].box
    if box is None or size[1] > box.size[1]:
        return None
    (cx, _, cz), (width, height, depth) = box
    hx, hz = max(0.0, (width - size[0]) / 2), max(0.0, (depth - size[2]) / 2)
    x, z = min(max(near[0], cx - hx), cx + hx), min(max(near[1], cz - hz), cz + hz)
    return x, box.center[1] - height / 2 + size[1] / 2, z


def is_crowded(graph: SceneGraph, support: int, size: Vec) -> bool:
    """Whether one more thing would cover more than half of a support (cwah's rule for laying out a scene)."""
    box = graph.nodes[support].box
    if box is None:
        return True
    covered = size[0] * size[2]
    for other in graph.sources(support, "ON"):
        other_box = graph.nodes[other].box
        if other_box is not None:
            covered += other_box.size[0] * other_box.size[2]
    return covered > box.size[0] * box.size[2] / 2
