"""What must hold in a scene at any time, whatever the people in it did."""

from __future__ import annotations

from housemates.env.household.engine.seats import BEDS, SEATS
from housemates.env.household.scene.graph import SceneGraph

OPPOSITES = [("OPEN", "CLOSED"), ("ON", "OFF"), ("CLEAN", "DIRTY"), ("PLUGGED_IN", "PLUGGED_OUT")]


def check_invariants(graph: SceneGraph) -> None:
    """Assert VirtualHome's invariants of a running scene: nothing is lost, doubled, or in two places."""
    graph.validate()
    edges = list(graph.edges())
    assert len(edges) == len(set(edges))
    for number, node in graph.nodes.items():
        if node.category == "Rooms":
            continue
        assert len(graph.targets(number, "INSIDE")) == 1, node.label
        assert len(set(node.states)) == len(node.states), node.label
        for pair in OPPOSITES:
            assert not set(pair) <= set(node.states), node.label
        _check_place(graph, number)
    for person in graph.characters:
        _check_person(graph, person)


def _check_place(graph: SceneGraph, number: int) -> None:
    node, supports, holder = graph.nodes[number], graph.targets(number, "ON"), graph.holder(number)
    assert len(supports) <= 1, node.label
    if holder is not None:
        assert not supports, node.label
        assert graph.parent(number) == graph.room_of(holder), node.label
        assert graph.is_close(holder, number), node.label
    if supports:
        assert graph.parent(number) == graph.parent(supports[0]), node.label
    assert number not in graph.load(number), node.label
    current, depth = number, 0
    while supports:
        current, depth = supports[0], depth + 1
        assert current != number and depth < 20, node.label
        supports = graph.targets(current, "ON")


def _check_person(graph: SceneGraph, person: int) -> None:
    node = graph.nodes[person]
    hands = [graph.targets(person, hand) for hand in ("HOLDS_RH", "HOLDS_LH")]
    assert all(len(held) <= 1 for held in hands) and (not hands[0] or hands[0] != hands[1])
    seats, beds = graph.targets(person, "SITTING"), graph.targets(person, "ON")
    assert len(seats) + len(beds) <= 1
    assert ("LYING" in node.states) == bool(beds)
    assert "SITTING" not in node.states
    for places, limits, ability in ((seats, SEATS, "SITTABLE"), (beds, BEDS, "LIEABLE")):
        for place in places:
            assert ability in graph.nodes[place].properties
            lying = [who for who in graph.sources(place, "ON") if who in graph.characters]
            limit = max(SEATS.get(graph.nodes[place].class_name, 1), limits.get(graph.nodes[place].class_name, 1))
            assert len({*graph.sources(place, "SITTING"), *lying}) <= limit
    room = graph.parent(person)
    assert room is not None and node.box is not None
    box = graph.nodes[room].box
    assert box is not None and box.distance(node.box.center[0], node.box.center[2]) < 1e-6
    assert abs(sum(part * part for part in node.rotation) - 1) < 1e-6
