"""Taking, carrying, putting and wearing."""

from __future__ import annotations

import pytest
from housemates.env.household.engine.engine import Engine, Primitive
from housemates.env.household.engine.spots import free_spot

from .home import Home
from .invariants import check_invariants

IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"


class TestHands:
    def test_grab_takes_the_right_hand_then_the_left_and_then_fails(self, home: Home) -> None:
        table = home.one("kitchentable")
        apples = [home.add("apple", "ON", table) for _ in range(3)]
        home.stand_at(1, table)
        for apple in apples:
            home.graph.nodes[apple].box = home.graph.nodes[table].box
        assert home.do(1, "grab", apples[0]).ok and home.do(1, "grab", apples[1]).ok
        assert home.edges_of(1) == {
            ("INSIDE", home.one("kitchen")),
            ("HOLDS_RH", apples[0]),
            ("HOLDS_LH", apples[1]),
        }
        assert home.do(1, "grab", apples[2]).lines == (IMPOSSIBLE,)
        assert home.edges_of(apples[0]) == {("INSIDE", home.one("kitchen"))}
        assert home.graph.is_close(1, apples[0])

    def test_grab_needs_closeness_openness_and_something_to_grab(self, home: Home) -> None:
        fridge = home.one("fridge")
        milk = home.add("juice", "INSIDE", fridge)
        home.stand_at(1, home.one("garbagecan"))
        assert home.do(1, "grab", milk).lines[0] == "PROCESS GRAB: Not found object: juice"
        home.stand_at(1, fridge)
        assert not home.do(1, "grab", milk).ok
        assert home.do(1, "grab", fridge).lines == (IMPOSSIBLE,)
        home.do(1, "open", fridge)
        assert home.do(1, "grab", milk).ok

    def test_nobody_takes_things_out_of_others_hands(self, home: Home) -> None:
        apple = home.add("apple", "ON", home.one("kitchentable"))
        home.stand_at(1, apple)
        home.stand_at(2, apple)
        assert home.do(1, "grab", apple).ok
        assert home.do(2, "grab", apple).lines == (IMPOSSIBLE,)
        assert home.graph.held_by(1) == [apple]

    def test_a_wall_is_in_the_way(self, home: Home) -> None:
        apple = home.add("apple", "ON", home.one("bench", "livingroom"))
        home.stand_at(1, apple)
        kitchen = home.one("kitchen")
        home.graph.unlink(1, "INSIDE")
        home.graph.link(1, "INSIDE", kitchen)
        assert home.graph.is_close(1, apple)
        assert not home.do(1, "grab", apple).ok

    def test_putback_leaves_the_thing_on_the_surface_and_in_its_room(self, home: Home) -> None:
        table = home.one("coffeetable")
        apple = home.add("apple", "ON", home.one("bench", "livingroom"))
        home.stand_at(1, apple)
        home.do(1, "grab", apple)
        home.stand_at(1, table)
        assert home.do(1, "putback", apple, table).ok
        assert home.edges_of(apple) == {("ON", table), ("INSIDE", home.one("livingroom"))}
        assert home.graph.held_by(1) == []
        check_invariants(home.graph)

    def test_putin_leaves_the_thing_inside_only_even_if_the_container_is_shut(self, home: Home) -> None:
        dishwasher = home.one("dishwasher")
        plate = home.add("plate", "ON", home.one("kitchentable"))
        home.stand_at(1, plate)
        home.do(1, "grab", plate)
        home.stand_at(1, dishwasher)
        assert home.do(1, "putin", plate, dishwasher).ok
        assert home.edges_of(plate) == {("INSIDE", dishwasher)}
        assert "CLOSED" in home.graph.nodes[dishwasher].states

    def test_put_needs_the_thing_in_hand_and_a_fitting_place_close_by(self, home: Home) -> None:
        table, fridge = home.one("kitchentable"), home.one("fridge")
        apple = home.add("apple", "ON", table)
        home.stand_at(1, apple)
        assert home.do(1, "putback", apple, table).lines[0] == "PROCESS PUT: Not found source object: apple"
        home.do(1, "grab", apple)
        assert home.do(1, "putback", apple, home.one("bed")).lines[0] == (
            "PROCESS PUT: Not found destination object: bed"
        )
        assert home.do(1, "putin", apple, table).lines == (IMPOSSIBLE,)
        home.stand_at(1, fridge)
        assert not home.do(1, "putin", apple, apple).ok
        assert home.do(1, "putback", apple, home.one("kitchencounter")).lines[0] != IMPOSSIBLE

    def test_what_is_on_a_thing_moves_with_it(self, home: Home) -> None:
        table = home.one("kitchentable")
        plate = home.add("plate", "ON", table)
        apple = home.add("apple", "ON", plate)
        home.stand_at(1, plate)
        home.do(1, "grab", plate)
        assert home.graph.support(apple) == plate
        dishwasher = home.one("dishwasher")
        home.stand_at(1, dishwasher)
        home.do(1, "open", dishwasher)
        home.do(1, "putin", plate, dishwasher)
        assert home.graph.parent(apple) == dishwasher
        check_invariants(home.graph)

    def test_a_full_surface_takes_nothing_more(self, home: Home) -> None:
        bench = home.one("bench", "livingroom")
        while True:
            try:
                home.add("apple", "ON", bench)
            except AssertionError:
                break
        apple = home.add("pudding", "ON", home.one("coffeetable"))
        home.stand_at(1, apple)
        home.do(1, "grab", apple)
        home.stand_at(1, bench)
        assert home.do(1, "putback", apple, bench).lines == (IMPOSSIBLE,)
        assert home.graph.held_by(1) == [apple]


