"""The scene behind the server: one apartment, its people and its cameras, and the engine that moves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from ..household import homes
from ..household.engine.engine import Engine, Primitive, Result
from ..household.scene.catalog import object_class
from ..household.scene.graph import FIRST_OBJECT_ID, Box, Node, SceneGraph
from .cameras import CameraRig
from .wire import MAX_CHARACTERS, NewCharacter, Point

APARTMENTS = 50
"""VirtualHome 2.3 counts its apartments from 0 to 49."""

_TRIES = 10
_MARGIN_M = 0.4
_HAND_M = 1.1


def build_apartment(index: int) -> SceneGraph:
    """The apartment with this index, always the same, so that ids are stable across resets.

    The first ones are the shipped apartments; those above are generated.
    """
    name = str(index)
    return _build(name if name in homes.names() else f"generated:seed={index}")


def generate_apartment(seed: int) -> SceneGraph:
    """An apartment that nobody has numbered, drawn from a seed."""
    return _build(f"generated:seed={seed % 2**32}")


def _build(name: str) -> SceneGraph:
    return homes.build_home(name, FIRST_OBJECT_ID, Random(name)).graph


class Scene:
    """What one server shows.

    Attributes:
        apartment: the index that a reset without one loads again.
        graph: the scene now. Replaced as a whole or changed through the methods here and the engine.
        rig: the cameras.
        next_id: what the next new object is called; ids are never used twice within one load.
    """

    def __init__(self, apartment: int = 0) -> None:
        self.load(apartment)

    def load(self, apartment: int) -> None:
        """Begin anew with an apartment: no people, no added cameras."""
        self.apartment = apartment
        self.begin(build_apartment(apartment))

    def begin(self, graph: SceneGraph) -> None:
        """Begin anew with a graph."""
        self.graph = graph
        self.next_id = max(graph.nodes, default=FIRST_OBJECT_ID - 1) + 1
        self.rig = CameraRig()
        self.seed = 0
        self._steps = 0
        self._engine: Engine | None = None
        self._origins: dict[int, tuple[str, int]] = {}
        self._text: str | None = None
        self._starts = Random("start")

    def replace(self, graph: SceneGraph, seed: int | None = None) -> None:
        """Go on with a rearranged scene; `seed` decides ties from here on."""
        self.graph = graph
        self.next_id = max(self.next_id, max(graph.nodes, default=0) + 1)
        self.seed = self.seed if seed is None else seed
        self.changed()

    def changed(self) -> None:
        """Say that the graph was changed other than by a step."""
        if self._engine is not None:
            self._origins = self._engine.origins
        self._text = self._engine = None

    def graph_text(self) -> str:
        """The graph as JSON; kept until something changes, because clients ask for it more than once."""
        if self._text is None:
            self._text = json.dumps(self.graph.to_dict(), separators=(",", ":"))
        return self._text

    def step(self, actions: Mapping[int, Primitive], number: int | None = None) -> dict[int, Result]:
        """One joint step of characters, by id. `number` names the step, so that a repetition has the same ties."""
        if self._engine is None:
            nodes = self.graph.nodes
            self._engine = Engine(self.graph, self.seed)
            self._engine.origins = {n: was for n, was in self._origins.items() if n in nodes and was[1] in nodes}
        self._engine.steps = self._steps if number is None else number
        self._text = None
        results = self._engine.step(actions)
        self._steps = self._engine.steps
        return results

    def copy(self) -> Scene:
        """The same scene for trying things out, without added cameras; it shares nothing with this one."""
        other = Scene.__new__(Scene)
        other.begin(self.graph.copy())
        other.apartment, other.seed, other._steps = self.apartment, self.seed, self._steps
        other._origins = dict(self._origins if self._engine is None else self._engine.origins)
        return other

    # -- people -------------------------------------------------------------------------------

    def room_at(self, x: float, z: float) -> int | None:
        """The room whose floor contains a point; of several, the one whose walls are farthest."""
        best: tuple[float, int] | None = None
        for room in self.graph.rooms:
            box = self.graph.nodes[room].box
            if box is not None:
                margin = min(box.size[0] / 2 - abs(x - box.center[0]), box.size[2] / 2 - abs(z - box.center[2]))
                if margin >= 0 and (best is None or margin > best[0]):
                    best = margin, room
        return best[1] if best else None

    def add_character(self, wanted: NewCharacter) -> bool:
        """Put a person into the scene; False when it cannot be done as asked for.

        Source of the rules: VirtualHome's `add_character`. An unknown model is replaced by the first
        character's; a second random character stands where the first one does.
        """
        graph = self.graph
        number = len(graph.characters) + 1
        name = wanted.character_resource.rpartition("/")[2]
        if name not in CHARACTER_MODELS:
            if not graph.characters:
                return False
            name = graph.nodes[graph.characters[0]].prefab_name
        place = self._place(wanted)
        if number > MAX_CHARACTERS or number in graph.nodes or place is None:
            return False
        x, z, room = place
        size = object_class("character").size
        graph.add(Node(number, "character", "Characters", box=Box((x, size[1] / 2, z), size), prefab_name=name))
        graph.link(number, "INSIDE", room)
        self.changed()
        return True

    def move_character(self, index: int, position: Point) -> bool:
        """Set a person down elsewhere, with what it holds; False when there is no such person or place."""
        graph, room = self.graph, self.room_at(position.x, position.z)
        number = index + 1
        if room is None or number not in graph.characters:
            return False
        self._set_down(number, position.x, position.z)
        graph.unlink(number, "SITTING")
        for thing in (number, *graph.held_by(number)):
            graph.unlink(thing, "INSIDE")
            graph.link(thing, "INSIDE", room)
        self.changed()
        return True

    def _set_down(self, number: int, x: float, z: float) -> None:
        me = self.graph.nodes[number]
        size = me.box.size if me.box else object_class("character").size
        me.box = Box((x, size[1] / 2, z), size)
        for held in self.graph.held_by(number):
            node = self.graph.nodes[held]
            assert node.box is not None
            old = node.box.center
            for thing in (held, *self.graph.load(held)):
                box = self.graph.nodes[thing].box
                if box is not None:
                    (bx, by, bz), extent = box
                    center = (bx + x - old[0], by + _HAND_M - old[1], bz + z - old[2])
                    self.graph.nodes[thing].box = Box(center, extent)

    def _place(self, wanted: NewCharacter) -> tuple[float, float, int] | None:
        if wanted.mode == "fix_position":
            x, z = wanted.character_position.x, wanted.character_position.z
            room = self.room_at(x, z)
            return None if room is None else (x, z, room)
        graph = self.graph
        if wanted.mode == "fix_room":
            rooms = [room for room in graph.rooms if graph.nodes[room].class_name == wanted.initial_room]
        elif wanted.mode == "random" and graph.characters:
            first = graph.characters[0]
            box, room = graph.nodes[first].box, graph.room_of(first)
            return (box.center[0], box.center[2], room) if box is not None and room is not None else None
        else:
            rooms = [self._starts.choice(graph.rooms)] if wanted.mode == "random" and graph.rooms else []
        return self._free_floor(rooms[0]) if rooms else None

    def _free_floor(self, room: int) -> tuple[float, float, int] | None:
        """A random place in a room where nothing stands, or its middle if ten tries find none."""
        box = self.graph.nodes[room].box
        if box is None:
            return None
        obstacles: list[Box] = []
        for number in self.graph.contents(room):
            node = self.graph.nodes[number]
            if node.box is not None and node.category not in ("Floor", "Ceiling", "Decor") and node.box.bottom < 1.8:
                obstacles.append(node.box)
        (cx, _, cz), (width, _, depth) = box
        hx, hz = max(0.0, width / 2 - _MARGIN_M), max(0.0, depth / 2 - _MARGIN_M)
        for _ in range(_TRIES):
            x, z = self._starts.uniform(cx - hx, cx + hx), self._starts.uniform(cz - hz, cz + hz)
            if all(other.distance(x, z) >= _MARGIN_M / 2 for other in obstacles):
                return x, z, room
        return cx, cz, room


CHARACTER_MODELS = frozenset(
    ["Female1", "Female2", "Female4", "Male1", "Male2", "Male6", "Male10", "Male1_invisible"]
    + [f"{name}_{colour}" for name in ("Male1", "Female4") for colour in ("red", "blue")]
)
"""The people VirtualHome ships."""
