"""The catalog, and the apartment as the world uses it."""

from __future__ import annotations

from random import Random

import pytest
from housemates.env.household.engine.spots import support_height
from housemates.env.household.homes import build_home
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.scene.catalog import CATALOG, default_states, object_class
from housemates.env.world import WorldError


def test_things_stand_on_top_of_a_bed_and_a_bench_but_on_the_seat_of_a_sofa() -> None:
    graph = build_home("0", 11, Random(0)).graph
    for name, height in (("bed", 0.65), ("bench", 0.51), ("sofa", 0.45)):
        support = next(number for number, node in graph.nodes.items() if node.class_name == name)
        assert support_height(graph, support) == pytest.approx(height)


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
