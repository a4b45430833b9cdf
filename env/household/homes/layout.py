"""Floor plans: rectangular rooms that share walls, the doorways between them, and their shell.

Metres; x runs to the east, z to the north. A wall belongs half to each of the two rooms it parts,
so a room's inside begins half a wall's thickness within its rectangle.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ..scene.catalog import object_class
from ..scene.graph import Box
from .blueprint import OUTSIDE, ROTATION, Draft
from .fitting import Edge

HEIGHT_M = 2.6
WALL_M = 0.1
DOOR_M = object_class("door").size[0]
SHARED_M = DOOR_M + 4 * WALL_M
"""The shortest stretch of wall between two rooms that takes a doorway."""

_TILE_M, _PANEL_M = 1.9, 4.0
_ROUNDING_M = 1e-6
_CLOSED_OFF = frozenset({"bedroom", "bathroom"})
"""Rooms whose doorways have a door; others are open."""

OPPOSITE = {"west": "east", "east": "west", "south": "north", "north": "south"}


class Rect(NamedTuple):
    """A room seen from above."""

    x0: float
    x1: float
    z0: float
    z1: float

    @property
    def center(self) -> tuple[float, float]:
        """Its middle (x, z), in metres."""
        return (self.x0 + self.x1) / 2, (self.z0 + self.z1) / 2


@dataclass(frozen=True, slots=True)
class RoomPlan:
    """A room to be: its class, where it is, and what shall stand in it (see `furnishing`)."""

    class_name: str
    area: Rect
    wishes: str = ""


@dataclass(frozen=True, slots=True)
class Doorway:
    """An opening in a wall between two rooms.

    One of them may be OUTSIDE: (room, OUTSIDE) is a front door, (OUTSIDE, room) somebody else's seen from a corridor.
    """

    rooms: tuple[int, int]
    x: float
    z: float
    runs_along_x: bool

    def box(self, depth: float, class_name: str) -> Box:
        """What fills the opening, `depth` thick."""
        width, height, _ = object_class(class_name).size
        size = (width, height, depth) if self.runs_along_x else (depth, height, width)
        return Box((round(self.x, 3), height / 2, round(self.z, 3)), size)


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """Rooms and doorways of one flat. `blind` are the sides of the flat where no wall gets a window."""

    rooms: tuple[RoomPlan, ...]
    doorways: tuple[Doorway, ...]
    style: str
    blind: frozenset[str] = frozenset()

    def doorways_of(self, room: int) -> list[Doorway]:
        """The doorways of a room, by its index."""
        return [doorway for doorway in self.doorways if room in doorway.rooms]

    def outer_walls(self, room: int) -> list[Edge]:
        """The stretches of a room's walls with nothing behind them, where windows may be."""
        areas = [plan.area for plan in self.rooms]
        return [
            Edge(wall.side, start, end, wall.at)
            for wall in walls(areas[room])
            if wall.side not in self.blind
            for start, end in _without(wall, [shared_wall(areas[room], area) for area in areas if area != areas[room]])
        ]


def walls(area: Rect) -> list[Edge]:
    """The four walls of a room."""
    return [
        Edge("west", area.z0, area.z1, area.x0),
        Edge("east", area.z0, area.z1, area.x1),
        Edge("south", area.x0, area.x1, area.z0),
        Edge("north", area.x0, area.x1, area.z1),
    ]


def shared_wall(first: Rect, second: Rect) -> Edge | None:
    """The wall that two rooms have in common, seen from the first."""
    for mine, theirs in zip(walls(first), (walls(second)[n] for n in (1, 0, 3, 2)), strict=True):
        start, end = max(mine.start, theirs.start), min(mine.end, theirs.end)
        if abs(mine.at - theirs.at) < _ROUNDING_M and end - start > _ROUNDING_M:
            return Edge(mine.side, start, end, mine.at)
    return None


def doorway(rooms: Sequence[RoomPlan], first: int, second: int, part: float = 0.5) -> Doorway | None:
    """A doorway in the wall between two rooms, `part` of the way along it; None: they share too little wall."""
    wall = shared_wall(rooms[first].area, rooms[second].area)
    if wall is None or wall.end - wall.start < SHARED_M:
        return None
    return _opening(wall, (first, second), part)


