"""The scene graph: things in an apartment and how they relate.

Kept in two-way indices so that "what is in here" and "where is this" are dictionary look-ups;
read from and written to VirtualHome's JSON (`{"nodes": [...], "edges": [...]}`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..world import WorldError
from .catalog import PROPERTIES

CLOSE_M = 1.3
"""VirtualHome: CLOSE holds within 1.3 m, from a character's centre to the box of the thing, height ignored."""

FIRST_OBJECT_ID = 11
"""VirtualHome: ids up to 10 belong to characters. With more than 10 characters the rest moves up."""

STATES = frozenset(["CLOSED", "OPEN", "ON", "OFF", "SITTING", "LYING", "CLEAN", "DIRTY", "PLUGGED_IN", "PLUGGED_OUT"])
STORED_RELATIONS = ("INSIDE", "ON", "HOLDS_RH", "HOLDS_LH", "SITTING", "BETWEEN", "FACING")
"""Relations that are kept. CLOSE is not: it follows from where things are, so it is never out of date."""

Vec = tuple[float, float, float]


class Box(NamedTuple):
    """An axis-aligned bounding box in metres, y up."""

    center: Vec
    size: Vec

    @property
    def top(self) -> float:
        return self.center[1] + self.size[1] / 2

    @property
    def bottom(self) -> float:
        return self.center[1] - self.size[1] / 2

    def distance(self, x: float, z: float) -> float:
        """Metres on the floor plane from a point to the nearest point of the box (0 inside)."""
        (cx, _, cz), (sx, _, sz) = self
        dx = abs(x - cx) - sx / 2
        dz = abs(z - cz) - sz / 2
        if dx <= 0.0:
            return dz if dz > 0.0 else 0.0
        return math.hypot(dx, dz) if dz > 0.0 else dx

    def nearest(self, x: float, z: float) -> tuple[float, float]:
        """The point of the box, seen from above, that is nearest to (x, z)."""
        (cx, _, cz), (sx, _, sz) = self
        return min(max(x, cx - sx / 2), cx + sx / 2), min(max(z, cz - sz / 2), cz + sz / 2)


