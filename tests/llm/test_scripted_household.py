"""The scripted model finishes the household's tasks, alone and together."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest
from housemates.env.household.homes import Home
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.tasks.families import TASKS
from housemates.env.world import Observation, is_message

from ..household.block import build_block
from ..household.chores import CHORES, Household
from .playing import play


@pytest.mark.parametrize("agents", [1, 2, 4])
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_solved_and_nobody_chatters(task: str, agents: int) -> None:
    for seed in range(6):
        world = HouseholdWorld(task, agents)
        success, sent = play(world, world.reset(seed))
        assert success, f"seed {seed}"
        assert max(sent.values()) <= 1, f"seed {seed}"


@pytest.mark.parametrize("agents", [1, 2, 4])
@pytest.mark.parametrize("chores", CHORES)
def test_all_chores_are_done(chores: str, agents: int) -> None:
    for seed in range(4):
        world = Household(chores, agents)
        assert play(world, world.reset(seed))[0], f"seed {seed}"


@pytest.mark.parametrize("agents", [1, 2, 3])
@pytest.mark.parametrize("name", [*CHORES, *TASKS])
def test_whatever_was_done_before_the_goal_stays_in_reach(name: str, agents: int) -> None:
    """Nobody gets stuck: after any random walk over the options, the rest can still be done."""
    for seed in range(2):
        world, rng = (Household if name in CHORES else HouseholdWorld)(name, agents), Random(seed)
        observations: Mapping[str, Observation] = world.reset(seed)
        chosen: dict[str, str] = {}
        for _ in range(60):
            for agent, seen in observations.items():
                offered = [choice for choice in seen.choices if not is_message(choice)]
                if chosen.get(agent) not in offered or rng.random() < 0.2:
                    chosen[agent] = rng.choice(offered) if offered else ""
            assert any(chosen.values()), f"seed {seed}: nobody has anything left to choose"
            result = world.step({agent: choice or None for agent, choice in chosen.items()})
            observations = result.observations
            if result.done:
                break
        else:
            assert play(world, observations)[0], f"seed {seed}"


class TwoBedrooms(Household):
    """An apartment in which the bathroom is a second bedroom, and the kitchen has an unusual name."""

    def build_home(self, first_id: int, rng: Random) -> Home:
        home = super().build_home(first_id, rng)
        for room in home.graph.rooms:
            node = home.graph.nodes[room]
            node.class_name = {"bathroom": "bedroom", "kitchen": "cooking_room"}.get(node.class_name, node.class_name)
        return home


class Block(Household):
    """Chores in a building of three flats."""

    def build_home(self, first_id: int, rng: Random) -> Home:
        return build_block(3, first_id, rng)


@pytest.mark.parametrize("home", [TwoBedrooms, Block])
@pytest.mark.parametrize("chores", ["two targets", "everything"])
def test_any_rooms_will_do(home: type[Household], chores: str) -> None:
    for seed in range(3):
        world = home(chores, 5)
        observations = world.reset(seed)
        success, sent = play(world, observations)
        assert success and max(sent.values()) <= 1, f"seed {seed}"
