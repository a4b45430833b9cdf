"""Walking and turning: how far, which way, and what shut doors do."""

from __future__ import annotations

import pytest
from housemates.env.household.engine.engine import Primitive
from housemates.env.household.engine.motion import STEP_M, heading
from housemates.env.household.scene.graph import Box, Node

from .home import Home
from .invariants import check_invariants

IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"


def position(home: Home, person: int = 1) -> tuple[float, float]:
    box = home.graph.nodes[person].box
    assert box is not None
    return box.center[0], box.center[2]


def distance(home: Home, person: int, target: int) -> float:
    box = home.graph.nodes[target].box
    assert box is not None
    return box.distance(*position(home, person))


class TestWalkingTowards:
    def test_a_step_is_a_metre(self, home: Home) -> None:
        home.stand_at(1, home.one("bathtub"))
        before = home.graph.nodes[1].box
        assert home.do(1, "walktowards", home.one("kitchen")).ok
        after = home.graph.nodes[1].box
        assert before is not None and after is not None
        assert after.distance(*before.center[::2]) <= STEP_M
        assert after != before

    @pytest.mark.parametrize("start", ["bathtub", "fridge", "bed", "sofa"])
    def test_every_object_is_reached_within_close_range(self, home: Home, start: str) -> None:
        for number, node in list(home.graph.nodes.items()):
            if node.category in ("Rooms", "Characters"):
                continue
            home.stand_at(1, home.one(start))
            for _ in range(25):
                assert home.do(1, "walktowards", number).ok
            assert home.graph.is_close(1, number) and home.graph.shares_room(1, number), node.label
            assert home.graph.is_reachable(1, number) == home.do(1, "touch", number).ok, node.label

    def test_rooms_are_entered_through_doorways_only(self, home: Home) -> None:
        doors = [home.graph.nodes[n].box for n, node in home.graph.nodes.items() if node.class_name == "doorjamb"]
        home.stand_at(1, home.one("bathtub"))
        for target in ("kitchen", "bedroom", "bathroom", "livingroom"):
            for _ in range(25):
                room, box = home.graph.room_of(1), home.graph.nodes[1].box
                home.do(1, "walktowards", home.one(target))
                if home.graph.room_of(1) != room:
                    assert box is not None
                    assert any(door is not None and door.distance(*box.center[::2]) <= STEP_M for door in doors)
            assert home.graph.room_of(1) == home.one(target)

    def test_what_one_holds_comes_along(self, home: Home) -> None:
        apple = home.add("apple", "ON", home.one("kitchentable"))
        home.stand_at(1, apple)
        home.do(1, "grab", apple)
        for _ in range(20):
            home.do(1, "walktowards", home.one("bedroom"))
        assert home.graph.parent(apple) == home.one("bedroom")
        check_invariants(home.graph)

    def test_a_walk_to_a_person_keeps_a_distance(self, home: Home) -> None:
        home.stand_at(2, home.one("bed"))
        for _ in range(25):
            home.do(1, "walktowards", 2)
        me, mate = home.graph.nodes[1].box, home.graph.nodes[2].box
        assert me is not None and mate is not None
        assert mate.distance(*me.center[::2]) == pytest.approx(2.5)

    def test_an_unknown_place_is_reported(self, home: Home) -> None:
        assert home.do(1, "walktowards", 9999).lines == (
            "PROCESS WALK: Can not select object: (9999). REASON: Unknown",
            IMPOSSIBLE,
        )

    def test_one_can_say_how_many_metres(self, home: Home) -> None:
        home.stand_at(1, home.one("bathtub"))
        before = position(home)
        home.engine.step({1: Primitive("walktowards", home.one("kitchen"), metres=3)})
        moved = sum((a - b) ** 2 for a, b in zip(position(home), before, strict=True)) ** 0.5
        assert STEP_M < moved <= 3
        before = position(home)
        for nothing in (0, -1):
            assert home.engine.step({1: Primitive("walktowards", home.one("kitchen"), metres=nothing)})[1].ok
            assert position(home) == before

    def test_one_looks_where_one_goes(self, home: Home) -> None:
        before = position(home)
        home.do(1, "walktowards", home.one("bed"))
        (x, z), (dx, dz) = position(home), heading(home.graph.nodes[1].rotation)
        assert (x - before[0], z - before[1]) == pytest.approx((dx, dz))

    def test_who_walks_gets_up_first(self, home: Home) -> None:
        bed = home.one("bed")
        home.do(1, "walk", bed)
        for verb in ("sit", "lie"):
            assert home.do(1, verb, bed).ok
            assert home.do(1, "walktowards", home.one("kitchen")).ok
            assert [relation for relation, _ in home.edges_of(1)] == ["INSIDE"]
            assert home.graph.nodes[1].states == ()
            home.do(1, "walk", bed)


class TestWalkingAllTheWay:
    @pytest.mark.parametrize("verb", ["walk", "goto", "run", "find"])
    def test_one_step_is_enough(self, home: Home, verb: str) -> None:
        home.stand_at(1, home.one("bathtub"))
        for target in (home.one("fridge"), home.one("bed"), 2):
            assert home.do(1, verb, target).ok
            assert home.graph.is_reachable(1, target)
            check_invariants(home.graph)

    def test_a_room_is_entered_up_to_its_middle(self, home: Home) -> None:
        home.do(1, "walk", home.one("bedroom"))
        assert home.graph.room_of(1) == home.one("bedroom")
        box = home.graph.nodes[home.one("bedroom")].box
        assert box is not None and position(home) == (box.center[0], box.center[2])

    def test_find_reports_in_its_own_words(self, home: Home) -> None:
        assert home.do(1, "find", 9999).lines == ("PROCESS FIND: Can not select object: (9999)", IMPOSSIBLE)