def fetch(home: Home, class_name: str, person: int = 1, support: str = "kitchentable") -> int:
    """A fresh object in somebody's hand."""
    thing = home.add(class_name, "ON", home.one(support))
    assert home.do(person, "walk", thing).ok
    assert home.do(person, "grab", thing).ok
    return thing


class TestPutting:
    @pytest.mark.parametrize(
        ("place", "relation"), [("cabinet", "INSIDE"), ("fridge", "INSIDE"), ("coffeetable", "ON")]
    )
    def test_virtualhome_puts_into_what_one_puts_back_onto_some_containers(
        self, home: Home, place: str, relation: str
    ) -> None:
        apple, dest = fetch(home, "apple"), home.one(place)
        home.do(1, "walk", dest)
        assert home.do(1, "putback", apple, dest).ok
        assert (relation, dest) in home.edges_of(apple)

    def test_put_is_another_name_of_putback(self, home: Home) -> None:
        apple, table = fetch(home, "apple"), home.one("kitchentable")
        assert home.do(1, "put", apple, table).ok
        assert home.graph.support(apple) == table

    def test_a_put_can_say_where_and_how_turned(self, home: Home) -> None:
        apple, table = fetch(home, "apple"), home.one("coffeetable")
        home.do(1, "walk", table)
        middle = home.graph.nodes[table].box
        assert middle is not None
        free = free_spot(home.graph, table, (0.1, 0.11, 0.1), (middle.center[0] + 0.4, middle.center[2] - 0.4))
        assert free is not None
        at = (free[0], free[2])
        there = Primitive("putback", apple, table, pos=at, rot=(0.0, 90.0, 0.0))
        assert home.engine.step({1: there})[1].ok
        node = home.graph.nodes[apple]
        assert node.box is not None and (node.box.center[0], node.box.center[2]) == at
        assert node.rotation == pytest.approx((0.0, 0.5**0.5, 0.0, 0.5**0.5))

    def test_a_place_that_is_taken_or_not_on_the_support_fails(self, home: Home) -> None:
        table = home.one("coffeetable")
        apple, cupcake = home.add("apple", "ON", table), fetch(home, "cupcake")
        home.do(1, "walk", table)
        taken = home.graph.nodes[apple].box
        assert taken is not None
        for at in ((taken.center[0], taken.center[2]), (0.0, 0.0)):
            assert home.engine.step({1: Primitive("putback", cupcake, table, pos=at)})[1].lines == (IMPOSSIBLE,)
        assert home.graph.held_by(1) == [cupcake]

    def test_nothing_is_put_onto_what_somebody_holds(self, home: Home) -> None:
        plate, apple = fetch(home, "plate"), fetch(home, "apple", 2)
        home.do(2, "walk", 1)
        assert home.do(2, "putback", apple, plate).lines == (IMPOSSIBLE,)

    def test_nothing_is_taken_from_the_plate_in_another_hand(self, home: Home) -> None:
        table = home.one("kitchentable")
        plate = home.add("plate", "ON", table)
        apple = home.add("apple", "ON", plate)
        for person in (1, 2):
            home.do(person, "walk", plate)
        assert home.do(1, "grab", plate).ok
        home.do(2, "walk", 1)
        assert home.do(2, "grab", apple).lines == (IMPOSSIBLE,)
        assert home.do(1, "grab", apple).ok
        check_invariants(home.graph)

    def test_putobjback_brings_a_thing_to_where_it_was(self, home: Home) -> None:
        fridge, table = home.one("fridge"), home.one("kitchentable")
        apple, milk = home.add("apple", "ON", table), home.add("juice", "INSIDE", fridge)
        home.do(1, "walk", fridge)
        home.do(1, "open", fridge)
        home.do(1, "grab", milk)
        home.do(1, "walk", apple)
        home.do(1, "grab", apple)
        assert home.do(1, "putobjback", apple).ok
        assert home.edges_of(apple) == {("ON", table), ("INSIDE", home.one("kitchen"))}
        home.do(1, "walk", home.one("bed"))
        assert not home.do(1, "putobjback", milk).ok
        home.do(1, "walk", fridge)
        assert home.do(1, "putobjback", milk).ok
        assert home.edges_of(milk) == {("INSIDE", fridge)}
        assert home.do(1, "putobjback", milk).lines == ("PROCESS PUTBACK: Object juice not grabbed", IMPOSSIBLE)

    def test_putobjback_knows_places_that_are_no_surfaces(self, home: Home) -> None:
        stand = home.one("tvstand")
        assert "SURFACES" not in home.graph.nodes[stand].properties
        remote = fetch(home, "remotecontrol", support="tvstand")
        assert home.do(1, "putback", remote, stand).lines == (IMPOSSIBLE,)
        assert home.do(1, "putobjback", remote).ok
        assert home.graph.support(remote) == stand

    @pytest.mark.parametrize("verb", ["drop", "release"])
    def test_what_is_dropped_lies_on_the_floor_at_ones_feet(self, home: Home, verb: str) -> None:
        apple = fetch(home, "apple")
        home.do(1, "walk", home.one("bedroom"))
        assert home.do(1, verb, apple).ok
        assert home.edges_of(apple) == {("INSIDE", home.one("bedroom"))}
        box = home.graph.nodes[apple].box
        assert box is not None and box.bottom == pytest.approx(0.0)
        assert home.graph.is_reachable(1, apple)
        assert not home.do(1, verb, apple).ok
        assert home.do(1, "grab", apple).ok