@dataclass(slots=True)
class Node:
    """One thing, person or room. `states` and `box` change; the rest does not."""

    id: int
    class_name: str
    category: str
    properties: frozenset[str] = frozenset()
    states: tuple[str, ...] = ()
    box: Box | None = None
    prefab_name: str = ""
    rotation: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)
    scale: Vec = (1.0, 1.0, 1.0)

    @property
    def label(self) -> str:
        """How texts and scripts write this node."""
        return f"<{self.class_name}> ({self.id})"

    def to_dict(self) -> dict[str, Any]:
        """The node in VirtualHome's JSON form."""
        position = self.box.center if self.box else (0.0, 0.0, 0.0)
        if self.box and self.category == "Characters":
            position = (position[0], self.box.bottom, position[2])
        return {
            "id": self.id,
            "category": self.category,
            "class_name": self.class_name,
            "prefab_name": self.prefab_name,
            "obj_transform": {
                "position": list(position),
                "rotation": list(self.rotation),
                "scale": list(self.scale),
            },
            "bounding_box": {"center": list(self.box.center), "size": list(self.box.size)} if self.box else None,
            "properties": sorted(self.properties),
            "states": list(self.states),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Node:
        """Read one node.

        Raises:
            WorldError: a field is missing or not what VirtualHome writes.
        """
        try:
            box = data.get("bounding_box")
            transform = data.get("obj_transform") or {}
            node = cls(
                id=int(data["id"]),
                class_name=str(data["class_name"]).lower().replace(" ", "").replace("_", ""),
                category=str(data.get("category", "")),
                properties=frozenset(data.get("properties", ())),
                states=tuple(data.get("states", ())),
                box=Box(_vec(box["center"]), _vec(box["size"])) if box else None,
                prefab_name=str(data.get("prefab_name", "")),
                rotation=tuple(float(part) for part in transform.get("rotation", (0.0, 0.0, 0.0, 1.0))),
                scale=_vec(transform.get("scale", (1.0, 1.0, 1.0))),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            name = data.get("id", "?") if isinstance(data, Mapping) else "?"
            raise WorldError(f"scene graph: node {name} is malformed ({error!r})") from None
        for name in sorted(node.properties - PROPERTIES):
            raise WorldError(f"scene graph: node {node.id} has the unknown property {name!r}")
        for name in node.states:
            if name not in STATES:
                raise WorldError(f"scene graph: node {node.id} has the unknown state {name!r}")
        return node


def _vec(values: Iterable[Any]) -> Vec:
    x, y, z = (float(value) for value in values)
    return x, y, z


class SceneGraph:
    """Nodes and edges with indices. Every query that returns several ids returns them sorted."""

    def __init__(self) -> None:
        self.nodes: dict[int, Node] = {}
        self.rooms: list[int] = []
        self.characters: list[int] = []
        self._out: dict[str, dict[int, list[int]]] = {name: {} for name in STORED_RELATIONS}
        self._in: dict[str, dict[int, list[int]]] = {name: {} for name in STORED_RELATIONS}
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
            self.rooms = sorted([*self.rooms, node.id])
        elif node.category == "Characters":
            self.characters = sorted([*self.characters, node.id])
        return node

    def link(self, source: int, relation: str, target: int) -> None:
        """Add an edge; adding one that exists changes nothing."""
        targets = self._out[relation].setdefault(source, [])
        if target not in targets:
            targets.append(target)
            self._in[relation].setdefault(target, []).append(source)

    def unlink(self, source: int, relation: str) -> None:
        """Remove all edges of one relation that start at a node."""
        incoming = self._in[relation]
        for target in self._out[relation].pop(source, ()):
            sources = incoming[target]
            sources.remove(source)
            if not sources:
                del incoming[target]

    # -- asking -------------------------------------------------------------------------------

    def targets(self, source: int, relation: str) -> list[int]:
        """What a node points to, sorted."""
        return sorted(self._out[relation].get(source, ()))

    def sources(self, target: int, relation: str) -> list[int]:
        """What points to a node, sorted."""
        return sorted(self._in[relation].get(target, ()))

    def contents(self, container: int) -> list[int]:
        """What is directly inside a room or container, sorted."""
        return sorted(self._contents.get(container, ()))

    def parent(self, node: int) -> int | None:
        """The room or container a node is directly inside.

        Unity lists container and room at first; then the container counts (as in cwah).
        """
        parents = self._inside.get(node)
        if not parents:
            return None
        if len(parents) > 1:
            for parent in reversed(parents):
                if self.nodes[parent].category != "Rooms":
                    return parent
        return parents[-1]

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
        for relation in ("HOLDS_RH", "HOLDS_LH"):
            holders = self._in[relation].get(node)
            if holders:
                return holders[0]
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
        """Whether a character can handle a node from where it is: CLOSE, and no wall between."""
        return self.is_close(character, other) and self.room_of(character) == self.room_of(other)

    def load(self, node: int) -> list[int]:
        """What moves when a node is moved: everything on it or in it, transitively, without itself."""
        found: list[int] = []
        pending = [node]
        while pending:
            current = pending.pop()
            for rider in sorted({*self._in["ON"].get(current, ()), *self._contents.get(current, ())}):
                if rider != node and rider not in found:
                    found.append(rider)
                    pending.append(rider)
        return found

    # -- JSON ---------------------------------------------------------------------------------

    def edges(self) -> Iterator[tuple[int, str, int]]:
        """All edges (source, relation, target), CLOSE included, in a fixed order."""
        for relation in STORED_RELATIONS:
            for source in sorted(self._out[relation]):
                for target in self._out[relation][source]:
                    yield source, relation, target
        for character in self.characters:
            for other in self.nodes:
                if other != character and self.nodes[other].category != "Rooms" and self.is_close(character, other):
                    yield character, "CLOSE", other
                    if self.nodes[other].category != "Characters":
                        yield other, "CLOSE", character

    def to_dict(self) -> dict[str, Any]:
        """The graph as VirtualHome's `environment_graph` gives it: nodes sorted by id."""
        return {
            "nodes": [self.nodes[number].to_dict() for number in sorted(self.nodes)],
            "edges": [
                {"from_id": source, "to_id": target, "relation_type": relation}
                for source, relation, target in self.edges()
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SceneGraph:
        """Read VirtualHome's JSON. CLOSE edges are derived, so those given are not kept.

        Raises:
            WorldError: a node or edge is malformed, names an unknown node, or is in nothing.
        """
        if not isinstance(data, Mapping) or "nodes" not in data or "edges" not in data:
            raise WorldError('scene graph: expected {"nodes": [...], "edges": [...]}')
        graph = cls()
        for entry in data["nodes"]:
            graph.add(Node.from_dict(entry))
        for edge in data["edges"]:
            try:
                source, relation, target = int(edge["from_id"]), str(edge["relation_type"]), int(edge["to_id"])
            except (KeyError, TypeError, ValueError) as error:
                raise WorldError(f"scene graph: edge {edge!r} is malformed ({error!r})") from None
            if source not in graph.nodes or target not in graph.nodes:
                raise WorldError(f"scene graph: edge {source} {relation} {target} names a node that is not there")
            if relation == "CLOSE":
                continue
            if relation not in graph._out:
                raise WorldError(f"scene graph: unknown relation {relation!r} in edge {source} {relation} {target}")
            graph.link(source, relation, target)
        graph.validate()
        return graph

    def validate(self) -> None:
        """Check what must always hold.

        Raises:
            WorldError: a node is in no room, or one thing is in two hands.
        """
        for number, node in self.nodes.items():
            if node.category != "Rooms" and self.room_of(number) is None:
                raise WorldError(f"scene graph: {node.label} is in no room")
            hands = [*self._in["HOLDS_RH"].get(number, ()), *self._in["HOLDS_LH"].get(number, ())]
            if len(hands) > 1:
                raise WorldError(f"scene graph: {node.label} is held twice, by {hands}")
        for character in self.characters:
            for relation in ("HOLDS_RH", "HOLDS_LH"):
                if len(self._out[relation].get(character, ())) > 1:
                    raise WorldError(f"scene graph: character {character} has two things in one hand")