class TestTurning:
    def test_a_turn_is_thirty_degrees_and_twelve_are_a_full_circle(self, home: Home) -> None:
        assert heading(home.graph.nodes[1].rotation) == (0.0, 1.0)
        home.do(1, "turnright")
        assert heading(home.graph.nodes[1].rotation) == pytest.approx((0.5, 0.75**0.5))
        home.do(1, "turnleft")
        home.do(1, "turnleft")
        assert heading(home.graph.nodes[1].rotation) == pytest.approx((-0.5, 0.75**0.5))
        for _ in range(12):
            home.do(1, "turnright")
        assert heading(home.graph.nodes[1].rotation) == pytest.approx((-0.5, 0.75**0.5))

    def test_walkforward_goes_a_metre_ahead_and_stops_at_the_wall(self, home: Home) -> None:
        home.do(1, "walk", home.one("kitchen"))
        x, z = position(home)
        home.do(1, "walkforward")
        assert position(home) == (x, z + 1.0)
        for _ in range(10):
            assert home.do(1, "walkforward").ok
        check_invariants(home.graph)
        assert position(home) == pytest.approx((x, 5.4))

    def test_walkforward_leads_through_a_doorway(self, home: Home) -> None:
        home.do(1, "walk", home.one("kitchen"))
        for _ in range(3):
            home.do(1, "turnleft")
        for _ in range(4):
            home.do(1, "walkforward")
        assert home.graph.room_of(1) == home.one("livingroom")
        check_invariants(home.graph)


@pytest.fixture
def door(home: Home) -> int:
    """A door between kitchen and living room, where the shipped apartment has an open door frame."""
    jamb = next(n for n in home.graph.nodes if home.graph.targets(n, "BETWEEN"))
    node = home.graph.nodes[jamb]
    assert set(home.graph.targets(jamb, "BETWEEN")) == {home.one("kitchen"), home.one("livingroom")}
    home.graph.nodes[jamb] = door = Node(
        jamb, "door", "Doors", frozenset({"CAN_OPEN"}), ("OPEN",), node.box, prefab_name="Door"
    )
    home.engine = type(home.engine)(home.graph, "test")
    return door.id


class TestShutDoors:
    def shut(self, home: Home, door: int) -> None:
        assert home.do(1, "walk", door).ok
        assert home.do(1, "close", door).ok

    def test_a_walk_leads_up_to_the_door_and_then_fails(self, home: Home, door: int) -> None:
        self.shut(home, door)
        fridge, bed = home.one("fridge"), home.one("bed")
        home.do(1, "walk", fridge)
        oks = [home.do(1, "walktowards", bed).ok for _ in range(8)]
        assert oks == sorted(oks, reverse=True) and oks[0] and not oks[-1]
        assert home.graph.room_of(1) == home.one("kitchen")
        assert home.do(1, "walktowards", bed).lines == (
            "PROCESS WALK: Can not select object: bed. REASON: Path partial",
            IMPOSSIBLE,
        )
        assert home.do(1, "open", door).ok
        assert home.do(1, "walk", bed).ok

    def test_walking_all_the_way_fails_at_once(self, home: Home, door: int) -> None:
        self.shut(home, door)
        before = position(home)
        assert home.do(1, "walk", home.one("bed")).lines[0].endswith("bed. REASON: Path partial")
        assert home.do(1, "find", home.one("bed")).lines[0] == "PROCESS FIND: Can not select object: bed"
        assert position(home) == before

    @pytest.mark.parametrize("side", ["fridge", "sofa"])
    def test_a_shut_door_is_opened_from_either_side(self, home: Home, door: int, side: str) -> None:
        home.do(2, "walk", home.one(side))
        self.shut(home, door)
        for _ in range(10):
            assert home.do(2, "walktowards", door).ok
        assert home.do(2, "open", door).ok

    def test_nobody_goes_straight_on_through_it(self, home: Home, door: int) -> None:
        self.shut(home, door)
        home.do(1, "walk", home.one("kitchen"))
        for verb in ("turnleft",) * 3 + ("walkforward",) * 6:
            home.do(1, verb)
        assert home.graph.room_of(1) == home.one("kitchen")

    def test_a_second_way_is_taken(self, home: Home, door: int) -> None:
        graph = home.graph
        detour = Node(max(graph.nodes) + 1, "doorjamb", "Doors", box=Box((8.0, 1.05, 5.4), (0.9, 2.1, 0.1)))
        graph.add(detour)
        graph.link(detour.id, "INSIDE", home.one("bathroom"))
        for room in ("bathroom", "kitchen"):
            graph.link(detour.id, "BETWEEN", home.one(room))
        home.engine = type(home.engine)(graph, "test")
        self.shut(home, door)
        home.do(1, "walk", home.one("fridge"))
        rooms: set[int | None] = set()
        while home.graph.room_of(1) != home.one("livingroom"):
            assert home.do(1, "walktowards", home.one("sofa")).ok
            rooms.add(graph.room_of(1))
        assert home.one("bathroom") in rooms
