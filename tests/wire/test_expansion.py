"""A posted graph becomes the scene, as far as it can; a senseless one changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.virtualhome.expansion import Complaints, expand
from housemates.env.virtualhome.wire import ExpandConfig, WireGraph
from housemates.env.world import WorldError

from .test_remote import home

NEXT = 5000
Graph = dict[str, Any]


@pytest.fixture
def scene() -> SceneGraph:
    return home(1, people=0)


def expanded(scene: SceneGraph, posted: Graph, **config: Any) -> tuple[SceneGraph, dict[str, Any]]:
    graph, complaints = expand(scene, WireGraph.model_validate(posted), ExpandConfig(**config), NEXT)
    assert isinstance(complaints, Complaints)
    return graph, complaints.to_dict()


def first(graph: SceneGraph, name: str) -> int:
    return next(number for number in sorted(graph.nodes) if graph.nodes[number].class_name == name)


def node(posted: Graph, number: int) -> Graph:
    return next(entry for entry in posted["nodes"] if entry["id"] == number)


def put(posted: Graph, number: int, *edges: tuple[str, int], **fields: Any) -> None:
    """Post a node, or other edges of one that is there."""
    if fields:
        posted["nodes"].append({"id": number, **fields})
    posted["edges"] = [e for e in posted["edges"] if e["from_id"] != number]
    posted["edges"] += [{"from_id": number, "relation_type": relation, "to_id": to} for relation, to in edges]


def test_a_scene_that_is_posted_back_stays_as_it_is(scene: SceneGraph) -> None:
    graph, complaints = expanded(scene, scene.to_dict())
    assert complaints == {}
    assert graph.to_dict() == scene.to_dict()


def test_a_partial_node_becomes_a_standard_object_with_a_fresh_id(scene: SceneGraph) -> None:
    posted, table = scene.to_dict(), first(scene, "kitchentable")
    put(posted, 1000, ("ON", table), class_name="Cup Cake")
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    made = graph.nodes[NEXT]
    assert (made.class_name, made.category) == ("cupcake", "cupcake_1")
    assert "GRABBABLE" in made.properties
    assert graph.support(NEXT) == table
    assert graph.room_of(NEXT) == scene.room_of(table)
    box, top = made.box, scene.nodes[table].box
    assert box is not None and top is not None
    assert box.bottom == pytest.approx(top.top)


def test_inside_a_container_comes_before_a_surface(scene: SceneGraph) -> None:
    posted, fridge, table = scene.to_dict(), first(scene, "fridge"), first(scene, "kitchentable")
    put(posted, 1000, ("ON", table), ("INSIDE", fridge), class_name="apple")
    graph, _ = expanded(scene, posted)
    box, inside = graph.nodes[NEXT].box, graph.nodes[fridge].box
    assert box is not None and inside is not None
    assert inside.distance(box.center[0], box.center[2]) == 0.0


def test_only_a_room_means_some_surface_around_its_middle(scene: SceneGraph) -> None:
    posted = scene.to_dict()
    put(posted, 1000, ("INSIDE", first(scene, "livingroom")), class_name="apple")
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    support = graph.support(NEXT)
    assert support is not None
    assert "SURFACES" in graph.nodes[support].properties


def test_a_posted_box_is_an_exact_place(scene: SceneGraph) -> None:
    posted = scene.to_dict()
    box = {"center": [3.0, 0.5, 2.0], "size": [0.1, 0.1, 0.1]}
    put(posted, 1000, ("INSIDE", first(scene, "livingroom")), class_name="gadget", bounding_box=box)
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    made = graph.nodes[NEXT].box
    assert made is not None
    assert (list(made.center), list(made.size)) == (box["center"], box["size"])


def test_what_is_not_posted_is_removed(scene: SceneGraph) -> None:
    posted, toilet = scene.to_dict(), first(scene, "toilet")
    posted["nodes"] = [entry for entry in posted["nodes"] if entry["id"] != toilet]
    posted["edges"] = [e for e in posted["edges"] if toilet not in (e["from_id"], e["to_id"])]
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    assert toilet not in graph.nodes
    assert len(graph.nodes) == len(scene.nodes) - 1


def test_other_edges_move_a_thing_whose_box_is_as_before(scene: SceneGraph) -> None:
    posted, thing, sofa = scene.to_dict(), first(scene, "towel"), first(scene, "sofa")
    put(posted, thing, ("ON", sofa))
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    assert graph.support(thing) == sofa
    assert graph.room_of(thing) == graph.room_of(sofa)
    assert graph.nodes[thing].box != scene.nodes[thing].box


def test_states_are_set_where_they_make_sense(scene: SceneGraph) -> None:
    posted, fridge, sofa = scene.to_dict(), first(scene, "fridge"), first(scene, "sofa")
    node(posted, fridge)["states"] = ["OPEN", "ON", "FLYING"]
    node(posted, sofa)["states"] = ["OPEN", "DIRTY"]
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    assert sorted(graph.nodes[fridge].states) == ["ON", "OPEN"]
    assert graph.nodes[sofa].states == ("DIRTY",)


def test_characters_come_with_what_they_hold(scene: SceneGraph) -> None:
    posted, kitchen = scene.to_dict(), first(scene, "kitchen")
    put(posted, 1000, ("INSIDE", kitchen), class_name="apple")
    box = {"center": [9.0, 0.9, 2.0], "size": [0.5, 1.8, 0.5]}
    put(posted, 1, class_name="character", category="Characters", prefab_name="Female1", bounding_box=box)
    put(posted, 1, ("INSIDE", kitchen), ("HOLDS_RH", 1000))
    put(posted, 77_777, class_name="character", category="Characters")
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    assert graph.characters == [1]
    assert graph.held_by(1) == [NEXT]
    apple = graph.nodes[NEXT].box
    assert apple is not None
    assert apple.center == (9.0, 1.1, 2.0)


def test_people_whom_nobody_mentions_stay() -> None:
    scene = home(1, people=2)
    posted = scene.to_dict()
    posted["nodes"] = [entry for entry in posted["nodes"] if entry["id"] > 10]
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    assert graph.characters == [1, 2]
    assert graph.nodes[1].box == scene.nodes[1].box


def test_what_cannot_be_done_is_listed_and_the_rest_is_done(scene: SceneGraph) -> None:
    posted, table = scene.to_dict(), first(scene, "coffeetable")
    put(posted, 1000, ("ON", table), class_name="unicorn")
    put(posted, 1001, ("ON", 88_888), class_name="apple")
    put(posted, 1002, class_name="apple")
    put(posted, 1003, ("ON", table), class_name="bed")
    put(posted, 1004, ("ON", table), class_name="apple")
    put(posted, 1005, ("INSIDE", 1004), class_name="salmon")
    graph, complaints = expanded(scene, posted)
    assert complaints == {
        "unplaced": ["apple.1001", "apple.1002", "bed.1003", "salmon.1005"],
        "missing_destinations": ["unknown.88888"],
        "missing_prefabs": ["unicorn"],
    }
    assert [graph.nodes[number].class_name for number in sorted(graph.nodes) if number >= NEXT] == ["apple"]


def test_a_thing_that_cannot_be_moved_stays_where_it_was(scene: SceneGraph) -> None:
    posted, bed, table = scene.to_dict(), first(scene, "bed"), first(scene, "coffeetable")
    put(posted, bed, ("ON", table))
    graph, complaints = expanded(scene, posted)
    assert complaints == {"unplaced": [f"bed.{bed}"]}
    assert graph.nodes[bed] == scene.nodes[bed]
    assert graph.targets(bed, "ON") == scene.targets(bed, "ON")


def test_a_thing_may_stand_on_one_that_is_posted_after_it(scene: SceneGraph) -> None:
    posted, table = scene.to_dict(), first(scene, "kitchentable")
    put(posted, 1000, ("ON", 1001), class_name="cupcake")
    put(posted, 1001, ("ON", table), class_name="plate")
    graph, complaints = expanded(scene, posted)
    assert complaints == {}
    cake, plate = graph.nodes[NEXT].box, graph.nodes[NEXT + 1].box
    assert cake is not None and plate is not None
    assert cake.bottom == pytest.approx(plate.top)


@pytest.mark.parametrize("relation", ["ON", "INSIDE"])
def test_things_that_only_rest_on_each_other_are_not_placed(scene: SceneGraph, relation: str) -> None:
    posted = scene.to_dict()
    put(posted, 1000, (relation, 1001), class_name="plate")
    put(posted, 1001, (relation, 1000), class_name="plate")
    graph, complaints = expanded(scene, posted)
    assert set(complaints["unplaced"]) == {"plate.1000", "plate.1001"}
    assert max(graph.nodes) < NEXT


def test_a_graph_that_makes_no_sense_is_an_error(scene: SceneGraph) -> None:
    posted = scene.to_dict()
    posted["nodes"].append(posted["nodes"][0])
    with pytest.raises(ValueError, match="two nodes have the id"):
        expanded(scene, posted)
    scene = home(1, people=2)
    posted = scene.to_dict()
    apple = first(scene, "towel")
    for who in (1, 2):
        put(posted, who, ("INSIDE", scene.rooms[0]), ("HOLDS_RH", apple))
    with pytest.raises(WorldError, match="held twice"):
        expanded(scene, posted)
