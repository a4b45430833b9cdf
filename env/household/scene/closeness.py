"""Who is CLOSE to what in a whole scene, found without comparing everybody with everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from .node import Box, Node

CLOSE_M = 1.3
"""VirtualHome: CLOSE holds within 1.3 m, from a character's centre to the box of the thing, height ignored."""

_CELL_M = 4.0

Cells = dict[tuple[int, int], list[int]]


def close_pairs(
    nodes: Mapping[int, Node], characters: Sequence[int], parent: Callable[[int], int | None]
) -> Iterator[tuple[int, int]]:
    """All pairs (character, node) for which `SceneGraph.is_close` holds, rooms and the character itself left out.

    In the order of `characters`, then of `nodes`.
    """
    cells: Cells = {}
    for character in characters:
        box = nodes[character].box
        if box is not None:
            cells.setdefault(_cell(box.center[0], box.center[2]), []).append(character)
    near: dict[int, set[int]] = {}

    def near_to(number: int) -> set[int]:
        """The characters that are close to a node: to its own box, or to that of the container around it."""
        if number not in near:
            box = nodes[number].box
            found = set() if box is None else _near_box(box, nodes, cells, len(characters))
            around = parent(number)
            if box is not None and around is not None and nodes[around].category != "Rooms":
                found |= near_to(around)
            near[number] = found
        return near[number]

    close: dict[int, list[int]] = {character: [] for character in characters}
    for number, node in nodes.items():
        if node.category != "Rooms":
            for character in near_to(number):
                if character != number:
                    close[character].append(number)
    for character, others in close.items():
        for other in others:
            yield character, other


def _cell(x: float, z: float) -> tuple[int, int]:
    return math.floor(x / _CELL_M), math.floor(z / _CELL_M)


def _near_box(box: Box, nodes: Mapping[int, Node], cells: Cells, people: int) -> set[int]:
    (x, _, z), (width, _, depth) = box
    reach_x, reach_z = width / 2 + CLOSE_M, depth / 2 + CLOSE_M
    (first_x, first_z), (last_x, last_z) = _cell(x - reach_x, z - reach_z), _cell(x + reach_x, z + reach_z)
    if (last_x - first_x + 1) * (last_z - first_z + 1) > people:  # a floor, say: fewer people than cells
        candidates = [who for group in cells.values() for who in group]
    else:
        columns, rows = range(first_x, last_x + 1), range(first_z, last_z + 1)
        candidates = [who for column in columns for row in rows for who in cells.get((column, row), ())]
    found: set[int] = set()
    for who in candidates:
        place = nodes[who].box
        if place is not None and box.distance(place.center[0], place.center[2]) <= CLOSE_M:
            found.add(who)
    return found
