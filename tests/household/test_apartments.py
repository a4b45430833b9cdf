"""The apartment: four connected rooms, plausible furniture, seeded clutter."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from housemates.env.household.catalog import CATALOG, CONTAINER_CLASSES, default_states, object_class
from housemates.env.household.graph import SceneGraph
from housemates.env.household.homes import build_home
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.spots import support_height
from housemates.env.household.tasks import TASKS
from housemates.env.world import WorldError


def overlap(graph: SceneGraph, first: int, second: int) -> bool:
    a, b = graph.nodes[first].box, graph.nodes[second].box
    assert a is not None and b is not None
    return all(abs(a.center[i] - b.center[i]) < (a.size[i] + b.size[i]) / 2 - 1e-6 for i in range(3))


@pytest.mark.parametrize("seed", range(10))
def test_it_has_four_rooms_and_a_household_s_worth_of_objects(seed: int) -> None:
    graph = build_home("0", 11, Random(seed)).graph
    assert [graph.nodes[room].class_name for room in graph.rooms] == ["kitchen", "livingroom", "bedroom", "bathroom"]
    assert graph.rooms == [11, 12, 13, 14]
    assert 100 <= len(graph.nodes) <= 300
    assert sorted(graph.nodes) == list(range(11, 11 + len(graph.nodes)))
    graph.validate()


def test_every_container_class_that_agents_look_into_is_there_and_shut() -> None:
    graph = build_home("0", 11, Random(0)).graph
    count = Counter(node.class_name for node in graph.nodes.values())
    assert set(CONTAINER_CLASSES) <= set(count)
    assert count["kitchencabinet"] >= 3
    shut = [node for node in graph.nodes.values() if node.class_name in CONTAINER_CLASSES]
    assert all("CLOSED" in node.states for node in shut)


def test_furniture_stays_within_its_room_and_off_other_furniture() -> None:
    graph = build_home("0", 11, Random(0)).graph
    built_in = {"sink", "faucet"}
    pieces = [n for n in graph.nodes.values() if n.category in ("Furniture", "Appliances", "Electronics")]
    for index, piece in enumerate(pieces):
        room = graph.room_of(piece.id)
        assert room is not None
        inner, outer = piece.box, graph.nodes[room].box
        assert inner is not None and outer is not None
        for axis in range(3):
            reach = abs(inner.center[axis] - outer.center[axis]) + inner.size[axis] / 2
            assert reach <= outer.size[axis] / 2 + 1e-6, piece.label
        for other in pieces[index + 1 :]:
            if not {piece.class_name, other.class_name} & built_in:
                assert not overlap(graph, piece.id, other.id), (piece.label, other.label)


@pytest.mark.parametrize("seed", range(5))
def test_things_on_a_support_do_not_overlap(seed: int) -> None:
    graph = build_home("0", 11, Random(seed)).graph
    for support in graph.nodes:
        things = [n for n in graph.sources(support, "ON") if "GRABBABLE" in graph.nodes[n].properties]
        if graph.nodes[support].class_name == "floor":
            continue
        for index, thing in enumerate(things):
            assert not any(overlap(graph, thing, other) for other in things[index + 1 :])


def test_seeds_vary_the_clutter_but_not_the_furniture() -> None:
    homes = [build_home("0", 11, Random(seed)).graph.to_dict()["nodes"] for seed in range(5)]
    assert len({str(home) for home in homes}) == 5
    furniture = [[n for n in home if n["category"] in ("Rooms", "Furniture", "Appliances")] for home in homes]
    assert all(pieces == furniture[0] for pieces in furniture)


def test_things_stand_on_top_of_a_bed_and_a_bench_but_on_the_seat_of_a_sofa() -> None:
    graph = build_home("0", 11, Random(0)).graph
    for name, height in (("bed", 0.65), ("bench", 0.51), ("sofa", 0.45)):
        support = next(number for number, node in graph.nodes.items() if node.class_name == name)
        assert support_height(graph, support) == pytest.approx(height)


def test_clutter_holds_no_class_that_a_task_asks_for() -> None:
    asked = {name for task in TASKS.values() for name, _ in task.pool}
    for seed in range(10):
        assert not asked & {node.class_name for node in build_home("0", 11, Random(seed)).graph.nodes.values()}


def test_with_many_people_the_other_ids_move_up() -> None:
    world = HouseholdWorld("read_book", 64)
    observation = world.reset(3)["Agent_64"]
    assert "[send_message] <Agent_1> (1): text" in observation.choices
    assert "<kitchen> (65)" in observation.text


def test_default_states_follow_virtualhome() -> None:
    assert default_states("door", frozenset({"CAN_OPEN"})) == ("OPEN",)
    assert default_states("fridge", object_class("fridge").properties) == ("CLOSED", "OFF")
    assert default_states("tablelamp", object_class("tablelamp").properties) == ("ON",)
    assert default_states("apple", object_class("apple").properties) == ()


def test_an_unknown_class_is_a_clear_error() -> None:
    with pytest.raises(WorldError, match="no object class 'dragon'"):
        object_class("dragon")


def test_the_catalog_is_well_formed() -> None:
    assert len(CATALOG) > 120
    assert all(min(kind.size) > 0 for kind in CATALOG.values())
