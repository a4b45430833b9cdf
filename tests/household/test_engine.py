"""Primitive actions: what they need, what they do, and what happens when many act at once."""

from __future__ import annotations

from collections import Counter

import pytest
from housemates.env.household.engine import Primitive, Result, parse_primitive
from housemates.env.household.motion import STEP_M
from hypothesis import given, settings
from hypothesis import strategies as st

from .home import Home

IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"
VERBS = ["walktowards", "grab", "open", "close", "putin", "putback", "switchon", "switchoff", "sit", "standup", "fly"]


def check_invariants(home: Home) -> None:
    """VirtualHome's invariants of a running scene (nothing is lost, doubled, or in two places)."""
    graph = home.graph
    graph.validate()
    edges = list(graph.edges())
    assert len(edges) == len(set(edges))
    for number, node in graph.nodes.items():
        if node.category == "Rooms":
            continue
        assert len(graph.targets(number, "INSIDE")) == 1, node.label
        supports, holder = graph.targets(number, "ON"), graph.holder(number)
        assert len(supports) <= 1
        assert not {"OPEN", "CLOSED"} <= set(node.states) and not {"ON", "OFF"} <= set(node.states)
        if holder is not None:
            assert not supports
            assert graph.parent(number) == graph.room_of(holder)
            assert graph.is_close(holder, number)
        if supports:
            assert graph.parent(number) == graph.parent(supports[0]), node.label
    for person in graph.characters:
        assert len(graph.held_by(person)) <= 2
        box, room = graph.nodes[person].box, graph.nodes[graph.targets(person, "INSIDE")[0]].box
        assert box is not None and room is not None
        assert room.distance(box.center[0], box.center[2]) < 1e-6


class TestWalking:
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
            is_door = bool(home.graph.targets(number, "BETWEEN"))
            assert home.graph.is_reachable(1, number) or (is_door and home.do(1, "touch", number).ok), node.label

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
        check_invariants(home)

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
        check_invariants(home)

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
        check_invariants(home)

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


class TestDoorsSwitchesAndSeats:
    def test_open_and_close(self, home: Home) -> None:
        fridge = home.one("fridge")
        assert home.do(1, "close", fridge).ok is False
        home.stand_at(1, fridge)
        assert home.do(1, "open", fridge).ok
        assert home.graph.nodes[fridge].states == ("OPEN", "OFF")
        assert home.do(1, "open", fridge).lines == (IMPOSSIBLE,)
        assert home.graph.nodes[fridge].states == ("OPEN", "OFF")
        assert home.do(1, "close", fridge).ok
        assert home.do(1, "open", home.one("kitchentable")).ok is False

    def test_opening_needs_a_free_hand(self, home: Home) -> None:
        table, fridge = home.one("kitchentable"), home.one("fridge")
        for _ in range(2):
            apple = home.add("apple", "ON", table)
            home.stand_at(1, apple)
            assert home.do(1, "grab", apple).ok
        home.stand_at(1, fridge)
        assert home.do(1, "open", fridge).lines == (IMPOSSIBLE,)

    def test_opening_from_afar_fails(self, home: Home) -> None:
        home.stand_at(1, home.one("bed"))
        assert home.do(1, "open", home.one("fridge")).lines == (
            "PROCESS OPEN: Not found object: fridge",
            IMPOSSIBLE,
        )

    def test_switches(self, home: Home) -> None:
        stove = home.one("stove")
        home.stand_at(1, stove)
        assert home.do(1, "switchon", stove).ok
        assert "ON" in home.graph.nodes[stove].states
        assert not home.do(1, "switchon", stove).ok
        assert home.do(1, "switchoff", stove).ok

    def test_sitting_and_getting_up(self, home: Home) -> None:
        chair, table = home.one("chair"), home.one("kitchentable")
        home.stand_at(1, chair)
        home.stand_at(2, chair)
        assert home.do(1, "sit", chair).ok
        assert home.graph.targets(1, "SITTING") == [chair]
        assert home.do(2, "sit", chair).lines == (IMPOSSIBLE,)
        assert home.do(2, "grab", chair).lines == (IMPOSSIBLE,)
        assert home.do(1, "sit", table).lines[0].endswith("has no Properties_chair component")
        assert home.do(1, "standup").ok
        home.do(1, "sit", chair)
        home.do(1, "walktowards", home.one("bed"))
        assert home.graph.targets(1, "SITTING") == []


