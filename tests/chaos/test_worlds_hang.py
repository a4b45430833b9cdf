"""A world that hangs is made again from what is committed, by another process."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest
from housemates.actors.model.chat import Endpoint
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import Observation, StepResult
from housemates.orchestrator.cluster.processes import world_processes
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import WorldLost
from housemates.orchestrator.playing import agent_specs
from housemates.orchestrator.runtime import RayRuntime

from .episodes import SETTINGS, play, play_household
from .faults import mark, marks

pytestmark = [pytest.mark.chaos, pytest.mark.ray]
STEPS = 6
DEADLINE_S = 5.0


class StuckWorld(HouseholdWorld):
    """Holds its process up in its fourth step, so and so often."""

    def __init__(self, marks: str, times: int, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._marks, self._times, self._steps = Path(marks), times, 0

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        self._steps += 1
        if self._steps == 4 and marks(self._marks, "stuck") < self._times:
            mark(self._marks, "stuck")
            time.sleep(600)
        return super().step(actions)


class DeadlyWorld(HouseholdWorld):
    """Kills its process when it is to take a step, and whenever it is made again after that."""

    def __init__(self, marks: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._marks = Path(marks)

    def reset(self, seed: int) -> dict[str, Observation]:
        return self._die() if marks(self._marks, "died") else super().reset(seed)

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        return self._die()

    def _die(self) -> NoReturn:
        mark(self._marks, "died")
        os._exit(1)


def runtime(endpoint: Endpoint, folder: Path, times: int, deadline_s: float) -> RayRuntime:
    config = make_config(**SETTINGS)
    arguments = {"task": config.task, "agents": config.agents, "marks": str(folder), "times": times}
    more: dict[str, Any] = {"agents_per_actor": config.agents, "call_deadline_s": 60, "world_deadline_s": deadline_s}
    return RayRuntime(agent_specs(config), endpoint, StuckWorld, arguments, **more)


@pytest.mark.usefixtures("ray_here")
def test_a_world_that_hangs_is_made_again_and_the_trajectory_is_the_same(tmp_path: Path, endpoint: Endpoint) -> None:
    config = make_config(**SETTINGS)
    stuck = runtime(endpoint, tmp_path, 1, DEADLINE_S)
    played = asyncio.run(play(stuck, config.names, seed=config.seed, steps=STEPS))
    assert marks(tmp_path, "stuck") == 1
    assert played.digest == play_household(endpoint, runtime="inline", steps=STEPS).digest


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_a_world_that_hangs_again_and_again_ends_the_episode_in_one_line(tmp_path: Path, endpoint: Endpoint) -> None:
    config = make_config(**SETTINGS)
    stuck = runtime(endpoint, tmp_path, 100, DEADLINE_S)
    with pytest.raises(WorldLost, match="the world has not answered for 5 s"):
        asyncio.run(play(stuck, config.names, seed=config.seed, steps=STEPS))
    assert marks(tmp_path, "stuck") == 4, "it was made again three times"


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
def test_a_world_that_kills_its_process_each_time_does_not_end_the_others_in_it(
    tmp_path: Path, endpoint: Endpoint
) -> None:
    config = make_config(**SETTINGS)
    (shared,) = world_processes(1)

    def sharing(world: type[HouseholdWorld], **more_arguments: Any) -> RayRuntime:
        arguments = {"task": config.task, "agents": config.agents, **more_arguments}
        more: dict[str, Any] = {"agents_per_actor": config.agents, "call_deadline_s": 60, "worlds": shared}
        return RayRuntime(agent_specs(config), endpoint, world, arguments, **more)

    async def both() -> list[Any]:
        runtimes = [sharing(DeadlyWorld, marks=str(tmp_path)), sharing(HouseholdWorld)]
        episodes = [play(runtime, config.names, seed=config.seed, steps=STEPS) for runtime in runtimes]
        return await asyncio.gather(*episodes, return_exceptions=True)

    deadly, played = asyncio.run(both())
    assert isinstance(deadly, WorldLost) and marks(tmp_path, "died") == 4
    assert played.digest == play_household(endpoint, runtime="inline", steps=STEPS).digest
