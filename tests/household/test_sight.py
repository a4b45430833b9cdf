"""What one sees: the open part of one's room, each thing once, never through a shut door of a container."""

from __future__ import annotations

import pytest
from housemates.env.household.person.sight import Focus, Person, RoomView, look, partial_graph, visible
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.household.tasks.goals import PLACING, Goal, Want, WantKind

from .home import PEOPLE, Home
from .scenes import unity_scene


def see(home: Home, room: str, *wants: Want) -> RoomView:
    """What matters in a room; without wants, for an apple and a plate that are to be put on the kitchentable."""
    table = home.one("kitchentable")
    goal = Goal("test", wants or tuple(Want(WantKind.ON, name, 1, table) for name in ("apple", "plate")))
    classes = {number: node.class_name for number, node in home.graph.nodes.items()}
    single = len({want.target for want in goal.wants}) == 1 and goal.wants[0].kind in PLACING
    return look(home.graph, home.one(room), Focus(goal, range(1, PEOPLE + 1), classes, single=single))


def test_what_is_in_a_shut_container_appears_when_it_is_opened(home: Home) -> None:
    fridge, kitchen = home.one("fridge"), home.one("kitchen")
    apple = home.add("apple", "INSIDE", fridge)
    assert apple not in visible(home.graph, kitchen)
    assert fridge in see(home, "kitchen").closed
    home.stand_at(1, fridge)
    home.do(1, "open", fridge)
    assert apple in visible(home.graph, kitchen)
    view = see(home, "kitchen")
    assert view.goods == {apple: (0,)} and fridge not in view.closed


def test_one_shut_container_hides_an_open_one_inside_it(home: Home) -> None:
    fridge, kitchen = home.one("fridge"), home.one("kitchen")
    microwave = home.add("microwave", "INSIDE", fridge)
    plate = home.add("plate", "INSIDE", microwave)
    home.graph.nodes[microwave].states = ("OPEN", "OFF")
    assert plate not in visible(home.graph, kitchen)
    home.graph.nodes[fridge].states = ("OPEN", "OFF")
    assert plate in visible(home.graph, kitchen)


def test_in_unity_s_graphs_too_where_the_room_is_listed_beside_the_container() -> None:
    graph = SceneGraph.from_dict(unity_scene())
    hidden = [number for number in graph.nodes if not graph.is_accessible(number)]
    assert len(hidden) > 20
    for room in graph.rooms:
        seen = visible(graph, room)
        assert set(seen).isdisjoint(hidden) and len(seen) == len(set(seen))


def test_a_container_that_cannot_be_shut_hides_nothing(home: Home) -> None:
    shelf = home.one("bookshelf")
    apple = home.add("apple", "INSIDE", shelf)
    assert apple in visible(home.graph, home.one("livingroom"))


def test_everything_is_seen_once_also_what_is_held(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("kitchentable"))
    home.stand_at(1, apple)
    home.do(1, "grab", apple)
    seen = visible(home.graph, home.one("kitchen"))
    assert len(seen) == len(set(seen)) and seen.count(apple) == 1
    view = see(home, "kitchen")
    assert view.people == {1: Person((apple,), 0), 2: Person((), 0), 3: Person((), 0)}
    assert view.goods == {}


def test_other_rooms_are_out_of_sight(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("bench", "livingroom"))
    assert apple not in visible(home.graph, home.one("kitchen"))
    view = see(home, "livingroom")
    assert view.people == {} and view.targets == () and view.known == {}


def test_what_lies_on_a_plate_that_somebody_carries_is_not_to_be_had(home: Home) -> None:
    plate = home.add("plate", "ON", home.one("kitchentable"))
    apple = home.add("apple", "ON", plate)
    sofa = Want(WantKind.ON, "apple", 1, home.one("sofa"))
    assert apple in see(home, "kitchen", sofa).goods
    home.stand_at(1, plate)
    assert home.do(1, "grab", plate).ok
    assert home.graph.holder(apple) is None and see(home, "kitchen", sofa).goods == {}


def test_what_is_in_place_is_seen_at_the_target(home: Home) -> None:
    apples = [home.add("apple", "ON", home.one("kitchentable")) for _ in range(2)]
    view = see(home, "kitchen")
    assert view.targets == (home.one("kitchentable"),) and view.known == {0: (apples[0],), 1: ()}


