"""Homes from files: VirtualHome's JSON without its people, and one clear message for what is no scene."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from housemates.env.household.homes import add_character, build_home, scene_file
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.world import WorldError


def write(path: Path, data: Any) -> str:
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return str(path)


def read(path: str, first_id: int = 11) -> SceneGraph:
    return build_home(path, first_id, Random(0)).graph


@pytest.fixture
def scene() -> SceneGraph:
    return build_home("4", 11, Random(7)).graph


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "flat.json"


def test_a_written_home_is_read_back_as_it_was(scene: SceneGraph, path: Path) -> None:
    home = build_home(write(path, scene.to_dict()), 11, Random(0))
    assert home.graph.to_dict() == scene.to_dict()
    assert home.name == str(path)
    assert [flat.rooms for flat in home.flats] == [tuple(scene.rooms)]


def test_people_are_left_out_and_what_they_hold_is_put_down(scene: SceneGraph, path: Path) -> None:
    kitchen = next(room for room in scene.rooms if scene.nodes[room].class_name == "kitchen")
    mug = next(number for number, node in scene.nodes.items() if node.class_name == "mug")
    without = len(scene.nodes)
    add_character(scene, Random(0), 1, kitchen)
    for relation in ("ON", "INSIDE"):
        scene.unlink(mug, relation)
    scene.link(1, "HOLDS_RH", mug)
    data = scene.to_dict()
    data["edges"] += [{"from_id": mug, "to_id": kitchen, "relation_type": "INSIDE"}]
    for edges in (data["edges"], [edge for edge in data["edges"] if edge["from_id"] != mug or edge["to_id"] == 1]):
        if edges is not data["edges"]:
            edges = [*edges, {"from_id": mug, "to_id": 1, "relation_type": "INSIDE"}]
        graph = read(write(path, {"nodes": data["nodes"], "edges": edges}))
        assert graph.characters == [] and len(graph.nodes) == without
        assert graph.targets(mug, "INSIDE") == [kitchen]
        assert graph.holder(mug) is None
        box = graph.nodes[mug].box
        assert box is not None and box.bottom == pytest.approx(0.0)


def test_ids_that_belong_to_people_move_above_all_others(scene: SceneGraph, path: Path) -> None:
    data = scene.to_dict()
    graph = read(write(path, data), first_id=13)
    last = max(scene.nodes)
    assert graph.rooms == [13, 14, 15, 11 + last, 12 + last]
    assert sorted(graph.nodes)[:-2] == list(range(13, last + 1))
    assert min(read(write(path, data), first_id=5000).nodes) >= 5000
    for number, node in scene.nodes.items():
        new = number if number >= 13 else number + last
        assert graph.nodes[new].class_name == node.class_name
        assert len(graph.targets(new, "ON")) == len(scene.targets(number, "ON"))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "flat.json is no JSON"),
        ("[" * 100_000, "flat.json is no JSON"),
        ("[]", 'expected {"nodes": [...], "edges": [...]}'),
        ({"nodes": [], "edges": []}, "no room"),
        ({"nodes": [{"id": 11}], "edges": []}, "node 11"),
        (
            {"nodes": [{"id": 11, "class_name": "kitchen", "category": "Rooms"}], "edges": []},
            "<kitchen> (11) has no bounding_box",
        ),
    ],
)
def test_what_is_no_scene_is_refused_with_path_and_reason(path: Path, content: Any, complaint: str) -> None:
    with pytest.raises(WorldError) as error:
        read(write(path, content))
    assert str(path) in str(error.value) and complaint in str(error.value)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(WorldError, match=r"cannot read .*flat\.json: No such file"):
        read(str(path))


def test_a_file_without_end_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_file, "MAX_BYTES", 10)
    with pytest.raises(WorldError, match=r"flat\.json has more than 10 bytes"):
        read(write(path, {"nodes": [], "edges": []}))
