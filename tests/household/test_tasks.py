"""Tasks: what seeds draw is always asked for within bounds, hidden where allowed, and solvable."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from housemates.env.household.homes import build_home
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.tasks import TASKS, Goal, set_up
from housemates.env.world import WorldError

HIDING_IN = {"fridge", "kitchencabinet", "cabinet", "microwave", "dishwasher", "stove"}
HIDING_ON = {"cabinet", "coffeetable", "bench", "kitchentable"}


def test_the_three_tasks() -> None:
    assert {name: (task.relation, task.target_class) for name, task in TASKS.items()} == {
        "read_book": ("ON", "coffeetable"),
        "put_dishwasher": ("INSIDE", "dishwasher"),
        "prepare_food": ("ON", "kitchentable"),
    }


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seed", range(20))
def test_a_goal_asks_for_three_to_five_things_that_are_there_but_not_in_place(task: str, seed: int) -> None:
    graph = build_home("0", 11, Random(seed)).graph
    goal = set_up(TASKS[task], graph, Random(seed))
    assert 3 <= goal.total <= 5
    limits = dict(TASKS[task].pool)
    assert all(1 <= count <= limits[name] for name, count in goal.needs)
    assert goal.count(graph) == dict.fromkeys(dict(goal.needs), 0)
    there = Counter(node.class_name for node in graph.nodes.values())
    for name, count in goal.needs:
        assert count <= there[name] <= limits[name] + 1
    for number, node in graph.nodes.items():
        if node.class_name in limits:
            support, parent = graph.support(number), graph.parent(number)
            assert parent is not None
            if support is None:
                assert graph.nodes[parent].class_name in HIDING_IN and parent != goal.target
            else:
                assert graph.nodes[support].class_name in HIDING_ON and support != goal.target


def test_seeds_draw_different_goals_and_hiding_places() -> None:
    drawn = set()
    for seed in range(10):
        graph = build_home("0", 11, Random(seed)).graph
        goal = set_up(TASKS["prepare_food"], graph, Random(seed))
        drawn.add((goal.needs, tuple(graph.parent(n) for n in sorted(graph.nodes))))
    assert len(drawn) == 10


def test_more_than_asked_for_does_not_count() -> None:
    graph = build_home("0", 11, Random(0)).graph
    graph_goal = set_up(TASKS["read_book"], graph, Random(0))
    extra = Goal("read_book", "ON", graph_goal.target, "coffeetable", (("magazine", 1),))
    magazines = [n for n, node in graph.nodes.items() if node.class_name == "magazine"]
    for number in magazines:
        graph.link(number, "ON", extra.target)
    assert extra.count(graph) == {"magazine": 1}
    assert extra.pick(graph, magazines) == (min(magazines),)


def test_an_unknown_task_is_one_clear_error_that_lists_the_tasks() -> None:
    with pytest.raises(WorldError, match=r"unknown task 'fly'; the tasks are read_book, put_dishwasher, prepare_food"):
        HouseholdWorld("fly")


@pytest.mark.parametrize("agents", [0, -1])
def test_a_home_needs_somebody(agents: int) -> None:
    with pytest.raises(WorldError, match="at least one agent"):
        HouseholdWorld("read_book", agents)
