"""The scene graph: things in an apartment and how they relate.

Kept in two-way indices so that "what is in here" and "where is this" are dictionary look-ups, in a room of five
things as in a corridor of five thousand; read from and written to VirtualHome's JSON.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from ...codec import unpack
from ...world import WorldError
from .closeness import CLOSE_M, close_pairs
from .node import Box, Node, Vec
from .scene_json import RELATIONS, Edge, Layout, read_scene
from .scene_rules import HANDS, structure_faults

__all__ = ["CLOSE_M", "FIRST_OBJECT_ID", "Box", "Node", "SceneGraph", "Vec"]

FIRST_OBJECT_ID = 11
"""VirtualHome: ids up to 10 belong to characters. With more than 10 characters the rest moves up."""


class SceneGraph:
    """Nodes and edges with indices. Every query that returns several ids returns them sorted.

    Who is CLOSE to what follows from where things are, so it is never out of date. Only the JSON of a scene in
    which nothing has moved has the edges CLOSE that came with it.
    """

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {}
        self.rooms: list[int] = []
        self.characters: list[int] = []
        # What a node points to are few: a tuple. What points to it may be thousands: a dictionary as an ordered set.
        self._out: dict[str, dict[int, tuple[int, ...]]] = {name: {} for name in RELATIONS}
        self._in: dict[str, dict[int, dict[int, None]]] = {name: {} for name in RELATIONS}
        self._several: set[int] = set()  # what is inside of more than one, as at first in Unity's graphs
        self._layout = Layout()
        self._index()

    def _index(self) -> None:
        """Name the indices that are asked most."""
        self._inside = self._out["INSIDE"]
        self._contents = self._in["INSIDE"]

    # -- building -----------------------------------------------------------------------------

    def add(self, node: Node) -> Node:
        """Add a node.

        Raises:
            WorldError: the id is taken.
        """
        if node.id in self.nodes:
            raise WorldError(f"scene graph: two nodes have the id {node.id}")
        self.nodes[node.id] = node
        if node.category == "Rooms":
            insort(self.rooms, node.id)
        elif node.category == "Characters":
            insort(self.characters, node.id)
        return node

    def link(self, source: int, relation: str, target: int) -> None:
        """Add an edge; adding one that exists changes nothing."""
        targets = self._out[relation].get(source, ())
        if target not in targets:
            self._out[relation][source] = (*targets, target)
            self._in[relation].setdefault(target, {})[source] = None
            if targets and relation == "INSIDE":
                self._several.add(source)

    def unlink(self, source: int, relation: str) -> None:
        """Remove all edges of one relation that start at a node."""
        incoming = self._in[relation]
        for target in self._out[relation].pop(source, ()):
            sources = incoming[target]
            del sources[source]
            if not sources:
                del incoming[target]
        if self._several and relation == "INSIDE":
            self._several.discard(source)

    def copy(self) -> SceneGraph:
        """An independent copy, much cheaper than reading the scene again."""
        twin = SceneGraph()
        twin.nodes = {number: node.copy() for number, node in self.nodes.items()}
        twin.rooms, twin.characters = self.rooms.copy(), self.characters.copy()
        twin._out = {name: index.copy() for name, index in self._out.items()}
        twin._in = {
            name: {target: sources.copy() for target, sources in index.items()} for name, index in self._in.items()
        }
        twin._several = self._several.copy()
        twin._layout = self._layout
        twin._index()
        return twin

    # -- asking -------------------------------------------------------------------------------

    def targets(self, source: int, relation: str) -> list[int]:
        """What a node points to, sorted."""
        return sorted(self._out[relation].get(source, ()))

    def sources(self, target: int, relation: str) -> list[int]:
        """What points to a node, sorted."""
        return sorted(self._in[relation].get(target, ()))

    def contents(self, container: int) -> list[int]:
        """What has a room or container as its `parent`, sorted."""
        found = self._contents.get(container, ())
        if self._several:
            found = [node for node in found if node not in self._several or self.parent(node) == container]
        return sorted(found)

    def parent(self, node: int) -> int | None:
        """The room or container a node is directly inside.

        Unity lists container and room at first; then the container counts (as in cwah).
        """
        parents = self._inside.get(node, ())
        if len(parents) == 1:
            return parents[0]
        for parent in reversed(parents):
            if self.nodes[parent].category != "Rooms":
                return parent
        return parents[-1] if parents else None

    def room_of(self, node: int) -> int | None:
        """The room a node is in, through however many containers; a room is in itself."""
        current: int | None = node
        for _ in range(len(self.nodes)):
            if current is None or self.nodes[current].category == "Rooms":
                return current
            current = self.parent(current)
        return None

    def support(self, node: int) -> int | None:
        """What a node stands on."""
        supports = self._out["ON"].get(node)
        return supports[-1] if supports else None

    def held_by(self, character: int) -> list[int]:
        """What a character holds, right hand first."""
        return [*self._out["HOLDS_RH"].get(character, ()), *self._out["HOLDS_LH"].get(character, ())]

    def holder(self, node: int) -> int | None:
        """Who holds a node."""
        for relation in HANDS:
            holders = self._in[relation].get(node)
            if holders:
                return next(iter(holders))
        return None

    def carrier(self, node: int) -> int | None:
        """Who holds or wears a node, or what it stands on or lies in; somebody carries themselves."""
        current: int | None = node
        for _ in range(len(self.nodes)):  # bounds what a malformed graph could do
            if current is None or self.nodes[current].category == "Rooms":
                return None
            if self.nodes[current].category == "Characters":
                return current
            holder = self.holder(current)
            if holder is not None:
                return holder
            support = self.support(current)
            current = self.parent(current) if support is None else support
        return None

    def is_shut(self, container: int) -> bool:
        """Whether a container hides what is in it: it can be opened, and is not open."""
        node = self.nodes[container]
        return "CLOSED" in node.states or ("CAN_OPEN" in node.properties and "OPEN" not in node.states)

    def is_accessible(self, node: int) -> bool:
        """Whether every container around a node is open (or cannot be shut)."""
        current = self.parent(node)
        while current is not None and self.nodes[current].category != "Rooms":
            if self.is_shut(current):
                return False
            current = self.parent(current)
        return True

    def is_close(self, character: int, other: int) -> bool:
        """Whether the edge CLOSE holds between a character and another node."""
        me, box = self.nodes[character].box, self.nodes[other].box
        if me is None or box is None:
            return False
        if box.distance(me.center[0], me.center[2]) <= CLOSE_M:
            return True
        # What lies deep in a container is as near as the container's front (cwah adds these edges too).
        parent = self.parent(other)
        return parent is not None and self.nodes[parent].category != "Rooms" and self.is_close(character, parent)

    def is_reachable(self, character: int, other: int) -> bool:
        """Whether a character can handle a node from where it is: CLOSE, in nothing shut, and no wall between."""
        return self.is_close(character, other) and self.is_accessible(other) and self.shares_room(character, other)

    def shares_room(self, character: int, other: int) -> bool:
        """Whether no wall is between a character and a node; a door is in both of its rooms."""
        room = self.parent(character)  # people are in no containers
        return room == self.room_of(other) or room in self._out["BETWEEN"].get(other, ())

    def load(self, node: int) -> list[int]:
        """What moves when a node is moved: everything on it or in it, transitively, without itself."""
        found: dict[int, None] = {}
        pending = [node]
        while pending:
            current = pending.pop()
            for rider in sorted({*self._in["ON"].get(current, ()), *self._contents.get(current, ())}):
                if rider != node and rider not in found:
                    found[rider] = None
                    pending.append(rider)
        return list(found)

    # -- JSON ---------------------------------------------------------------------------------

    def edges(self) -> Iterator[Edge]:
        """All edges (source, relation, target), CLOSE included: those of a scene in its order, then the others."""
        for edge, _ in self._written_edges():
            yield edge

    def edges_among(self, numbers: Collection[int]) -> Iterator[Edge]:
        """All edges with both ends among these nodes, CLOSE included, without going through the others."""
        chosen = {number: self.nodes[number] for number in sorted(numbers)}
        for relation in RELATIONS:
            index = self._out[relation]
            for source in chosen:
                for target in index.get(source, ()):
                    if target in chosen:
                        yield source, relation, target
        people = [number for number, node in chosen.items() if node.category == "Characters"]
        for source, target in self._close_edges(chosen, people):
            yield source, "CLOSE", target

    def _close_edges(self, nodes: Mapping[int, Node], people: Sequence[int]) -> Iterator[tuple[int, int]]:
        for character, other in close_pairs(nodes, people, self.parent):
            yield character, other
            if nodes[other].category != "Characters":
                yield other, character

    def _written_edges(self) -> Iterator[tuple[Edge, bytes | None]]:
        """All edges, each with what else a scene said of it (packed)."""
        read, extras = self._layout.edges, self._layout.edge_extras
        unmoved = all(self.nodes[who].is_unmoved for who in self.characters)  # most likely the first to have moved
        unmoved = unmoved and all(node.is_unmoved for node in self.nodes.values())
        for index, edge in enumerate(read):
            source, relation, target = edge
            if unmoved if relation == "CLOSE" else target in self._out[relation].get(source, ()):
                yield edge, extras.get(index)
        known = set(read)
        for relation in RELATIONS:
            for source in sorted(self._out[relation]):
                for target in self._out[relation][source]:
                    if (source, relation, target) not in known:
                        yield (source, relation, target), None
        if unmoved:
            return
        for source, target in self._close_edges(self.nodes, self.characters):
            yield (source, "CLOSE", target), None

    def to_dict(self) -> dict[str, Any]:
        """The graph as VirtualHome's `environment_graph` gives it: nodes sorted by id, unless they were read unsorted.

        A scene that was read is written as it was, field by field, but for what has changed since.
        """
        edges: list[dict[str, Any]] = []
        for (source, relation, target), extras in self._written_edges():
            edge: dict[str, Any] = {"from_id": source, "to_id": target, "relation_type": relation}
            edges.append({**edge, **unpack(extras)} if extras else edge)
        numbers = sorted(self.nodes) if self._layout.is_sorted else self.nodes
        return {
            "nodes": [self.nodes[number].to_dict() for number in numbers],
            "edges": edges,
            **unpack(self._layout.extras),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SceneGraph:
        """Read VirtualHome's JSON.

        Raises:
            WorldError: the first fault of the scene (`scene_faults` names all of them).
        """
        scene = read_scene(data)
        if scene.faults:
            raise WorldError(f"scene graph: {scene.faults[0]}")
        graph = cls()
        graph.nodes, graph._out, graph._layout = scene.nodes, scene.targets, scene.layout
        graph.rooms = sorted(number for number, node in scene.nodes.items() if node.category == "Rooms")
        graph.characters = sorted(number for number, node in scene.nodes.items() if node.category == "Characters")
        for relation, index in scene.targets.items():
            incoming = graph._in[relation]
            for source, targets in index.items():
                for target in targets:
                    incoming.setdefault(target, {})[source] = None
        graph._several = {source for source, targets in scene.targets["INSIDE"].items() if len(targets) > 1}
        graph._index()
        return graph

    def validate(self) -> None:
        """Check what must always hold.

        Raises:
            WorldError: the first breach (`scene_rules` has the rules).
        """
        for fault in structure_faults(self.nodes, self._out):
            raise WorldError(f"scene graph: {fault}")
