"""Putting loose things and people into a furnished home."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from random import Random

from ..engine.spots import free_spot, inner_spot, is_crowded
from ..scene.catalog import object_class
from ..scene.graph import Box, Node, SceneGraph, Vec
from .blueprint import fresh_node
from .rules import RULES

Place = tuple[str, int]
"""A relation (ON, INSIDE) and the node it leads to."""

_RELATIONS_OF_THINGS = ("INSIDE", "ON", "FACING")
"""What relates a loose thing that nobody holds to the rest of a scene."""

_HANGS_M = 0.2
"""What begins higher than this and is on nothing hangs on a wall."""


def things_in(graph: SceneGraph, rooms: Iterable[int]) -> list[int]:
    """Everything in these rooms, however deep in containers, in id order; what is in other rooms costs nothing."""
    found = dict.fromkeys(number for room in rooms for number in graph.contents(room))
    pending = list(found)
    while pending:
        inner = [number for number in graph.contents(pending.pop()) if number not in found]
        found.update(dict.fromkeys(inner))
        pending += inner
    return sorted(found)


def find_places(
    graph: SceneGraph, on: Collection[str], inside: Collection[str], rooms: Iterable[int] | None = None
) -> list[Place]:
    """All supports and containers of the given classes, in id order; only those in `rooms`, if given."""
    places: list[Place] = []
    for number in things_in(graph, graph.rooms if rooms is None else rooms):
        name = graph.nodes[number].kind
        if name in on:
            places.append(("ON", number))
        if name in inside:
            places.append(("INSIDE", number))
    return places


def scatter(graph: SceneGraph, rng: Random, class_name: str, places: Sequence[Place]) -> Node | None:
    """Put a fresh object at a random one of the places. None: there is room for it nowhere."""
    size = object_class(class_name).size
    for place in rng.sample(places, len(places)):
        if place[0] == "ON" and is_crowded(graph, place[1], size):
            continue
        box = spot_at(graph, rng, size, place)
        if box is not None:
            return add_object(graph, class_name, box.center, *place, size=box.size)
    return None


def spot_at(graph: SceneGraph, rng: Random, size: Vec, place: Place) -> Box | None:
    """A free box of a size at a place, turned if it fits only so. None: it does not fit, or all is taken."""
    relation, target = place
    around = graph.nodes[target].box
    if around is None:
        return None
    near = (
        around.center[0] + rng.uniform(-0.5, 0.5) * around.size[0],
        around.center[2] + rng.uniform(-0.5, 0.5) * around.size[2],
    )
    find = free_spot if relation == "ON" else inner_spot
    for fitting in (size, (size[2], size[1], size[0])):
        if fitting[0] <= around.size[0] and fitting[2] <= around.size[2]:
            spot = find(graph, target, fitting, near)
            if spot is not None and (relation == "INSIDE" or not _hits_what_hangs(graph, Box(spot, fitting), target)):
                return Box(spot, fitting)
    return None


def _hits_what_hangs(graph: SceneGraph, box: Box, support: int) -> bool:
    """Whether a box on a support reaches into something on the wall behind it, such as curtains or a picture."""
    room = graph.room_of(support)
    if room is None:
        return False
    (x, _, z), (width, _, depth) = box
    low, high = box.bottom, box.top
    for number in graph.contents(room):
        node = graph.nodes[number]
        other = node.box
        if other is None or other.bottom >= high or other.bottom < _HANGS_M or graph.support(number) is not None:
            continue
        (ox, _, oz), (sx, _, sz) = other
        touching = abs(x - ox) < (width + sx) / 2 and abs(z - oz) < (depth + sz) / 2 and other.top > low
        if touching and number != support and node.kind in RULES:
            return True
    return False


def add_object(
    graph: SceneGraph,
    class_name: str,
    center: Vec,
    relation: str,
    target: int,
    *,
    size: Vec | None = None,
    number: int | None = None,
) -> Node:
    """Add a fresh object of a class in its default states, with a free id above the last one unless one is given.

    `size` is for objects that are turned; otherwise they have the size of their class.
    """
    number = _free_id(graph) if number is None else number
    node = graph.add(fresh_node(number, class_name, Box(center, size or object_class(class_name).size)))
    graph.link(number, relation, target)
    if relation == "ON":
        room = graph.room_of(target)
        assert room is not None
        graph.link(number, "INSIDE", room)
    return node


def _free_id(graph: SceneGraph) -> int:
    """The id after the one added last; the highest is looked for only if that will not do, as scenes may be large."""
    last = next(reversed(graph.nodes))
    if graph.nodes[last].category == "Characters" or last + 1 in graph.nodes:
        return max(graph.nodes) + 1
    return last + 1


def remove_clutter(graph: SceneGraph, classes: Collection[str], rooms: Iterable[int] | None = None) -> None:
    """Take away all loose things of some classes, with what is on or in them, so that a task alone decides where
    such things are. Furnishings, what nobody can grab, and what somebody holds stay.
    """
    for number in things_in(graph, graph.rooms if rooms is None else rooms):
        node = graph.nodes.get(number)  # None: gone with what it was on or in
        if node is not None and node.kind in classes and _is_loose(node) and graph.holder(number) is None:
            discard(graph, number)


def discard(graph: SceneGraph, number: int) -> None:
    """Take one thing out of the scene, with what is on or in it."""
    for gone in (*graph.load(number), number):
        for relation in _RELATIONS_OF_THINGS:
            graph.unlink(gone, relation)
            for source in graph.sources(gone, relation):
                others = [target for target in graph.targets(source, relation) if target != gone]
                graph.unlink(source, relation)
                for target in others:
                    graph.link(source, relation, target)
        del graph.nodes[gone]


def add_character(graph: SceneGraph, rng: Random, number: int, room: int) -> Node:
    """Put a person somewhere around the middle of a room."""
    box = graph.nodes[room].box
    assert box is not None
    size = object_class("character").size
    x = box.center[0] + rng.uniform(-0.25, 0.25) * box.size[0]
    z = box.center[2] + rng.uniform(-0.25, 0.25) * box.size[2]
    prefab = "Female1" if number % 2 else "Male1"
    node = Node(number, "character", "Characters", box=Box((x, size[1] / 2, z), size), prefab_name=prefab)
    graph.add(node)
    graph.link(number, "INSIDE", room)
    return node


def _is_loose(node: Node) -> bool:
    """Whether a node is a thing that lies about: chairs, rugs and pictures are furnishings, grabbable or not."""
    return "GRABBABLE" in node.properties and node.kind not in RULES