def test_one_cannot_tell_what_is_in_a_shut_target(home: Home) -> None:
    dishwasher = home.one("dishwasher")
    want = Want(WantKind.INSIDE, "plate", 1, dishwasher)
    plate = home.add("plate", "INSIDE", dishwasher)
    view = see(home, "kitchen", want)
    assert view.targets == (dishwasher,) and view.known == {} and dishwasher not in view.closed
    home.graph.nodes[dishwasher].states = ("OPEN", "OFF")
    assert see(home, "kitchen", want).known == {0: (plate,)}


def test_a_shut_target_may_hide_what_belongs_elsewhere(home: Home) -> None:
    fridge = home.one("fridge")
    inside, elsewhere = (
        Want(WantKind.INSIDE, "apple", 1, fridge),
        Want(WantKind.ON, "plate", 1, home.one("coffeetable")),
    )
    assert fridge not in see(home, "kitchen", inside).closed
    assert fridge in see(home, "kitchen", inside, elsewhere).closed
    assert fridge in see(home, "kitchen", Want(WantKind.OUT, "apple", 1, fridge, 1)).closed


def test_what_is_to_be_taken_away_is_of_use_only_where_it_is(home: Home) -> None:
    table, counter = home.one("kitchentable"), home.one("kitchencounter")
    plates = [home.add("plate", "ON", place) for place in (table, table, counter)]
    want = Want(WantKind.OFF, "plate", 2, table, 2)
    view = see(home, "kitchen", want)
    assert view.known == {0: tuple(plates[:2])} and set(view.goods) == set(plates[:2])
    assert view.goods[plates[0]] == (0,)
    both = see(home, "kitchen", want, Want(WantKind.INSIDE, "plate", 2, home.one("dishwasher")))
    assert both.goods[plates[0]] == (1, 0) and both.goods[plates[2]] == (1,)


def test_what_is_on_and_who_sits_where_is_seen(home: Home) -> None:
    tv, sofa = home.one("tv"), home.one("sofa")
    wants = (Want(WantKind.SWITCH_ON, "tv", 1, tv), Want(WantKind.SIT, "sofa", 2, sofa))
    assert see(home, "livingroom", *wants).known == {0: (), 1: ()}
    home.stand_at(1, sofa)
    home.do(1, "sit", sofa)
    home.stand_at(2, tv)
    home.do(2, "switchon", tv)
    view = see(home, "livingroom", *wants)
    assert view.known == {0: (tv,), 1: (1,)} and view.people == {1: Person((), sofa), 2: Person((), 0)}


def test_places_to_rest_things_are_noticed_unless_they_are_to_be_cleared_or_not_needed(home: Home) -> None:
    table, counter = home.one("kitchentable"), home.one("kitchencounter")
    assert see(home, "kitchen").surfaces == ()
    assert see(home, "kitchen", Want(WantKind.OFF, "plate", 2, table, 2)).surfaces == (counter,)


def test_strangers_are_no_concern(home: Home) -> None:
    goal = Goal("test", (Want(WantKind.ON, "apple", 1, home.one("kitchentable")),))
    apple = home.add("apple", "ON", home.one("kitchentable"))
    home.stand_at(3, apple)
    home.do(3, "grab", apple)
    classes = {number: node.class_name for number, node in home.graph.nodes.items()}
    view = look(home.graph, home.one("kitchen"), Focus(goal, (1, 2), classes, single=True))
    assert set(view.people) == {1, 2} and view.goods == {}


def test_the_partial_graph_has_all_rooms_the_visible_things_and_the_edges_among_them(home: Home) -> None:
    home.stand_at(1, home.one("bed"))
    seen = partial_graph(home.graph, 1)
    ids = {node["id"] for node in seen["nodes"]}
    assert set(home.graph.rooms) < ids and home.one("bed") in ids and 2 not in ids
    assert home.one("fridge") not in ids
    assert all(edge["from_id"] in ids and edge["to_id"] in ids for edge in seen["edges"])
    assert {"from_id": 1, "to_id": home.one("bed"), "relation_type": "CLOSE"} in seen["edges"]
    among = [e for e in home.graph.to_dict()["edges"] if e["from_id"] in ids and e["to_id"] in ids]
    assert sorted(seen["edges"], key=str) == sorted(among, key=str)


def test_the_partial_graph_costs_what_is_seen_and_not_the_whole_home(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SceneGraph, "edges", None)
    monkeypatch.setattr(SceneGraph, "_written_edges", None)
    assert partial_graph(home.graph, 1)["edges"]
