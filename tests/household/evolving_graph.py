"""VirtualHome's own symbolic engine, `evolving_graph` of the package `virtualhome`, made comparable to ours.

A small home with something for every verb; one action in it, told to both sides; and what came of it, in
evolving_graph's terms.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from housemates.env.household.engine.engine import VERBS, Primitive
from housemates.env.household.engine.spots import free_spot, inner_spot
from housemates.env.household.homes import add_object
from housemates.env.household.scene.catalog import object_class
from housemates.env.household.scene.graph import Box, Node, SceneGraph

KITCHEN, LIVINGROOM, PEOPLE = 11, 12, (1, 2, 3)
RELATIONS = ("HOLDS_RH", "HOLDS_LH", "INSIDE", "ON")


def small_home() -> SceneGraph:
    """Two rooms with something for every verb, and three people."""
    graph = SceneGraph()
    for number, name, x in ((KITCHEN, "kitchen", 3.0), (LIVINGROOM, "livingroom", 9.0)):
        graph.add(Node(number, name, "Rooms", box=Box((x, 1.3, 3.0), (6.0, 2.6, 6.0))))
    floors = {
        room: add_object(graph, "floor", (x, -0.01, 3.0), "INSIDE", room).id
        for room, x in ((KITCHEN, 3.0), (LIVINGROOM, 9.0))
    }
    for number in PEOPLE:
        graph.add(Node(number, "character", "Characters", box=Box((3.0, 0.9, 3.0), (0.5, 1.8, 0.5))))
        graph.link(number, "INSIDE", KITCHEN)
    jamb = add_object(graph, "doorjamb", (6.0, 1.05, 3.0), "INSIDE", KITCHEN).id
    for room in (KITCHEN, LIVINGROOM):
        graph.link(jamb, "BETWEEN", room)
    for class_name, room, x, z in (
        ("fridge", KITCHEN, 5.5, 0.6),
        ("dishwasher", KITCHEN, 0.5, 0.6),
        ("stove", KITCHEN, 3.0, 0.6),
        ("kitchentable", KITCHEN, 1.0, 4.5),
        ("chair", KITCHEN, 2.4, 4.5),
        ("sofa", LIVINGROOM, 11.3, 3.0),
        ("coffeetable", LIVINGROOM, 9.3, 3.0),
        ("bed", LIVINGROOM, 8.0, 5.0),
        ("bench", LIVINGROOM, 6.3, 1.0),
        ("rug", LIVINGROOM, 9.5, 1.0),
        ("tv", LIVINGROOM, 9.0, 0.3),
    ):
        piece = add_object(graph, class_name, (x, object_class(class_name).size[1] / 2, z), "INSIDE", room)
        graph.link(piece.id, "ON", floors[room])
    for class_name, relation, place in (
        *((name, "ON", "kitchentable") for name in ("plate", "mug", "juice", "cutleryknife", "bread", "cellphone")),
        *((name, "ON", "coffeetable") for name in ("book", "towel", "keyboard", "barsoap", "orchid", "candle")),
        *((name, "INSIDE", "fridge") for name in ("milk", "pudding", "wine")),
        *((name, "ON", "sofa") for name in ("clothesshirt", "magazine")),
        ("apple", "ON", "chair"),
        ("cupcake", "ON", "plate"),
        ("folder", "ON", "bed"),
    ):
        target = next(n for n, node in graph.nodes.items() if node.class_name == place)
        box = graph.nodes[target].box
        assert box is not None
        size = object_class(class_name).size
        spot = (free_spot if relation == "ON" else inner_spot)(graph, target, size, (box.center[0], box.center[2]))
        assert spot is not None, class_name
        thing = add_object(graph, class_name, spot, relation, target)
        if class_name in ("plate", "mug", "towel"):
            thing.states = (*thing.states, "DIRTY")
    for node in graph.nodes.values():
        if node.class_name in ("tv", "fridge"):  # of the others nothing is said
            node.states = (*node.states, "PLUGGED_IN")
    return graph


@contextmanager
def evolving_graph() -> Iterator[ModuleType]:
    """The module `evolving_graph.execution`, and nothing else of the package.

    The package's `__init__` edits sys.path and imports what is not there, that of the folder seeds everybody's
    random generator: neither is run.

    Raises:
        importlib.metadata.PackageNotFoundError: the package is not installed.
    """
    folder = importlib.metadata.distribution("virtualhome").locate_file("virtualhome/simulation/evolving_graph")
    package = ModuleType("evolving_graph")
    package.__path__ = [str(folder)]
    sys.modules["evolving_graph"] = package
    try:
        yield importlib.import_module("evolving_graph.execution")
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "evolving_graph"]:
            del sys.modules[name]


# -- one action on both sides -----------------------------------------------------------------

View = dict[int, tuple[frozenset[tuple[str, int]], frozenset[str]]]
"""For the person and the thing: their edges, and their states."""


@dataclass(frozen=True)
class Case:
    """One action in a scene, before it is carried out."""

    graph: SceneGraph
    person: int
    action: Primitive
    room: int = 0
    rested_on: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def of(cls, graph: SceneGraph, person: int, action: Primitive) -> Case:
        places = graph.targets(person, "SITTING") + graph.targets(person, "ON")
        return cls(graph, person, action, graph.room_of(person) or 0, frozenset(("ON", place) for place in places))

    @property
    def verb(self) -> str:
        return self.action.verb

    @property
    def target(self) -> Node | None:
        return self.graph.nodes.get(self.action.target)

    @property
    def dest(self) -> Node | None:
        return self.graph.nodes.get(self.action.dest)

    def has(self, node: Node | None, *properties: str) -> bool:
        return node is not None and any(name in node.properties for name in properties)

    def is_in(self, node: Node | None, state: str) -> bool:
        return node is not None and state in node.states

    @property
    def handled(self) -> int:
        """What has to be near: the place for what is put, the thing otherwise."""
        return self.action.dest if self.verb in ("putback", "putin", "pour") else self.action.target

    @property
    def holds_it(self) -> bool:
        return self.action.target in self.graph.held_by(self.person)

    @property
    def hands_full(self) -> bool:
        return len(self.graph.held_by(self.person)) == 2

    @property
    def is_renamed(self) -> bool:
        return self.dest is not None and self.dest.class_name in ("fridge", "dishwasher")

    @property
    def rests(self) -> bool:
        return bool(self.graph.targets(self.person, "SITTING")) or "LYING" in self.graph.nodes[self.person].states

    @property
    def carrier(self) -> int | None:
        """Who carries what is handled, or what it is on or in."""
        current: int | None = self.handled
        while current in self.graph.nodes and self.graph.nodes[current].category not in ("Rooms", "Characters"):
            holder = self.graph.holder(current)
            if holder is not None:
                return holder
            support = self.graph.support(current)
            current = self.graph.parent(current) if support is None else support
        return current if current in PEOPLE and current != self.handled else None

    def people_on(self, thing: int) -> set[int]:
        lying = {who for who in self.graph.sources(thing, "ON") if who in PEOPLE}
        return {*self.graph.sources(thing, "SITTING"), *lying}


def our_view(graph: SceneGraph, numbers: set[int]) -> View:
    """What we compare, in evolving_graph's terms: who sits has the state SITTING and is ON the seat."""
    view: View = {}
    for number in sorted(numbers):
        seats = graph.targets(number, "SITTING")
        edges = {(relation, other) for relation in RELATIONS for other in graph.targets(number, relation)}
        states = {*graph.nodes[number].states, *(["SITTING"] if seats else [])}
        view[number] = frozenset(edges | {("ON", seat) for seat in seats}), frozenset(states)
    return view