class TestWearing:
    def test_clothes_are_put_on_and_come_along_and_are_taken_off_into_the_hand(self, home: Home) -> None:
        shirt = fetch(home, "clothesshirt")
        assert home.do(1, "puton", shirt).ok
        assert home.edges_of(shirt) == {("ON", 1), ("INSIDE", home.one("kitchen"))}
        assert home.graph.held_by(1) == []
        home.do(2, "walk", 1)
        assert home.do(2, "grab", shirt).lines == (IMPOSSIBLE,)
        home.do(1, "walk", home.one("bed"))
        assert home.graph.room_of(shirt) == home.one("bedroom")
        assert home.graph.is_close(1, shirt)
        assert home.do(1, "putoff", shirt).ok
        assert home.graph.held_by(1) == [shirt]
        assert home.do(1, "putobjback", shirt).ok, "it came from nowhere else than the person"
        check_invariants(home.graph)

    def test_only_clothes_are_worn_and_only_what_is_worn_comes_off(self, home: Home) -> None:
        apple = fetch(home, "apple")
        assert not home.do(1, "puton", apple).ok
        assert not home.do(1, "putoff", apple).ok


def test_putting_into_a_shut_container_can_be_forbidden(home: Home) -> None:
    home.engine = Engine(home.graph, "test", putin_closed=False)
    plate, dishwasher = fetch(home, "plate"), home.one("dishwasher")
    home.do(1, "walk", dishwasher)
    assert home.do(1, "putin", plate, dishwasher).lines == (IMPOSSIBLE,)
    home.do(1, "open", dishwasher)
    assert home.do(1, "putin", plate, dishwasher).ok
