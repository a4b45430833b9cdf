"""Where the furnishing of homes is reached from: finding places, putting things there, taking things out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from . import apartments
from .apartments import Place
from .graph import STORED_RELATIONS, Node, SceneGraph


def things_in(graph: SceneGraph, rooms: Collection[int]) -> list[int]:
    """Everything in these rooms, however deep in containers, in id order; the cost does not depend on other rooms."""
    found = dict.fromkeys(number for room in rooms for number in graph.contents(room))
    pending = list(found)
    while pending:
        inner = [number for number in graph.contents(pending.pop()) if number not in found]
        found.update(dict.fromkeys(inner))
        pending += inner
    return sorted(found)


def find_places(
    graph: SceneGraph, on: Sequence[str], inside: Sequence[str], rooms: Collection[int] | None = None
) -> list[Place]:
    """All supports and containers of the given classes in these rooms (None: in all), in id order."""
    places = apartments.find_places(graph, list(on), list(inside))
    return [place for place in places if rooms is None or graph.room_of(place[1]) in rooms]


def scatter(graph: SceneGraph, rng: Random, class_name: str, places: Sequence[Place]) -> Node | None:
    """Put a fresh object at a random one of the places, if there is room for it anywhere."""
    return apartments.scatter(graph, rng, class_name, list(places))


def remove_clutter(graph: SceneGraph, classes: Collection[str], rooms: Collection[int]) -> None:
    """Take all loose things of these classes out of these rooms, with what is on or in them."""
    for number in things_in(graph, rooms):
        node = graph.nodes.get(number)  # None: gone with what it was on or in
        if node and node.class_name in classes and "GRABBABLE" in node.properties:
            discard(graph, number)


def discard(graph: SceneGraph, number: int) -> None:
    """Take one thing out of the scene, with what is on or in it."""
    for gone in (*graph.load(number), number):
        for relation in STORED_RELATIONS:
            graph.unlink(gone, relation)
            for source in graph.sources(gone, relation):
                graph.unlink(source, relation)
        del graph.nodes[gone]
