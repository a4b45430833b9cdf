"""What one can see: the open part of a room, and everyone in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..scene.catalog import CONTAINER_CLASSES
from ..scene.graph import SceneGraph
from ..tasks.goals import CLEARING, Goal, WantKind

RESTING_CLASSES = (
    "kitchencounter",
    "coffeetable",
    "kitchentable",
    "diningtable",
    "bench",
    "cabinet",
    "desk",
    "nightstand",
    "sofa",
    "bathroomcounter",
)
"""Where people put what has to go somewhere; all of them are supports."""

_THING, _CONTAINER, _TARGET, _SURFACE, _PERSON = 1, 2, 4, 8, 16


class Focus:
    """What a goal makes worth seeing, by class, so that a look costs one table entry for each visible thing.

    Attributes:
        wants: the goal's wants.
        uses: per class the indices of the wants that any thing of it can serve.
        roles: per class what things of it may be (flags); other classes do not matter.
        at: per target the indices of its wants.
        ignored: the one container that hides nothing of interest: the only target of a goal that fills it. Or 0.
        cleared: targets from which things are to be taken away; nothing is put to rest there.
        seats: whether it matters who sits where.
        people: whether what people do can meet a want (sit, hold).
        members: the team; strangers in a corridor do not matter.
    """

    def __init__(self, goal: Goal, members: Iterable[int], classes: Mapping[int, str], *, single: bool) -> None:
        self.wants = goal.wants
        self.members = frozenset(members)
        self.uses: dict[str, tuple[int, ...]] = {}
        self.at: dict[int, tuple[int, ...]] = {}
        self.roles: dict[str, int] = {"character": _PERSON}
        for index, want in enumerate(goal.wants):
            if want.target:
                self.at[want.target] = (*self.at.get(want.target, ()), index)
            if want.kind in (WantKind.ON, WantKind.INSIDE, WantKind.HOLD):
                self.uses[want.class_name] = (*self.uses.get(want.class_name, ()), index)
        self._mark(self.uses, _THING)
        self._mark(CONTAINER_CLASSES, _CONTAINER)
        self._mark([classes[target] for target in self.at], _TARGET)
        if not single:
            self._mark(RESTING_CLASSES, _SURFACE)
        self.ignored = goal.wants[0].target if single and goal.wants[0].kind is WantKind.INSIDE else 0
        self.cleared = frozenset(want.target for want in goal.wants if want.kind in CLEARING)
        self.seats = any(want.kind is WantKind.SIT for want in goal.wants)
        self.people = self.seats or any(want.kind is WantKind.HOLD for want in goal.wants)

    def _mark(self, names: Iterable[str], role: int) -> None:
        for name in names:
            self.roles[name] = self.roles.get(name, 0) | role


class Person(NamedTuple):
    """Somebody in sight: what they hold (right hand first), and the seat they sit on, or 0."""

    holding: tuple[int, ...]
    seat: int


@dataclass(frozen=True, slots=True)
class RoomView:
    """What matters for a goal among the things visible in a room; the same for all of a team who are in it.

    Attributes:
        room: the room.
        people: who of the team is there.
        closed: shut containers that may hide things.
        goods: things that nobody carries and that can be taken, by id, with the wants they can serve;
            those that already meet a want, too.
        targets: the goal's targets that stand here.
        known: per want at these targets, unless a door hides it: the things in place, the things left where
            they are to be taken away, the people seated, or the switch that is on.
        surfaces: where things can be put to rest.
    """

    room: int
    people: Mapping[int, Person]
    closed: tuple[int, ...]
    goods: Mapping[int, tuple[int, ...]]
    targets: tuple[int, ...]
    known: Mapping[int, tuple[int, ...]]
    surfaces: tuple[int, ...]


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


def look(graph: SceneGraph, room: int, focus: Focus) -> RoomView:
    """Look around in a room with a goal in mind."""
    nodes, roles = graph.nodes, focus.roles
    people: dict[int, Person] = {}
    closed: list[int] = []
    goods: dict[int, tuple[int, ...]] = {}
    targets: list[int] = []
    surfaces: list[int] = []
    for number in visible(graph, room):
        node = nodes[number]
        role = roles.get(node.kind)
        if role is None:
            continue
        if role & _THING and "GRABBABLE" in node.properties and graph.carrier(number) is None:
            goods[number] = focus.uses[node.kind]
        if role & _TARGET and number in focus.at:
            targets.append(number)
        if role & _CONTAINER and "CLOSED" in node.states and number != focus.ignored:
            closed.append(number)
        if role & _SURFACE and number not in focus.cleared:
            surfaces.append(number)
        if role & _PERSON and number in focus.members:
            seat = graph.targets(number, "SITTING") if focus.seats else ()
            people[number] = Person(tuple(graph.held_by(number)), seat[0] if seat else 0)
    known: dict[int, tuple[int, ...]] = {}
    for target in targets:
        _inspect(graph, target, focus, known, goods)
    return RoomView(
        room=room,
        people=people,
        closed=tuple(sorted(closed)),
        goods=dict(sorted(goods.items())),
        targets=tuple(targets),
        known=known,
        surfaces=tuple(sorted(surfaces)),
    )


def _inspect(
    graph: SceneGraph, target: int, focus: Focus, known: dict[int, tuple[int, ...]], goods: dict[int, tuple[int, ...]]
) -> None:
    """Add what can be told about the wants at a target in sight, and what is to be taken away from it."""
    is_shut = graph.is_shut(target)
    for index in focus.at[target]:
        want = focus.wants[index]
        if is_shut and want.kind in (WantKind.INSIDE, WantKind.OUT):
            continue
        if want.kind not in CLEARING:
            known[index] = want.met_by(graph)
            continue
        left = [number for number in graph.sources(target, want.relation) if want.is_meant(graph, number)]
        known[index] = tuple(left)
        for number in left:
            if "GRABBABLE" in graph.nodes[number].properties:
                goods[number] = (*goods.get(number, ()), index)


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
            for source, relation, target in graph.edges_among(seen)
        ],
    }
