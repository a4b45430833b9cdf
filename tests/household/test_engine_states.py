"""Opening, switching, plugging, cleaning; sitting and lying."""

from __future__ import annotations

import pytest

from .home import Home
from .invariants import check_invariants

IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"


def at(home: Home, class_name: str, person: int = 1) -> int:
    """The first object of a class, with somebody beside it."""
    thing = home.one(class_name)
    assert home.do(person, "walk", thing).ok
    return thing


def fill_hands(home: Home, person: int = 1) -> None:
    for _ in range(2):
        apple = home.add("apple", "ON", home.one("kitchentable"))
        home.do(person, "walk", apple)
        assert home.do(person, "grab", apple).ok


class TestTwoStates:
    def test_open_and_close(self, home: Home) -> None:
        fridge = home.one("fridge")
        assert home.do(1, "close", fridge).ok is False
        at(home, "fridge")
        assert home.do(1, "open", fridge).ok
        assert home.graph.nodes[fridge].states == ("OPEN", "OFF")
        assert home.do(1, "open", fridge).lines == (IMPOSSIBLE,)
        assert home.graph.nodes[fridge].states == ("OPEN", "OFF")
        assert home.do(1, "close", fridge).ok
        assert home.do(1, "open", at(home, "kitchentable")).lines == (IMPOSSIBLE,)

    @pytest.mark.parametrize("verb", ["open", "close", "switchon", "switchoff", "plugin", "plugout"])
    def test_a_free_hand_is_needed(self, home: Home, verb: str) -> None:
        fridge = home.one("fridge")
        home.graph.nodes[fridge].states = {
            "open": ("CLOSED",),
            "close": ("OPEN",),
            "switchon": ("OFF",),
            "switchoff": ("ON",),
            "plugin": ("PLUGGED_OUT",),
            "plugout": ("PLUGGED_IN",),
        }[verb]
        fill_hands(home)
        at(home, "fridge")
        assert home.do(1, verb, fridge).lines == (IMPOSSIBLE,)
        assert home.do(1, "drop", home.graph.held_by(1)[0]).ok
        assert home.do(1, verb, fridge).ok
        check_invariants(home.graph)

    @pytest.mark.parametrize(
        ("verb", "process"), [("open", "OPEN"), ("switchon", "SWITCH ON"), ("touch", "TOUCH"), ("wash", "WASH")]
    )
    def test_from_afar_nothing_is_found(self, home: Home, verb: str, process: str) -> None:
        at(home, "bed")
        assert home.do(1, verb, home.one("fridge")).lines == (
            f"PROCESS {process}: Not found object: fridge",
            IMPOSSIBLE,
        )

    def test_switches(self, home: Home) -> None:
        stove = at(home, "stove")
        assert home.do(1, "switchon", stove).ok
        assert "ON" in home.graph.nodes[stove].states
        assert not home.do(1, "switchon", stove).ok
        assert home.do(1, "switchoff", stove).ok

    def test_plugs_and_switches(self, home: Home) -> None:
        tv = at(home, "tv")
        assert home.do(1, "plugin", tv).lines == (IMPOSSIBLE,), "it is plugged in"
        assert home.do(1, "switchon", tv).ok
        assert home.do(1, "plugout", tv).lines == (IMPOSSIBLE,), "it is on"
        home.do(1, "switchoff", tv)
        assert home.do(1, "plugout", tv).ok
        assert home.graph.nodes[tv].states == ("OFF", "PLUGGED_OUT")
        assert home.do(1, "switchon", tv).lines == (IMPOSSIBLE,)
        assert home.do(1, "plugin", tv).ok
        assert home.graph.nodes[tv].states == ("OFF", "PLUGGED_IN")
        assert home.do(1, "plugout", at(home, "sofa")).lines == (IMPOSSIBLE,)

    @pytest.mark.parametrize("verb", ["wash", "rinse", "scrub"])
    def test_washing_makes_clean(self, home: Home, verb: str) -> None:
        plate = home.add("plate", "ON", home.one("kitchentable"))
        home.graph.nodes[plate].states = ("DIRTY",)
        home.do(1, "walk", plate)
        assert home.do(1, verb, plate).ok
        assert home.graph.nodes[plate].states == ("CLEAN",)
        assert home.do(1, verb, 2).ok is False, "people wash themselves"

    def test_wiping_needs_something_to_wipe_with(self, home: Home) -> None:
        table = at(home, "kitchentable")
        assert home.do(1, "wipe", table).lines == (IMPOSSIBLE,)
        fill_hands(home)
        at(home, "kitchentable")
        assert home.do(1, "wipe", table).ok
        assert home.graph.nodes[table].states == ("CLEAN",)