class TestActingAtOnce:
    def rivals(self, home: Home, verb: str, target: int) -> dict[int, Result]:
        for person in (1, 2, 3):
            home.stand_at(person, target)
        return home.engine.step({person: Primitive(verb, target) for person in (3, 1, 2)})

    def test_one_of_several_grabs_and_the_others_learn_who(self, home: Home) -> None:
        apple = home.add("apple", "ON", home.one("kitchentable"))
        results = self.rivals(home, "grab", apple)
        (winner,) = [person for person, result in results.items() if result.ok]
        assert list(results) == [1, 2, 3]
        for person, result in results.items():
            if person != winner:
                assert result.lines[0] == f"PROCESS GRAB: Agent {winner} tried to grab the object at the same time"
                assert home.graph.held_by(person) == []
        assert home.graph.held_by(winner) == [apple]

    def test_opening_together_opens_once(self, home: Home) -> None:
        results = self.rivals(home, "open", home.one("fridge"))
        assert Counter(result.ok for result in results.values()) == {True: 1, False: 2}
        loser = next(result for result in results.values() if not result.ok)
        assert "tried to open the object at the same time" in loser.lines[0]

    def test_the_winner_is_drawn_by_seed_and_not_always_the_first(self) -> None:
        winners = []
        for _ in range(2):
            home, row = Home(), []
            for _ in range(12):
                apple = home.add("apple", "ON", home.one("kitchentable"))
                results = self.rivals(home, "grab", apple)
                winner = next(person for person, result in results.items() if result.ok)
                row.append(winner)
                home.do(winner, "putback", apple, home.one("kitchentable"))
                home.graph.unlink(apple, "ON")
            winners.append(row)
        assert winners[0] == winners[1]
        assert len(set(winners[0])) > 1

    def test_who_cannot_act_does_not_take_part_in_the_draw(self, home: Home) -> None:
        apple = home.add("apple", "ON", home.one("kitchentable"))
        home.stand_at(1, home.one("bed"))
        home.stand_at(2, apple)
        results = home.engine.step({1: Primitive("grab", apple), 2: Primitive("grab", apple)})
        assert results[2].ok and not results[1].ok

    @settings(max_examples=40, deadline=None)
    @given(st.data())
    def test_whatever_people_do_the_home_stays_whole(self, data: st.DataObject) -> None:
        home = Home()
        graph = home.graph
        ids = sorted(graph.nodes)
        near = [home.one(name) for name in ("kitchentable", "fridge", "dishwasher", "kitchencounter", "chair")]
        near += [n for n in ids if graph.room_of(n) == home.one("kitchen") and "GRABBABLE" in graph.nodes[n].properties]
        target = st.one_of(st.sampled_from(near), st.sampled_from([*ids, 0, -1, 9999]))
        for _ in range(data.draw(st.integers(1, 12))):
            actions: dict[int, Primitive] = {}
            for person in (1, 2, 3):
                if data.draw(st.booleans()):
                    home.stand_at(person, data.draw(st.sampled_from(near[:5])))
                    for held in graph.held_by(person):
                        graph.nodes[held].box = graph.nodes[person].box
                        graph.unlink(held, "INSIDE")
                        graph.link(held, "INSIDE", home.one("kitchen"))
                dest = data.draw(target)
                held = graph.held_by(person)
                what = data.draw(st.sampled_from(held)) if held and data.draw(st.booleans()) else data.draw(target)
                actions[person] = Primitive(data.draw(st.sampled_from(VERBS)), what, dest)
            results = home.engine.step(actions)
            assert set(results) == set(actions)
            assert all(result.ok or result.lines for result in results.values())
            assert sorted(graph.nodes) == ids
            check_invariants(home)


def test_reports_are_spelled_as_virtualhome_spells_them() -> None:
    assert Result(True).message(0) == "Success"
    assert Result(False, ("PROCESS GRAB: Not found object: apple", IMPOSSIBLE)).message(1) == (
        f"ScriptExcutor 1: PROCESS GRAB: Not found object: apple\n{IMPOSSIBLE}\n\n"
    )


@pytest.mark.parametrize("text", ["[grab] <apple> (381)", "[putin] <apple> (381) <fridge> (104)", "[standup]"])
def test_primitives_can_be_read_back(text: str, home: Home) -> None:
    primitive = parse_primitive(text.upper())
    assert primitive is not None and primitive.verb in text
    assert parse_primitive(f"{text} and more") is None
    apple = home.add("apple", "ON", home.one("kitchentable"))
    assert Primitive("grab", apple).text(home.graph) == f"[grab] <apple> ({apple})"
