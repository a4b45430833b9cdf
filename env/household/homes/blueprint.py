"""A furnished home as data without ids, and the nodes that are made from it.

Numbers in a blueprint count its rooms first, then its pieces. Ids are given when it is built, so that
homes of one name share the work of furnishing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from ..scene.catalog import ObjectClass, default_states, object_class
from ..scene.graph import Box, Node, SceneGraph

Rotation = tuple[float, float, float, float]
"""A quaternion about the y axis."""

OUTSIDE = -1
"""Stands for what the front door leads to: a building's corridor, otherwise nothing."""

_HALF = 0.7071
ROTATION: dict[str, Rotation] = {
    "south": (0.0, 0.0, 0.0, 1.0),
    "west": (0.0, _HALF, 0.0, _HALF),
    "north": (0.0, 1.0, 0.0, 0.0),
    "east": (0.0, -_HALF, 0.0, _HALF),
}
"""How a thing is turned that has its back to that wall; Unity's things look along +z when not turned."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that stays where it is: `relation` (ON, INSIDE) leads to number `target`, `room` is where that is.

    A doorway connects two rooms, or a room and what is OUTSIDE of the flat.
    """

    class_name: str
    box: Box
    relation: str
    target: int
    room: int
    rotation: Rotation
    connects: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Rooms (class and box) and pieces. `style` ends the prefab names of the pieces."""

    style: str
    rooms: tuple[tuple[str, Box], ...]
    pieces: tuple[Piece, ...]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """The smallest and largest x, then z, of all rooms."""
        boxes = [box for _, box in self.rooms]
        return (
            round(min(box.center[0] - box.size[0] / 2 for box in boxes), 3),
            round(max(box.center[0] + box.size[0] / 2 for box in boxes), 3),
            round(min(box.center[2] - box.size[2] / 2 for box in boxes), 3),
            round(max(box.center[2] + box.size[2] / 2 for box in boxes), 3),
        )

    @property
    def front_door(self) -> Box:
        """The door that leads OUTSIDE."""
        return next(piece.box for piece in self.pieces if OUTSIDE in piece.connects)

    def moved(self, dx: float, dz: float) -> Blueprint:
        """The same somewhere else."""

        def shifted(box: Box) -> Box:
            x, y, z = box.center
            return Box((round(x + dx, 3), y, round(z + dz, 3)), box.size)

        return Blueprint(
            self.style,
            tuple((name, shifted(box)) for name, box in self.rooms),
            tuple(replace(piece, box=shifted(piece.box)) for piece in self.pieces),
        )

    def build_rooms(self, graph: SceneGraph, first_id: int) -> tuple[int, ...]:
        """Add the rooms; returns their ids."""
        for number, (class_name, box) in enumerate(self.rooms, first_id):
            graph.add(Node(number, class_name, "Rooms", box=box, prefab_name=class_name.capitalize()))
        return tuple(range(first_id, first_id + len(self.rooms)))

    def build_pieces(self, graph: SceneGraph, rooms: tuple[int, ...], first_id: int, outside: int | None = None) -> int:
        """Add everything else; returns the next free id. `rooms` and `outside` are ids of rooms."""
        ids = (*rooms, *range(first_id, first_id + len(self.pieces)), outside or 0)  # OUTSIDE is the last
        for number, piece in enumerate(self.pieces, first_id):
            graph.add(fresh_node(number, piece.class_name, piece.box, self.style, piece.rotation))
            graph.link(number, piece.relation, ids[piece.target])
            if piece.relation == "ON":
                graph.link(number, "INSIDE", rooms[piece.room])
            if outside is not None or OUTSIDE not in piece.connects:
                for end in piece.connects:
                    graph.link(number, "BETWEEN", ids[end])
        return first_id + len(self.pieces)


class Draft:
    """A blueprint in the making."""

    def __init__(self, style: str, rooms: tuple[tuple[str, Box], ...]) -> None:
        self.style = style
        self.rooms = rooms
        self.pieces: list[Piece] = []

    def add(
        self,
        class_name: str,
        box: Box,
        relation: str,
        target: int,
        rotation: Rotation = ROTATION["south"],
        connects: tuple[int, ...] = (),
    ) -> int:
        """Add a piece on or inside number `target`; returns its number."""
        room = target if target < len(self.rooms) else self.pieces[target - len(self.rooms)].room
        self.pieces.append(Piece(class_name, box, relation, target, room, rotation, connects))
        return len(self.rooms) + len(self.pieces) - 1

    def finished(self) -> Blueprint:
        """What has been drafted."""
        return Blueprint(self.style, self.rooms, tuple(self.pieces))


def fresh_node(number: int, class_name: str, box: Box, style: str = "", rotation: Rotation = ROTATION["south"]) -> Node:
    """A node of a class in its default states. What nodes of a class have in common is shared, not copied.

    Raises:
        WorldError: there is no such class.
    """
    kind, states, prefab_name = _traits(class_name, style)
    return Node(number, kind.name, kind.category, kind.properties, states, box, prefab_name, rotation)


@lru_cache(maxsize=4096)
def _traits(class_name: str, style: str) -> tuple[ObjectClass, tuple[str, ...], str]:
    kind = object_class(class_name)
    prefab_name = f"{class_name.capitalize()}_{style}" if style else class_name.capitalize()
    return kind, default_states(class_name, kind.properties), prefab_name
