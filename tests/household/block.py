"""A building made of copies of the shipped apartment, with one corridor to which all living rooms open."""

from __future__ import annotations

from random import Random

from housemates.env.household.homes import Flat, Home, build_home
from housemates.env.household.scene.graph import Box, Node, SceneGraph

_WIDTH_M, _CORRIDOR_M = 20.0, 2.0


def build_block(flats: int, first_id: int, rng: Random) -> Home:
    """`flats` apartments in a row, south of which the corridor runs."""
    graph, found = SceneGraph(), []
    corridor = first_id
    box = Box((flats * _WIDTH_M / 2, 1.3, -_CORRIDOR_M / 2), (flats * _WIDTH_M, 2.6, _CORRIDOR_M))
    graph.add(Node(corridor, "corridor", "Rooms", box=box))
    for index in range(flats):
        flat = build_home("0", max(graph.nodes) + 1, rng).graph
        for node in flat.nodes.values():
            assert node.box is not None
            (x, y, z), size = node.box
            node.box = Box((x + index * _WIDTH_M, y, z), size)
            graph.add(node)
        for source, relation, target in flat.edges():
            graph.link(source, relation, target)
        rooms = [room for room in flat.rooms if flat.nodes[room].class_name == "livingroom"]
        door = Node(
            max(graph.nodes) + 1, "doorjamb", "Doors", box=Box((index * _WIDTH_M + 3, 1.05, 0), (0.9, 2.1, 0.1))
        )
        graph.add(door)
        graph.link(door.id, "INSIDE", corridor)
        graph.link(door.id, "BETWEEN", rooms[0])
        graph.link(door.id, "BETWEEN", corridor)
        found.append(Flat(f"flat {index + 1}", (*flat.rooms, corridor)))
    return Home(f"block:{flats}", graph, tuple(found))
