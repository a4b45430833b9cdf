"""A scene comes out as it went in, but for what has changed in it."""

from __future__ import annotations

import gc
import json
import tracemalloc
from random import Random
from typing import Any

from housemates.env.household.engine.engine import Engine, Primitive
from housemates.env.household.homes import add_character, add_object, build_home
from housemates.env.household.scene.graph import Box, SceneGraph
from housemates.env.household.scene.scene_json import scene_faults
from hypothesis import given

from .effort import FEW
from .scenes import scenes, unity_scene


def text(data: object) -> str:
    """JSON with the difference between 1 and 1.0, and without that between orders of keys."""
    return json.dumps(data, sort_keys=True)


def node_of(data: dict[str, Any], number: int) -> dict[str, Any]:
    return next(node for node in data["nodes"] if node["id"] == number)


@given(scenes())
@FEW
def test_any_scene_comes_out_as_it_went_in(scene: dict[str, Any]) -> None:
    before = text(scene)
    assert scene_faults(scene) == []
    written = SceneGraph.from_dict(scene).to_dict()
    assert written == scene and text(written) == before
    assert [list(node) for node in written["nodes"]] == [list(node) for node in scene["nodes"]]


def test_a_scene_like_those_of_unity_comes_out_as_it_went_in() -> None:
    scene = unity_scene()
    boxless = [node for node in scene["nodes"] if node["bounding_box"] is None]
    assert len(scene["nodes"]) > 330 and len(scene["edges"]) > 590 and len(boxless) == 4
    before = text(scene)
    graph = SceneGraph.from_dict(scene)
    assert text(graph.to_dict()) == before
    graph.to_dict()["nodes"][0]["states"].append("OPEN")
    assert text(graph.to_dict()) == before == text(scene)


def test_what_is_made_in_code_can_be_read_back() -> None:
    graph = build_home("0", 11, Random(1)).graph
    add_character(graph, Random(1), 1, 11)
    data = graph.to_dict()
    assert SceneGraph.from_dict(data).to_dict() == data
    assert [node["id"] for node in data["nodes"]] == sorted(node["id"] for node in data["nodes"])


def test_the_origin_of_a_moved_thing_moves_along_and_all_else_stays() -> None:
    scene = unity_scene()
    graph = SceneGraph.from_dict(scene)
    fridge = next(number for number, node in graph.nodes.items() if node.kind == "fridge")
    old = graph.nodes[fridge].box
    assert old is not None
    graph.nodes[fridge].box = Box((old.center[0] + 2.0, old.center[1], old.center[2] - 0.5), old.size)
    before, after = node_of(scene, fridge), node_of(graph.to_dict(), fridge)
    x, y, z = before["obj_transform"]["position"]
    assert after["obj_transform"]["position"] == [x + 2.0, y, z - 0.5]
    assert after["bounding_box"]["center"] == [old.center[0] + 2.0, old.center[1], old.center[2] - 0.5]
    after["obj_transform"]["position"] = before["obj_transform"]["position"]
    after["bounding_box"] = before["bounding_box"]
    assert after == before


def test_a_thing_that_is_put_back_where_it_was_is_written_as_it_was() -> None:
    scene = unity_scene()
    graph = SceneGraph.from_dict(scene)
    old = graph.nodes[1].box
    assert old is not None
    graph.nodes[1].box = Box((0.0, 0.9, 0.0), old.size)
    assert text(graph.to_dict()) != text(scene)
    graph.nodes[1].box = Box((3.0, 0.9, 3.0), (0.6, 1.8, 0.5))
    assert text(graph.to_dict()) == text(scene)


def test_a_changed_state_changes_nothing_else() -> None:
    scene = unity_scene()
    graph = SceneGraph.from_dict(scene)
    fridge = next(number for number, node in graph.nodes.items() if node.kind == "fridge")
    states = node_of(scene, fridge)["states"]
    graph.nodes[fridge].states = tuple("OPEN" if state == "CLOSED" else state for state in states)
    written = graph.to_dict()
    assert node_of(written, fridge).pop("states") == ["OPEN" if state == "CLOSED" else state for state in states]
    del node_of(scene, fridge)["states"]
    assert written == {
        **scene,
        "nodes": [node if node["id"] != fridge else node_of(written, fridge) for node in scene["nodes"]],
    }


