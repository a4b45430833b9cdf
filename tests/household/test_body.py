"""The body remembers what it saw, offers what can be done, and never freezes."""

from __future__ import annotations

from housemates.env.household.engine.engine import Primitive
from housemates.env.household.person.body import WITHHELD_STEPS, Body
from housemates.env.household.person.briefing import Briefing
from housemates.env.household.person.deeds import STUCK_STEPS, compile_option, note_result
from housemates.env.household.person.options import Option, find_reflex, list_options
from housemates.env.household.person.sight import look
from housemates.env.household.tasks.goals import Goal, Want, WantKind

from .home import Home

TEA = (("on", "apple", 2, "coffeetable"), ("on", "plate", 1, "coffeetable"))
DISHES = (("inside", "apple", 2, "dishwasher"), ("inside", "plate", 1, "dishwasher"))


class Player:
    """A person in a home with a body, a goal, and nothing else."""

    def __init__(self, home: Home, *wants: tuple[str, str, int, str], number: int = 1) -> None:
        self.home, self.number = home, number
        nodes = home.graph.nodes
        self.briefing = Briefing(
            goal=Goal("test", tuple(self.want(*want) for want in wants or TEA)),
            members=(1, 2),
            rooms=tuple(home.one(name) for name in ("livingroom", "kitchen", "bedroom", "bathroom")),
            labels={n: node.label for n, node in nodes.items()},
            classes={n: node.class_name for n, node in nodes.items()},
        )
        self.body = Body.at_start(number, self.room, self.briefing)
        self.see()

    def want(self, kind: str, class_name: str, count: int, target: str = "") -> Want:
        start = count if kind in ("off", "out") else 0
        return Want(WantKind(kind), class_name, count, self.home.one(target) if target else 0, start)

    @property
    def room(self) -> int:
        room = self.home.graph.room_of(self.number)
        assert room is not None
        return room

    def see(self) -> None:
        self.body.perceive(look(self.home.graph, self.room, self.briefing.focus), self.briefing)

    def options(self) -> list[Option]:
        return list_options(self.body, self.briefing)

    def offers(self, verb: str) -> list[int]:
        """The objects of the options with a verb."""
        return [number for what, number in self.options() if what == verb]

    def go_on(self, option: Option) -> Primitive:
        """One step of an option."""
        primitive = compile_option(self.body, option, self.home.graph, self.briefing)
        result = self.home.engine.step({self.number: primitive})[self.number]
        self.body.record(primitive, primitive.text(self.home.graph), ok=result.ok, progress=result.ok)
        note_result(self.body, primitive, self.briefing, ok=result.ok)
        self.body.steps += 1
        self.see()
        return primitive

    def finish(self, option: Option) -> list[str]:
        """Go on with an option as long as it is offered; the verbs it took."""
        verbs: list[str] = []
        while option in self.options():
            verbs.append(self.go_on(option).verb)
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
    assert player.options()[-1] == ("goput", player.briefing.targets[0])


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
    verbs = player.finish(("goput", player.briefing.targets[0]))
    assert verbs[-2:] == ["putback", "putback"] and set(verbs[:-2]) == {"walktowards"}
    assert player.body.in_place == set(apples) and player.body.holding == ()


def test_a_shut_target_is_opened_with_a_free_hand_and_filled_as_it_is_without(home: Home) -> None:
    plates = [home.add(name, "ON", home.one("kitchentable")) for name in ("plate", "apple")]
    player = Player(home, *DISHES)
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
    player.finish(("goput", player.briefing.targets[0]))
    assert not [option for option in player.options() if option[1] in plates]


def test_taking_something_away_from_the_target_is_noticed(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("coffeetable"))
    home.stand_at(1, home.one("coffeetable"))
    home.stand_at(2, home.one("coffeetable"))
    player = Player(home)
    assert player.body.in_place == {apple}
    home.do(2, "grab", apple)
    player.see()
    assert player.body.in_place == set() and player.body.done(0, player.briefing) == 0


def test_the_target_s_room_is_known_by_elimination(home: Home) -> None:
    player = Player(home)
    assert len(player.body.target_rooms[home.one("coffeetable")]) == 3
    home.stand_at(1, home.one("bed"))
    player.see()
    home.stand_at(1, home.one("toilet"))
    player.see()
    assert player.body.target_rooms == {home.one("coffeetable"): (home.one("livingroom"),)}
    assert ("goexplore", home.one("livingroom")) in player.options()


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
    assert away.verb == "walktowards"
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
    assert Body.from_dict(player.body.to_dict(), player.briefing) == player.body


