"""What makes a home plausible, checked by geometry: nothing in anything else, in a doorway, or through a wall."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from housemates.env.household.engine.spots import support_height
from housemates.env.household.homes.rules import RULES
from housemates.env.household.scene.graph import Box, Node, SceneGraph

DEEPEST_M = 0.05
"""How far boxes may reach into one another: a few centimetres, as boxes are larger than what is in them."""

DOORWAY_M, PERSON_M = 0.8, 2.0
"""Free before and behind a doorway: this far, and this high (lamps hang higher)."""

ROUNDING_M = 0.002
STRUCTURE = {"Floor", "Ceiling", "Walls", "Doors", "Windows"}
FLAT = {"rug", "mat", "doormat"}
FITTED = [
    ({"sink"}, {"kitchencounter", "bathroomcounter"}),
    ({"faucet"}, {"sink", "kitchencounter", "bathroomcounter"}),
    ({"chair"}, {"kitchentable", "diningtable", "desk"}),
]


def faults(graph: SceneGraph) -> list[str]:
    """All that is not as in a real home, each as one line."""
    return [
        *_rooms(graph),
        *(fault for room in graph.rooms for fault in _furniture(graph, room)),
        *(fault for room in graph.rooms for fault in _walls_and_doorways(graph, room)),
        *_loose_things(graph),
    ]


def box_of(node: Node) -> Box:
    assert node.box is not None
    return node.box


def depth(first: Box, second: Box) -> float:
    """How far two boxes reach into one another, in metres; negative: they are apart."""
    return min((first.size[n] + second.size[n]) / 2 - abs(first.center[n] - second.center[n]) for n in range(3))


def is_within(inner: Box, outer: Box, axes: str, slack: float = ROUNDING_M) -> bool:
    return all(
        abs(inner.center[n] - outer.center[n]) + inner.size[n] / 2 <= outer.size[n] / 2 + slack
        for n in ("xyz".index(axis) for axis in axes)
    )


def is_loose(node: Node) -> bool:
    """Whether a thing is clutter, and no part of the building or its furniture."""
    return node.class_name not in RULES and node.category not in STRUCTURE | {"Rooms", "Characters"}


def reachable(graph: SceneGraph, start: int) -> set[int]:
    """Rooms that one can walk to through doorways."""
    found, pending = {start}, [start]
    while pending:
        room = pending.pop()
        for opening in graph.sources(room, "BETWEEN"):
            for other in set(graph.targets(opening, "BETWEEN")) - found:
                found.add(other)
                pending.append(other)
    return found


def _rooms(graph: SceneGraph) -> Iterator[str]:
    for first, second in combinations(graph.rooms, 2):
        if depth(box_of(graph.nodes[first]), box_of(graph.nodes[second])) > ROUNDING_M:
            yield f"room {first} overlaps room {second}"
    lost = set(graph.rooms) - reachable(graph, graph.rooms[0])
    if lost:
        yield f"no way to the rooms {sorted(lost)}"


def _standing(graph: SceneGraph, room: int) -> list[Node]:
    """All in a room that is not in a container and not part of the building."""
    nodes = [graph.nodes[number] for number in graph.contents(room)]
    return [node for node in nodes if node.category not in STRUCTURE]


def _furniture(graph: SceneGraph, room: int) -> Iterator[str]:
    things = _standing(graph, room)
    area = box_of(graph.nodes[room])
    inside = Box(area.center, (area.size[0] - 0.1, area.size[1], area.size[2] - 0.1))
    for node in things:
        if not is_within(box_of(node), inside, "xyz"):
            yield f"{node.label} reaches through a wall of {graph.nodes[room].label}"
    solid = [node for node in things if node.class_name not in FLAT]
    for first, second in combinations(solid, 2):
        if depth(box_of(first), box_of(second)) > DEEPEST_M and not _belong_together(graph, first, second):
            yield f"{first.label} is in {second.label}"


def _belong_together(graph: SceneGraph, first: Node, second: Node) -> bool:
    for node, other in ((first, second), (second, first)):
        if any(node.class_name in ones and other.class_name in others for ones, others in FITTED):
            return True
        if graph.support(node.id) == other.id and is_loose(node):
            return True  # on a seat, things are within its box
        if node.class_name == "chair" and is_loose(other):
            return True  # a chair under the table reaches below what is on the table
    return False


def _walls_and_doorways(graph: SceneGraph, room: int) -> Iterator[str]:
    for number in graph.contents(room):
        node = graph.nodes[number]
        if node.category == "Windows":
            (x, _, z), area = box_of(node).center, box_of(graph.nodes[room])
            dx, dz = x - area.center[0], z - area.center[2]
            sideways = area.size[0] / 2 - abs(dx) < area.size[2] / 2 - abs(dz)
            beyond = (x + (0.3 if dx > 0 else -0.3), z) if sideways else (x, z + (0.3 if dz > 0 else -0.3))
            if any(box_of(graph.nodes[other]).distance(*beyond) == 0.0 for other in graph.rooms):
                yield f"{node.label} does not look outside"
    openings = graph.sources(room, "BETWEEN")
    openings += [n for n in graph.contents(room) if graph.nodes[n].class_name == "door"]
    for number in openings:
        (x, _, z), (width, _, thick) = box_of(graph.nodes[number])
        clear = (width, PERSON_M, 2 * DOORWAY_M) if width > thick else (2 * DOORWAY_M, PERSON_M, thick)
        for node in _standing(graph, room):
            if node.class_name not in FLAT and depth(box_of(node), Box((x, PERSON_M / 2, z), clear)) > ROUNDING_M:
                yield f"{node.label} stands in the doorway of {graph.nodes[number].label}"


def _loose_things(graph: SceneGraph) -> Iterator[str]:
    for number, node in graph.nodes.items():
        if not is_loose(node):
            continue
        support, container = graph.support(number), graph.parent(number)
        if support is not None:
            if not is_within(box_of(node), box_of(graph.nodes[support]), "xz"):
                yield f"{node.label} sticks out over {graph.nodes[support].label}"
            if abs(box_of(node).bottom - support_height(graph, support)) > ROUNDING_M:
                yield f"{node.label} does not rest on {graph.nodes[support].label}"
        elif container is not None and not is_within(box_of(node), box_of(graph.nodes[container]), "xyz"):
            yield f"{node.label} sticks out of {graph.nodes[container].label}"
    for support in graph.nodes:
        on_it = [graph.nodes[n] for n in graph.sources(support, "ON")]
        if graph.nodes[support].category == "Floor":
            continue
        for first, second in combinations(on_it, 2):
            if depth(box_of(first), box_of(second)) > ROUNDING_M:
                yield f"{first.label} is in {second.label} on {graph.nodes[support].label}"
