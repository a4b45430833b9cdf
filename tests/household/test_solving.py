"""Every task can be solved by somebody who only reads the prompt and picks from its actions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

import pytest
from housemates.env.household import TASKS, HouseholdWorld
from housemates.env.world import Observation, is_message

SEEDS = range(10)


class Tidy:
    """A simple housemate: finish what was begun, take what is here, look into what is here, bring, then go on.

    Sits down when there is nothing else to do, and stays where it is when it sits.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._current: str | None = None

    def act(self, seen: Observation) -> str | None:
        if seen.reflex is not None:
            self._current = None
            return seen.reflex
        offered = [choice for choice in seen.choices if not is_message(choice)]
        if "I'm sitting" in seen.text:
            return None
        if self._current not in offered:
            self._current = self._choose(offered, seen.text)
        return self._current

    def _choose(self, offered: Sequence[str], text: str) -> str | None:
        match = re.search(r"I'm in the \w+(?: \(\d+\))?, where I found ([^.]*)\. ", text)
        assert match is not None
        here = match[1]
        by_verb = {
            verb: [c for c in offered if c.startswith(f"[{verb}]")]
            for verb in ("gograb", "gocheck", "goput", "goswitch", "goexplore", "gosit")
        }
        groups = [
            [c for c in by_verb["gograb"] if c.split("] ")[1] in here],
            [c for c in by_verb["gocheck"] if c.split("] ")[1] in here],
            by_verb["gograb"],
            by_verb["goput"],
            by_verb["goswitch"],
            by_verb["gocheck"],
            by_verb["goexplore"],
            by_verb["gosit"],
        ]
        group = next((group for group in groups if group), None)
        return group[self._number % len(group)] if group else None


def steps_to_solve(task: str, agents: int, seed: int, limit: int = 250) -> int:
    world = HouseholdWorld(task, agents)
    observations = world.reset(seed)
    housemates = {agent: Tidy(number) for number, agent in enumerate(world.agents)}
    for step in range(1, limit + 1):
        result = world.step({agent: housemates[agent].act(observations[agent]) for agent in world.agents})
        observations = dict(result.observations)
        if result.done:
            assert result.success
            return step
    raise AssertionError(f"{task} with {agents} agents and seed {seed} is not solved in {limit} steps")


@pytest.mark.parametrize("agents", [1, 2, 4])
@pytest.mark.parametrize("task", TASKS)
def test_all_seeds_are_solved_in_a_reasonable_number_of_steps(task: str, agents: int) -> None:
    steps = [steps_to_solve(task, agents, seed) for seed in SEEDS]
    assert max(steps) <= 150 and median(steps) < 100 / agents**0.5


def test_many_housemates_do_not_get_in_each_other_s_way() -> None:
    assert steps_to_solve("prepare_food", 64, 0) < 40


def test_more_hands_make_less_work() -> None:
    steps = {agents: median(steps_to_solve("read_book", agents, seed) for seed in SEEDS) for agents in (1, 2, 4)}
    assert steps[1] > steps[2] > steps[4]