class TestSeveralTargets:
    WANTS = (("on", "apple", 1, "coffeetable"), ("inside", "plate", 1, "fridge"), ("inside", "apple", 1, "fridge"))

    def test_each_thing_is_offered_to_be_put_where_it_belongs(self, home: Home) -> None:
        things = [home.add(name, "ON", home.one("kitchentable")) for name in ("plate", "apple")]
        player = Player(home, *self.WANTS)
        assert player.offers("goput") == []
        player.finish(("gograb", things[0]))
        assert player.offers("goput") == [home.one("fridge")] and find_reflex(player.body, player.briefing) is None
        player.finish(("gograb", things[1]))
        assert player.offers("goput") == [home.one("coffeetable"), home.one("fridge")]

    def test_what_is_put_is_what_belongs_there(self, home: Home) -> None:
        apple, plate = (home.add(name, "ON", home.one("kitchentable")) for name in ("apple", "plate"))
        player = Player(home, *self.WANTS[:2])
        player.finish(("gograb", apple))
        player.finish(("gograb", plate))
        player.finish(("goput", home.one("fridge")))
        assert player.body.holding == (apple,) and home.graph.parent(plate) == home.one("fridge")
        player.finish(("goput", home.one("coffeetable")))
        assert home.graph.support(apple) == home.one("coffeetable")

    def test_what_vanished_behind_a_shut_door_is_remembered_by_who_put_it_there(self, home: Home) -> None:
        plate, apple = (home.add(name, "ON", home.one("kitchentable")) for name in ("plate", "apple"))
        player = Player(home, *self.WANTS[:2])
        for thing in (plate, apple):
            player.finish(("gograb", thing))
        assert player.finish(("goput", home.one("fridge")))[-1] == "putin"
        assert home.graph.is_shut(home.one("fridge"))
        assert player.body.in_place == {plate} and player.body.open_wants == {0}

    def test_two_things_for_one_place_are_brought_by_reflex_until_that_fails(self, home: Home) -> None:
        things = [home.add(name, "ON", home.one("kitchentable")) for name in ("plate", "wine")]
        player = Player(home, ("inside", "plate", 1, "fridge"), ("inside", "wine", 1, "fridge"), self.WANTS[0])
        for thing in things:
            player.finish(("gograb", thing))
        put = ("goput", home.one("fridge"))
        assert find_reflex(player.body, player.briefing) == put
        home.engine.check = lambda character, action: ("no",)  # type: ignore[method-assign]
        player.go_on(put)
        assert find_reflex(player.body, player.briefing) is None and put in player.options()

    def test_what_nothing_asks_for_any_more_can_be_put_to_rest(self, home: Home) -> None:
        apple = home.add("apple", "ON", home.one("kitchentable"))
        player = Player(home, *self.WANTS[:2])
        player.finish(("gograb", apple))
        home.add("apple", "ON", home.one("coffeetable"))
        assert player.offers("goput") == [home.one("coffeetable")]
        player.finish(("goexplore", home.one("livingroom")))
        places = player.offers("goput")
        assert 0 < len(places) <= 4 and home.one("sofa") in places
        player.finish(("goput", home.one("sofa")))
        assert player.body.holding == () and home.graph.support(apple) == home.one("sofa")


class TestClearing:
    WANTS = (("off", "plate", 2, "kitchentable"),)

    def test_things_are_offered_while_they_are_in_the_wrong_place(self, home: Home) -> None:
        plates = [home.add("plate", "ON", home.one("kitchentable")) for _ in range(2)]
        home.add("plate", "ON", home.one("kitchencounter"))
        player = Player(home, *self.WANTS)
        assert player.offers("gograb") == plates and player.offers("goput") == []
        player.finish(("gograb", plates[0]))
        assert player.body.done(0, player.briefing) == 1
        assert player.offers("gograb") == [plates[1]]

    def test_they_come_to_rest_anywhere_but_where_they_were_the_nearest_places_first(self, home: Home) -> None:
        plate = home.add("plate", "ON", home.one("kitchentable"))
        player = Player(home, *self.WANTS)
        player.finish(("gograb", plate))
        assert player.offers("goput") == [home.one("kitchencounter")]
        player.finish(("goexplore", home.one("bedroom")))
        here, there = home.one("bedroom"), home.one("kitchencounter")
        places = player.offers("goput")
        assert len(places) == 4
        assert [home.graph.room_of(place) for place in places if place != there][:3] == [here] * 3
        player.finish(("goput", places[0]))
        assert home.graph.support(plate) == places[0] and player.offers("gograb") == []

    def test_a_full_place_is_not_offered_again_for_a_while(self, home: Home) -> None:
        plate = home.add("plate", "ON", home.one("kitchentable"))
        player = Player(home, *self.WANTS)
        player.finish(("gograb", plate))
        put = ("goput", home.one("kitchencounter"))
        check = home.engine.check
        home.engine.check = lambda who, action: ("no",) if action.verb == "putback" else check(who, action)  # type: ignore[method-assign]
        player.finish(put)
        assert player.body.failures == 1 and player.body.has_failed
        assert plate in player.body.holding and put not in player.options()
        player.body.steps += WITHHELD_STEPS
        assert put in player.options()

    def test_a_shut_container_is_checked_before_it_is_emptied(self, home: Home) -> None:
        plate, dishwasher = home.add("plate", "INSIDE", home.one("dishwasher")), home.one("dishwasher")
        player = Player(home, ("out", "plate", 1, "dishwasher"))
        assert plate not in player.offers("gograb")
        player.finish(("gocheck", dishwasher))
        assert plate in player.offers("gograb")

    def test_who_knows_of_nothing_to_do_may_look_around_again(self, home: Home) -> None:
        home.add("plate", "ON", home.one("kitchentable"))
        player = Player(home, *self.WANTS)
        player.body.unchecked = {room: [] for room in player.briefing.rooms}
        player.body.ungrabbed = {room: {} for room in player.briefing.rooms}
        others = [room for room in player.briefing.rooms if room != player.room]
        assert player.options() == [("goexplore", room) for room in others]


