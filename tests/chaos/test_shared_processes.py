"""Households whose agents share a process: what one of them does to it costs the others a try, not their run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from housemates.actors import actor as actor_module
from housemates.actors.model.chat import Endpoint
from housemates.orchestrator.cluster.processes import agent_processes
from housemates.orchestrator.config import RunConfig, make_config
from housemates.orchestrator.playing import Shared, agent_specs, make_runtime

from .episodes import SETTINGS, Played, play, play_household
from .faults import Fault, FaultyActor, marks

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.slow, pytest.mark.usefixtures("ray_here")]
STEPS = 6
HIT = 3
"""The step in which something happens."""


def play_together(endpoint: Endpoint, *configs: RunConfig) -> list[Played]:
    """Episodes whose agents all live in one process, in the beginning."""
    (process,) = agent_processes(1)

    async def one(config: RunConfig) -> Played:
        specs = agent_specs(config)
        runtime = make_runtime(config, specs, endpoint, Path(), shared=Shared(agents=process))
        names = [spec.name for spec in specs]
        deadline_s = config.step_deadline_s
        return await play(runtime, names, seed=config.seed, steps=config.steps, deadline_s=deadline_s)

    async def everybody() -> list[Played]:
        return await asyncio.gather(*map(one, configs))

    return asyncio.run(everybody())


def config_of(**settings: Any) -> RunConfig:
    return make_config(**SETTINGS | {"runtime": "ray", "steps": STEPS} | settings)


def test_a_process_that_is_killed_comes_back_with_all_its_households(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor_module, "AgentActor", FaultyActor(tmp_path, Fault("Agent_3", "before", HIT)))
    played = play_together(endpoint, config_of(agents=3), config_of(agents=2), config_of(agents=2, seed=9))
    assert marks(tmp_path, f"struck-Agent_3-before-{HIT}") == 1
    alone = [{"agents": 3}, {"agents": 2}, {"agents": 2, "seed": 9}]
    assert [one.digest for one in played] == [
        play_household(endpoint, runtime="inline", steps=STEPS, **settings).digest for settings in alone
    ]


def test_an_agent_that_always_dies_ends_up_without_the_other_households(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actor_module, "AgentActor", FaultyActor(tmp_path, Fault("Agent_3", "before", None, times=1000)))
    deadly, other = play_together(endpoint, config_of(agents=3), config_of(agents=2))
    assert deadly.verdicts("Agent_3") == ["failed", *["quarantined"] * (STEPS - 1)]
    assert {*deadly.verdicts("Agent_1"), *deadly.verdicts("Agent_2")} <= {"ok", "invalid"}
    assert other.digest == play_household(endpoint, runtime="inline", steps=STEPS, agents=2).digest


def test_an_agent_that_holds_the_process_up_costs_the_other_households_one_step(
    tmp_path: Path, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = Fault("Agent_3", "hang", None, times=2)
    monkeypatch.setattr(actor_module, "AgentActor", FaultyActor(tmp_path, fault))
    held_up, other = play_together(
        endpoint, config_of(agents=3, step_deadline_s=20), config_of(agents=2, step_deadline_s=20)
    )
    assert marks(tmp_path, "struck-Agent_3-hang-None") == 2
    assert held_up.verdicts("Agent_3")[:2] == ["late", "late"]
    assert other.end.error == ""
    for agent in ("Agent_1", "Agent_2"):
        assert other.verdicts(agent).count("late") <= 1
