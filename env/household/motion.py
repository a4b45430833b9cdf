"""Walking: the way through doorways, and how far one step takes a person along it."""

from __future__ import annotations

import math

from .graph import Box, SceneGraph

STEP_M = 1.0
"""VirtualHome: one walktowards moves at most a metre."""

ARM_M = 1.0
"""How near a walk to an object ends: safely within the 1.3 m of CLOSE."""

PERSON_M = 2.5
"""VirtualHome: a walk to a person ends at this distance."""

_ROUNDING_M = 1e-6
"""A walk that has arrived does not creep on by rounding errors."""

Point = tuple[float, float]


class Floorplan:
    """Which doorways lead from room to room. Read once from the BETWEEN edges of a scene.

    Rooms without a known connection are joined by a straight line, so that every walk arrives.
    """

    def __init__(self, graph: SceneGraph) -> None:
        doors: dict[int, list[tuple[int, Point]]] = {room: [] for room in graph.rooms}
        for number in sorted(graph.nodes):
            rooms = graph.targets(number, "BETWEEN")
            box = graph.nodes[number].box
            if len(rooms) == 2 and box is not None and all(room in doors for room in rooms):
                point = (box.center[0], box.center[2])
                doors[rooms[0]].append((rooms[1], point))
                doors[rooms[1]].append((rooms[0], point))
        self._routes: dict[tuple[int, int], tuple[tuple[Point, int], ...]] = {}
        for start in doors:
            self._routes[start, start] = ()
            frontier = [start]
            for room in frontier:  # breadth first: fewest doorways; grows while it is walked
                for following, point in doors[room]:
                    if (start, following) not in self._routes:
                        self._routes[start, following] = (*self._routes[start, room], (point, following))
                        frontier.append(following)

    def advance(self, position: Point, room: int, goal: Box, goal_room: int, stop_m: float) -> tuple[Point, int]:
        """One step towards a box in a room, ending at most `stop_m` from it; returns the new position and room."""
        x, z = position
        left = STEP_M
        for (door_x, door_z), following in self._routes.get((room, goal_room), ()):
            gap = math.hypot(door_x - x, door_z - z)
            if gap > left:
                return (x + (door_x - x) * left / gap, z + (door_z - z) * left / gap), room
            x, z, room, left = door_x, door_z, following, left - gap
        goal_x, goal_z = goal.nearest(x, z)
        gap = math.hypot(goal_x - x, goal_z - z)
        if gap <= stop_m + _ROUNDING_M:
            return (x, z), goal_room
        part = min(left, gap - stop_m) / gap
        return (x + (goal_x - x) * part, z + (goal_z - z) * part), goal_room