class TestHolding:
    WANTS = (("hold", "remotecontrol", 1, ""), ("on", "apple", 1, "coffeetable"))

    def test_what_is_held_for_good_is_never_put_down(self, home: Home) -> None:
        remote, apple = (home.add(name, "ON", home.one("kitchentable")) for name in ("remotecontrol", "apple"))
        player = Player(home, *self.WANTS)
        for thing in (remote, apple):
            player.finish(("gograb", thing))
        player.finish(("goput", home.one("coffeetable")))
        assert player.body.holding == (remote,) and player.offers("goput") == []

    def test_one_is_enough_also_in_a_teammate_s_hand(self, home: Home) -> None:
        remotes = [home.add("remotecontrol", "ON", home.one("kitchentable")) for _ in range(2)]
        player = Player(home, *self.WANTS)
        assert set(remotes) <= set(player.offers("gograb"))
        home.stand_at(2, remotes[0])
        home.do(2, "grab", remotes[0])
        player.see()
        assert player.offers("gograb") == []

    def test_one_hand_stays_free_while_there_is_work_for_it(self, home: Home) -> None:
        remote, book = (home.add(name, "ON", home.one("kitchentable")) for name in ("remotecontrol", "book"))
        player = Player(home, *self.WANTS, ("hold", "book", 1, ""))
        player.finish(("gograb", remote))
        assert book not in player.offers("gograb")
        player.body.known[1] = (home.add("apple", "ON", home.one("coffeetable")),)
        player.see()
        assert book in player.offers("gograb")


class TestSwitchesAndSeats:
    WANTS = (("switch_on", "tv", 1, "tv"), ("sit", "sofa", 1, "sofa"))

    def test_they_are_offered_from_the_start_and_not_once_they_are_done(self, home: Home) -> None:
        player = Player(home, *self.WANTS)
        switch, sit = ("goswitch", home.one("tv")), ("gosit", home.one("sofa"))
        assert player.options()[-2:] == [switch, sit]
        verbs = player.finish(switch)
        assert verbs[-1] == "switchon" and set(verbs[:-1]) == {"walktowards"}
        assert player.finish(sit)[-1] == "sit"
        assert player.body.seat == home.one("sofa") and player.body.open_wants == frozenset()

    def test_a_switch_needs_a_free_hand(self, home: Home) -> None:
        things = [home.add("apple", "ON", home.one("kitchentable")) for _ in range(2)]
        player = Player(home, *self.WANTS, ("on", "apple", 2, "coffeetable"))
        for thing in things:
            player.finish(("gograb", thing))
        assert player.offers("goswitch") == [] and player.offers("gosit") == [home.one("sofa")]

    def test_who_walks_away_no_longer_sits(self, home: Home) -> None:
        home.stand_at(1, home.one("sofa"))
        player = Player(home, *self.WANTS)
        player.finish(("gosit", home.one("sofa")))
        assert player.offers("gosit") == []
        player.finish(("goexplore", home.one("kitchen")))
        assert player.body.seat == 0 and player.offers("gosit") == [home.one("sofa")]

    def test_from_another_seat_one_stands_up_first(self, home: Home) -> None:
        sofa = home.one("sofa")
        bench = home.one("bench", "livingroom")
        home.stand_at(1, bench)
        home.do(1, "sit", bench)
        home.graph.nodes[1].box = home.graph.nodes[sofa].box
        player = Player(home, *self.WANTS)
        assert player.body.seat == bench
        assert player.finish(("gosit", sofa)) == ["standup", "sit"]

    def test_who_is_seen_elsewhere_has_got_up(self, home: Home) -> None:
        home.stand_at(2, home.one("sofa"))
        home.do(2, "sit", home.one("sofa"))
        home.stand_at(1, home.one("sofa"))
        player = Player(home, *self.WANTS)
        assert player.offers("gosit") == []
        for person in (1, 2):
            home.do(person, "standup")
            home.stand_at(person, home.one("bed"))
        player.see()
        assert player.offers("gosit") == [home.one("sofa")]
