"""The public VirtualHome client, unmodified, against our server: every method it has."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path
from typing import Any

import numpy
import pytest
from housemates.orchestrator.commands.serve import write_executable

from .conftest import Beside

QUIET: dict[str, Any] = {"recording": False, "image_synthesis": [], "skip_animation": True}


@pytest.fixture
def client(public_client: Any, served: Beside) -> Any:
    return public_client(port=str(served.port))


def find(graph: dict[str, Any], name: str, **wanted: Any) -> dict[str, Any]:
    return next(
        node
        for node in graph["nodes"]
        if node["class_name"] == name and all(node[key] == value for key, value in wanted.items())
    )


def related(graph: dict[str, Any], source: int, relation: str) -> list[int]:
    return [e["to_id"] for e in graph["edges"] if e["from_id"] == source and e["relation_type"] == relation]


def test_the_connection_is_checked(client: Any) -> None:
    assert client.check_connection() is True


def test_a_reset_brings_the_apartment_back_as_it_was(client: Any) -> None:
    assert client.reset(3) is True
    _, before = client.environment_graph()
    assert client.add_character() is True
    assert client.reset() is True
    assert client.environment_graph() == (True, before)
    assert client.reset(50) is False
    assert client.fast_reset(3) is True
    assert client.fast_reset() is True
    assert client.environment_graph() == (True, before)


def test_an_apartment_can_be_generated_from_a_seed(client: Any) -> None:
    assert client.procedural_generation(7) == (True, "")
    _, first = client.environment_graph()
    assert client.procedural_generation(8) == (True, "")
    assert client.environment_graph()[1] != first
    assert client.procedural_generation(7) == (True, "")
    assert client.environment_graph()[1] == first


def test_the_graph_is_as_virtualhome_writes_it(client: Any) -> None:
    success, graph = client.environment_graph()
    assert success is True
    assert [node["id"] for node in graph["nodes"]] == sorted(node["id"] for node in graph["nodes"])
    assert min(node["id"] for node in graph["nodes"]) == 11
    fields = {"id", "category", "class_name", "prefab_name", "obj_transform", "bounding_box", "properties", "states"}
    assert all(set(node) >= fields for node in graph["nodes"])
    assert all(set(edge) >= {"from_id", "to_id", "relation_type"} for edge in graph["edges"])


def test_two_people_fetch_something_together(client: Any) -> None:
    assert client.reset(0) is True
    assert client.add_character("Chars/Female1", initial_room="kitchen") is True
    assert client.add_character("Chars/Male1", initial_room="kitchen") is True
    _, graph = client.environment_graph()
    fridge = find(graph, "fridge")
    for _ in range(12):
        success, reports = client.render_script([f"<char0> [walktowards] <fridge> ({fridge['id']})"], **QUIET)
        assert success is True
        assert reports == {"0": {"message": "Success"}, "1": {"message": "Success"}}
    line = f"<char0> [open] <fridge> ({fridge['id']})|<char1> [grab] <milk> (99999)"
    success, reports = client.render_script([line], **QUIET)
    assert success is False
    assert reports["0"]["message"] == "Success"
    assert reports["1"]["message"].startswith("ScriptExcutor 1: ")
    assert reports["1"]["message"].endswith("EXECUTION_GENERAL: Script is impossible to execute\n\n")
    _, graph = client.environment_graph()
    assert "OPEN" in find(graph, "fridge")["states"]


def test_people_can_be_put_somewhere(client: Any) -> None:
    client.reset(0)
    _, graph = client.environment_graph()
    kitchen = find(graph, "kitchen")
    assert client.add_character("Chars/Male2", position=kitchen["bounding_box"]["center"]) is True
    assert client.add_character("Chars/Male2", position=[500, 0, 500]) is False
    assert client.move_character(0, find(graph, "bedroom")["bounding_box"]["center"]) is True
    assert client.move_character(0, [500, 0, 500]) is False
    assert client.move_character(7, [1, 0, 1]) is False
    _, graph = client.environment_graph()
    person = find(graph, "character")
    assert (person["id"], person["category"], person["prefab_name"]) == (1, "Characters", "Male2")
    assert related(graph, 1, "INSIDE") == [find(graph, "bedroom")["id"]]


def test_a_script_without_people_or_with_errors_is_refused_in_the_known_words(client: Any) -> None:
    client.reset(0)
    assert client.render_script(["<char0> [standup]"], **QUIET) == (False, "No character added yet!")
    client.add_character()
    success, message = client.render_script(["<char0> [fly] <moon> (12)"], **QUIET)
    assert (success, message) == (False, "Error parsing script: Requested value 'FLY' was not found.")
    assert client.check(["<char0> [standup]"]) == (False, "Unknown action check_script")


def test_a_scene_is_expanded_with_partial_nodes(client: Any) -> None:
    client.reset(0)
    _, graph = client.environment_graph()
    table = find(graph, "coffeetable")["id"]
    highest = max(node["id"] for node in graph["nodes"])
    graph["nodes"].append({"id": 1000, "class_name": "cupcake", "states": [], "properties": ["GRABBABLE"]})
    graph["edges"].append({"from_id": 1000, "to_id": table, "relation_type": "ON"})
    assert client.expand_scene(graph) == (True, {})
    _, graph = client.environment_graph()
    cupcake = find(graph, "cupcake")
    assert cupcake["id"] == highest + 1
    assert related(graph, cupcake["id"], "ON") == [table]
    graph["nodes"].append({"id": 1001, "class_name": "unicorn"})
    assert client.expand_scene(graph) == (False, {"missing_prefabs": ["unicorn"]})
    success, message = client.expand_scene({"nodes": "none"})
    assert success is False
    assert message.startswith("Error processing input graph: ")


def test_cameras_are_counted_described_added_and_moved(client: Any) -> None:
    client.reset(0)
    success, fixed = client.camera_count()
    assert (success, fixed) == (True, 5)  # four rooms and the apartment
    assert client.add_character_camera(name="up_camera") == (True, "New camera defined with name: up_camera")
    assert client.add_character_camera(name="up_camera") == (False, "Error: a camera with this name already exists")
    assert client.update_character_camera(name="up_camera") == (True, "Camera successfully updated.")
    assert client.update_character_camera(name="nowhere") == (False, "Error: camera does not exist.")
    success, message = client.add_camera(position=[3, 2, 3])
    assert success is True
    added = int(message.split(":")[1])
    assert client.update_camera(added, position=[4, 2, 4]) == (True, "Camera updated")
    assert client.update_camera(99) == (False, "The camera index is not valid, there are only 6 cameras")
    client.add_character()
    assert client.camera_count() == (True, fixed + 1 + 9)
    success, message = client.add_character_camera(name="late")
    assert message == "Error: you should add these cameras before defining the characters"
    success, names = client.character_cameras()
    assert json.loads(names)[-1] == "up_camera"
    success, items = client.camera_data([0, added])
    assert success is True
    assert {key: type(value) for key, value in items[0].items()} == {
        "index": int,
        "name": str,
        "aspect": float,
        "projection_matrix": list,
        "world_to_camera_matrix": list,
    }
    assert [len(items[1][key]) for key in ("projection_matrix", "world_to_camera_matrix")] == [16, 16]


def test_pictures_agree_with_the_instance_colours(client: Any) -> None:
    client.reset(0)
    client.add_character(initial_room="kitchen")
    success, colours = client.instance_colors()
    assert success is True
    success, images = client.camera_image([4], mode="seg_inst", image_width=320, image_height=240)
    assert (success, images[0].shape) == (True, (240, 320, 3))
    seen = {tuple(pixel) for pixel in images[0].reshape(-1, 3)[:, ::-1].tolist()} - {(0, 0, 0)}
    known = {tuple(round(255 * part) for part in colour): number for number, colour in colours.items()}
    assert "1" in {known[pixel] for pixel in seen}
    success, images = client.camera_image([0, 4])
    assert [image.shape for image in images] == [(480, 640, 3)] * 2
    assert len(numpy.unique(images[1].reshape(-1, 3), axis=0)) > 3


def test_a_picture_that_cannot_be_made_is_an_empty_list(client: Any) -> None:
    assert client.camera_image([0], mode="depth") == (False, [])
    assert client.camera_image([0], mode="imaginary") == (False, [])
    assert client.camera_image([99]) == (False, [])


def test_what_a_camera_sees_is_named(client: Any) -> None:
    client.reset(0)
    success, seen = client.get_visible_objects(0)
    assert success is True
    assert "fridge" in seen.values()
    assert "bed" not in seen.values()
    assert client.get_visible_objects(99) == (False, "Invalid parameters")
    success, clouds = client.point_cloud()
    assert success is True
    assert set(clouds[0]) == {"id", "points"}


def test_time_and_physics_are_acknowledged(client: Any) -> None:
    assert client.set_time(12, 30, 0) is True
    assert client.activate_physics() is True
    assert client.remove_terrain() is True
    client.close()


def test_every_method_of_the_client_is_driven_here(public_client: Any) -> None:
    internal = {"post_command", "requests_retry_session", "__init__"}
    methods = {name for name, _ in inspect.getmembers(public_client, inspect.isfunction)} - internal
    source = Path(__file__).read_text()
    assert {name for name in methods if f"client.{name}(" not in source} == set()


def test_the_client_launches_our_server_by_file_name(
    public_client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.chdir(tmp_path)  # the launcher writes where it stands
    executable = write_executable(tmp_path / "housemates")
    client = public_client(port=str(free_port), file_name=str(executable), no_graphics=True)
    try:
        assert client.reset(2) is True
        assert client.environment_graph()[0] is True
        assert "VirtualHome protocol" in (tmp_path / f"Player_{free_port}.log").read_text()
        assert os.access(executable, os.X_OK)
    finally:
        client.close()