def entrance(rooms: Sequence[RoomPlan], room: int, side: str, part: float = 0.5) -> Doorway:
    """The front door in one of a room's walls."""
    wall = next(wall for wall in walls(rooms[room].area) if wall.side == side)
    return _opening(wall, (room, OUTSIDE), part)


def _opening(wall: Edge, rooms: tuple[int, int], part: float) -> Doorway:
    margin = SHARED_M / 2
    along = wall.start + margin + part * (wall.end - wall.start - 2 * margin)
    x, z = (along, wall.at) if wall.runs_along_x else (wall.at, along)
    return Doorway(rooms, x, z, wall.runs_along_x)


def _without(wall: Edge, taken: Iterable[Edge | None]) -> list[tuple[float, float]]:
    """What is left of a wall."""
    left: list[tuple[float, float]] = []
    start = wall.start
    for part in sorted((part.start, part.end) for part in taken if part and part.side == wall.side):
        if part[0] > start + _ROUNDING_M:
            left.append((start, part[0]))
        start = max(start, part[1])
    if wall.end > start + _ROUNDING_M:
        left.append((start, wall.end))
    return left


# -- the shell --------------------------------------------------------------------------------


def build_shell(draft: Draft, plan: FloorPlan) -> None:
    """Floors and ceilings in tiles, walls in panels that leave the doorways open, jambs and doors."""
    for number, room in enumerate(plan.rooms):
        for class_name, y in (("floor", -0.01), ("ceiling", HEIGHT_M + 0.01)):
            for tile in _tiles(room.area):
                draft.add(class_name, _slab(tile, y), "INSIDE", number)
        for wall in walls(room.area):
            openings = [
                Edge(wall.side, at - DOOR_M / 2, at + DOOR_M / 2, wall.at)
                for opening in plan.doorways_of(number)
                for at, across in [(opening.x, opening.z) if wall.runs_along_x else (opening.z, opening.x)]
                if opening.runs_along_x == wall.runs_along_x and abs(across - wall.at) < _ROUNDING_M
            ]
            for start, end in _without(wall, openings):
                for low, high in _split(start, end, _PANEL_M):
                    draft.add("wall", _panel(wall, low, high), "INSIDE", number)
    for opening in plan.doorways:
        _hang_doors(draft, plan, opening)


def _hang_doors(draft: Draft, plan: FloorPlan, opening: Doorway) -> None:
    """A jamb that connects two rooms, or a door in it where people want to be alone; a front door has no jamb."""
    first, last = opening.rooms
    rotation = ROTATION["south" if opening.runs_along_x else "west"]
    if first == OUTSIDE:
        return
    if last == OUTSIDE:
        draft.add("door", opening.box(WALL_M, "door"), "INSIDE", first, rotation, opening.rooms)
        return
    has_door = plan.rooms[last].class_name in _CLOSED_OFF
    jamb = opening.box(WALL_M, "doorjamb")
    draft.add("doorjamb", jamb, "INSIDE", first, rotation, () if has_door else opening.rooms)
    if has_door:
        draft.add("door", opening.box(WALL_M / 2, "door"), "INSIDE", last, rotation, opening.rooms)


def _tiles(area: Rect) -> list[Rect]:
    """A room's area in about equal tiles."""
    return [
        Rect(x0, x1, z0, z1)
        for z0, z1 in _split(area.z0, area.z1, _TILE_M)
        for x0, x1 in _split(area.x0, area.x1, _TILE_M)
    ]


def _split(start: float, end: float, length: float) -> list[tuple[float, float]]:
    """Equal parts of a stretch, each about `length` long or shorter."""
    count = max(1, round((end - start) / length))
    marks = [start + (end - start) * n / count for n in range(count + 1)]
    return list(pairwise(marks))


def _slab(area: Rect, y: float) -> Box:
    x, z = area.center
    return Box((round(x, 3), y, round(z, 3)), (round(area.x1 - area.x0, 3), 0.02, round(area.z1 - area.z0, 3)))


def _panel(wall: Edge, start: float, end: float) -> Box:
    along, length, at = round((start + end) / 2, 3), round(end - start, 3), round(wall.at, 3)
    if wall.runs_along_x:
        return Box((along, HEIGHT_M / 2, at), (length, HEIGHT_M, WALL_M))
    return Box((at, HEIGHT_M / 2, along), (WALL_M, HEIGHT_M, length))
