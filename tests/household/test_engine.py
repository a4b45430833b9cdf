"""The joint step: who wins when several want the same thing, and how results are reported."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from housemates.env.household.engine.engine import VERBS, Engine, Primitive, Result
from housemates.env.household.homes import add_character

from .home import Home

IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"


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

    @pytest.mark.parametrize(
        ("verb", "states", "loss"),
        [
            ("close", ("OPEN",), "PROCESS OPEN: Agent {} tried to open the object at the same time"),
            ("switchon", ("OFF",), "PROCESS SWITCH: Agent {} tried to switch the object at the same time"),
            ("switchoff", ("ON",), "PROCESS SWITCH: Agent {} tried to switch the object at the same time"),
            ("plugin", ("PLUGGED_OUT",), "PROCESS PLUG: Agent {} tried to plug the object at the same time"),
            ("plugout", ("PLUGGED_IN",), "PROCESS PLUG: Agent {} tried to plug the object at the same time"),
        ],
    )
    def test_one_alone_changes_a_state(self, home: Home, verb: str, states: tuple[str, ...], loss: str) -> None:
        fridge = home.one("fridge")
        home.graph.nodes[fridge].states = states
        results = self.rivals(home, verb, fridge)
        (winner,) = [person for person, result in results.items() if result.ok]
        losses = {result.lines for result in results.values() if not result.ok}
        assert losses == {(loss.format(winner), IMPOSSIBLE)}

    def test_different_wishes_for_one_thing_compete_too(self, home: Home) -> None:
        box = home.add("box", "ON", home.one("kitchentable"))
        for person in (1, 2):
            home.stand_at(person, box)
        results = home.engine.step({1: Primitive("grab", box), 2: Primitive("open", box)})
        assert Counter(result.ok for result in results.values()) == {True: 1, False: 1}

    def test_the_last_free_seats_are_drawn_by_lot(self) -> None:
        seated: set[int] = set()
        for seed in range(12):
            home = Home()
            home.engine = Engine(home.graph, seed)
            results = self.rivals(home, "sit", home.one("bench", "livingroom"))
            winners = [person for person, result in results.items() if result.ok]
            assert len(winners) == 2, "a bench has two seats"
            (loser,) = {1, 2, 3} - set(winners)
            assert results[loser].lines[0].endswith("tried to sit on the object at the same time")
            assert home.graph.targets(loser, "SITTING") == []
            seated.update(winners)
        assert seated == {1, 2, 3}

    def test_everything_else_happens_in_id_order(self, home: Home) -> None:
        fridge = home.one("fridge")
        juice = home.add("juice", "INSIDE", fridge)
        for person in (1, 2):
            home.stand_at(person, fridge)
        opened_first = home.engine.step({2: Primitive("grab", juice), 1: Primitive("open", fridge)})
        assert opened_first[1].ok and opened_first[2].ok
        assert home.engine.step({1: Primitive("close", fridge), 2: Primitive("putin", juice, fridge)})[2].ok
        grabbed_first = home.engine.step({1: Primitive("grab", juice), 2: Primitive("open", fridge)})
        assert not grabbed_first[1].ok and grabbed_first[2].ok

    def test_a_thousand_people_are_no_problem(self, home: Home) -> None:
        apple = home.add("apple", "ON", home.one("kitchentable"))
        kitchen = home.one("kitchen")
        people = [max(home.graph.nodes) + number for number in range(1, 1001)]
        for person in people:
            add_character(home.graph, Random(person), person, kitchen)
            home.stand_at(person, apple)
        results = home.engine.step({person: Primitive("grab", apple) for person in people})
        assert list(results) == people
        assert Counter(result.ok for result in results.values()) == {True: 1, False: 999}


class TestReports:
    def test_they_are_spelled_as_virtualhome_spells_them(self) -> None:
        assert Result(True).message(0) == "Success"
        assert Result(False, ("PROCESS GRAB: Not found object: apple", IMPOSSIBLE)).message(1) == (
            f"ScriptExcutor 1: PROCESS GRAB: Not found object: apple\n{IMPOSSIBLE}\n\n"
        )

    def test_an_unknown_verb_is_named(self, home: Home) -> None:
        assert home.do(1, "fly").lines == ("Requested value 'FLY' was not found.", IMPOSSIBLE)

    @pytest.mark.parametrize("nobody", [99, 0, -1])
    def test_who_is_not_there_does_nothing(self, home: Home, nobody: int) -> None:
        assert home.do(nobody, "turnleft").lines == (IMPOSSIBLE,)
        assert home.do(home.one("fridge"), "turnleft").lines == (IMPOSSIBLE,)

    @pytest.mark.parametrize("verb", sorted(VERBS))
    def test_what_is_missing_is_reported_whatever_the_verb(self, home: Home, verb: str) -> None:
        before = home.graph.to_dict()
        result = home.do(1, verb, 9999, 9999)
        if VERBS[verb]:
            assert not result.ok and result.lines[-1] == IMPOSSIBLE
            assert home.graph.to_dict() == before

    def test_the_table_of_verbs_says_how_many_objects_each_needs(self) -> None:
        assert {verb for verb, objects in VERBS.items() if objects == 2} == {"put", "putback", "putin", "pour"}
        assert {verb for verb, objects in VERBS.items() if objects == 0} == {
            *("walkforward", "turnleft", "turnright", "standup", "sleep", "wakeup", "special")
        }
        assert {VERBS[verb] for verb in ("walktowards", "grab", "open", "lookat_short", "flush")} == {1}

    def test_flushing_is_switching(self, home: Home) -> None:
        toilet = home.graph.nodes[home.one("toilet")]
        toilet.properties, toilet.states = toilet.properties | {"HAS_SWITCH"}, ("OFF",)
        home.stand_at(1, toilet.id)
        assert home.do(1, "flush", toilet.id).ok
        assert toilet.states == ("ON",)