def test_edges_close_are_the_given_ones_until_something_moves() -> None:
    scene = unity_scene()
    given_edges = [edge for edge in scene["edges"] if edge["relation_type"] == "CLOSE"]
    strange = {"from_id": 40, "to_id": 41, "relation_type": "CLOSE"}
    scene["edges"].insert(0, strange)
    graph = SceneGraph.from_dict(scene)
    engine = Engine(graph, 0)
    television = next(number for number, node in graph.nodes.items() if node.kind == "tv")
    graph.nodes[television].states = ("ON",)
    assert graph.to_dict()["edges"] == scene["edges"]
    engine.step({1: Primitive("walktowards", graph.rooms[-1])})
    close = [(source, target) for source, relation, target in graph.edges() if relation == "CLOSE"]
    assert close and (40, 41) not in close and len(close) != len(given_edges)
    assert all(graph.is_close(min(pair), max(pair)) for pair in close)


def test_edges_that_hold_on_keep_their_place_and_new_ones_follow() -> None:
    scene = unity_scene()
    scene["edges"] = [edge for edge in scene["edges"] if edge["relation_type"] != "CLOSE"]
    graph = SceneGraph.from_dict(scene)
    moved = next(edge for edge in scene["edges"] if edge["relation_type"] == "ON")
    graph.unlink(moved["from_id"], "ON")
    graph.link(1, "HOLDS_RH", moved["from_id"])
    held = {"from_id": 1, "to_id": moved["from_id"], "relation_type": "HOLDS_RH"}
    assert graph.to_dict()["edges"] == [*(edge for edge in scene["edges"] if edge is not moved), held]


def test_what_is_added_to_a_scene_is_written_among_its_nodes() -> None:
    scene = unity_scene()
    graph = SceneGraph.from_dict(scene)
    add_character(graph, Random(1), 2, graph.rooms[0])
    apple = add_object(graph, "apple", (1.0, 1.0, 1.0), "INSIDE", graph.rooms[0])
    numbers = [node["id"] for node in graph.to_dict()["nodes"]]
    assert numbers[:3] == [1, 2, 11] and numbers[-1] == apple.id


def test_an_edge_that_is_given_twice_counts_once_and_is_written_twice() -> None:
    scene = unity_scene()
    edge = scene["edges"][0]
    scene["edges"].append({**edge, "note": "again"})
    graph = SceneGraph.from_dict(scene)
    assert graph.targets(edge["from_id"], edge["relation_type"]) == [edge["to_id"]]
    assert graph.to_dict()["edges"] == scene["edges"]


def test_a_scene_may_have_any_rooms() -> None:
    scene = unity_scene(rooms=7)
    graph = SceneGraph.from_dict(scene)
    kinds = [graph.nodes[room].kind for room in graph.rooms]
    assert len(kinds) == 7 and kinds.count("kitchen") == 2 and "entrancehall" in kinds


def test_a_building_comes_out_as_it_went_in_and_is_small_in_memory() -> None:
    before = text(unity_scene(rooms=40))
    tracemalloc.start()
    try:
        graph = SceneGraph.from_dict(json.loads(before))
        gc.collect()
        memory, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert text(graph.to_dict()) == before
    assert memory / len(graph.nodes) < 2000  # 70 MB for 35,000 nodes


def test_the_scene_that_was_read_is_the_readers_own() -> None:
    scene = unity_scene()
    scene["edges"][0]["note"] = note = ["first"]
    before = text(scene)
    graph = SceneGraph.from_dict(scene)
    note.append("second")
    scene["nodes"][5]["states"].append("OPEN")
    assert text(graph.to_dict()) == before
