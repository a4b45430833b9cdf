"""The body remembers what it saw, offers what can be done, and never freezes."""

from __future__ import annotations

import pytest
from housemates.env.household.body import STUCK_STEPS, WITHHELD_STEPS, Body, Briefing, Option
from housemates.env.household.engine import Primitive
from housemates.env.household.sight import look
from housemates.env.household.tasks import Goal

from .home import Home


class Player:
    """A person in a home with a body, a goal, and nothing else."""

    def __init__(self, home: Home, number: int = 1, relation: str = "ON", target: str = "coffeetable") -> None:
        self.home, self.number = home, number
        nodes = home.graph.nodes
        rooms = tuple(home.one(name) for name in ("livingroom", "kitchen", "bedroom", "bathroom"))
        self.briefing = Briefing(
            goal=Goal("test", relation, home.one(target), target, (("apple", 2), ("plate", 1))),
            rooms=rooms,
            labels={n: node.label for n, node in nodes.items()},
            classes={n: node.class_name for n, node in nodes.items()},
        )
        self.body = Body.at_start(number, self.room, (1, 2), self.briefing)
        self.see()

    @property
    def room(self) -> int:
        room = self.home.graph.room_of(self.number)
        assert room is not None
        return room

    def see(self) -> None:
        self.body.perceive(look(self.home.graph, self.room, self.briefing.goal), self.briefing)

    def options(self) -> list[Option]:
        return self.body.options(self.briefing)

    def next(self, option: Option) -> Primitive | None:
        return self.body.compile(option, self.home.graph, self.briefing)

    def go_on(self, option: Option) -> Primitive | None:
        """One step of an option."""
        primitive = self.next(option)
        if primitive is not None:
            result = self.home.engine.step({self.number: primitive})[self.number]
            self.body.record(primitive, primitive.text(self.home.graph), progress=result.ok)
        self.body.steps += 1
        self.see()
        return primitive

    def finish(self, option: Option) -> list[str]:
        """Go on with an option as long as it is offered; the verbs it took."""
        verbs: list[str] = []
        while option in self.options():
            primitive = self.go_on(option)
            assert primitive is not None
            verbs.append(primitive.verb)
            assert len(verbs) < 40
        return verbs


def test_exploring_ends_with_entering_the_room_and_is_never_offered_again(home: Home) -> None:
    player = Player(home)
    explore = [("goexplore", home.one(name)) for name in ("livingroom", "bedroom", "bathroom")]
    assert [option for option in player.options() if option[0] == "goexplore"] == explore
    assert set(player.finish(explore[1])) == {"walktowards"}
    assert player.room == home.one("bedroom")
    assert explore[1] not in player.options()


def test_options_are_rooms_then_containers_then_objects_then_putting(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("kitchentable"))
    plate = home.add("plate", "ON", home.one("kitchentable"))
    player = Player(home)
    player.finish(("gograb", apple))
    verbs = [verb for verb, _ in player.options()]
    assert verbs == sorted(verbs, key=["goexplore", "gocheck", "gograb", "goput"].index)
    assert ("gograb", plate) in player.options()
    assert player.options()[-1] == ("goput", player.briefing.goal.target)


def test_checking_walks_opens_and_ends(home: Home) -> None:
    fridge = home.one("fridge")
    apple = home.add("apple", "INSIDE", fridge)
    player = Player(home)
    assert ("gograb", apple) not in player.options()
    assert player.finish(("gocheck", fridge))[-1] == "open"
    assert ("gograb", apple) in player.options()


def test_putting_brings_one_thing_after_another_from_another_room(home: Home) -> None:
    apples = [home.add("apple", "ON", home.one("kitchentable")) for _ in range(2)]
    player = Player(home)
    for apple in apples:
        player.finish(("gograb", apple))
    assert {verb for verb, _ in player.options()} == {"goexplore", "goput"}
    verbs = player.finish(("goput", player.briefing.goal.target))
    assert verbs[-2:] == ["putback", "putback"] and set(verbs[:-2]) == {"walktowards"}
    assert player.body.satisfied == tuple(sorted(apples)) and player.body.holding == ()


def test_a_shut_target_is_opened_with_a_free_hand_and_filled_as_it_is_without(home: Home) -> None:
    plates = [home.add(name, "ON", home.one("kitchentable")) for name in ("plate", "apple")]
    player = Player(home, relation="INSIDE", target="dishwasher")
    for plate in plates:
        player.finish(("gograb", plate))
    verbs = player.finish(("goput", home.one("dishwasher")))
    assert [verb for verb in verbs if verb != "walktowards"] == ["putin", "open", "putin"]


