"""The PettingZoo adapter: PettingZoo's own tests, and what they do not look at."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pettingzoo
import pytest
from housemates.env.household import HouseholdWorld
from housemates.env.pettingzoo import CHARACTERS, MAX_TEXT, NAME, TextWorldEnv, from_world, parallel_env
from housemates.env.world import Observation, WorldError, is_message
from pettingzoo.test import parallel_api_test, parallel_seed_test, performance_benchmark
from pettingzoo.utils.conversions import parallel_to_aec

from .household.test_check_world import Corridor


def sample(env: TextWorldEnv, observations: Mapping[str, Any]) -> dict[str, int]:
    return {agent: int(env.action_space(agent).sample(observations[agent]["action_mask"])) for agent in env.agents}


def play(env: TextWorldEnv, seed: int | None, steps: int) -> list[Any]:
    """All that happens in an episode of random allowed actions."""
    for number, agent in enumerate(env.possible_agents):
        env.action_space(agent).seed(number)
    observations, infos = env.reset(seed=seed)
    told: list[Any] = [(texts(observations), infos)]
    while env.agents and len(told) <= steps:
        observations, *rest = env.step(sample(env, observations))
        told.append((texts(observations), *rest))
    return told


def texts(observations: Mapping[str, Any]) -> dict[str, Any]:
    return {agent: (seen["text"], seen["action_mask"].tolist()) for agent, seen in observations.items()}


@pytest.mark.parametrize("factory", [parallel_env, lambda: from_world(Corridor, max_steps=40)], ids=["home", "other"])
def test_it_passes_pettingzoos_tests_without_a_warning(factory: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parallel_api_test(factory(), num_cycles=200)
        parallel_seed_test(factory, num_cycles=200)


def test_it_runs_in_pettingzoos_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    performance_benchmark(parallel_to_aec(parallel_env(max_steps=20)))
    assert "turns per second" in capsys.readouterr().out


def test_a_seed_determines_the_whole_episode() -> None:
    first, again, other = (play(parallel_env("read_book", 3), seed, 30) for seed in (5, 5, 6))
    assert len(first) == 31
    assert first == again != other


def test_the_episodes_after_a_seed_are_determined_by_it_too() -> None:
    one, two = parallel_env(), parallel_env()
    play(one, 7, 3), play(two, 7, 20)
    following = [play(one, None, 3), play(one, None, 3)]
    assert following == [play(two, None, 3), play(two, None, 3)]
    assert following[0] != following[1]


def test_observations_are_in_their_space() -> None:
    env = parallel_env(agents=2)
    observations, _ = env.reset(seed=0)
    for agent in env.agents:
        assert env.observation_space(agent).contains(observations[agent])


def test_an_action_does_what_the_infos_say() -> None:
    env, world = parallel_env(agents=2), HouseholdWorld("put_dishwasher", 2)
    _, infos = env.reset(seed=3)
    expected = world.reset(3)
    for step in range(10):
        numbers = {agent: (step + 1) % len(infos[agent]["choices"]) for agent in env.agents}
        chosen = {agent: infos[agent]["choices"][number] for agent, number in numbers.items()}
        chosen |= {agent: seen.reflex for agent, seen in expected.items() if seen.reflex}
        observations, rewards, _, _, infos = env.step(numbers)
        result = world.step(chosen)
        expected = dict(result.observations)
        assert rewards == result.rewards
        assert {agent: seen["text"] for agent, seen in observations.items()} == {
            agent: seen.text for agent, seen in expected.items()
        }
        assert {agent: info["detail"] for agent, info in infos.items()} == {
            agent: outcome.detail for agent, outcome in result.outcomes.items()
        }


def test_messages_are_not_among_the_actions() -> None:
    env = parallel_env(agents=3)
    observations, infos = env.reset(seed=0)
    for agent in env.agents:
        choices = infos[agent]["choices"]
        assert "[send_message]" in observations[agent]["text"]
        assert choices[0] is None and not any(is_message(choice) for choice in choices)
        assert observations[agent]["action_mask"].sum() == len(choices)


def test_a_masked_action_does_nothing_and_says_so() -> None:
    env = parallel_env(agents=2, max_choices=60)
    env.reset(seed=0)
    *_, infos = env.step({"Agent_1": 60})
    assert not infos["Agent_1"]["ok"] and "no action has this number" in infos["Agent_1"]["detail"]
    assert infos["Agent_2"]["ok"] and infos["Agent_2"]["facts"]["executed"] is None


def test_a_reflex_is_the_only_action_and_happens_whatever_is_chosen() -> None:
    env = from_world(Jumpy)
    observations, infos = env.reset(seed=0)
    right = infos["Ann"]["choices"].index("[right]")
    assert np.flatnonzero(observations["Ann"]["action_mask"]).tolist() == [right]
    *_, infos = env.step({"Ann": 0, "Bob": 0})
    assert (infos["Ann"]["facts"]["place"], infos["Bob"]["facts"]["place"]) == (1, 1)


def test_an_episode_is_truncated_at_the_horizon_and_then_over() -> None:
    env = parallel_env(agents=2, max_steps=2)
    observations, _ = env.reset(seed=0)
    _, _, _, truncations, _ = env.step(sample(env, observations))
    assert truncations == {"Agent_1": False, "Agent_2": False}
    _, _, terminations, truncations, _ = env.step({})
    assert truncations == {"Agent_1": True, "Agent_2": True} and not any(terminations.values())
    assert env.agents == []
    with pytest.raises(WorldError, match="call reset"):
        env.step({})


def test_an_episode_ends_when_the_world_says_so() -> None:
    env = from_world(Corridor, max_steps=100)
    env.reset(seed=0)
    for _ in range(100):
        _, _, terminations, truncations, _ = env.step({"Ann": 2, "Bob": 2})
        if not env.agents:
            break
    assert terminations == {"Ann": True, "Bob": True} and not any(truncations.values())


def test_letters_that_the_space_does_not_have_and_endless_texts_are_cut_to_fit() -> None:
    env = from_world(Chinese)
    observations, _ = env.reset(seed=0)
    assert observations["Ann"]["text"].startswith("?? $PLAN$") and len(observations["Ann"]["text"]) == MAX_TEXT
    assert env.observation_space("Ann").contains(observations["Ann"])
    assert CHARACTERS.isdisjoint("走廊")


def test_more_choices_than_actions_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(WorldError, match="Ann has 2 choices; make the environment with max_choices"):
        from_world(Corridor, max_choices=1).reset(seed=0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"max_steps": 0}, "at least one step"),
        ({"render_mode": "human"}, "unknown render mode 'human'"),
        ({"task": "fly"}, "unknown task 'fly'"),
    ],
)
def test_a_bad_argument_is_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(WorldError, match=words):
        parallel_env(**arguments)


def test_it_renders_the_household_from_above() -> None:
    env = parallel_env(agents=2, render_mode="rgb_array")
    observations, _ = env.reset(seed=0)
    before = env.render()
    assert before is not None and before.dtype == np.uint8 and before.shape[1:] == (960, 3)
    assert len(np.unique(before.reshape(-1, 3), axis=0)) > 100
    for _ in range(5):
        observations, *_ = env.step(sample(env, observations))
    assert not np.array_equal(before, env.render())


def test_a_world_without_a_scene_is_not_rendered() -> None:
    with pytest.raises(WorldError, match="Corridor has no scene"):
        from_world(Corridor, render_mode="rgb_array")
    env = from_world(Corridor)
    env.reset(seed=0)
    assert env.render() is None


def test_pettingzoo_makes_it_by_name() -> None:
    env = pettingzoo.make("parallel", NAME, task="read_book", agents=3)
    assert env.possible_agents == ["Agent_1", "Agent_2", "Agent_3"]


def test_without_the_package_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['pettingzoo'] = None; import housemates.env.pettingzoo"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("ImportError: housemates.env.pettingzoo needs more packages: pip ")


class Jumpy(Corridor):
    """Ann walks on by herself."""

    def observe_one(self, name: str, place: int) -> Observation:
        seen = super().observe_one(name, place)
        return Observation(
            text=seen.text,
            choices=seen.choices,
            key=seen.key,
            info=seen.info,
            reflex="[right]" if name == "Ann" else None,
        )


class Chinese(Corridor):
    """Speaks in other letters, and at length."""

    def observe_one(self, name: str, place: int) -> Observation:
        seen = super().observe_one(name, place)
        text = f"走廊 $PLAN$ {place}" + "。" * MAX_TEXT
        return Observation(text=text, choices=seen.choices, key=seen.key, info=seen.info)
