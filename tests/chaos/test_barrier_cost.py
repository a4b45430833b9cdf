"""T8: what a step costs beyond Ray's own messages, with agents and a world that do nothing."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import pytest
import ray
from housemates.actors import actor as actor_module
from housemates.actors.agent import AgentSpec
from housemates.actors.host import AgentHost
from housemates.actors.model.chat import Endpoint
from housemates.actors.turn import Answer, Ask, Turn
from housemates.env.world import Observation, Outcome, StepResult, World
from housemates.orchestrator.runtime import RayRuntime

from .conftest import LONG
from .episodes import play
from .table import Tell

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.slow]
SIZES = (2, 8, 32) if LONG else (2, 8)
STEPS = 40


class IdleHost(AgentHost):
    """Answers at once."""

    async def turn(self, ask: Ask) -> Answer:
        state = b"x" * 500
        turn = Turn(action="[wait]", how="exact")
        return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, turn=turn, state=state)


class IdleWorld(World):
    """Nothing ever happens."""

    def __init__(self, number: int) -> None:
        self.names = [f"Agent_{n}" for n in range(number)]

    @property
    def agents(self) -> list[str]:
        return self.names

    def reset(self, seed: int) -> dict[str, Observation]:
        return {name: Observation(text="x" * 2000, choices=("[wait]",), key="k") for name in self.names}

    def step(self, actions: Any) -> StepResult:
        ok = dict.fromkeys(self.names, Outcome(ok=True))
        return StepResult(observations=self.reset(0), rewards=dict.fromkeys(self.names, 0.0), outcomes=ok)

    def snapshot(self) -> bytes:
        raise NotImplementedError

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        raise NotImplementedError


class Echo:
    def say(self, what: bytes) -> bytes:
        return what


async def bare(number: int) -> list[float]:
    """Seconds of steps in which Ray alone carries a message to each of so many actors, and then one to another."""
    made: Any = ray.remote(Echo)
    *agents, world = [made.options(num_cpus=0).remote() for _ in range(number + 1)]
    taken: list[float] = []
    for _ in range(STEPS):
        began = time.perf_counter()
        await asyncio.gather(*(agent.say.remote(b"x" * 2000) for agent in agents))
        await world.say.remote(b"x" * 2000 * number)
        taken.append(time.perf_counter() - began)
    for actor in (*agents, world):
        ray.kill(actor)
    return taken[5:]


async def ours(number: int) -> list[float]:
    names = [f"Agent_{n}" for n in range(number)]
    nowhere = Endpoint(base_url="http://127.0.0.1:9/v1", model="none")
    more: dict[str, Any] = {"agents_per_actor": 1, "call_deadline_s": 60.0}
    runtime = RayRuntime([AgentSpec(name=name) for name in names], nowhere, IdleWorld, {"number": number}, **more)
    played = await play(runtime, names, seed=0, steps=STEPS)
    return [record["step_s"] for record in played.steps()][5:]


@pytest.mark.usefixtures("ray_here")
def test_a_step_costs_little_more_than_its_messages(monkeypatch: pytest.MonkeyPatch, record_property: Tell) -> None:
    monkeypatch.setattr(actor_module, "AgentActor", ray.remote(max_restarts=0, max_concurrency=100)(IdleHost))
    figures: list[str] = []
    for number in SIZES:
        plain, whole = (statistics.median(asyncio.run(kind(number))) for kind in (bare, ours))
        figures.append(f"{number} agents {1000 * whole:.1f} ms, Ray alone {1000 * plain:.1f} ms")
        assert whole < 20 * plain, "of another order"
    record_property("figure", "; ".join(figures))
