"""Environments of PettingZoo as worlds: theirs, one written for this, and our own household there and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete
from housemates.env.codec import pack
from housemates.env.pettingzoo import parallel_env
from housemates.env.pettingzoo_world import PettingZooWorld
from housemates.env.testing import check_world
from housemates.env.world import PLAN_TOKEN, WorldError
from housemates.orchestrator.config import make_config
from housemates.orchestrator.run import run
from pettingzoo import ParallelEnv

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
from pettingzoo.classic import rps_v2

SIGNS = {"rock": 0, "paper": 1, "scissors": 2}


def rps() -> PettingZooWorld:
    return PettingZooWorld(lambda: rps_v2.parallel_env(max_cycles=8), goal="Win.", offer=lambda *_: SIGNS)


class Countdown(ParallelEnv[int, Any, int]):
    """Everybody takes 1 to 3 from a number of their own, and is out at 0; whoever takes too much cannot."""

    metadata = {"name": "countdown"}  # noqa: RUF012 - PettingZoo's

    def __init__(self, space: Any = None, reward: float = 1.0) -> None:
        self.possible_agents = [1, 2]
        self.space, self.reward = space or Discrete(3, start=1), reward

    def action_space(self, agent: int) -> Any:
        return self.space

    def observation_space(self, agent: int) -> Any:
        return None

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.agents = [1, 2]
        self.left = {agent: 3 + agent + np.random.default_rng(seed).integers(3) for agent in self.agents}
        return self.seen(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[int, int]) -> Any:
        assert set(actions) == set(self.agents), "PettingZoo wants an action from everybody who is left"
        for agent, taken in actions.items():
            self.left[agent] -= taken
        seen, present = self.seen(), self.agents
        self.agents = [agent for agent in present if self.left[agent] > 0]
        over = {agent: agent not in self.agents for agent in present}
        return seen, dict.fromkeys(present, self.reward), over, dict.fromkeys(present, False), {a: {} for a in present}

    def seen(self) -> dict[int, Any]:
        return {
            agent: {
                "observation": np.array([self.left[agent]]),
                "action_mask": np.array([self.left[agent] >= taken for taken in (1, 2, 3)], np.int8),
            }
            for agent in self.agents
        }


@pytest.mark.parametrize(
    "factory",
    [
        rps,
        lambda: PettingZooWorld(Countdown),
        lambda: PettingZooWorld(
            lambda: parallel_env(max_steps=12),
            describe=lambda _agent, seen, _info: seen["text"].replace(PLAN_TOKEN, ""),
            offer=lambda _agent, seen, info: {
                choice or "wait": n for n, choice in enumerate(info["choices"]) if seen["action_mask"][n]
            },
        ),
    ],
    ids=["theirs", "with masks", "ours there and back"],
)
def test_an_environment_keeps_the_contract_of_a_world(factory: Any) -> None:
    check_world(factory, steps=15)


def test_actions_are_the_numbers_that_a_mask_allows_unless_they_have_names() -> None:
    seen = PettingZooWorld(Countdown).reset(4)
    left = int(seen["1"].text.partition("I observe: [")[2].partition("]")[0])
    assert seen["1"].choices == tuple(str(n) for n in (1, 2, 3) if n <= left)
    assert rps().reset(0)["player_0"].choices == ("rock", "paper", "scissors")


def test_who_is_out_has_no_choices_while_the_others_go_on() -> None:
    world = PettingZooWorld(Countdown)
    seen = world.reset(0)
    while seen["1"].choices:
        result = world.step({"1": seen["1"].choices[-1], "2": "1"})
        seen = result.observations
    assert not result.done and seen["2"].choices and "I am out." in seen["1"].text
    assert world.step({"2": "1"}).rewards == {"1": 0.0, "2": 1.0}


def test_doing_nothing_is_the_first_action_offered() -> None:
    idle, first = rps(), rps()
    idle.reset(0), first.reset(0)
    assert idle.step({}).rewards == first.step({"player_0": "rock", "player_1": "rock"}).rewards
    assert idle.step({"player_0": "paper"}).rewards == {"player_0": 1.0, "player_1": -1.0}


def test_a_game_that_ends_by_itself_is_solved_and_one_that_is_cut_off_is_not_unless_somebody_says_so() -> None:
    def last(world: PettingZooWorld) -> Any:
        world.reset(0)
        while not (result := world.step({})).done:
            pass
        return result

    assert last(PettingZooWorld(Countdown)).success and not last(rps()).success
    won = PettingZooWorld(lambda: rps_v2.parallel_env(max_cycles=3), solved=lambda totals: totals["player_0"] >= 0)
    assert last(won).success


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: 1 / 0, "the environment failed to make: ZeroDivisionError: division by zero"),
        (lambda: Countdown(Box(0, 1)), "the actions of 1 are no numbers of a Discrete space; name them with `offer`"),
        (lambda: Countdown(reward=float("nan")), "the environment gave rewards that are no numbers"),
    ],
)
def test_what_is_wrong_with_an_environment_is_said_in_one_line(make: Any, message: str) -> None:
    with pytest.raises(WorldError, match=message):
        world = PettingZooWorld(make)
        world.reset(0)
        world.step({})


@pytest.mark.parametrize("rubbish", [b"", b"\x00", pack([0, [["1"]]]), pack([0, [["1", "1"]] * 50]), pack(["x", []])])
def test_a_snapshot_that_is_none_changes_nothing(rubbish: bytes) -> None:
    world = PettingZooWorld(Countdown)
    world.reset(0)
    world.step({"1": "2"})
    before = world.snapshot()
    with pytest.raises(WorldError, match="no snapshot"):
        world.restore(rubbish)
    assert world.snapshot() == before and world.step({}).rewards == {"1": 1.0, "2": 1.0}


def test_language_agents_play_it(tmp_path: Path) -> None:
    config = make_config(world=f"{__name__}:rps", llm="scripted", runtime="inline")
    summary = run(config, tmp_path / "run").summary
    assert summary["steps"] == 8 and sum(summary["returns"].values()) == 0, "what one wins the other loses"
    assert list(summary["returns"]) == ["player_0", "player_1"] and summary["actions"] == 16
