"""Every fault of a scene is named, with the node or edge it is in; a scene with faults is not loaded."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from housemates.env.household.scene import scene_json
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.household.scene.scene_json import MAX_FAULTS, scene_faults
from housemates.env.world import WorldError
from hypothesis import given
from hypothesis import strategies as st

from .effort import FEW
from .scenes import scenes, unity_scene

Spoil = Callable[[dict[str, Any], dict[str, Any]], str]
"""Spoils a scene at the given node; returns what the complaint has to say (ids included)."""


def of_node(change: Callable[[dict[str, Any]], object], says: str) -> Spoil:
    def spoil(scene: dict[str, Any], node: dict[str, Any]) -> str:
        number = node["id"]
        change(node)
        return says.format(id=number)

    return spoil


def new(scene: dict[str, Any], category: str, *edges: tuple[str, int]) -> int:
    """Add a plain node with some edges, INSIDE a room if nothing else is said; returns its id."""
    taken = {node.get("id") for node in scene["nodes"]}
    number = next(number for number in count(5000) if number not in taken)
    scene["nodes"].append({"id": number, "class_name": "thing", "category": category, "properties": [], "states": []})
    for relation, target in edges or (("INSIDE", a_room(scene)),):
        link(scene, number, relation, target)
    return number


def link(scene: dict[str, Any], source: Any, relation: Any, target: Any) -> None:
    scene["edges"].append({"from_id": source, "relation_type": relation, "to_id": target})


def a_room(scene: dict[str, Any]) -> int:
    return next(node["id"] for node in scene["nodes"] if node.get("category") == "Rooms")


def number_is(value: Any) -> Spoil:
    def spoil(scene: dict[str, Any], node: dict[str, Any]) -> str:
        scene["nodes"].append({**node, "id": value})
        return f"nodes[{len(scene['nodes']) - 1}]: its id is no whole number"

    return spoil


def twin(scene: dict[str, Any], node: dict[str, Any]) -> str:
    scene["nodes"].append(dict(node))
    return f"two nodes have the id {node['id']}"


def edge_is(key: str, value: Any, says: str) -> Spoil:
    def spoil(scene: dict[str, Any], node: dict[str, Any]) -> str:
        edge = {"from_id": node["id"], "relation_type": "FACING", "to_id": node["id"], key: value}
        scene["edges"].append(edge)
        return says.format(id=node["id"], index=len(scene["edges"]) - 1)

    return spoil


def edge_to_no_node(key: str, says: str) -> Spoil:
    def spoil(scene: dict[str, Any], node: dict[str, Any]) -> str:
        taken = {node.get("id") for node in scene["nodes"]}
        number = next(number for number in count(2**31 - 2, -1) if number not in taken)
        return edge_is(key, number, says.replace("{number}", str(number)))(scene, node)

    return spoil


def nowhere(scene: dict[str, Any], node: dict[str, Any]) -> str:
    number = new(scene, "Doors", ("ON", node["id"]))
    return f"<thing> ({number}) is in no room"


def in_two_rooms(scene: dict[str, Any], node: dict[str, Any]) -> str:
    number = new(scene, "Props", ("INSIDE", a_room(scene)), ("INSIDE", new(scene, "Rooms")))
    return f"<thing> ({number}) is INSIDE more than one room: "


def in_each_other(scene: dict[str, Any], node: dict[str, Any]) -> str:
    first = new(scene, "Props")
    second = new(scene, "Props", ("INSIDE", first))
    link(scene, first, "INSIDE", second)
    return f"edges INSIDE form a cycle: <thing> ({first}), <thing> ({second}), <thing> ({first})"


def on_itself(scene: dict[str, Any], node: dict[str, Any]) -> str:
    number = new(scene, "Props")
    link(scene, number, "ON", number)
    return f"edges ON form a cycle: <thing> ({number}), <thing> ({number})"


def too_deep(scene: dict[str, Any], node: dict[str, Any]) -> str:
    number = new(scene, "Props")
    for _ in range(100):
        number = new(scene, "Props", ("INSIDE", number))
    return f"<thing> ({number}) lies too deep"


def held_twice(scene: dict[str, Any], node: dict[str, Any]) -> str:
    thing, first, second = new(scene, "Props"), new(scene, "Characters"), new(scene, "Characters")
    link(scene, first, "HOLDS_RH", thing)
    link(scene, second, "HOLDS_LH", thing)
    return f"<thing> ({thing}) is held twice, by <thing> ({first}), <thing> ({second})"


def full_hand(scene: dict[str, Any], node: dict[str, Any]) -> str:
    person = new(scene, "Characters")
    for _ in range(2):
        link(scene, person, "HOLDS_LH", new(scene, "Props"))
    return f"<thing> ({person}) holds two things in one hand (HOLDS_LH): "


def no_person(relation: str) -> Spoil:
    def spoil(scene: dict[str, Any], node: dict[str, Any]) -> str:
        number = new(scene, "Props")
        link(scene, number, relation, new(scene, "Props"))
        return f"<thing> ({number}) is no character, but has the edge {relation} to "

    return spoil


def both(one: str, other: str) -> Spoil:
    return of_node(lambda node: node.update(states=[other, one]), f"node {{id}} is both {one} and {other}")


def box_is(**shape: Any) -> Callable[[dict[str, Any]], object]:
    return lambda node: node.update(bounding_box={"center": [0, 0, 0], "size": [1, 1, 1], **shape})


FAULTS: dict[str, Spoil] = {
    "no id": of_node(lambda node: node.pop("id"), ": its id is no whole number from 1 to 2147483647, but None"),
    "id is true": number_is(True),
    "id is a fraction": number_is(7.0),
    "id is text": number_is("7"),
    "id is zero": number_is(0),
    "id is negative": number_is(-3),
    "id is too large": number_is(2**31),
    "id is taken": twin,
    "no class": of_node(lambda node: node.pop("class_name"), "node {id}: its class_name is no text"),
    "class is a number": of_node(lambda node: node.update(class_name=5), "node {id}: its class_name is no text"),
    "category is null": of_node(lambda node: node.update(category=None), "node {id}: its category is no text but None"),
    "prefab is a list": of_node(lambda node: node.update(prefab_name=[]), "node {id}: its prefab_name is no text"),
    "properties are text": of_node(lambda node: node.update(properties="X"), "node {id}: its properties are no list"),
    "property is a list": of_node(lambda node: node.update(properties=[[]]), "node {id}: its properties are no list"),
    "unknown property": of_node(
        lambda node: node.update(properties=["EDIBLE"]), "node {id} has the unknown property 'EDIBLE'"
    ),
    "unknown state": of_node(lambda node: node.update(states=["AJAR"]), "node {id} has the unknown state 'AJAR'"),
    "states are null": of_node(lambda node: node.update(states=None), "node {id}: its states are no list but None"),
    "open and closed": both("OPEN", "CLOSED"),
    "on and off": both("ON", "OFF"),
    "clean and dirty": both("CLEAN", "DIRTY"),
    "plugged in and out": both("PLUGGED_IN", "PLUGGED_OUT"),
    "box is a list": of_node(lambda node: node.update(bounding_box=[]), "node {id}: its bounding_box is no object"),
    "box without size": of_node(
        lambda node: node.update(bounding_box={"center": [0, 0, 0]}),
        "node {id}: its bounding_box.size is not 3 numbers",
    ),
    "flat centre": of_node(box_is(center=[0, 0]), "node {id}: its bounding_box.center is not 3 numbers"),
    "centre of text": of_node(box_is(center=["0", 0, 0]), "node {id}: its bounding_box.center is not 3 numbers"),
    "centre of truth": of_node(box_is(center=[True, 0, 0]), "node {id}: its bounding_box.center is not 3 numbers"),
    "centre not a number": of_node(box_is(center=[0, math.nan, 0]), "node {id}: its bounding_box.center is not 3"),
    "infinite size": of_node(box_is(size=[0, 0, math.inf]), "node {id}: its bounding_box.size is not 3 numbers"),
    "huge size": of_node(box_is(size=[0, 0, 10**400]), "node {id}: its bounding_box.size is not 3 numbers"),
    "negative size": of_node(box_is(size=[0, -1, 0]), "node {id}: its bounding_box.size is negative: [0, -1, 0]"),
    "transform is text": of_node(lambda node: node.update(obj_transform="x"), "node {id}: its obj_transform is no obj"),
    "short rotation": of_node(
        lambda node: node.update(obj_transform={"rotation": [0, 0, 1]}),
        "node {id}: its obj_transform.rotation is not 4",
    ),
    "position of nulls": of_node(
        lambda node: node.update(obj_transform={"position": [None] * 3}), "node {id}: its obj_transform.position is not"
    ),
    "unknown key with a set": of_node(lambda node: node.update(x={1}), "node {id} holds what cannot be written again"),
    "unknown key too large": of_node(lambda node: node.update(x=2**64), "node {id} holds what cannot be written again"),
    "unknown key half text": of_node(lambda node: node.update(x="\ud800"), "node {id} holds what cannot be written"),
    "edge to nothing": edge_to_no_node("to_id", "({id} FACING {number}) names node {number}, a node that is not"),
    "edge from nothing": edge_to_no_node("from_id", "({number} FACING {id}) names node {number}, a node that is not"),
    "edge to truth": edge_is("to_id", True, "edges[{index}]"),
    "edge to text": edge_is("to_id", "1", "its to_id is no whole number from 1 to 2147483647, but '1'"),
    "unknown relation": edge_is(
        "relation_type", "NEAR", "edges[{index}] has the unknown relation 'NEAR' ({id} to {id})"
    ),
    "relation is a list": edge_is("relation_type", [], "edges[{index}] has the unknown relation []"),
    "edge with a set": edge_is("x", {1}, "edges[{index}] holds what cannot be written again"),
    "in no room": nowhere,
    "in two rooms": in_two_rooms,
    "in each other": in_each_other,
    "on itself": on_itself,
    "too deep": too_deep,
    "held twice": held_twice,
    "two things in a hand": full_hand,
    "a table holds": no_person("HOLDS_RH"),
    "a table sits": no_person("SITTING"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_once_and_alone(name: str) -> None:
    scene = unity_scene()
    says = FAULTS[name](scene, scene["nodes"][60])
    faults = scene_faults(scene)
    assert says in faults[0]
    assert len(faults) == 1 or name == "no id"  # without it, the node's edges lead nowhere
    with pytest.raises(WorldError) as error:
        SceneGraph.from_dict(scene)
    assert str(error.value) == f"scene graph: {faults[0]}"


@given(scenes(), st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=3, unique=True))
@FEW
def test_each_of_several_faults_in_any_scene_is_named(scene: dict[str, Any], names: list[str]) -> None:
    scene = copy.deepcopy(scene)
    said: list[str] = []
    for name in names:
        new(scene, "Props")
        said.append(FAULTS[name](scene, scene["nodes"][-1]))
    faults = scene_faults(scene)
    for says in said:
        assert any(says in fault for fault in faults), (says, faults)
    with pytest.raises(WorldError):
        SceneGraph.from_dict(scene)


@pytest.mark.parametrize(
    "name", ["", " ", "__", "<x>", "a (1)", "a|b", "$PLAN$", "a\nb", "a\u2028b", "\x00", "x" * 101]
)
def test_a_class_name_that_would_break_a_script_or_a_prompt_is_refused(name: str) -> None:
    scene = unity_scene()
    scene["nodes"][60]["class_name"] = name
    (fault,) = scene_faults(scene)
    assert f"node {scene['nodes'][60]['id']}: its class_name is no text of 1 to 100 printable characters" in fault


@pytest.mark.parametrize("data", [None, [], "scene", {"nodes": []}, {"edges": []}])
def test_what_is_no_scene_is_refused(data: Any) -> None:
    (fault,) = scene_faults(data)
    assert "expected" in fault
    with pytest.raises(WorldError, match="expected"):
        SceneGraph.from_dict(data)


def test_lists_that_are_none_and_entries_that_are_no_objects_are_refused() -> None:
    assert scene_faults({"nodes": {}, "edges": None}) == ["nodes is no list but {}", "edges is no list but None"]
    scene = unity_scene()
    scene["nodes"].append(5)
    scene["edges"] += [None, "INSIDE", {"from_id": 1}]
    nodes, edges = len(scene["nodes"]), len(scene["edges"])
    assert scene_faults(scene) == [
        f"nodes[{nodes - 1}] is no object but 5",
        f"edges[{edges - 3}] is no object but None",
        f"edges[{edges - 2}] is no object but 'INSIDE'",
        f"edges[{edges - 1}] {{'from_id': 1}} has no relation_type",
    ]


def test_a_scene_without_a_room_is_refused() -> None:
    assert scene_faults({"nodes": [], "edges": []}) == ["there is no room (no node of the category Rooms)"]


def test_a_scene_of_absurd_size_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_json, "MAX_NODES", 10)
    monkeypatch.setattr(scene_json, "MAX_EDGES", 20)
    scene = {"nodes": [None] * 11, "edges": [None] * 21}
    assert scene_faults(scene) == ["there are 11 nodes, more than 10", "there are 21 edges, more than 20"]


def test_the_list_of_faults_ends_somewhere() -> None:
    for scene in (
        {"nodes": [None] * 5000, "edges": [None] * 5000},
        {"nodes": unity_scene()["nodes"], "edges": [None] * 5000},
        {"nodes": [*unity_scene(20)["nodes"]], "edges": []},
    ):
        faults = scene_faults(scene)
        assert len(faults) == MAX_FAULTS + 1
        assert faults[-1] == f"there are more than {MAX_FAULTS} faults; the rest is not listed"


def test_a_deeply_nested_unknown_key_is_a_fault_and_no_crash() -> None:
    scene, deep = unity_scene(), list[Any]()
    for _ in range(100_000):
        deep = [deep]
    scene["nodes"][5]["x"] = deep
    (fault,) = scene_faults(scene)
    assert f"node {scene['nodes'][5]['id']} holds what cannot be written again" in fault
