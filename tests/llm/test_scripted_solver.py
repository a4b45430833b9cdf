"""A solver that reads nothing but the prompt finishes every task in every home."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product

import pytest
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.tasks.families import FIFTY, TASKS

from .playing import play

APARTMENTS = tuple(map(str, range(7)))
TEAMS = (1, 2, 3, 4)
COMBINATIONS = (
    "setup_table+put_fridge",
    "setup_table_prepare_food",
    "read_book+put_dishwasher",
    "prepare_food+watch_tv",
    "clean_table+unload_dishwasher",
    "unload_dishwasher+put_fridge",
    "clean_table+read_book+put_dishwasher",
    "setup_table+prepare_food+watch_tv",
)
GENERATED = 200


def is_solved(task: str, agents: int, home: str, seed: int) -> bool:
    world = HouseholdWorld(task, agents, home)
    return play(world, world.reset(seed))[0]


def generated_homes() -> Iterator[tuple[int, str]]:
    """Flats of all sizes, with all numbers of rooms and much or little clutter, and the seed of each."""
    kinds = list(product(("small", "medium", "large"), ("low", "medium", "high"), range(4, 13)))
    for seed in range(GENERATED):
        size, clutter, rooms = kinds[seed * 31 % len(kinds)]
        yield seed, f"generated:seed={seed},rooms={rooms},size={size},clutter={clutter}"


@pytest.mark.parametrize("home", APARTMENTS)
def test_the_numbered_tasks_are_solved_in_the_shipped_apartments(home: str) -> None:
    """Every task in one apartment by one team, so that all apartments and sizes of team have their turn."""
    for index, task in enumerate(FIFTY):
        if APARTMENTS[index % len(APARTMENTS)] == home:
            agents = TEAMS[index // len(APARTMENTS) % len(TEAMS)]
            assert is_solved(task, agents, home, index), f"task {task}, {agents} agents"


@pytest.mark.slow
@pytest.mark.parametrize("home", APARTMENTS)
def test_all_numbered_tasks_are_solved_by_all_teams_in_all_apartments(home: str) -> None:
    for seed, (task, agents) in enumerate(product(FIFTY, TEAMS)):
        assert is_solved(task, agents, home, seed), f"task {task}, {agents} agents"


def test_families_and_combinations_are_solved_in_generated_homes() -> None:
    tasks = (*TASKS, *COMBINATIONS)
    for seed, home in islice(generated_homes(), 0, None, 9):
        task, agents = tasks[seed // 9 % len(tasks)], TEAMS[seed % len(TEAMS)]
        assert is_solved(task, agents, home, seed), f"{task} in {home}, {agents} agents"


@pytest.mark.slow
@pytest.mark.parametrize("task", [*TASKS, *COMBINATIONS])
def test_each_family_and_combination_is_solved_in_all_generated_homes(task: str) -> None:
    for seed, home in generated_homes():
        agents = TEAMS[seed % len(TEAMS)]
        assert is_solved(task, agents, home, seed), f"{home}, {agents} agents"


@pytest.mark.parametrize(
    ("task", "agents", "home", "seed"),
    [
        ("0", 2, "2", 2),  # one leaves a cupcake to the other, who knows that it is not needed
        ("put_fridge", 1, "generated:seed=116,rooms=12,size=small,clutter=medium", 116),  # a hall of 24 m
        ("read_book+put_dishwasher", 4, "generated:seed=59,rooms=9,size=small,clutter=high", 59),  # four do so
    ],
)
def test_nobody_goes_to_and_fro_for_ever(task: str, agents: int, home: str, seed: int) -> None:
    assert is_solved(task, agents, home, seed)
