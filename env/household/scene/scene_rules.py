"""What must hold among the nodes and edges of a scene, whoever made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .node import Node

MAX_DEPTH = 100
"""How many edges INSIDE may follow each other."""

HANDS = ("HOLDS_RH", "HOLDS_LH")
"""VirtualHome's relations of a character to what it holds, in the order in which hands are used."""

Targets = Mapping[int, Sequence[int]]
"""Of one relation: what each node points to."""


def structure_faults(nodes: Mapping[int, Node], targets: Mapping[str, Targets]) -> Iterator[str]:
    """Every fault among readable nodes and edges; `targets` has them by relation. Each edge leads to a node."""
    if not any(node.category == "Rooms" for node in nodes.values()):
        yield "there is no room (no node of the category Rooms)"
    yield from _places(nodes, targets["INSIDE"])
    yield from _chains(nodes, "INSIDE", targets["INSIDE"])
    yield from _chains(nodes, "ON", targets["ON"])
    for relation in (*HANDS, "SITTING"):
        for source, ends in targets[relation].items():
            if ends and nodes[source].category != "Characters":
                yield f"{nodes[source].label} is no character, but has the edge {relation} to {_list(nodes, ends)}"
    yield from _hands(nodes, targets)


def _places(nodes: Mapping[int, Node], inside: Targets) -> Iterator[str]:
    """VirtualHome: everything but rooms is INSIDE something, and of rooms only in one."""
    for number, node in nodes.items():
        places = inside.get(number, ())
        if not places and node.category != "Rooms":
            yield f"{node.label} is in no room: it has no INSIDE edge"
        elif len(places) > 1:
            rooms = [place for place in places if nodes[place].category == "Rooms"]
            if len(rooms) > 1:
                yield f"{node.label} is INSIDE more than one room: {_list(nodes, rooms)}"


def _chains(nodes: Mapping[int, Node], relation: str, targets: Targets) -> Iterator[str]:
    """Cycles of a relation, and things that lie too deep; linear, by settling what a node points to before it."""
    sources: dict[int, list[int]] = {}
    waiting: dict[int, int] = {}
    for source, ends in targets.items():
        waiting[source] = len(ends)
        for end in ends:
            sources.setdefault(end, []).append(source)
    depth = dict.fromkeys((end for end in sources if end not in waiting), 0)
    settled = list(depth)
    for number in settled:  # grows while it is walked
        for source in sources.get(number, ()):
            waiting[source] -= 1
            depth[source] = max(depth.get(source, 0), depth[number] + 1)
            if waiting[source] == 0:
                del waiting[source]
                settled.append(source)
                if relation == "INSIDE" and depth[source] == MAX_DEPTH + 1:
                    yield f"{nodes[source].label} lies too deep: more than {MAX_DEPTH} edges INSIDE follow each other"
    yield from _cycles(nodes, relation, targets, waiting)


def _cycles(nodes: Mapping[int, Node], relation: str, targets: Targets, left: Mapping[int, int]) -> Iterator[str]:
    """The cycles among the nodes that could not be settled: each of them points to another one."""
    seen: set[int] = set()
    for start in left:
        path: dict[int, None] = {}
        current = start
        while current not in seen:
            seen.add(current)
            path[current] = None
            current = next(end for end in targets[current] if end in left)
        if current in path:
            steps = list(path)
            cycle = [*steps[steps.index(current) :], current]
            yield f"edges {relation} form a cycle: {_list(nodes, cycle)}"


def _hands(nodes: Mapping[int, Node], targets: Mapping[str, Targets]) -> Iterator[str]:
    holders: dict[int, list[int]] = {}
    for relation in HANDS:
        for source, held in targets[relation].items():
            if len(held) > 1:
                yield f"{nodes[source].label} holds two things in one hand ({relation}): {_list(nodes, held)}"
            for number in held:
                holders.setdefault(number, []).append(source)
    for number, hands in holders.items():
        if len(hands) > 1:
            yield f"{nodes[number].label} is held twice, by {_list(nodes, hands)}"


def _list(nodes: Mapping[int, Node], numbers: Sequence[int]) -> str:
    labels = [nodes[number].label for number in numbers[:6]]
    return ", ".join([*labels, f"… ({len(numbers)} in all)"] if len(numbers) > 6 else labels)
