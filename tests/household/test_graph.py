"""The scene graph answers where things are and who is close to what."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from housemates.env.household.homes import build_home
from housemates.env.household.person.sight import Focus, look
from housemates.env.household.scene.graph import Box, Node, SceneGraph
from housemates.env.household.scene.node import class_kind
from housemates.env.household.scene.scene_json import RELATIONS
from housemates.env.household.tasks.goals import Goal, Want, WantKind
from housemates.env.world import WorldError
from hypothesis import given, settings
from hypothesis import strategies as st

from .effort import FEW
from .home import Home
from .scenes import scenes, unity_scene


def small() -> dict[str, Any]:
    def node(number: int, name: str, category: str, **more: Any) -> dict[str, Any]:
        return {"id": number, "class_name": name, "category": category, "properties": [], "states": [], **more}

    def box(x: float, z: float, size: float) -> dict[str, Any]:
        return {"center": [x, 1.0, z], "size": [size, 1.0, size]}

    return {
        "nodes": [
            node(1, "character", "Characters", bounding_box=box(0.0, 0.0, 0.5)),
            node(11, "kitchen", "Rooms", bounding_box=box(0.0, 0.0, 6.0)),
            node(
                12,
                "fridge",
                "Appliances",
                bounding_box=box(2.0, 0.0, 1.0),
                properties=["CAN_OPEN", "CONTAINERS"],
                states=["CLOSED"],
            ),
            node(13, "apple", "Food", bounding_box=box(2.2, 0.0, 0.1), properties=["GRABBABLE"]),
        ],
        "edges": [
            {"from_id": 1, "to_id": 11, "relation_type": "INSIDE"},
            {"from_id": 12, "to_id": 11, "relation_type": "INSIDE"},
            {"from_id": 13, "to_id": 11, "relation_type": "INSIDE"},
            {"from_id": 13, "to_id": 12, "relation_type": "INSIDE"},
            {"from_id": 1, "to_id": 12, "relation_type": "CLOSE"},
        ],
    }


def test_a_node_made_in_code_has_every_field_of_virtualhome() -> None:
    (node,) = [
        node for node in build_home("0", 11, Random(1)).graph.to_dict()["nodes"] if node["class_name"] == "fridge"
    ]
    assert set(node) == {
        "id",
        "category",
        "class_name",
        "prefab_name",
        "obj_transform",
        "bounding_box",
        "properties",
        "states",
    }
    assert node["properties"] == ["CAN_OPEN", "CONTAINERS", "HAS_PLUG", "HAS_SWITCH"]
    assert node["states"] == ["CLOSED", "OFF"]
    assert set(node["obj_transform"]) == {"position", "rotation", "scale"}


def test_the_container_counts_when_the_room_is_listed_too() -> None:
    graph = SceneGraph.from_dict(small())
    assert graph.parent(13) == 12
    assert graph.room_of(13) == 11
    assert graph.contents(12) == [13] and 13 not in graph.contents(11)
    assert graph.copy().contents(11) == graph.contents(11)
    assert not graph.is_accessible(13)


def test_close_follows_from_geometry_and_reaches_into_containers() -> None:
    graph = SceneGraph.from_dict(small())
    assert not graph.is_close(1, 12)  # 1.5 m to the front of the fridge, whatever the file said
    graph.nodes[1].box = Box((0.25, 1.0, 0.0), (0.5, 1.8, 0.5))
    assert graph.is_close(1, 12) and graph.is_close(1, 13)
    assert (13, "CLOSE", 1) in set(graph.edges()) and (1, "CLOSE", 13) in set(graph.edges())


def test_the_distance_to_a_box_is_measured_on_the_floor_to_its_nearest_side() -> None:
    box = Box((0.0, 5.0, 0.0), (2.0, 1.0, 4.0))
    assert box.distance(0.5, 0.5) == 0.0
    assert box.distance(3.0, 0.0) == 2.0
    assert box.distance(0.0, -3.0) == 1.0
    assert box.distance(4.0, 6.0) == 5.0


@given(scenes(), st.randoms(use_true_random=False))
@FEW
def test_the_edges_close_of_a_whole_scene_are_those_that_is_close_says(scene: dict[str, Any], rng: Random) -> None:
    graph = SceneGraph.from_dict(scene)
    for node in graph.nodes.values():
        size = (rng.choice([0.1, 1.0, 20.0]), 1.0, 0.5)
        node.box = None if rng.random() < 0.1 else Box((rng.uniform(-6, 6), 1.0, rng.uniform(-6, 6)), size)
    expected: list[tuple[int, int]] = []
    for who in graph.characters:
        for other, node in graph.nodes.items():
            if other != who and node.category != "Rooms" and graph.is_close(who, other):
                expected += [(who, other)] if node.category == "Characters" else [(who, other), (other, who)]
    graph.add(Node(3_000_000_000, "attic", "Rooms"))  # so that the scene is not the one that was read
    assert [(source, target) for source, relation, target in graph.edges() if relation == "CLOSE"] == expected


_numbers = st.integers(1, 6)
_operations = st.lists(
    st.tuples(st.sampled_from(["link", "unlink"]), _numbers, st.sampled_from(["INSIDE", "ON", "HOLDS_RH"]), _numbers)
)


@given(_operations)
@settings(deadline=None)
def test_the_indices_agree_with_a_plain_list_of_edges(operations: list[tuple[str, int, str, int]]) -> None:
    graph, edges = SceneGraph(), list[tuple[int, str, int]]()
    for number in range(1, 7):
        graph.add(Node(number, "box", "Props"))
    for verb, source, relation, target in operations:
        if verb == "link":
            graph.link(source, relation, target)
            edges += [] if (source, relation, target) in edges else [(source, relation, target)]
        else:
            graph.unlink(source, relation)
            edges = [edge for edge in edges if edge[:2] != (source, relation)]
    assert sorted(graph.edges()) == sorted(edges)
    for number in range(1, 7):
        for relation in RELATIONS:
            assert graph.targets(number, relation) == sorted(t for s, r, t in edges if (s, r) == (number, relation))
            assert graph.sources(number, relation) == sorted(s for s, r, t in edges if (r, t) == (relation, number))
        inside = graph.sources(number, "INSIDE")
        assert graph.contents(number) == [source for source in inside if graph.parent(source) == number]
        last = [t for s, r, t in edges if (s, r) == (number, "INSIDE")]
        assert graph.parent(number) == (last[-1] if last else None)
        last = [t for s, r, t in edges if (s, r) == (number, "ON")]
        assert graph.support(number) == (last[-1] if last else None)


def test_rooms_and_people_are_sorted_however_they_are_added() -> None:
    graph = SceneGraph()
    for number in (30, 10, 20):
        graph.add(Node(number, "kitchen", "Rooms"))
        graph.add(Node(number + 1, "character", "Characters"))
    assert graph.rooms == [10, 20, 30] and graph.characters == [11, 21, 31]
    with pytest.raises(WorldError, match="two nodes have the id 10"):
        graph.add(Node(10, "bath", "Rooms"))


def test_a_copy_is_independent() -> None:
    graph = SceneGraph.from_dict(unity_scene())
    before, twin = graph.to_dict(), graph.copy()
    assert twin.to_dict() == before
    fridge = next(number for number, node in twin.nodes.items() if node.kind == "fridge")
    twin.nodes[fridge].states = ("OPEN",)
    twin.nodes[1].box = None
    twin.unlink(1, "INSIDE")
    twin.link(1, "INSIDE", twin.rooms[1])
    twin.add(Node(7, "attic", "Rooms"))
    assert graph.to_dict() == before and graph.rooms != twin.rooms


def test_a_graph_made_in_code_is_checked_by_the_same_rules() -> None:
    home = Home()
    home.graph.validate()
    home.graph.unlink(home.one("fridge"), "INSIDE")
    with pytest.raises(WorldError, match=r"<fridge> \(\d+\) is in no room"):
        home.graph.validate()


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("Coffee_Table X", "coffeetablex"),
        ("kitchencabinets", "kitchencabinet"),
        ("Kitchen Cabinets", "kitchencabinet"),
        ("kitchen_cabinet", "kitchencabinet"),
        ("notes", "notes"),  # a plural that is a class of its own
        ("t-shirt", "t-shirt"),
    ],
)
def test_rules_compare_class_names_in_one_spelling_and_texts_show_them_as_written(written: str, kind: str) -> None:
    node = Node.from_dict({"id": 5, "class_name": written})
    assert (node.kind, node.class_name, node.label) == (kind, written, f"<{written}> (5)")
    assert class_kind(written) == kind


def test_a_seat_has_as_many_places_however_its_class_is_spelled() -> None:
    home = Home()
    sofa = home.graph.nodes[home.one("sofa")]
    home.graph.nodes[sofa.id] = Node(
        sofa.id, "So_Fa", sofa.category, sofa.properties, sofa.states, sofa.box, sofa.prefab_name
    )
    for person in (1, 2):
        home.stand_at(person, sofa.id)
        assert home.do(person, "sit", sofa.id).ok


def test_a_shut_container_is_seen_however_its_class_is_spelled() -> None:
    scene = unity_scene()
    cabinet = next(node for node in scene["nodes"] if node["class_name"] == "kitchencabinet")
    cabinet["class_name"] = "Kitchen Cabinets"
    graph = SceneGraph.from_dict(scene)
    goal = Goal("hold", (Want(WantKind.HOLD, "apple", 1),))
    view = look(graph, graph.rooms[0], Focus(goal, (1,), {}, single=False))
    assert cabinet["id"] in view.closed
