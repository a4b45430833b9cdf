"""Walking: the way through doorways, and how far one step takes a person along it."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

from ..scene.graph import Box, Node, SceneGraph

STEP_M = 1.0
"""VirtualHome: one walktowards moves at most a metre, if it does not say how many."""

ARM_M = 1.0
"""How near a walk to an object ends: safely within the 1.3 m of CLOSE. It ends as near to a shut door."""

PERSON_M = 2.5
"""VirtualHome: a walk towards a person ends at this distance."""

TURN_DEGREES = 30.0
"""VirtualHome: how far turnleft and turnright turn."""

ROUNDING_M = 1e-6
"""A walk that has arrived does not creep on by rounding errors."""

_CACHED_WAYS = 4096
"""How many (room, goal room) pairs are remembered with the doorway that leads on."""

Point = tuple[float, float]
"""A place on the floor plane: (x, z) in metres."""


@dataclass(frozen=True, slots=True)
class Doorway:
    """A way from one room into the next one; `node` is the door or door frame in the scene."""

    node: Node
    point: Point
    following: int

    @property
    def is_shut(self) -> bool:
        """Whether its door is closed now."""
        return "CLOSED" in self.node.states


class Floorplan:
    """Which doorways lead from room to room; read once from the BETWEEN edges of a scene.

    Ways are shortest by metres from room centre to room centre. They are looked for when somebody first
    needs them, and remembered within bounds. A shut door is avoided if there is another way; if not, the
    way leads up to it. Rooms without any connection are joined by a straight line, so that every walk
    arrives (graphs of the Unity simulator have no BETWEEN edges); on it, whoever is in the box of a room is
    in that room.

    Attributes:
        sides: the two rooms of every door and door frame.
    """

    def __init__(self, graph: SceneGraph) -> None:
        self._graph = graph
        self._doorways: dict[int, list[Doorway]] = {room: [] for room in graph.rooms}
        self._ways: dict[tuple[int, int], Doorway | None] = {}
        self.sides: dict[int, tuple[int, int]] = {}
        for number in sorted({door for room in graph.rooms for door in graph.sources(room, "BETWEEN")}):
            node, rooms = graph.nodes[number], graph.targets(number, "BETWEEN")
            if len(rooms) == 2 and node.box is not None and all(room in self._doorways for room in rooms):
                point = (node.box.center[0], node.box.center[2])
                self.sides[number] = rooms[0], rooms[1]
                self._doorways[rooms[0]].append(Doorway(node, point, rooms[1]))
                self._doorways[rooms[1]].append(Doorway(node, point, rooms[0]))

    def doorways(self, room: int) -> list[Doorway]:
        """The ways out of a room, in the order of the ids of their doors."""
        return self._doorways[room]

    def forget(self) -> None:
        """A door was opened or closed: the remembered ways count no more."""
        self._ways.clear()

    def next_doorway(self, room: int, goal_room: int) -> Doorway | None:
        """The doorway through which the way from a room to another one begins; None: there is no such way."""
        key = room, goal_room
        if key not in self._ways:
            # Of a way through a shut door only the beginning is good: behind the door there may be a better one.
            path = self._search(room, goal_room, through_shut=False)
            for start, doorway in path or self._search(room, goal_room, through_shut=True)[:1]:
                self._ways[start, goal_room] = doorway
            self._ways.setdefault(key, None)
            while len(self._ways) > _CACHED_WAYS:
                del self._ways[next(iter(self._ways))]
        return self._ways.get(key)

    def is_blocked(self, position: Point, room: int, goal_room: int) -> bool:
        """Whether somebody on the way to another room stands before a shut door and cannot go on."""
        doorway = self.next_doorway(room, goal_room)
        return doorway is not None and doorway.is_shut and math.dist(doorway.point, position) <= ARM_M + ROUNDING_M

    def advance(
        self, position: Point, room: int, goal: Box, goal_room: int, stop_m: float, metres: float = STEP_M
    ) -> tuple[Point, int]:
        """Go towards a box in a room, ending at most `stop_m` from it or before a shut door.

        Returns the new position and room, at most `metres` from the old ones along the way.
        """
        x, z = position
        left = metres
        while room != goal_room:
            doorway = self.next_doorway(room, goal_room)
            if doorway is None:
                break
            door_x, door_z = doorway.point
            gap = math.hypot(door_x - x, door_z - z)
            if doorway.is_shut:
                return _towards(x, z, door_x, door_z, min(left, max(0.0, gap - ARM_M)), gap), room
            if gap > left:
                return _towards(x, z, door_x, door_z, left, gap), room
            x, z, room, left = door_x, door_z, doorway.following, left - gap
        goal_x, goal_z = goal.nearest(x, z)
        gap = math.hypot(goal_x - x, goal_z - z)
        if gap <= stop_m + ROUNDING_M:
            return (x, z), goal_room
        end = _towards(x, z, goal_x, goal_z, min(left, gap - stop_m), gap)
        if room != goal_room and gap - stop_m > left:
            return end, self._room_at(end, room)
        return end, goal_room

    def arrive(self, position: Point, room: int, goal: Box, goal_room: int, stop_m: float) -> tuple[Point, int] | None:
        """Where, and in which room, the whole way towards a box ends; None if a shut door is in the way."""
        end = self.advance(position, room, goal, goal_room, stop_m, math.inf)
        return end if end[1] == goal_room else None

    def ahead(self, position: Point, room: int, heading: Point, metres: float) -> tuple[Point, int]:
        """Go straight on, at most as far as the walls of the room or, through an open doorway, of the next one."""
        x, z = position
        (dx, dz), left = heading, metres
        box = self._graph.nodes[room].box
        assert box is not None
        part = min(left, _room_ahead(box, position, heading))
        x, z, left = x + dx * part, z + dz * part, left - part
        if left > ROUNDING_M:
            for doorway in self._doorways[room]:
                frame, beyond = doorway.node.box, self._graph.nodes[doorway.following].box
                assert frame is not None
                is_in_it = math.dist(doorway.point, (x, z)) <= max(frame.size[0], frame.size[2]) / 2
                if is_in_it and not doorway.is_shut and beyond and beyond.distance(x, z) <= ROUNDING_M:
                    part = min(left, _room_ahead(beyond, (x, z), heading))
                    return (x + dx * part, z + dz * part), doorway.following
        return (x, z), room

    def _room_at(self, point: Point, before: int) -> int:
        """The room whose box a point is deepest inside (the first of several); outside all of them, the one before."""
        nodes, found, deepest = self._graph.nodes, before, 0.0
        for room in self._graph.rooms:
            box = nodes[room].box
            if box is not None:
                (x, _, z), (width, _, depth) = box
                margin = min(width / 2 - abs(point[0] - x), depth / 2 - abs(point[1] - z))
                if margin > deepest:
                    found, deepest = room, margin
        return found

    def _search(self, start: int, goal: int, *, through_shut: bool) -> list[tuple[int, Doorway]]:
        """The shortest way, as rooms with the doorway by which each is left; empty: there is none.

        It is looked for from the goal. So of ways of equal length every room on the way has the same one as if
        it was looked for from there, and what is remembered does not depend on who asked first.
        """
        rooms = self._graph.nodes
        nexts: dict[int, tuple[Doorway, int]] = {}
        best = {goal: 0.0}
        frontier = [(0.0, goal)]
        while frontier:
            metres, room = heapq.heappop(frontier)
            if room == start:
                break
            if metres > best[room]:
                continue
            for doorway in self._doorways.get(room, ()):
                if doorway.is_shut and not through_shut:
                    continue
                before = doorway.following
                gap = _from_center(rooms[room], doorway) + _from_center(rooms[before], doorway)
                total = metres + gap + ROUNDING_M  # never nothing, so that no way leads round in circles
                if total < best.get(before, math.inf):
                    best[before] = total
                    nexts[before] = doorway, room
                    heapq.heappush(frontier, (total, before))
        path: list[tuple[int, Doorway]] = []
        while start in nexts:
            doorway, following = nexts[start]
            path.append((start, Doorway(doorway.node, doorway.point, following)))
            start = following
        return path


def facing(direction: Point) -> tuple[float, float, float, float]:
    """The quaternion (x, y, z, w) of somebody upright who looks in a direction; +z is straight on, +x right."""
    half = math.atan2(direction[0], direction[1]) / 2
    return 0.0, math.sin(half), 0.0, math.cos(half)


def heading(rotation: tuple[float, ...]) -> Point:
    """Where somebody with this rotation looks, as a direction of length 1 on the floor plane."""
    x, y, z, w = rotation
    dx, dz = 2 * (x * z + w * y), 1 - 2 * (x * x + y * y)
    length = math.hypot(dx, dz)
    return (dx / length, dz / length) if length > ROUNDING_M else (0.0, 1.0)


def turn(rotation: tuple[float, ...], degrees: float) -> tuple[float, float, float, float]:
    """The rotation of somebody upright after a turn to the right (negative: to the left)."""
    (dx, dz), angle = heading(rotation), math.radians(degrees)
    return facing((dx * math.cos(angle) + dz * math.sin(angle), dz * math.cos(angle) - dx * math.sin(angle)))


def _towards(x: float, z: float, goal_x: float, goal_z: float, metres: float, gap: float) -> Point:
    if metres >= gap:
        return goal_x, goal_z
    return x + (goal_x - x) * metres / gap, z + (goal_z - z) * metres / gap


def _from_center(room: Node, doorway: Doorway) -> float:
    """Metres from a doorway to the centre of a room; rooms without a box count nothing."""
    return 0.0 if room.box is None else math.dist((room.box.center[0], room.box.center[2]), doorway.point)


def _room_ahead(box: Box, position: Point, direction: Point) -> float:
    """Metres that one can go in a direction within a box (0 if one is outside)."""
    (cx, _, cz), (sx, _, sz) = box
    metres = math.inf
    for at, step, center, size in ((position[0], direction[0], cx, sx), (position[1], direction[1], cz, sz)):
        if step > ROUNDING_M:
            metres = min(metres, (center + size / 2 - at) / step)
        elif step < -ROUNDING_M:
            metres = min(metres, (center - size / 2 - at) / step)
    return max(0.0, metres)
