"""Furnishing a room: wishes come true where the rules say, or are named when they cannot."""

from __future__ import annotations

from random import Random

import pytest
from housemates.env.household.homes.blueprint import Blueprint
from housemates.env.household.homes.furnishing import Cramped, furnish, wishes
from housemates.env.household.homes.layout import FloorPlan, Rect, RoomPlan, doorway, entrance
from housemates.env.household.scene.graph import Box


def one_room(wished: str, width: float = 5.0, depth: float = 4.0, seed: int = 0) -> Blueprint:
    rooms = (RoomPlan("livingroom", Rect(0.0, width, 0.0, depth), wished),)
    return furnish(FloorPlan(rooms, (entrance(rooms, 0, "south"),), "Test"), Random(seed))


def boxes(blueprint: Blueprint, class_name: str) -> list[Box]:
    return [piece.box for piece in blueprint.pieces if piece.class_name == class_name]


def test_wishes_are_counted_and_may_be_optional() -> None:
    assert list(wishes("sofa chair*2 plant?")) == [("sofa", True), ("chair", True), ("chair", True), ("plant", False)]


def test_what_must_be_there_and_finds_no_room_is_named() -> None:
    with pytest.raises(Cramped, match=r"no room for a bathtub in the livingroom"):
        one_room("bathtub", width=1.5, depth=1.5)
    assert boxes(one_room("bathtub?", width=1.5, depth=1.5), "bathtub") == []


def test_a_smaller_size_is_taken_where_the_usual_one_does_not_fit() -> None:
    assert sorted(boxes(one_room("sofa"), "sofa")[0].size) == [0.97, 1.04, 2.36]
    assert sorted(boxes(one_room("sofa", width=2.2, depth=2.2), "sofa")[0].size) == [0.97, 1.04, 1.7]


@pytest.mark.parametrize("seed", range(10))
def test_pieces_go_with_their_anchors(seed: int) -> None:
    home = one_room("window sofa coffeetable rug tvstand tv bed nightstand tablelamp", 7.0, 6.0, seed)
    (sofa,), (table,), (rug,) = boxes(home, "sofa"), boxes(home, "coffeetable"), boxes(home, "rug")
    assert 0.2 < sofa.distance(*table.center[::2]) < 1.2
    assert rug.distance(*table.center[::2]) == 0.0
    (stand,), (tv,) = boxes(home, "tvstand"), boxes(home, "tv")
    assert tv.bottom == pytest.approx(stand.top) and stand.distance(*tv.center[::2]) == 0.0
    (bed,), (nightstand,), (lamp,) = boxes(home, "bed"), boxes(home, "nightstand"), boxes(home, "tablelamp")
    assert bed.distance(*nightstand.center[::2]) < 1.0
    assert lamp.bottom == pytest.approx(nightstand.top)


def test_six_chairs_find_a_place_at_a_table() -> None:
    home = one_room("kitchentable chair*6", 6.0, 6.0)
    (table,) = boxes(home, "kitchentable")
    assert [table.distance(*chair.center[::2]) < 0.6 for chair in boxes(home, "chair")] == [True] * 6


def test_two_rooms_with_too_little_wall_in_common_get_no_doorway() -> None:
    rooms = (RoomPlan("kitchen", Rect(0.0, 4.0, 0.0, 4.0)), RoomPlan("bathroom", Rect(3.0, 6.0, 4.0, 7.0)))
    assert doorway(rooms, 0, 1) is None
    wide = (rooms[0], RoomPlan("bathroom", Rect(1.0, 6.0, 4.0, 7.0)))
    opening = doorway(wide, 0, 1)
    assert opening is not None and (opening.x, opening.z) == (2.5, 4.0)
