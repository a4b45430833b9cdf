"""`housemates house`: what a user sees of a home, and what becomes of every mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
from housemates.env.household import HouseholdWorld
from housemates.env.household.homes import build_home, scene_file
from housemates.env.household.picture import Picture
from housemates.env.household.scene.graph import FIRST_OBJECT_ID
from housemates.orchestrator.cli import main

COMMAND = [sys.executable, "-m", "housemates.orchestrator.cli", "house"]


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `housemates house …` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["housemates", "house", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capsys.readouterr())

    return run


def scene(house: Any, **changes: Any) -> dict[str, Any]:
    """An exported apartment with some parts of it replaced."""
    return {**json.loads(house("export", "0").out), **changes}


def test_show_says_what_is_where_and_how_to_draw_it(house: Any) -> None:
    graph = build_home("0", FIRST_OBJECT_ID, Random("0/clutter")).graph
    done = house("show", "0")
    assert done.code == 0, done.err
    assert "housemates house show 0 --png plan.png" in done.out
    assert f"{len(graph.nodes)}: " in done.out and " INSIDE" in done.out and " Furniture" in done.out
    lines = done.out.splitlines()
    for room in graph.rooms:
        node = graph.nodes[room]
        row = next(line for line in lines if line.startswith(f"{node.class_name} ({room})"))
        assert node.box and f"{node.box.size[0]:.1f} × {node.box.size[2]:.1f}" in row
    fridge = next(number for number, node in graph.nodes.items() if node.class_name == "fridge")
    row = next(line for line in lines if line.startswith(f"fridge ({fridge})"))
    assert "shut" in row and graph.contents(fridge)
    assert all(f"{graph.nodes[thing].class_name} ({thing})" in row for thing in graph.contents(fridge))


def test_the_seed_draws_what_lies_about(house: Any) -> None:
    assert house("show", "0").out == house("show", "0", "--seed", "0").out != house("show", "0", "--seed", "1").out


def test_show_with_a_task_is_the_beginning_of_that_episode(house: Any, tmp_path: Path) -> None:
    done = house("show", "0", "--task", "read_book", "--agents", "3", "--seed", "4", "--svg", "plan.svg")
    assert done.code == 0 and "drawn    plan.svg" in done.out and "3 Characters" in done.out
    world = HouseholdWorld("read_book", 3, "0")
    world.reset(4)
    assert (tmp_path / "plan.svg").read_text() == Picture(world.scene(), width=1280).frame()


def test_show_draws_png_and_svg(house: Any, tmp_path: Path) -> None:
    done = house("show", "0", "--png", "plan.png", "--svg", "plan.svg")
    assert done.code == 0 and "drawn    plan.svg" in done.out and "drawn    plan.png" in done.out
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(tmp_path / "plan.svg").getroot().get("width") == "1280"


def test_an_exported_home_comes_back_unchanged_and_has_no_faults(house: Any, tmp_path: Path) -> None:
    exported = house("export", "0", "--seed", "7").out
    (tmp_path / "home.json").write_text(exported)
    assert house("export", "home.json").out == exported
    checked = house("check", "home.json")
    graph = json.loads(exported)
    rooms = sum(node["category"] == "Rooms" for node in graph["nodes"])
    expected = f"ok: {rooms} rooms, {len(graph['nodes'])} nodes, {len(graph['edges'])} edges\n"
    assert (checked.code, checked.out) == (0, expected)
    shown = house("show", "home.json", "--png", "plan.png")
    assert shown.code == 0 and "kitchen (" in shown.out


def test_check_names_a_fault_and_fails(house: Any, tmp_path: Path) -> None:
    graph = scene(house)
    graph["edges"].append({"from_id": 11, "to_id": 9999, "relation_type": "ON"})
    (tmp_path / "bad.json").write_text(json.dumps(graph))
    done = house("check", "bad.json")
    assert done.code == 1 and done.err == ""
    assert done.out.count("\n") == 1 and "9999" in done.out


def test_show_and_export_refuse_a_faulty_scene(house: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(json.dumps(scene(house, edges=[])))
    for command in ("show", "export"):
        done = house(command, "bad.json")
        assert done.code == 2 and done.out == "" and done.err.count("\n") == 1 and "is in no room" in done.err


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe{}", b"[" * 100_000])
def test_a_file_that_is_no_json_cannot_be_read(content: bytes, house: Any, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_bytes(content)
    for command in ("check", "show", "export"):
        done = house(command, "odd.json")
        assert done.code == 2 and done.out == ""
        assert done.err.startswith("housemates: odd.json is no JSON") and done.err.count("\n") == 1


@pytest.mark.parametrize("content", ["[]", "3", "{}", '{"nodes": [7], "edges": []}'])
def test_json_that_is_no_scene_is_a_fault(content: str, house: Any, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text(content)
    done = house("check", "odd.json")
    assert done.code == 1 and done.out.strip() and done.err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "none.json"], "cannot read none.json: No such file"),
        (["check", "none.json"], "cannot read none.json: No such file"),
        (["check", "."], "cannot read .: Is a directory"),
        (["show", "0", "--task", "fly"], "unknown task 'fly'"),
        (["show", "0", "--agents", "0"], "--agents"),
        (["show", "0", "--svg", "no/such/folder.svg"], "cannot write no/such/folder.svg"),
        (["show", "0", "--colour"], "--colour"),
        (["show"], "APARTMENT|FILE"),
    ],
)
def test_a_mistake_gets_one_line(arguments: list[str], words: str, house: Any) -> None:
    done = house(*arguments)
    assert done.code == 2 and words in done.err and done.err.count("\n") == 1


def test_what_a_scene_file_says_is_shown_as_it_is(house: Any, tmp_path: Path) -> None:
    graph = scene(house)
    next(node for node in graph["nodes"] if node["class_name"] == "fridge")["class_name"] = "[/bold]fridge"
    (tmp_path / "odd.json").write_text(json.dumps(graph))
    done = house("show", "odd.json")
    assert done.code == 0 and "[/bold]fridge (" in done.out


@pytest.mark.parametrize("command", ["show", "export"])
def test_a_reader_that_leaves_is_no_error(command: str) -> None:
    line = " ".join([*COMMAND, command, "0", "| head -c 5; exit ${PIPESTATUS[0]}"])
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_help_teaches_by_example(house: Any) -> None:
    for command in ("show", "export", "check"):
        done = house(command, "--help")
        assert done.code == 0 and f"housemates house {command}" in done.out.split("Example")[1]


def test_list_has_a_line_for_every_home(house: Any) -> None:
    lines = house("list").out.splitlines()
    assert [line.split()[0] for line in lines[:7]] == list("0123456")
    assert all(len(line.split()) > 4 for line in lines)
    assert [line.split("[")[0].split(":")[0].split()[0] for line in lines[7:]] == ["generated", "building", "PATH.json"]


def test_a_file_without_end_is_not_read_to_its_end(house: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(scene_file, "MAX_BYTES", 1000)
    (tmp_path / "endless.json").symlink_to("/dev/zero")
    for command in ("check", "show", "export"):
        done = house(command, "endless.json")
        assert done.code == 2 and "more than 1000 bytes" in done.err and done.err.count("\n") == 1