class TestSeatsAndBeds:
    def test_sitting_and_getting_up(self, home: Home) -> None:
        chair, table = at(home, "chair"), home.one("kitchentable")
        home.do(2, "walk", chair)
        assert home.do(1, "sit", chair).ok
        assert home.graph.targets(1, "SITTING") == [chair]
        assert home.graph.nodes[1].states == (), "as in VirtualHome the edge says it"
        assert home.do(1, "sit", chair).lines == (IMPOSSIBLE,)
        assert home.do(2, "sit", chair).lines == (IMPOSSIBLE,)
        assert home.do(2, "grab", chair).lines == (IMPOSSIBLE,)
        assert home.do(1, "standup").ok and home.do(1, "standup").ok
        assert home.edges_of(1) == {("INSIDE", home.one("kitchen"))}
        home.do(1, "walk", table)
        assert home.do(1, "sit", table).lines == (
            f"PROCESS SIT: Object <kitchentable> ({table}) has no Properties_chair component",
            IMPOSSIBLE,
        )

    def test_lying_is_a_state_and_an_edge(self, home: Home) -> None:
        bed = at(home, "bed")
        assert home.do(1, "lie", bed).ok
        assert home.graph.nodes[1].states == ("LYING",) and home.graph.targets(1, "ON") == [bed]
        assert home.do(1, "lie", bed).lines == (IMPOSSIBLE,)
        assert home.do(1, "sit", bed).ok
        assert home.graph.nodes[1].states == () and home.graph.targets(1, "ON") == []
        assert home.do(1, "lie", bed).ok
        assert home.graph.targets(1, "SITTING") == []
        check_invariants(home.graph)
        assert home.do(1, "standup").ok
        assert home.graph.nodes[1].states == () and home.graph.targets(1, "ON") == []
        assert home.do(1, "lie", at(home, "desk")).lines == (IMPOSSIBLE,)

    def test_there_are_only_so_many_places(self, home: Home) -> None:
        sofa = home.one("sofa")
        for person in (1, 2, 3):
            at(home, "sofa", person)
        assert [home.do(person, "lie", sofa).ok for person in (1, 2, 3)] == [True, True, False]
        assert home.do(3, "sit", sofa).ok
        assert home.do(3, "lie", sofa).lines == (IMPOSSIBLE,)

    def test_a_rug_is_not_pulled_away_under_a_sleeper(self, home: Home) -> None:
        rug = home.one("rug")
        for person in (1, 2):
            at(home, "rug", person)
        assert home.do(1, "lie", rug).ok
        assert home.do(2, "grab", rug).lines == (IMPOSSIBLE,)
        home.do(1, "standup")
        assert home.do(2, "grab", rug).ok

    @pytest.mark.parametrize("verb", ["sleep", "wakeup"])
    def test_one_sleeps_sitting_or_lying(self, home: Home, verb: str) -> None:
        bed = at(home, "bed")
        assert home.do(1, verb).lines == (IMPOSSIBLE,)
        for rest in ("sit", "lie"):
            home.do(1, rest, bed)
            assert home.do(1, verb).ok
            home.do(1, "standup")
