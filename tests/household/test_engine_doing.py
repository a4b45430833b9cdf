"""What people do that leaves the scene as it is."""

from __future__ import annotations

import pytest
from housemates.env.household.engine.engine import Result
from housemates.env.household.engine.motion import heading
from housemates.env.household.scene.graph import Box

from .home import Home

IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"


def beside(home: Home, class_name: str, support: str = "kitchentable") -> int:
    """A fresh object, with somebody beside it."""
    thing = home.add(class_name, "ON", home.one(support))
    assert home.do(1, "walk", thing).ok
    return thing


def succeeds_without_effect(home: Home, verb: str, *objects: int) -> bool:
    before = home.graph.to_dict()
    assert home.do(1, verb, *objects).ok
    return home.graph.to_dict() == before


class TestInTheHand:
    @pytest.mark.parametrize(("verb", "class_name"), [("drink", "juice"), ("drink", "mug"), ("text", "cellphone")])
    def test_one_takes_what_one_drinks_or_phones_with(self, home: Home, verb: str, class_name: str) -> None:
        thing = beside(home, class_name)
        assert home.do(1, verb, thing).ok
        assert home.graph.held_by(1) == [thing]
        assert succeeds_without_effect(home, verb, thing), "nothing is used up"

    @pytest.mark.parametrize("verb", ["drink", "talk", "text", "read"])
    def test_not_everything_will_do(self, home: Home, verb: str) -> None:
        apple = beside(home, "apple")
        assert home.do(1, verb, apple).lines == (IMPOSSIBLE,)
        assert home.graph.held_by(1) == []

    def test_drinking_from_what_another_one_holds_fails(self, home: Home) -> None:
        juice = beside(home, "juice")
        home.do(2, "walk", juice)
        assert home.do(2, "grab", juice).ok
        home.do(1, "walk", 2)
        assert home.do(1, "drink", juice).lines == (IMPOSSIBLE,)

    def test_one_reads_what_one_holds(self, home: Home) -> None:
        book = beside(home, "book")
        assert home.do(1, "read", book).lines == (IMPOSSIBLE,)
        home.do(1, "grab", book)
        assert succeeds_without_effect(home, "read", book)

    def test_one_pours_into_what_holds_liquids(self, home: Home) -> None:
        juice, mug, apple = (
            beside(home, "juice"),
            home.add("mug", "ON", home.one("kitchentable")),
            beside(home, "apple"),
        )
        assert home.do(1, "pour", juice, mug).lines == (IMPOSSIBLE,)
        home.do(1, "walk", juice)
        home.do(1, "grab", juice)
        assert home.do(1, "pour", juice, apple).ok is False
        home.do(1, "walk", home.one("bed"))
        assert home.do(1, "pour", juice, mug).lines[0] == "PROCESS POUR: Not found destination object: mug"
        home.do(1, "walk", mug)
        assert succeeds_without_effect(home, "pour", juice, mug)


class TestWithinReach:
    @pytest.mark.parametrize(
        ("verb", "class_name", "unfit"),
        [
            ("touch", "apple", ""),
            ("eat", "cupcake", "juice"),
            ("type", "keyboard", "apple"),
            ("push", "apple", "orchid"),
            ("pull", "book", "orchid"),
            ("move", "mug", "orchid"),
            ("squeeze", "towel", "apple"),
        ],
    )
    def test_some_things_are_made_for_it(self, home: Home, verb: str, class_name: str, unfit: str) -> None:
        assert succeeds_without_effect(home, verb, beside(home, class_name))
        if unfit:
            assert home.do(1, verb, beside(home, unfit)).lines == (IMPOSSIBLE,)

    def test_one_eats_what_is_on_the_plate(self, home: Home) -> None:
        plate = beside(home, "plate")
        assert home.do(1, "eat", plate).lines == (IMPOSSIBLE,)
        home.add("cupcake", "ON", plate)
        assert succeeds_without_effect(home, "eat", plate)

    def test_one_cuts_food_with_a_knife(self, home: Home) -> None:
        bread = beside(home, "bread")
        assert home.do(1, "cut", bread).lines == (IMPOSSIBLE,)
        knife = beside(home, "cutleryknife")
        home.do(1, "grab", knife)
        home.do(1, "walk", bread)
        assert succeeds_without_effect(home, "cut", bread)
        assert home.do(1, "cut", home.one("kitchentable")).lines == (IMPOSSIBLE,)

    def test_what_is_in_a_shut_container_is_out_of_reach(self, home: Home) -> None:
        fridge = home.one("fridge")
        pudding = home.add("pudding", "INSIDE", fridge)
        home.do(1, "walk", fridge)
        assert home.do(1, "eat", pudding).lines[0] == "PROCESS EAT: Not found object: pudding"


class TestInSight:
    @pytest.mark.parametrize("verb", ["watch", "lookat", "lookat_short", "lookat_long", "turnto", "pointat"])
    def test_one_turns_to_what_one_looks_at(self, home: Home, verb: str) -> None:
        home.do(1, "walk", home.one("sofa"))
        tv = home.one("tv")
        assert home.do(1, verb, tv).ok
        me, box = home.graph.nodes[1], home.graph.nodes[tv].box
        assert me.box is not None and box is not None
        dx, dz = box.center[0] - me.box.center[0], box.center[2] - me.box.center[2]
        x, z = heading(me.rotation)
        assert x * dz == pytest.approx(z * dx) and x * dx + z * dz > 0

    def test_one_sees_so_far_and_farther_from_a_seat(self, home: Home) -> None:
        sofa, clock = home.one("sofa"), home.add("clock", "ON", home.one("coffeetable"))
        home.do(1, "walk", sofa)
        me = home.graph.nodes[1].box
        assert me is not None

        def clock_is_seen_at(metres: float) -> Result:
            home.graph.nodes[clock].box = Box((me.center[0] + metres, 1.0, me.center[2]), (0.0, 0.0, 0.0))
            return home.do(1, "watch", clock)

        assert clock_is_seen_at(2.9).ok
        assert clock_is_seen_at(3.1).lines == ("PROCESS WATCH: Can not select object to watch: clock", IMPOSSIBLE)
        home.do(1, "sit", sofa)
        assert clock_is_seen_at(5.9).ok
        assert clock_is_seen_at(6.1).lines == (
            "PROCESS WATCH: Object clock is not visible from sitting position",
            IMPOSSIBLE,
        )

    def test_walls_and_shut_containers_hide_things(self, home: Home) -> None:
        fridge = home.one("fridge")
        juice = home.add("juice", "INSIDE", fridge)
        home.do(1, "walk", fridge)
        assert not home.do(1, "lookat", juice).ok
        assert not home.do(1, "lookat", home.one("tv")).ok
        home.do(1, "open", fridge)
        assert home.do(1, "lookat", juice).ok

    def test_one_greets_people_in_the_room(self, home: Home) -> None:
        assert succeeds_without_effect(home, "greet", 2)
        assert home.do(1, "greet", 1).ok is False
        assert home.do(1, "greet", home.one("fridge")).lines == (IMPOSSIBLE,)
        home.do(2, "walk", home.one("bed"))
        assert home.do(1, "greet", 2).ok is False

    def test_special_is_ignored(self, home: Home) -> None:
        assert succeeds_without_effect(home, "special")
        assert succeeds_without_effect(home, "special", home.one("fridge"))
