"""Setting a task up in a home: drawing what is asked for, and hiding it so that the goal can be reached.

What the drawn goal needs is there, within reach, nowhere near done, and fits where it is to go; or there is one
error that says what the home lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from random import Random

from ...world import WorldError
from ..homes import build_home, discard, find_places, remove_clutter, scatter, things_in
from ..scene.catalog import CATALOG, CONTAINER_CLASSES, ObjectClass
from ..scene.graph import FIRST_OBJECT_ID, SceneGraph
from .capacity import has_room
from .fitting import kind_of, why_never
from .goals import CLEARING, PLACING, Goal, Want, WantKind
from .task import DEFAULT_HOME, Ask, Chore, Target, Task, refuse_contradictions

_HIDDEN = (*PLACING, WantKind.HOLD)
"""Kinds of wants whose things are to be found first."""

_USUAL_ROOMS = {
    "coffeetable": "livingroom",
    "dishwasher": "kitchen",
    "fridge": "kitchen",
    "kitchentable": "kitchen",
    "microwave": "kitchen",
    "sofa": "livingroom",
    "stove": "kitchen",
    "tv": "livingroom",
}
"""Of several, the one in this room is meant."""


def set_up(task: Task, graph: SceneGraph, rng: Random, rooms: Collection[int] | None = None) -> Goal:
    """Draw a goal and hide its things in these rooms (None: in all), at least as many as it needs, none in place.

    Things of the goal's classes that lay about are taken out first. Things to take away lie where they are to be taken
    from; switches are off. In a scene with classes that the catalog does not know, things of these stay where they are.

    Raises:
        WorldError: the home lacks a target, things of a class, or room for them.
    """
    return _Setting(task, graph, rng, frozenset(graph.rooms if rooms is None else rooms)).make()


def rehearse(task: Task) -> None:
    """Set a task up once in its home, to learn before a run whether that can be done.

    Raises:
        WorldError: there is no such home, or it lacks something.
    """
    home = build_home(task.home or DEFAULT_HOME, FIRST_OBJECT_ID, Random(0))
    set_up(task, home.graph, Random(0), home.flats[0].rooms)


class _Setting:
    def __init__(self, task: Task, graph: SceneGraph, rng: Random, rooms: frozenset[int]) -> None:
        self._task, self._graph, self._rng, self._rooms = task, graph, rng, rooms
        self._name = f"task {task.name} in home {task.home or DEFAULT_HOME}"
        self._things = things_in(graph, rooms)  # before anything is changed
        self._kinds = {graph.nodes[n].kind: kind_of(graph.nodes[n]) for n in reversed(self._things)}

    def make(self) -> Goal:
        graph = self._graph
        targets = {ask.target: self._find(ask.target) for ask in self._task.asks if ask.target is not None}
        drawn = [(chore, chore.draw(self._rng)) for chore in self._task.chores]
        wants = [(chore, [self._want(ask, count, targets) for ask, count in asks]) for chore, asks in drawn]
        goal = Goal(self._task.name, tuple(want for _, part in wants for want in part))
        refuse_contradictions(self._name, ((want.kind, want.class_name, want.target) for want in goal.wants))
        moved = [want for want in goal.wants if want.kind in (*_HIDDEN, *CLEARING)]
        fixed = {graph.nodes[number].kind for number in targets.values()}
        for want in moved:
            if want.class_name in fixed:
                raise WorldError(f"{self._name}: a {want.class_name} cannot be a target and be carried")
        remove_clutter(graph, {want.class_name for want in moved if want.class_name in CATALOG}, self._rooms)
        for want in goal.wants:
            self._empty(want)
            if want.kind is WantKind.SWITCH_ON:
                self._switch_off(want.target)
        laid = [want for want in moved if want.kind in (WantKind.ON, WantKind.OFF)]
        for target in sorted({want.target for want in laid}):
            self._make_room(target, [want for want in laid if want.target == target], {w.class_name for w in moved})
        taken = {want.target for want in moved}
        for chore, part in wants:
            self._fill(chore, part, taken)
        goal = Goal(goal.task, tuple(self._started(want) for want in goal.wants))
        self._check_stock(goal)
        return goal

    # -- what is asked for --------------------------------------------------------------------

    def _find(self, target: Target) -> int:
        """The node that a target means: in its usual room if there is one, else the first."""
        graph = self._graph
        found: list[tuple[bool, int]] = []
        for number in self._things:
            node, room = graph.nodes[number], graph.room_of(number)
            assert room is not None
            room_class = graph.nodes[room].kind
            meant = node.kind == target.class_name and target.room in ("", room_class)
            if (meant or number == target.number) and self._is_within_reach(number):
                found.append((room_class != _USUAL_ROOMS.get(node.kind, room_class), number))
        if not found:
            raise WorldError(f"{self._name}: there is no {target}")
        return min(found)[1]

    def _want(self, ask: Ask, count: int, targets: dict[Target, int]) -> Want:
        target = targets[ask.target] if ask.target else 0
        place = kind_of(self._graph.nodes[target]) if target else None
        reason = why_never(ask.kind, self._kind(ask.class_name) if ask.class_name else None, place, count)
        if place and ask.kind in (WantKind.INSIDE, WantKind.OUT) and not self._can_be_looked_into(target):
            reason = reason or f"the {place.name} is neither open nor closed"
        if reason:
            raise WorldError(f"{self._name}: {reason}")
        return Want(ask.kind, ask.class_name or self._graph.nodes[target].kind, count, target)

    def _kind(self, class_name: str) -> ObjectClass:
        """What is known of a class of things: from the catalog, else from the first of them in the scene."""
        for kind in (CATALOG.get(class_name), self._kinds.get(class_name)):
            if kind is not None:
                return kind
        raise WorldError(f"{self._name}: there is no {class_name}, and the catalog knows none")

    # -- making it so -------------------------------------------------------------------------

    def _switch_off(self, target: int) -> None:
        node = self._graph.nodes[target]
        node.states = (*(state for state in node.states if state not in ("ON", "OFF")), "OFF")

    def _empty(self, want: Want) -> None:
        """Take away what is in place already, and what is where fresh things will be laid out."""
        if want.kind in PLACING or (want.kind in CLEARING and want.class_name in CATALOG):
            for number in self._graph.sources(want.target, want.relation):
                if want.is_meant(self._graph, number):
                    discard(self._graph, number)

    def _make_room(self, target: int, wants: Sequence[Want], staying: Collection[str]) -> None:
        """Clear a surface of loose things of other classes until there is room for what goes there or lies there."""
        sizes = [self._kind(want.class_name).size for want in wants for _ in range(want.count)]
        while not has_room(self._graph, target, sizes):
            nodes = self._graph.nodes
            riders = [n for n in self._graph.sources(target, "ON") if "GRABBABLE" in nodes[n].properties]
            loose = [n for n in riders if nodes[n].kind not in staying]
            if not loose:
                things = ", ".join(f"{want.count} {want.class_name}" for want in wants)
                raise WorldError(f"{self._name}: there is no room on the {nodes[target].kind} for {things}")
            discard(self._graph, loose[-1])

    def _fill(self, chore: Chore, wants: Sequence[Want], taken: Collection[int]) -> None:
        """Lay out what is to be taken away, and hide what is to be found."""
        hidden: Counter[str] = Counter()
        for want in wants:
            if want.class_name not in CATALOG:
                continue
            if want.kind in CLEARING:
                for _ in range(want.count):
                    self._put(want.class_name, [(want.relation, want.target)], must=True)
            elif want.kind in _HIDDEN:
                hidden[want.class_name] += want.count
        places = self._hiding_places(chore, taken) if hidden else []
        for class_name, count in hidden.items():
            spare = self._rng.randint(0, 1) if chore.spare is None else chore.spare
            for index in range(count + spare):
                self._put(class_name, places, must=index < count)

    def _hiding_places(self, chore: Chore, taken: Collection[int]) -> list[tuple[str, int]]:
        hiding, nodes = chore.hiding, self._graph.nodes
        rooms = {room for room in self._rooms if not hiding.rooms or nodes[room].kind in hiding.rooms}
        inside = [name for name in hiding.inside if name in CONTAINER_CLASSES]
        return [
            (relation, number)
            for relation, number in find_places(self._graph, hiding.on, inside, rooms)
            if number not in taken
            and nodes[number].box is not None
            and self._is_within_reach(number)
            and (relation == "ON" or self._can_be_looked_into(number))
        ]

    def _put(self, class_name: str, places: Sequence[tuple[str, int]], *, must: bool) -> None:
        if scatter(self._graph, self._rng, class_name, places) is None and must:
            lack = "no room left for one more" if places else "no place to hide any"
            raise WorldError(f"{self._name}: there is {lack} {class_name}")

    def _started(self, want: Want) -> Want:
        """The want with what it starts from."""
        if want.kind not in CLEARING:
            return want
        there = self._graph.sources(want.target, want.relation)
        return replace(want, start=sum(want.is_meant(self._graph, number) for number in there))

    # -- checking -----------------------------------------------------------------------------

    def _check_stock(self, goal: Goal) -> None:
        """Count what is there; things of classes that the catalog does not know could not be added."""
        graph = self._graph
        there = Counter(graph.nodes[n].kind for n in things_in(graph, self._rooms) if self._is_within_reach(n))
        needed: Counter[str] = Counter()
        for want in goal.wants:
            if want.kind in _HIDDEN:
                needed[want.class_name] += want.count
        for name, count in needed.items():
            if there[name] < count:
                raise WorldError(f"{self._name}: {count} {name} are asked for, {there[name]} are within reach")
        for want in goal.wants:
            if want.kind in CLEARING and want.start < want.count:
                place = graph.nodes[want.target].kind
                raise WorldError(
                    f"{self._name}: {want.count} {want.class_name} are to leave the {place}, {want.start} are there"
                )

    def _is_within_reach(self, number: int) -> bool:
        """Whether agents can get at a node: all around it is open, or is looked into."""
        current = self._graph.parent(number)
        while current is not None and self._graph.nodes[current].category != "Rooms":
            if not self._can_be_looked_into(current):
                return False
            current = self._graph.parent(current)
        return current is not None

    def _can_be_looked_into(self, container: int) -> bool:
        node = self._graph.nodes[container]
        return not self._graph.is_shut(container) or (node.kind in CONTAINER_CLASSES and "CLOSED" in node.states)
