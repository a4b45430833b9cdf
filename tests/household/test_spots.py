"""Places on supports and in containers: nothing overlaps, nothing sticks out that fits, and what is full is full."""

from __future__ import annotations

from itertools import combinations

import pytest
from housemates.env.household.engine.spots import free_spot, inner_spot, is_free, support_height
from housemates.env.household.homes import add_object
from housemates.env.household.scene.catalog import object_class
from housemates.env.household.scene.graph import Box, Node, SceneGraph, Vec
from hypothesis import given, settings
from hypothesis import strategies as st

ROOM, PLACE = 11, 12


def scene_with(class_name: str) -> SceneGraph:
    """A room with one piece of furniture in it, standing on the floor."""
    graph = SceneGraph()
    graph.add(Node(ROOM, "kitchen", "Rooms", box=Box((0.0, 1.3, 0.0), (8.0, 2.6, 8.0))))
    size = object_class(class_name).size
    assert add_object(graph, class_name, (1.0, size[1] / 2, 2.0), "INSIDE", ROOM).id == PLACE
    return graph


def fill(graph: SceneGraph, classes: list[str], relation: str, near: tuple[float, float] = (1.0, 2.0)) -> list[Box]:
    """Put things on or into the furniture, one after the other, until one finds no place."""
    boxes: list[Box] = []
    for class_name in classes:
        size = object_class(class_name).size
        spot = (free_spot if relation == "ON" else inner_spot)(graph, PLACE, size, near)
        if spot is None:
            break
        box = add_object(graph, class_name, spot, relation, PLACE).box
        assert box is not None
        boxes.append(box)
    return boxes


def overlap(first: Box, second: Box) -> bool:
    return all(
        abs(a - b) < (width + other) / 2 - 1e-6
        for a, b, width, other in zip(first.center, second.center, first.size, second.size, strict=True)
    )


def is_within(inner: Box, outer: Box) -> bool:
    return all(
        abs(a - b) <= (outer_size - inner_size) / 2 + 1e-6
        for a, b, inner_size, outer_size in zip(inner.center, outer.center, inner.size, outer.size, strict=True)
    )


GROCERIES = ["apple", "pudding", "juice", "wine", "cupcake", "pancake", "poundcake", "milk"]


@pytest.mark.parametrize(
    ("furniture", "relation", "classes"),
    [
        ("dishwasher", "INSIDE", ["plate", "cutleryfork"] * 6),
        ("fridge", "INSIDE", GROCERIES),
        ("kitchentable", "ON", ["plate", "cutleryfork", "wineglass", "apple"] * 2),
        ("coffeetable", "ON", ["cupcake", "pudding", "apple", "juice", "wine", "plate"]),
        ("kitchencabinet", "INSIDE", ["plate"] * 6),
        ("microwave", "INSIDE", ["plate", "cupcake", "pudding"]),
    ],
)
def test_every_task_fits_into_its_place(furniture: str, relation: str, classes: list[str]) -> None:
    graph = scene_with(furniture)
    boxes = fill(graph, classes, relation)
    assert len(boxes) == len(classes)
    assert not any(overlap(first, second) for first, second in combinations(boxes, 2))
    place = graph.nodes[PLACE].box
    assert place is not None
    for box in boxes:
        if relation == "INSIDE":
            assert is_within(box, place)
        else:
            assert box.bottom == pytest.approx(place.top)


SIZES = st.tuples(*[st.integers(2, 60).map(lambda n: n / 100)] * 3)
NEAR = st.tuples(st.floats(-2, 4), st.floats(-1, 5))


@settings(max_examples=150, deadline=None)
@given(
    furniture=st.sampled_from(["kitchentable", "coffeetable", "fridge", "microwave", "bench"]),
    relation=st.sampled_from(["ON", "INSIDE"]),
    things=st.lists(st.tuples(SIZES, NEAR), max_size=25),
)
def test_nothing_overlaps_and_what_fits_stays_within(
    furniture: str, relation: str, things: list[tuple[Vec, tuple[float, float]]]
) -> None:
    graph = scene_with(furniture)
    place = graph.nodes[PLACE].box
    assert place is not None
    boxes: list[Box] = []
    for size, near in things:
        find = free_spot if relation == "ON" else inner_spot
        spot = find(graph, PLACE, size, near)
        assert spot == find(graph, PLACE, size, near)
        if spot is None:
            continue
        box = Box(spot, size)
        assert not any(overlap(box, other) for other in boxes)
        assert relation == "ON" or is_within(box, place) or any(a > b for a, b in zip(size, place.size, strict=True))
        thing = add_object(graph, "apple", spot, relation, PLACE)
        thing.box = box
        boxes.append(box)
    if relation == "INSIDE":
        used = sum(box.size[0] * box.size[1] * box.size[2] for box in boxes if is_within(box, place))
        assert used <= place.size[0] * place.size[1] * place.size[2] + 1e-6


def test_the_free_place_nearest_to_the_wish_is_taken() -> None:
    graph = scene_with("kitchentable")
    assert free_spot(graph, PLACE, (0.1, 0.1, 0.1), (1.2, 2.3)) == pytest.approx((1.2, 1.0, 2.3))
    fill(graph, ["apple"], "ON", (1.2, 2.3))
    spot = free_spot(graph, PLACE, (0.1, 0.1, 0.1), (1.2, 2.3))
    assert spot is not None and 0.0999 < abs(spot[0] - 1.2) + abs(spot[2] - 2.3) < 0.2
    assert is_free(graph, PLACE, (0.1, 0.1, 0.1), (1.2, 2.3)) is None
    assert is_free(graph, PLACE, (0.1, 0.1, 0.1), (1.4, 2.3)) == pytest.approx((1.4, 1.0, 2.3))
    assert is_free(graph, PLACE, (0.1, 0.1, 0.1), (9.0, 9.0)) is None


@pytest.mark.parametrize(("furniture", "relation"), [("coffeetable", "ON"), ("fridge", "INSIDE"), ("bench", "ON")])
def test_what_is_full_takes_nothing_more(furniture: str, relation: str) -> None:
    graph = scene_with(furniture)
    boxes = fill(graph, ["dishbowl"] * 500, relation)
    assert 4 <= len(boxes) < 500
    find = free_spot if relation == "ON" else inner_spot
    assert find(graph, PLACE, object_class("dishbowl").size, (1.0, 2.0)) is None


def test_too_big_for_a_support_or_too_high_for_a_container_is_refused() -> None:
    graph = scene_with("microwave")
    assert inner_spot(graph, PLACE, object_class("wine").size, (1.0, 2.0)) is None
    assert free_spot(graph, PLACE, object_class("pillow").size, (1.0, 2.0)) is None


def test_too_wide_for_a_container_sticks_out_in_the_middle() -> None:
    graph = scene_with("bathroomcabinet")
    spot = inner_spot(graph, PLACE, object_class("toiletpaper").size, (1.0, 2.0))
    assert spot is not None and spot[0] == 1.0


def test_things_on_a_seat_rest_at_its_height_and_not_on_its_back() -> None:
    sofa, bench = scene_with("sofa"), scene_with("bench")
    assert support_height(sofa, PLACE) == pytest.approx(0.45)
    assert support_height(bench, PLACE) == pytest.approx(0.51)


def test_what_has_no_box_has_no_places() -> None:
    graph = scene_with("fridge")
    graph.nodes[PLACE].box = None
    assert free_spot(graph, PLACE, (0.1, 0.1, 0.1), (0, 0)) is None
    assert inner_spot(graph, PLACE, (0.1, 0.1, 0.1), (0, 0)) is None
