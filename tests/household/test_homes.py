"""Homes by name: what there is, who lives where, which ids things get, and what goes wrong."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from random import Random

import pytest
from housemates.env.household.homes import (
    add_object,
    build_home,
    find_places,
    names,
    remove_clutter,
    scatter,
)
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.world import WorldError

from .plausibility import faults, is_loose

SHIPPED = [str(number) for number in range(7)]
EVERY_HOME = ("kitchen", "livingroom", "bedroom", "bathroom")
EVERY_APARTMENT = Counter(
    coffeetable=1,
    kitchentable=1,
    dishwasher=1,
    fridge=1,
    tv=1,
    sofa=1,
    cabinet=1,
    microwave=1,
    stove=1,
    bench=1,
    nightstand=1,
    bathroomcabinet=1,
    kitchencabinet=4,
)
CWAH_GOALS = ["cupcake", "pudding", "apple", "juice", "wine", "coffeepot", "pancake", "poundcake"]
CWAH_GOALS += ["plate", "cutleryfork"]
GOALS = [*CWAH_GOALS, "waterglass", "wineglass", "mug", "book"]
HIDE_IN = ["fridge", "kitchencabinet", "cabinet", "microwave", "dishwasher", "stove"]
HIDE_ON = ["cabinet", "coffeetable", "bench", "kitchentable"]
CATEGORIES = {"Rooms", "Doors", "Floor", "Walls", "Ceiling", "Windows", "Furniture", "Appliances", "Electronics"}
CATEGORIES |= {"Lamps", "Decor", "Props", "Food"}


def build(name: str, seed: int = 0, first_id: int = 11) -> SceneGraph:
    return build_home(name, first_id, Random(seed)).graph


def classes(graph: SceneGraph) -> Counter[str]:
    return Counter(node.class_name for node in graph.nodes.values())


class TestShippedApartments:
    @pytest.mark.parametrize("name", SHIPPED)
    @pytest.mark.parametrize("seed", range(4))
    def test_are_plausible(self, name: str, seed: int) -> None:
        graph = build(name, seed)
        assert faults(graph) == []
        graph.validate()

    @pytest.mark.parametrize("name", SHIPPED)
    def test_have_all_that_tasks_need(self, name: str) -> None:
        graph = build(name)
        assert set(EVERY_HOME) <= {graph.nodes[room].class_name for room in graph.rooms}
        assert not EVERY_APARTMENT - classes(graph)
        assert 4 <= classes(graph)["kitchencabinet"] <= 8

    @pytest.mark.parametrize("name", SHIPPED)
    def test_are_as_full_as_virtualhome_s(self, name: str) -> None:
        for seed in range(10):
            graph = build(name, seed)
            assert 280 <= len(graph.nodes) <= 380
            assert {node.category for node in graph.nodes.values()} == CATEGORIES

    def test_differ_in_plan_furniture_and_style(self) -> None:
        graphs = [build(name) for name in SHIPPED]
        plans = {tuple(graph.nodes[room].box for room in graph.rooms) for graph in graphs}
        furniture = {
            tuple(sorted(node.class_name for node in graph.nodes.values() if node.category == "Furniture"))
            for graph in graphs
        }
        styles = {node.prefab_name for graph in graphs for node in graph.nodes.values() if node.class_name == "sofa"}
        assert len(plans) == len(furniture) == len(styles) == 7

    @pytest.mark.parametrize("name", SHIPPED)
    def test_have_one_flat_with_all_rooms(self, name: str) -> None:
        home = build_home(name, 11, Random(0))
        assert home.name == name
        (flat,) = home.flats
        assert flat.rooms == tuple(home.graph.rooms)

    @pytest.mark.parametrize("name", SHIPPED)
    @pytest.mark.parametrize("seed", range(3))
    def test_have_room_for_whatever_a_task_hides(self, name: str, seed: int) -> None:
        graph, rng = build(name, seed), Random(seed)
        places = find_places(graph, HIDE_ON, HIDE_IN)
        assert all(scatter(graph, rng, rng.choice(GOALS), places) is not None for _ in range(8))
        assert faults(graph) == []

    @pytest.mark.parametrize("name", SHIPPED)
    def test_leave_it_to_the_tasks_where_their_things_are(self, name: str) -> None:
        for seed in range(10):
            assert not set(CWAH_GOALS) & set(classes(build(name, seed)))

    def test_doorways_connect_two_rooms(self) -> None:
        graph = build("0")
        doorways = [number for number in graph.nodes if graph.targets(number, "BETWEEN")]
        assert [graph.nodes[number].class_name for number in doorways] == ["doorjamb", "door", "door"]
        assert all(len(graph.targets(number, "BETWEEN")) == 2 for number in doorways)
        assert all(graph.nodes[number].states == ("OPEN",) for number in doorways)


class TestIds:
    @pytest.mark.parametrize("name", ["0", "generated:seed=5", "building:3"])
    def test_rooms_come_first_and_clutter_last(self, name: str) -> None:
        graph = build(name)
        assert sorted(graph.nodes) == list(range(11, 11 + len(graph.nodes)))
        assert graph.rooms == list(range(11, 11 + len(graph.rooms)))
        last = max(number for number, node in graph.nodes.items() if not is_loose(node))
        assert last < min(number for number, node in graph.nodes.items() if is_loose(node))

    @pytest.mark.parametrize("name", ["0", "generated:seed=5", "building:3"])
    def test_of_rooms_and_furniture_are_the_same_for_every_seed(self, name: str) -> None:
        def furniture(seed: int) -> list[object]:
            return [node for node in build(name, seed).nodes.values() if not is_loose(node)]

        assert furniture(1) == furniture(2)
        assert build(name, 1).to_dict() != build(name, 2).to_dict()

    def test_move_up_to_the_first_that_is_free(self) -> None:
        low, high = build("0"), build("0", first_id=111)
        assert [number + 100 for number in low.nodes] == list(high.nodes)
        assert [node.class_name for node in low.nodes.values()] == [node.class_name for node in high.nodes.values()]

    def test_one_episode_does_not_change_the_home_of_the_next(self) -> None:
        first = build("0")
        for node in first.nodes.values():
            node.states, node.box = ("DIRTY",), None
        assert all(node.box is not None for node in build("0").nodes.values())

    def test_are_the_same_in_every_process(self) -> None:
        code = (
            "from random import Random; from housemates.env.household.homes import build_home; import zlib; "
            "print([zlib.crc32(repr(build_home(name, 11, Random(1)).graph.to_dict()).encode()) "
            "for name in ('0', '4', 'generated:seed=8,rooms=9', 'building:2')])"
        )
        results = {
            subprocess.run(
                [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
            ).stdout
            for seed in ("1", "2")
        }
        assert len(results) == 1


class TestPlaces:
    def test_can_be_limited_to_rooms(self) -> None:
        home = build_home("building:2", 11, Random(0))
        everywhere = find_places(home.graph, ["coffeetable"], ["fridge"])
        here = find_places(home.graph, ["coffeetable"], ["fridge"], home.flats[1].rooms)
        assert sorted(relation for relation, _ in here) == ["INSIDE", "ON"]
        assert len(everywhere) == 4 and set(here) < set(everywhere)
        assert {home.graph.room_of(number) for _, number in here} <= set(home.flats[1].rooms)

    def test_removed_clutter_takes_along_what_is_on_it_and_leaves_the_rest(self) -> None:
        graph = build("0")
        table = next(number for number, node in graph.nodes.items() if node.class_name == "kitchentable")
        box = graph.nodes[table].box
        assert box is not None
        plate = add_object(graph, "plate", (box.center[0], box.top + 0.01, box.center[2]), "ON", table)
        apple = add_object(graph, "apple", (box.center[0], box.top + 0.08, box.center[2]), "ON", plate.id)
        before = classes(graph)
        remove_clutter(graph, ["plate", "book", "chair", "fridge"], graph.rooms)
        after = classes(graph)
        assert before - after == Counter({"plate": 1, "apple": 1, "book": before["book"]})
        assert plate.id not in graph.nodes and apple.id not in graph.sources(plate.id, "ON")
        assert all(source in graph.nodes and target in graph.nodes for source, _, target in graph.edges())

    def test_clutter_is_removed_in_the_given_rooms_only(self) -> None:
        home = build_home("building:2", 11, Random(0))
        graph, (first, second) = home.graph, home.flats

        def count(rooms: tuple[int, ...]) -> int:
            return sum(n.class_name == "book" and graph.room_of(n.id) in rooms for n in graph.nodes.values())

        there = count(second.rooms)
        assert count(first.rooms) and there
        remove_clutter(graph, ["book"], first.rooms)
        assert (count(first.rooms), count(second.rooms)) == (0, there)


class TestNames:
    def test_every_shipped_apartment_has_a_line_about_it(self) -> None:
        assert list(names())[:7] == SHIPPED
        assert len(names()) == 10
        assert all(text and "\n" not in text for text in names().values())

    @pytest.mark.parametrize("name", ["9", "", "-1", "0:seed=1", "house", "scene.txt"])
    def test_an_unknown_one_is_answered_with_what_there_is(self, name: str) -> None:
        with pytest.raises(WorldError, match="unknown apartment") as error:
            build(name)
        assert str(error.value) == (
            f"unknown apartment {name!r}; there are 0 to 6, generated[:seed=…,rooms=…,size=…,clutter=…], "
            "building:M[,seed=…] and PATH.json"
        )

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("generated:colour=red", "'colour=red' is not one of seed=…, rooms=…, size=…, clutter=…"),
            ("generated:seed", "'seed' is not one of"),
            ("generated:seed=1,", "'' is not one of"),
            ("generated:seed=1,seed=2", "seed is given twice"),
            ("generated:seed=x", "the seed must be 0 to 4294967295, not 'x'"),
            ("generated:seed=-1", "the seed must be"),
            ("generated:rooms=3", "the rooms must be 4 to 12, not '3'"),
            ("generated:rooms=13", "the rooms must be 4 to 12, not '13'"),
            ("generated:size=huge", "size must be small or medium or large, not 'huge'"),
            ("generated:clutter=none", "clutter must be low or medium or high, not 'none'"),
            ("building", "the number of flats must be 1 to 1000, not ''"),
            ("building:0", "the number of flats must be 1 to 1000, not '0'"),
            ("building:1001", "must be 1 to 1000"),
            ("building:2,rooms=5", "'rooms=5' is not one of seed=…"),
            ("building:2,seed=٣", "the seed must be"),
        ],
    )
    def test_bad_options_are_named(self, name: str, complaint: str) -> None:
        with pytest.raises(WorldError) as error:
            build(name)
        assert complaint in str(error.value) and repr(name) in str(error.value)
