"""A furnished home to try things in, with people put where a test wants them."""

from __future__ import annotations

from random import Random

from housemates.env.household.engine.engine import Engine, Primitive, Result
from housemates.env.household.engine.spots import free_spot, inner_spot
from housemates.env.household.homes import add_character, add_object, build_home
from housemates.env.household.scene.graph import Box, SceneGraph

PEOPLE = 3


class Home:
    """The shipped apartment with three people in the kitchen, and a few handles to it."""

    def __init__(self) -> None:
        self.graph: SceneGraph = build_home("0", 11, Random("home")).graph
        for number in range(1, PEOPLE + 1):
            add_character(self.graph, Random(number), number, self.one("kitchen"))
        self.engine = Engine(self.graph, "test")

    def one(self, class_name: str, room: str = "") -> int:
        """The first object of a class, in a room if that matters."""
        for number in sorted(self.graph.nodes):
            inside = self.graph.room_of(number)
            if self.graph.nodes[number].class_name == class_name and (
                not room or (inside is not None and self.graph.nodes[inside].class_name == room)
            ):
                return number
        raise LookupError(class_name)

    def add(self, class_name: str, relation: str, target: int) -> int:
        """A fresh object on or in something."""
        size = (0.1, 0.1, 0.1)
        box = self.graph.nodes[target].box
        assert box is not None
        spot = (free_spot if relation == "ON" else inner_spot)(self.graph, target, size, (box.center[0], box.center[2]))
        assert spot is not None
        return add_object(self.graph, class_name, spot, relation, target).id

    def stand_at(self, person: int, target: int) -> None:
        """Put a person right beside something."""
        box, me = self.graph.nodes[target].box, self.graph.nodes[person].box
        room = self.graph.room_of(target)
        assert box is not None and me is not None and room is not None
        self.graph.nodes[person].box = Box((box.center[0], 0.9, box.center[2]), me.size)
        self.graph.unlink(person, "INSIDE")
        self.graph.link(person, "INSIDE", room)

    def do(self, person: int, verb: str, target: int = 0, dest: int = 0) -> Result:
        """One primitive of one person."""
        return self.engine.step({person: Primitive(verb, target, dest)})[person]

    def edges_of(self, node: int) -> set[tuple[str, int]]:
        """The stored edges that start at a node."""
        return {
            (relation, target)
            for source, relation, target in self.graph.edges()
            if source == node and relation not in ("CLOSE", "FACING")
        }
