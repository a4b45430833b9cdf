"""Goals: each kind of want is met by what it says, as much as it asks for, and no more."""

from __future__ import annotations

import pytest
from housemates.env.household.tasks.goals import Goal, Want, WantKind

from .home import Home


def test_an_on_want_is_met_by_things_of_its_class_on_the_target(home: Home) -> None:
    table = home.one("coffeetable")
    want = Want(WantKind.ON, "apple", 2, table)
    home.add("wine", "ON", table)
    assert want.done(home.graph) == 0
    apple = home.add("apple", "ON", table)
    assert want.met_by(home.graph) == (apple,) and want.done(home.graph) == 1


def test_an_inside_want_is_met_by_things_in_the_target_not_on_it(home: Home) -> None:
    cabinet = home.one("cabinet")
    want = Want(WantKind.INSIDE, "plate", 1, cabinet)
    home.add("plate", "ON", cabinet)
    assert want.done(home.graph) == 0
    plate = home.add("plate", "INSIDE", cabinet)
    assert want.met_by(home.graph) == (plate,)


def test_more_than_asked_for_does_not_count_and_the_lowest_ids_do(home: Home) -> None:
    fridge = home.one("fridge")
    first, _ = home.add("wine", "INSIDE", fridge), home.add("wine", "INSIDE", fridge)
    assert Want(WantKind.INSIDE, "wine", 1, fridge).met_by(home.graph) == (first,)


@pytest.mark.parametrize(("kind", "relation"), [(WantKind.OFF, "ON"), (WantKind.OUT, "INSIDE")])
def test_a_clearing_want_is_met_as_far_as_less_is_left_than_at_the_start(
    home: Home, kind: WantKind, relation: str
) -> None:
    cabinet = home.one("cabinet")
    forks = [home.add("cutleryfork", relation, cabinet) for _ in range(2)]
    want = Want(kind, "cutleryfork", 2, cabinet, start=2)
    assert want.done(home.graph) == 0 and want.met_by(home.graph) == ()
    for done, fork in enumerate(forks, 1):
        home.graph.unlink(fork, relation)
        assert want.done(home.graph) == done
    extra = [home.add("cutleryfork", relation, cabinet) for _ in range(3)]
    assert len(extra) == 3 and want.done(home.graph) == 0


def test_a_hold_want_is_met_by_things_in_anybodys_hands(home: Home) -> None:
    table, want = home.one("coffeetable"), Want(WantKind.HOLD, "magazine", 2)
    first, second = home.add("magazine", "ON", table), home.add("magazine", "ON", table)
    for person, magazine in ((2, first), (1, second)):
        home.stand_at(person, table)
        assert home.do(person, "grab", magazine).ok
    assert want.met_by(home.graph) == (first, second)


def test_a_switch_want_is_met_when_the_target_is_on(home: Home) -> None:
    tv = home.one("tv")
    want = Want(WantKind.SWITCH_ON, "tv", 1, tv)
    assert want.done(home.graph) == 0
    home.stand_at(1, tv)
    assert home.do(1, "switchon", tv).ok
    assert want.met_by(home.graph) == (tv,)


def test_a_sit_want_is_met_by_people_as_long_as_they_sit_there(home: Home) -> None:
    sofa = home.one("sofa")
    want = Want(WantKind.SIT, "sofa", 2, sofa)
    for person in (1, 2):
        home.stand_at(person, sofa)
        assert home.do(person, "sit", sofa).ok
    assert want.met_by(home.graph) == (1, 2)
    assert home.do(1, "standup").ok
    assert want.done(home.graph) == 1


def test_a_goal_adds_its_wants_up(home: Home) -> None:
    table, tv = home.one("coffeetable"), home.one("tv")
    goal = Goal("mine", (Want(WantKind.ON, "apple", 2, table), Want(WantKind.SWITCH_ON, "tv", 1, tv)))
    home.add("apple", "ON", table)
    assert goal.total == 3 and goal.done(home.graph) == (1, 0)