def test_a_container_that_a_teammate_opened_meanwhile_is_no_longer_offered_on_arrival(home: Home) -> None:
    player = Player(home)
    fridge = home.one("fridge")
    player.finish(("goexplore", home.one("livingroom")))
    assert ("gocheck", fridge) in player.options()  # as far as one knows
    home.stand_at(2, fridge)
    home.do(2, "open", fridge)
    assert set(player.finish(("gocheck", fridge))) == {"walktowards"}
    assert player.room == home.one("kitchen")


def test_an_object_that_a_teammate_took_is_no_longer_offered_on_arrival(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("kitchentable"))
    player = Player(home)
    player.finish(("goexplore", home.one("livingroom")))
    home.stand_at(2, apple)
    home.do(2, "grab", apple)
    assert set(player.finish(("gograb", apple))) == {"walktowards"}


def test_what_a_teammate_is_seen_to_hold_is_forgotten_as_available_everywhere(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("kitchentable"))
    player = Player(home)
    player.finish(("goexplore", home.one("livingroom")))
    home.stand_at(2, apple)
    home.do(2, "grab", apple)
    home.stand_at(2, home.one("sofa"))
    home.graph.unlink(apple, "INSIDE")
    home.graph.link(apple, "INSIDE", home.one("livingroom"))
    player.see()
    assert ("gograb", apple) not in player.options()
    assert player.body.mates[2].holding == (apple,)


def test_what_is_enough_is_not_offered(home: Home) -> None:
    plates = [home.add("plate", "ON", home.one("kitchentable")) for _ in range(2)]
    player = Player(home)
    player.finish(("gograb", plates[0]))
    player.finish(("goput", player.briefing.goal.target))
    assert not [option for option in player.options() if option[1] in plates]


def test_taking_something_away_from_the_target_is_noticed(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("coffeetable"))
    home.stand_at(1, home.one("coffeetable"))
    home.stand_at(2, home.one("coffeetable"))
    player = Player(home)
    assert player.body.satisfied == (apple,)
    home.do(2, "grab", apple)
    player.see()
    assert player.body.satisfied == ()
    assert player.body.missing(player.briefing) == {"apple": 2, "plate": 1}


def test_the_target_s_room_is_known_by_elimination(home: Home) -> None:
    player = Player(home)
    assert len(player.body.target_rooms) == 3
    home.stand_at(1, home.one("bed"))
    player.see()
    home.stand_at(1, home.one("toilet"))
    player.see()
    assert player.body.target_rooms == (home.one("livingroom"),)
    assert ("goexplore", home.one("livingroom")) in player.options()


@pytest.mark.parametrize("option", [("gograb", 0), ("gocheck", 0)])
def test_what_is_not_known_has_nothing_to_do(home: Home, option: Option) -> None:
    assert Player(home).next(option) is None


def test_putting_with_empty_hands_has_nothing_to_do(home: Home) -> None:
    player = Player(home)
    assert player.next(("goput", player.briefing.goal.target)) is None


def test_the_body_gives_up_on_what_never_works_and_comes_back_later(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("kitchentable"))
    home.stand_at(1, apple)
    home.graph.nodes[apple].properties = frozenset({"GRABBABLE"})
    player = Player(home)
    grab: Option = ("gograb", apple)
    home.engine.check = lambda character, action: ("no",) if action.verb == "grab" else None  # type: ignore[method-assign]
    for _ in range(STUCK_STEPS + 2):
        assert grab in player.options()
        assert player.go_on(grab) == Primitive("grab", apple)
    away = player.go_on(grab)
    assert away is not None and away.verb == "walktowards"
    assert player.body.history[-2].endswith(" but unfinished")
    assert grab not in player.options()
    player.body.steps += WITHHELD_STEPS
    assert grab in player.options()


def test_only_what_led_nowhere_is_given_up(home: Home) -> None:
    apple, plate = (home.add(name, "ON", home.one("kitchentable")) for name in ("apple", "plate"))
    home.stand_at(1, apple)
    player = Player(home)
    home.engine.check = lambda character, action: ("no",) if action.target == apple else None  # type: ignore[method-assign]
    for _ in range(STUCK_STEPS + 2):
        player.go_on(("gograb", apple))
    assert player.go_on(("gograb", plate)) == Primitive("grab", plate)
    assert player.body.withheld == {} and "unfinished" not in " ".join(player.body.history)


def test_a_body_survives_saving(home: Home) -> None:
    home.add("apple", "ON", home.one("kitchentable"))
    player = Player(home)
    player.go_on(("gocheck", home.one("fridge")))
    player.body.hear("Agent_2 send_message to You: hi", received=True)
    assert Body.from_dict(player.body.to_dict()) == player.body
