"""What all actions share: what somebody can reach, whose hands are free, and how things are moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..scene.graph import Box, Node, SceneGraph, Vec
from .motion import ARM_M, ROUNDING_M, Floorplan, Point, facing
from .script import IMPOSSIBLE, Primitive

HAND_M = 1.1
"""The height at which things are carried."""

HANDS = ("HOLDS_RH", "HOLDS_LH")
"""The right hand takes first."""

Failure = tuple[str, ...]
"""Why an action is impossible, as VirtualHome's report lines."""

GENERAL: Failure = (IMPOSSIBLE,)
"""VirtualHome says no more than this when a hand is not free, a thing is not of the right kind, and so on."""


@dataclass(frozen=True, slots=True)
class Contest:
    """What only one person at a time can do to a thing.

    Attributes:
        loss: the loser's report; {} stands for the winner.
        shared: several may do it as long as there is room for them (seats).
    """

    loss: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One verb.

    Attributes:
        objects: how many objects the verb has.
        check: why it is impossible; None if it is possible. Changes nothing.
        act: what it does. Called only if it is possible.
        process: how reports call the verb.
        hands_on: whether the first object must be within reach, before anything else is checked.
        contest: set if only one person at a time can do it.
    """

    objects: int
    check: Callable[[Acting, int, Primitive], Failure | None]
    act: Callable[[Acting, int, Primitive], None]
    process: str = ""
    hands_on: bool = False
    contest: Contest | None = None


def allowed(acting: Acting, character: int, action: Primitive) -> None:
    """The check of what needs nothing more."""


def nothing(acting: Acting, character: int, action: Primitive) -> None:
    """The effect of what changes nothing in the scene."""


class Acting:
    """The scene as those who act in it know it.

    Attributes:
        touched: everything that may have changed since the start (what a snapshot has to hold).
        origins: for everything held, the relation (ON, INSIDE) and the node from which it was taken.
        spot: where the put that was checked last will leave the thing; its act follows at once.
        way_end: where the walk that was checked last will end, likewise.
    """

    def __init__(self, graph: SceneGraph, *, putin_closed: bool) -> None:
        self.graph = graph
        self.floorplan = Floorplan(graph)
        self.putin_closed = putin_closed
        self.touched: set[int] = set()
        self.origins: dict[int, tuple[str, int]] = {}
        self.spot: Vec | None = None
        self.way_end: tuple[Point, int] | None = None

    # -- asking -------------------------------------------------------------------------------

    def cannot(self, process: str, target: int, more: str = "") -> Failure:
        """A report that names an object, after `process`."""
        node = self.graph.nodes.get(target)
        name = node.class_name if node else f"({target})"
        return (f"PROCESS {process}: {name}{more}", IMPOSSIBLE)

    def place(self, character: int) -> Point:
        """Where somebody is."""
        box = self.graph.nodes[character].box
        assert box is not None
        return box.center[0], box.center[2]

    def room(self, character: int) -> int:
        """The room somebody is in (people are in no containers)."""
        room = self.graph.parent(character)
        assert room is not None
        return room

    def at_hand(self, character: int, target: int) -> bool:
        """Whether somebody can handle a thing from where they are."""
        node = self.graph.nodes.get(target)
        if node is None or node.box is None or node.category == "Rooms" or target == character:
            return False
        return self.graph.is_reachable(character, target)

    def arrival(self, character: int, goal: Node) -> tuple[Point, int] | None:
        """Where, and in which room, somebody's whole way to a node ends; None if a shut door is in the way."""
        room = self.room(character)
        box, stop_m = self.aim(goal)
        return self.floorplan.arrive(self.place(character), room, box, self.goal_room(room, goal.id), stop_m)

    def aim(self, goal: Node) -> tuple[Box, float]:
        """What a walk to a node aims at, and how near it comes to that: the middle of a room, or an arm's length."""
        assert goal.box is not None
        return (Box(goal.box.center, (0.0, 0.0, 0.0)), 0.0) if goal.category == "Rooms" else (goal.box, ARM_M)

    def goal_room(self, room: int, target: int) -> int:
        """The room in which somebody who is in `room` goes up to a thing; a door has two."""
        sides = self.floorplan.sides.get(target)
        if sides is None:
            inside = self.graph.room_of(target)
            assert inside is not None
            return inside
        if room in sides:
            return room
        for side in sides:
            doorway = self.floorplan.next_doorway(room, side)
            if doorway is not None and not doorway.is_shut and doorway.node.id != target:
                return side
        return sides[0]

    def free_hand(self, character: int) -> str | None:
        """The hand that takes the next thing."""
        for hand in HANDS:
            if not self.graph.targets(character, hand):
                return hand
        return None

    def people_on(self, seat: int) -> list[int]:
        """Who sits or lies on a thing."""
        graph = self.graph
        lying = [who for who in graph.sources(seat, "ON") if graph.nodes[who].category == "Characters"]
        return [*graph.sources(seat, "SITTING"), *lying]

    # -- moving -------------------------------------------------------------------------------

    def go_to(self, character: int, goal: Node, end: tuple[Point, int] | None) -> None:
        """Take somebody to where their whole way to a node ends."""
        assert end is not None and goal.box is not None
        self.relocate(character, *end)
        self.look_at(character, goal.box)

    def relocate(self, character: int, point: Point, room: int) -> None:
        """Put somebody elsewhere on the floor, on their feet, with all that they hold and wear."""
        graph = self.graph
        me = graph.nodes[character]
        assert me.box is not None
        (x, y, z), size = me.box
        self.stand_up(character)
        before = graph.parent(character)
        if (x, z) == point and before == room:
            return
        me.box = Box((point[0], y, point[1]), size)
        self.touched.add(character)
        if before != room:
            graph.unlink(character, "INSIDE")
            graph.link(character, "INSIDE", room)
        for thing in graph.held_by(character):
            self.move(thing, (point[0], HAND_M, point[1]), room)
        for thing in graph.sources(character, "ON"):
            box = graph.nodes[thing].box
            if box is not None:
                self.move(thing, (point[0], box.center[1], point[1]), room)

    def stand_up(self, character: int) -> None:
        """End sitting or lying; nothing happens to somebody who stands."""
        graph, me = self.graph, self.graph.nodes[character]
        if graph.targets(character, "SITTING"):
            graph.unlink(character, "SITTING")
            self.touched.add(character)
        if "LYING" in me.states:
            me.states = tuple(state for state in me.states if state != "LYING")
            graph.unlink(character, "ON")
            self.touched.add(character)

    def look_at(self, character: int, box: Box) -> None:
        """Turn somebody towards the middle of a box."""
        x, z = self.place(character)
        self.look_along(character, (box.center[0] - x, box.center[2] - z))

    def look_along(self, character: int, direction: Point) -> None:
        """Turn somebody into a direction; a direction of no length turns nobody."""
        if abs(direction[0]) + abs(direction[1]) > ROUNDING_M:
            me, rotation = self.graph.nodes[character], facing(direction)
            if rotation != me.rotation:
                me.rotation = rotation
                self.touched.add(character)

    def take(self, character: int, target: int) -> None:
        """Take a thing into the free hand, from wherever it is."""
        hand = self.free_hand(character)
        x, z = self.place(character)
        assert hand is not None
        support, parent = self.graph.support(target), self.graph.parent(target)
        self.release(target)
        self.move(target, (x, HAND_M, z), self.room(character))
        self.graph.link(character, hand, target)
        self.touched.add(character)
        if support == character:  # it was worn
            return
        if support is not None:
            self.origins[target] = "ON", support
        elif parent is not None:
            self.origins[target] = "INSIDE", parent

    def leave(self, character: int, target: int, center: Vec, inside: int) -> None:
        """Put a thing out of somebody's hand to a place in a room or container."""
        self.release(target)
        self.move(target, center, inside)
        self.touched.add(character)
        self.origins.pop(target, None)

    def release(self, target: int) -> None:
        """Take a thing off its support and out of hands; only its INSIDE edge is left."""
        graph = self.graph
        graph.unlink(target, "ON")
        holder = graph.holder(target)
        if holder is not None:
            for hand in HANDS:
                if target in graph.targets(holder, hand):
                    graph.unlink(holder, hand)

    def move(self, target: int, center: Vec, inside: int) -> None:
        """Move a thing, and what is on it or in it, and say what it is now inside of."""
        graph = self.graph
        node = graph.nodes[target]
        assert node.box is not None
        before, parent = node.box.center, graph.parent(target)
        dx, dy, dz = center[0] - before[0], center[1] - before[1], center[2] - before[2]
        for rider in graph.load(target):
            other = graph.nodes[rider]
            if other.box is not None:
                x, y, z = other.box.center
                other.box = Box((x + dx, y + dy, z + dz), other.box.size)
            if graph.parent(rider) == parent and parent != inside:
                graph.unlink(rider, "INSIDE")
                graph.link(rider, "INSIDE", inside)
            self.touched.add(rider)
        node.box = Box(center, node.box.size)
        if parent != inside or len(graph.targets(target, "INSIDE")) > 1:
            graph.unlink(target, "INSIDE")
            graph.link(target, "INSIDE", inside)
        self.touched.add(target)

    def set_state(self, target: int, new: str, old: str) -> None:
        """Give a node a state in place of its opposite."""
        node = self.graph.nodes[target]
        if old in node.states:
            node.states = tuple(new if state == old else state for state in node.states)
        elif new not in node.states:
            node.states = (*node.states, new)
        self.touched.add(target)
