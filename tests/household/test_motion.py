"""Ways through doorways: the shortest ones, past shut doors, in buildings of any size."""

from __future__ import annotations

import itertools
import math
from random import Random

import pytest
from housemates.env.household.engine import motion
from housemates.env.household.engine.motion import ARM_M, STEP_M, Floorplan
from housemates.env.household.scene.graph import Box, Node, SceneGraph
from hypothesis import given, settings
from hypothesis import strategies as st

POINT = (0.0, 0.0, 0.0)


def building(columns: int, rows: int, doors: list[tuple[int, int]], size: float = 4.0) -> SceneGraph:
    """Square rooms in a grid, numbered row by row from 1, with doors between the given pairs of neighbours."""
    graph = SceneGraph()
    for number in range(columns * rows):
        x, z = (number % columns + 0.5) * size, (number // columns + 0.5) * size
        graph.add(Node(number + 1, "room", "Rooms", box=Box((x, 1.3, z), (size, 2.6, size))))
    for index, (first, second) in enumerate(doors, 10_000):
        boxes = [graph.nodes[room].box for room in (first, second)]
        assert boxes[0] and boxes[1]
        middle = tuple((a + b) / 2 for a, b in zip(boxes[0].center, boxes[1].center, strict=True))
        box = Box((middle[0], 1.05, middle[2]), (0.9, 2.1, 0.1))
        graph.add(Node(index, "door", "Doors", frozenset({"CAN_OPEN"}), ("OPEN",), box))
        graph.link(index, "INSIDE", first)
        graph.link(index, "BETWEEN", first)
        graph.link(index, "BETWEEN", second)
    return graph


def all_doors(columns: int, rows: int) -> list[tuple[int, int]]:
    rooms = range(1, columns * rows + 1)
    return [(r, r + 1) for r in rooms if r % columns] + [(r, r + columns) for r in rooms if r + columns in rooms]


def middle(graph: SceneGraph, room: int) -> tuple[float, float]:
    box = graph.nodes[room].box
    assert box is not None
    return box.center[0], box.center[2]


def walk(
    plan: Floorplan, graph: SceneGraph, start: int, goal: int, steps: int = 1000
) -> list[tuple[motion.Point, int]]:
    """Every position and room on the way from the middle of a room to the middle of another one."""
    goal_box = Box((middle(graph, goal)[0], 0.0, middle(graph, goal)[1]), POINT)
    way = [(middle(graph, start), start)]
    for _ in range(steps):
        way.append(plan.advance(*way[-1], goal_box, goal, 0.0))
        if way[-1] == way[-2]:
            break
    return way[:-1]


def length(way: list[tuple[motion.Point, int]]) -> float:
    return sum(math.dist(a[0], b[0]) for a, b in itertools.pairwise(way))


def test_a_step_is_a_metre_along_the_way() -> None:
    graph = building(2, 1, [(1, 2)])
    way = walk(Floorplan(graph), graph, 1, 2)
    assert [room for _, room in way] == [1, 1, 2, 2, 2]
    assert way[-1][0] == middle(graph, 2)


def test_the_way_with_the_fewest_metres_is_taken_not_the_one_with_the_fewest_doors() -> None:
    graph = building(3, 2, [(1, 2), (2, 3), (3, 6), (1, 4), (4, 5), (5, 6)])
    far = graph.nodes[10_000]
    far.box = Box((4.0, 1.05, 400.0), (0.9, 2.1, 0.1))
    assert [room for _, room in walk(Floorplan(graph), graph, 1, 2)][-2:] == [2, 2]
    assert 4 in {room for _, room in walk(Floorplan(graph), graph, 1, 2)}


def test_a_shut_door_is_avoided_if_there_is_another_way() -> None:
    graph = building(2, 2, all_doors(2, 2))
    plan = Floorplan(graph)
    assert {room for _, room in walk(plan, graph, 1, 2)} == {1, 2}
    graph.nodes[10_000].states = ("CLOSED",)
    plan.forget()
    assert {room for _, room in walk(plan, graph, 1, 2)} == {1, 2, 3, 4}


def test_without_another_way_one_comes_to_stand_before_the_shut_door() -> None:
    graph = building(3, 1, [(1, 2), (2, 3)])
    plan = Floorplan(graph)
    graph.nodes[10_001].states = ("CLOSED",)
    point, room = walk(plan, graph, 1, 3)[-1]
    door = graph.nodes[10_001].box
    assert room == 2 and door is not None
    assert math.dist(point, (door.center[0], door.center[2])) == pytest.approx(ARM_M)
    assert plan.is_blocked(point, room, 3) and not plan.is_blocked(point, room, 1)
    assert plan.arrive(point, room, door, 3, ARM_M) is None


def test_behind_a_shut_door_the_better_way_is_known() -> None:
    """The way through a shut door is only good up to the door."""
    graph = building(2, 3, [(1, 3), (3, 5), (3, 4), (4, 6), (5, 6)])
    plan = Floorplan(graph)
    for door in (10_000, 10_001):
        graph.nodes[door].states = ("CLOSED",)
    assert walk(plan, graph, 1, 5)[-1][1] == 1
    assert {room for _, room in walk(plan, graph, 3, 5)} == {3, 4, 6, 5}


def test_rooms_without_known_doors_are_joined_by_a_straight_line() -> None:
    graph = building(3, 1, [])
    assert length(walk(Floorplan(graph), graph, 1, 3)) == pytest.approx(8.0)


def test_who_walks_such_a_line_is_in_the_room_whose_box_they_are_in() -> None:
    graph = building(3, 1, [])
    rooms = [room for _, room in walk(Floorplan(graph), graph, 1, 3)]
    assert rooms == [1, 1, 1, 2, 2, 2, 2, 3, 3]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_walk_arrives_by_steps_of_a_metre_through_open_doors(seed: int) -> None:
    rng = Random(seed)
    columns, rows = rng.randint(1, 5), rng.randint(1, 5)
    graph = building(columns, rows, [door for door in all_doors(columns, rows) if rng.random() < 0.8])
    for door in range(10_000, max(graph.nodes) + 1):
        graph.nodes[door].states = ("CLOSED",) if rng.random() < 0.2 else ("OPEN",)
    plan = Floorplan(graph)
    start, goal = rng.choice(graph.rooms), rng.choice(graph.rooms)
    way = walk(plan, graph, start, goal)
    reached = way[-1]
    assert reached == (middle(graph, goal), goal) or plan.is_blocked(*reached, goal)
    for (before, room), (after, new_room) in itertools.pairwise(way):
        assert math.dist(before, after) <= STEP_M + 1e-9
        if room != new_room and plan.next_doorway(start, goal) is not None:
            doors = [d for d in plan.doorways(room) if not d.is_shut]
            assert any(math.dist(door.point, after) <= STEP_M for door in doors)


@pytest.mark.parametrize("size", [0.7, 3.3, 4.0])
def test_of_ways_of_equal_length_the_same_one_is_taken_whoever_asked_before(size: float) -> None:
    graph, rng = building(4, 3, all_doors(4, 3), size), Random(0)
    asked = Floorplan(graph)
    for _ in range(300):
        start, goal = rng.choice(graph.rooms), rng.choice(graph.rooms)
        assert asked.next_doorway(start, goal) == Floorplan(graph).next_doorway(start, goal)


def test_in_a_building_only_what_is_asked_for_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = building(25, 25, all_doors(25, 25))
    plan = Floorplan(graph)
    shortest = length(walk(plan, graph, 1, 625))
    assert shortest == pytest.approx(24 * 2 * 4.0, rel=0.4)
    assert len(plan._ways) < 100
    monkeypatch.setattr(motion, "_CACHED_WAYS", 50)
    for goal in graph.rooms[::7]:
        walk(plan, graph, 1, goal)
        assert len(plan._ways) <= 50
    assert length(walk(plan, graph, 1, 625)) == shortest


@given(degrees=st.lists(st.floats(-720, 720), max_size=8))
def test_turns_add_up(degrees: list[float]) -> None:
    rotation = (0.0, 0.0, 0.0, 1.0)
    for part in degrees:
        rotation = motion.turn(rotation, part)
    angle = math.radians(sum(degrees))
    assert motion.heading(rotation) == pytest.approx((math.sin(angle), math.cos(angle)), abs=1e-6)
    assert sum(part * part for part in rotation) == pytest.approx(1.0)


def test_who_looks_straight_up_or_down_is_taken_to_look_ahead() -> None:
    assert motion.heading((0.5**0.5, 0.0, 0.0, 0.5**0.5)) == (0.0, 1.0)
