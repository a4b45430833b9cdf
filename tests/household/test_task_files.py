"""Task files: what they can say, and that every mistake in one is a single line that names file, field and reason."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from housemates.env.household.homes import build_home
from housemates.env.household.scene.catalog import CATALOG
from housemates.env.household.scene.graph import Box, Node, SceneGraph
from housemates.env.household.tasks.families import embed_task, find_task, set_up
from housemates.env.household.tasks.goals import CLEARING, Goal, WantKind
from housemates.env.household.tasks.task_file import MAX_BYTES, TaskFile, schema
from housemates.env.world import WorldError
from hypothesis import given
from hypothesis import strategies as st

from .effort import FEW

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = ROOT / "examples" / "tasks" / "breakfast.json"


def table(*wants: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "mine", "wants": list(wants), **more}


def on(class_name: str, target: Any, count: int = 1, kind: str = "on") -> dict[str, Any]:
    return {"kind": kind, "class": class_name, "count": count, "target": target}


def apartment(seed: int = 0) -> SceneGraph:
    return build_home("0", 11, Random(seed)).graph


def started(task: dict[str, Any], graph: SceneGraph | None = None) -> tuple[SceneGraph, Goal]:
    graph = graph or apartment()
    return graph, set_up(find_task(task), graph, Random(0))


def names(graph: SceneGraph, goal: Goal) -> list[tuple[str, str, int, str]]:
    return [
        (want.kind.value, want.class_name, want.count, graph.nodes[want.target].class_name if want.target else "")
        for want in goal.wants
    ]


# -- what they say ----------------------------------------------------------------------------


def test_the_example_sets_several_targets_and_relations() -> None:
    graph = apartment()
    goal = set_up(find_task(str(EXAMPLE)), graph, Random(0))
    assert goal.task == "breakfast"
    assert names(graph, goal) == [
        ("on", "plate", 2, "kitchentable"),
        ("on", "juice", 1, "kitchentable"),
        ("inside", "milk", 1, "fridge"),
        ("off", "mug", 2, "coffeetable"),
        ("switch_on", "coffeemaker", 1, "coffeemaker"),
    ]
    assert goal.done(graph) == (0, 0, 0, 0, 0)
    assert [want.start for want in goal.wants] == [0, 0, 0, 2, 0]
    assert sum(node.class_name == "plate" for node in graph.nodes.values()) == 3  # one extra


def test_all_kinds_of_wants_can_be_mixed() -> None:
    graph, goal = started(
        table(
            on("plate", "dishwasher", 2, "out"),
            on("apple", {"class": "desk", "room": "bedroom"}),
            {"kind": "hold", "class": "book"},
            {"kind": "switch_on", "target": "tablelamp"},
            {"kind": "sit", "target": "bed", "count": 2},
        )
    )
    assert [want.kind.value for want in goal.wants] == ["out", "on", "hold", "switch_on", "sit"]
    assert goal.done(graph) == (0,) * 5  # the lamp, which shines by default, is off
    assert find_task(table({"kind": "sit", "target": "bed", "count": 2})).people == 2


def test_a_room_chooses_between_targets_of_one_class() -> None:
    for room in ("livingroom", "bedroom"):
        graph, goal = started(table(on("apple", {"class": "cabinet", "room": room}, kind="inside")))
        found = graph.room_of(goal.wants[0].target)
        assert found is not None and graph.nodes[found].class_name == room


def test_the_file_says_where_things_hide_and_how_many_more_there_are() -> None:
    hide = {"on": ["desk"], "inside": [], "rooms": ["bedroom"]}
    graph, _ = started(table(on("apple", "coffeetable", 2), hide=hide, extra=3))
    apples = [number for number, node in graph.nodes.items() if node.class_name == "apple"]
    assert [graph.nodes[graph.support(number) or 0].class_name for number in apples] == ["desk"] * 5


def test_the_home_of_the_file_gives_way_to_one_that_is_asked_for() -> None:
    task = table(on("apple", "coffeetable"), home="4")
    assert find_task(task).home == "4" and find_task(task, "2").home == "2"


def test_what_is_written_down_of_a_file_is_the_same_task() -> None:
    content = embed_task(str(EXAMPLE))
    assert isinstance(content, dict)
    assert find_task(content) == find_task(str(EXAMPLE))
    assert json.loads(json.dumps(content)) == content
    assert embed_task("8") == "8"


def test_a_scene_is_looked_for_beside_the_task_file(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps(table(on("apple", "coffeetable"), home="scene.json")))
    assert find_task(str(tmp_path / "t.json")).home == str(tmp_path / "scene.json")


# -- scenes with things of their own ----------------------------------------------------------


def scene(gizmos: int) -> tuple[SceneGraph, int]:
    """The apartment with things of a class of its own on the desk, and the desk."""
    graph = apartment()
    desk = next(number for number, node in graph.nodes.items() if node.class_name == "desk")
    for _ in range(gizmos):
        box = graph.nodes[desk].box
        assert box is not None
        thing = Node(
            max(graph.nodes) + 1, "gizmo", "Props", frozenset({"GRABBABLE"}), box=Box(box.center, (0.1, 0.1, 0.1))
        )
        graph.add(thing)
        graph.link(thing.id, "INSIDE", graph.room_of(desk) or 0)
        graph.link(thing.id, "ON", desk)
    return graph, desk


def test_a_scene_may_have_classes_that_the_catalog_does_not_know() -> None:
    graph, desk = scene(2)
    table_id = next(number for number, node in graph.nodes.items() if node.class_name == "coffeetable")
    graph, goal = started(table(on("gizmo", {"id": table_id}, 2), home="scene.json"), graph)
    assert [want.target for want in goal.wants] == [table_id]
    assert len([n for n in graph.sources(desk, "ON") if graph.nodes[n].class_name == "gizmo"]) == 2


def test_things_of_a_scene_can_be_taken_away_from_where_they_are() -> None:
    graph, desk = scene(3)
    graph, goal = started(table(on("gizmo", "desk", 2, "off"), home="scene.json"), graph)
    assert goal.wants[0].start == 3 and goal.wants[0].target == desk


@pytest.mark.parametrize(
    ("want", "message"),
    [
        (on("gizmo", "coffeetable", 3), "3 gizmo are asked for, 2 are within reach"),
        (on("gizmo", "desk", 1), "1 gizmo are asked for, 0 are within reach"),
        (on("gizmo", "desk", 3, "off"), "3 gizmo are to leave the desk, 2 are there"),
        (on("widget", "desk"), "there is no widget, and the catalog knows none"),
        (on("gizmo", {"id": 9999}), "there is no node 9999"),
        (on("gizmo", "fridge"), "a fridge is no surface"),
        (on("gizmo", "throne"), "there is no throne"),
    ],
)
def test_what_a_scene_lacks_is_told_when_the_task_meets_it(want: dict[str, Any], message: str) -> None:
    graph, _ = scene(2)
    with pytest.raises(WorldError, match=f"task mine in home scene.json: {message}"):
        started(table(want, home="scene.json"), graph)


def test_a_container_that_is_neither_open_nor_closed_is_refused() -> None:
    graph = apartment()
    fridge = next(number for number, node in graph.nodes.items() if node.class_name == "fridge")
    graph.nodes[fridge].states = ("OFF",)
    with pytest.raises(WorldError, match="the fridge is neither open nor closed"):
        started(table(on("milk", "fridge", kind="inside"), home="scene.json"), graph)
    task = table(on("milk", "coffeetable"), home="scene.json", hide={"inside": ["fridge", "cabinet"]}, extra=10)
    started(task, graph)
    assert "milk" not in {graph.nodes[number].class_name for number in graph.contents(fridge)}


def test_no_two_wants_take_each_others_things_off_a_crowded_table() -> None:
    graph, desk = scene(2)
    wants = [on("plate", "desk", 2), on("gizmo", "coffeetable", 2)]
    before = len(graph.sources(desk, "ON"))
    started(table(*wants, home="scene.json"), graph)
    left = graph.sources(desk, "ON")
    assert len(left) < before and sum(graph.nodes[number].class_name == "gizmo" for number in left) == 2


# -- mistakes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"wants": []}, "name: this field is missing"),
        (table(), "wants: List should have at least 1 item"),
        (table(*[on("apple", "desk")] * 21), "wants: List should have at most 20 items"),
        (table(on("apple", "desk"), colour="red"), "colour: no such field"),
        (table(on("apple", "desk"), name="a b"), "name: String should match"),
        (table(on("apple", "desk"), name="read_book"), "name: read_book is one of the tasks that are there already"),
        (table(on("apple", "desk", 0)), r"wants\[0\].count: Input should be greater than or equal to 1"),
        (table(on("apple", "desk", 51)), r"wants\[0\].count: Input should be less than or equal to 50"),
        (table({**on("apple", "desk"), "count": "2"}), r"wants\[0\].count: Input should be a valid integer"),
        (table({**on("apple", "desk"), "colour": 1}), r"wants\[0\].colour: no such field"),
        (table(on("apple", "desk"), {"kind": "fly"}), r"wants\[1\]: the kind is none of on, inside, off"),
        (table({"class": "apple"}), r"wants\[0\]: the kind is missing"),
        (table(on("apple", 7)), r"wants\[0\].target: this is to be an object"),
        (table(on("apple", {})), r"wants\[0\].target: name either a class or an id"),
        (table(on("apple", {"id": 3, "class": "desk"})), r"wants\[0\].target: name either a class or an id"),
        (table(on("apple", {"id": 3, "room": "kitchen"})), r"wants\[0\].target: an id needs no room"),
        (table(on("apple", {"id": 3})), r"wants\[0\].target.id: ids are known only of a home that is read from a file"),
        (table(on("aple", "desk")), r"wants\[0\].class: there is no class 'aple'; did you mean apple"),
        (table(on("apple", "dsk")), r"wants\[0\].target: there is no class 'dsk'; did you mean desk"),
        (table(on("Apple", "desk")), r"wants\[0\].class: String should match pattern"),
        (table(on("sofa", "desk")), r"wants\[0\]: a sofa cannot be held"),
        (table({"kind": "hold", "class": "fridge"}), r"wants\[0\]: a fridge cannot be held"),
        (table(on("apple", "fridge")), r"wants\[0\]: a fridge is no surface"),
        (table(on("apple", "desk", kind="inside")), r"wants\[0\]: a desk is no container"),
        (table(on("apple", "closet", kind="inside")), r"wants\[0\]: agents do not look into a closet"),
        (table(on("apple", "closet", kind="out")), r"wants\[0\]: agents do not look into a closet"),
        (table(on("apple", "plate")), r"wants\[0\]: a plate can be carried away itself"),
        (table(on("wine", "microwave", kind="inside")), r"wants\[0\]: a wine is too big for a microwave"),
        (table(on("pillow", "towelrack")), r"a towelrack can be carried away itself"),
        (table(on("teddybear", "bathroomcounter"), on("rug", "desk")), r"wants\[1\]: a rug is too big for a desk"),
        (table({"kind": "switch_on", "target": "sofa"}), r"wants\[0\]: a sofa has no switch"),
        (table({"kind": "sit", "target": "fridge"}), r"wants\[0\]: nobody can sit on a fridge"),
        (table({"kind": "sit", "target": "chair", "count": 2}), r"wants\[0\]: a chair has room for 1, not for 2"),
        (table(on("apple", "desk"), on("apple", "desk", 2)), "wants: asks twice for: apple on desk"),
        (table(on("mug", "desk"), on("mug", "desk", kind="off")), "asks for mug off desk and for its opposite, on"),
        (table(on("chair", "floor"), {"kind": "sit", "target": "chair"}), "a chair cannot be target and be carried"),
        (table(on("apple", "desk"), hide={"on": ["fridge"]}), "hide.on: nothing can be hidden on a fridge"),
        (table(on("apple", "desk"), hide={"inside": ["closet"]}), "hide.inside: agents do not look into a closet"),
        (table(on("apple", "desk"), hide={"inside": ["closte"]}), "hide.inside: there is no class 'closte'"),
        (table(on("apple", "desk"), extra=11), "extra: Input should be less than or equal to 10"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file_the_field_and_the_reason(
    task: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(task))
    with pytest.raises(WorldError, match=f"mine.json: .*{message}") as caught:
        find_task(str(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Invalid JSON"),
        (b"{", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "this is to be an object"),
        (b" " * (MAX_BYTES + 1), "a task file has at most 1000000 bytes"),
    ],
)
def test_what_is_no_task_file_is_told_with_its_name(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_bytes(content)
    with pytest.raises(WorldError, match=f"mine.json: {message}"):
        find_task(str(tmp_path / "mine.json"))


@pytest.mark.parametrize("name", ["none.json", "folder.json", "nul\0.json"])
def test_a_file_that_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(WorldError, match=r"\.json: "):
        find_task(str(tmp_path / name))


@pytest.mark.parametrize(
    ("want", "message"),
    [
        (on("plate", "coffeetable", 50), "there is no room on the coffeetable for 50 plate"),
        (on("plate", {"class": "coffeetable", "room": "bathroom"}), "there is no coffeetable in the bathroom"),
        (on("plate", "diningtable"), "there is no diningtable"),
    ],
)
def test_what_the_home_lacks_is_told_with_task_class_and_home(want: dict[str, Any], message: str) -> None:
    with pytest.raises(WorldError, match=f"task mine in home 0: {message}"):
        started(table(want))


def test_two_names_of_one_target_do_not_hide_a_contradiction() -> None:
    kitchen = {"class": "kitchentable", "room": "kitchen"}
    with pytest.raises(WorldError, match=r"asks for mug off [0-9]+ and for its opposite, on"):
        started(table(on("mug", "kitchentable"), on("mug", kitchen, kind="off")))


_CLASSES = st.sampled_from(sorted(CATALOG))
_WANTS = st.one_of(
    st.builds(on, _CLASSES, _CLASSES, st.integers(1, 8), st.sampled_from(["on", "inside", "off", "out"])),
    st.builds(lambda name: {"kind": "hold", "class": name}, _CLASSES),
    st.builds(lambda name: {"kind": "switch_on", "target": name}, _CLASSES),
    st.builds(lambda name, count: {"kind": "sit", "target": name, "count": count}, _CLASSES, st.integers(1, 5)),
)


@FEW
@given(st.lists(_WANTS, min_size=1, max_size=4))
def test_a_task_is_refused_in_words_or_set_up_with_nothing_done_and_enough_there(wants: list[dict[str, Any]]) -> None:
    try:
        graph, goal = started(table(*wants))
    except WorldError as error:
        assert str(error).startswith(("mine: ", "task mine in home 0: "))
        return
    graph.validate()
    assert goal.done(graph) == (0,) * len(goal.wants)
    for want in goal.wants:
        if want.kind not in CLEARING and want.class_name in {entry.get("class") for entry in wants}:
            needed = sum(w.count for w in goal.wants if w.class_name == want.class_name and w.kind not in CLEARING)
            assert sum(node.class_name == want.class_name for node in graph.nodes.values()) >= needed


# -- the schema -------------------------------------------------------------------------------


def test_the_schema_that_ships_is_that_of_the_model() -> None:
    assert (ROOT / "docs" / "task.schema.json").read_text() == schema() + "\n"


def test_the_documentation_names_every_field_and_kind_and_shows_the_example() -> None:
    text = (ROOT / "docs" / "tasks.md").read_text().split("## Task file")[1]
    for name, field in TaskFile.model_fields.items():
        assert f"| `{name}` | {field.description}" in text
    assert all(f'{{"kind": "{kind}", …}}' in text for kind in WantKind)
    assert f"```json\n{EXAMPLE.read_text()}```" in text