def their_scene(graph: SceneGraph) -> dict[str, Any]:
    """The scene as evolving_graph reads it."""
    scene = graph.to_dict()
    nodes = {node["id"]: node for node in scene["nodes"]}
    for person in PEOPLE:
        for seat in graph.targets(person, "SITTING"):
            nodes[person]["states"].append("SITTING")
            scene["edges"].append({"from_id": person, "relation_type": "ON", "to_id": seat})
    scene["edges"] = [edge for edge in scene["edges"] if edge["relation_type"] != "SITTING"]
    return scene


class Peer:
    """evolving_graph, made to carry out one action at a time. It keeps what it remembers of grabbed things."""

    def __init__(self, execution: ModuleType) -> None:
        self._execution = execution
        self._environment = importlib.import_module("evolving_graph.environment")
        self._scripts = importlib.import_module("evolving_graph.scripts")
        self._memory: dict[Any, Any] = {}
        self._next_memory = self._memory

    def remember(self) -> None:
        """What was carried out was carried out on our side, too."""
        self._memory = self._next_memory

    def act(self, case: Case) -> tuple[str, View]:
        """("ok", what came of it), or ("no" or "crash", nothing)."""
        places = (case.action.target, case.action.dest)[: VERBS[case.verb]]
        line = " ".join([f"[{case.verb.upper()}]", *(f"<thing> ({number})" for number in places)])
        script = self._scripts.read_script_from_list_string([line])
        graph = self._environment.EnvironmentGraph(their_scene(case.graph))
        state = self._environment.EnvironmentState(graph, {}, instance_selection=True)
        state.executor_data = self._memory
        executor = self._execution.ScriptExecutor(graph, {}, PEOPLE.index(case.person))
        try:
            ok, state = executor.execute_one_step(script, state)
        except (AttributeError, TypeError):
            return "crash", {}
        if not ok:
            return "no", {}
        self._next_memory = state.executor_data
        relation = self._environment.Relation
        view: View = {}
        for number in {case.person, case.action.target} & set(case.graph.nodes):
            edges = {(name, int(to)) for name in RELATIONS for to in state.get_node_ids_from(number, relation[name])}
            view[number] = frozenset(edges), frozenset(state.name for state in state.get_node(number).states)
        return "ok", view
