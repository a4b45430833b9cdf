"""What one sees: the open part of one's room, each thing once, never through a shut door of a container."""

from __future__ import annotations

from housemates.env.household.sight import look, partial_graph, visible
from housemates.env.household.tasks import Goal

from .home import Home


def goal(home: Home) -> Goal:
    return Goal("prepare_food", "ON", home.one("kitchentable"), "kitchentable", (("apple", 1), ("plate", 1)))


def test_what_is_in_a_shut_container_appears_when_it_is_opened(home: Home) -> None:
    fridge, kitchen = home.one("fridge"), home.one("kitchen")
    apple = home.add("apple", "INSIDE", fridge)
    assert apple not in visible(home.graph, kitchen)
    assert fridge in look(home.graph, kitchen, goal(home)).closed
    home.stand_at(1, fridge)
    home.do(1, "open", fridge)
    assert apple in visible(home.graph, kitchen)
    view = look(home.graph, kitchen, goal(home))
    assert view.goods == (apple,) and fridge not in view.closed


def test_one_shut_container_hides_an_open_one_inside_it(home: Home) -> None:
    fridge, kitchen = home.one("fridge"), home.one("kitchen")
    microwave = home.add("microwave", "INSIDE", fridge)
    plate = home.add("plate", "INSIDE", microwave)
    home.graph.nodes[microwave].states = ("OPEN", "OFF")
    assert plate not in visible(home.graph, kitchen)
    home.graph.nodes[fridge].states = ("OPEN", "OFF")
    assert plate in visible(home.graph, kitchen)


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
    view = look(home.graph, home.one("kitchen"), goal(home))
    assert view.people == ((1, (apple,)), (2, ()), (3, ()))
    assert view.goods == ()


def test_other_rooms_are_out_of_sight(home: Home) -> None:
    apple = home.add("apple", "ON", home.one("bench", "livingroom"))
    assert apple not in visible(home.graph, home.one("kitchen"))
    view = look(home.graph, home.one("livingroom"), goal(home))
    assert view.people == () and not view.has_target and view.placed is None


def test_what_is_in_place_is_seen_at_the_target(home: Home) -> None:
    apples = [home.add("apple", "ON", home.one("kitchentable")) for _ in range(2)]
    view = look(home.graph, home.one("kitchen"), goal(home))
    assert view.has_target and view.placed == (apples[0],)


def test_one_cannot_tell_what_is_in_a_shut_target(home: Home) -> None:
    dishwasher = home.one("dishwasher")
    dishes = Goal("put_dishwasher", "INSIDE", dishwasher, "dishwasher", (("plate", 1),))
    plate = home.add("plate", "INSIDE", dishwasher)
    view = look(home.graph, home.one("kitchen"), dishes)
    assert view.has_target and view.placed is None and dishwasher not in view.closed
    home.graph.nodes[dishwasher].states = ("OPEN", "OFF")
    assert look(home.graph, home.one("kitchen"), dishes).placed == (plate,)


def test_the_partial_graph_has_all_rooms_the_visible_things_and_the_edges_among_them(home: Home) -> None:
    home.stand_at(1, home.one("bed"))
    seen = partial_graph(home.graph, 1)
    ids = {node["id"] for node in seen["nodes"]}
    assert set(home.graph.rooms) < ids and home.one("bed") in ids and 2 not in ids
    assert home.one("fridge") not in ids
    assert all(edge["from_id"] in ids and edge["to_id"] in ids for edge in seen["edges"])
    assert {"from_id": 1, "to_id": home.one("bed"), "relation_type": "CLOSE"} in seen["edges"]
