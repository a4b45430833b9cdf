"""What one can see: the open part of a room, and everyone in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .catalog import CONTAINER_CLASSES
from .graph import SceneGraph
from .tasks import Goal

_CONTAINERS = frozenset(CONTAINER_CLASSES)


@dataclass(frozen=True, slots=True)
class RoomView:
    """What matters for the goal among the things visible in a room; the same for all who are in it.

    Attributes:
        room: the room.
        people: who is there, with what each holds (right hand first).
        closed: shut containers that may hide things, the target excepted.
        goods: things of the goal's classes that nobody holds and that can be taken, those at the target too.
        has_target: whether the target stands here.
        placed: the goal things at the target that count; None if one cannot see that.
    """

    room: int
    people: tuple[tuple[int, tuple[int, ...]], ...]
    closed: tuple[int, ...]
    goods: tuple[int, ...]
    has_target: bool
    placed: tuple[int, ...] | None


def visible(graph: SceneGraph, room: int) -> list[int]:
    """All that is visible in a room, each id once: nothing inside a shut container, however deep.

    Containers that cannot be shut (shelves, sinks) do not hide their contents.
    """
    found = graph.contents(room)
    for number in found:  # grows while it is walked
        inner = graph.contents(number)
        if inner and not graph.is_shut(number):
            found.extend(inner)
    return found


def look(graph: SceneGraph, room: int, goal: Goal) -> RoomView:
    """Look around in a room with a goal in mind."""
    nodes = graph.nodes
    wanted = {name for name, _ in goal.needs}
    people: list[tuple[int, tuple[int, ...]]] = []
    closed: list[int] = []
    goods: list[int] = []
    held: set[int] = set()
    has_target = False
    for number in visible(graph, room):
        node = nodes[number]
        name = node.kind
        if name in wanted:
            if "GRABBABLE" in node.properties:
                goods.append(number)
        elif number == goal.target:
            has_target = True
        elif name in _CONTAINERS:
            if "CLOSED" in node.states:
                closed.append(number)
        elif node.category == "Characters":
            hands = tuple(graph.held_by(number))
            people.append((number, hands))
            held.update(hands)
    placed: tuple[int, ...] | None = None
    if has_target and not (goal.relation == "INSIDE" and graph.is_shut(goal.target)):
        placed = goal.pick(graph, graph.sources(goal.target, goal.relation))
    return RoomView(
        room=room,
        people=tuple(sorted(people)),
        closed=tuple(sorted(closed)),
        goods=tuple(sorted(number for number in goods if number not in held)),
        has_target=has_target,
        placed=placed,
    )


def partial_graph(graph: SceneGraph, character: int) -> dict[str, Any]:
    """What a character sees, as VirtualHome JSON: its room's visible part, its hands, and all room nodes."""
    room = graph.room_of(character)
    seen = {*graph.rooms, *graph.held_by(character)}
    if room is not None:
        seen.update(visible(graph, room))
    return {
        "nodes": [graph.nodes[number].to_dict() for number in sorted(seen)],
        "edges": [
            {"from_id": source, "to_id": target, "relation_type": relation}
            for source, relation, target in graph.edges()
            if source in seen and target in seen
        ],
    }
