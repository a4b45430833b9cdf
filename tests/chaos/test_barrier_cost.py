"""T8: what a step costs beyond Ray's own messages, with agents and a world that do nothing."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Any

import psutil
import pytest
import ray
from housemates.actors import actor as actor_module
from housemates.actors.agent import AgentSpec
from housemates.actors.host import AgentHost
from housemates.actors.hosts import AgentHosts
from housemates.actors.model.chat import Endpoint
from housemates.actors.turn import Answer, Ask, Turn
from housemates.env.world import Observation, Outcome, StepResult, World
from housemates.orchestrator.runtime import RayRuntime

from .conftest import LONG
from .episodes import play
from .table import Tell

pytestmark = [pytest.mark.chaos, pytest.mark.ray, pytest.mark.slow]
SIZES = (2, 8, 32, 128) if LONG else (2, 8)
STEPS = 40
BYTES_EACH = 120 * 2**20
"""What a process of an agent takes. A size for which that is not there is left out, and the figure says so."""


class IdleHost(AgentHost):
    """Answers at once."""

    async def turn(self, ask: Ask) -> Answer:
        state = b"x" * 500
        turn = Turn(action="[wait]", how="exact")
        return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, turn=turn, state=state)


class IdleHosts(AgentHosts):
    """Of such."""

    def _host(self, *arguments: Any) -> AgentHost:
        return IdleHost(*arguments)


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


def in_ms(taken: list[float]) -> str:
    """The median and the 95th percentile."""
    return f"{1000 * statistics.median(taken):.1f} / {1000 * statistics.quantiles(taken, n=20)[-1]:.1f} ms"


@pytest.mark.usefixtures("ray_here")
def test_a_step_costs_at_most_twice_its_messages_and_grows_with_the_agents_no_faster_than_they_do(
    monkeypatch: pytest.MonkeyPatch, record_property: Tell
) -> None:
    """Each agent in a process of its own. Of several rounds the quietest counts: the machine has other things to do."""
    monkeypatch.setattr(actor_module, "AgentActor", ray.remote(max_restarts=0, max_concurrency=100)(IdleHosts))
    costs: dict[int, tuple[float, float]] = {}
    figures = ["p50 / p95"]
    for number in SIZES:
        if psutil.virtual_memory().available < number * BYTES_EACH:
            figures.append(f"{number} agents do not fit into the memory")
            continue
        rounds = range(3 if number <= 8 else 1)
        plain, whole = (
            min((asyncio.run(kind(number)) for _ in rounds), key=statistics.median) for kind in (bare, ours)
        )
        figures.append(f"{number} agents {in_ms(whole)}, Ray alone {in_ms(plain)}")
        costs[number] = statistics.median(whole), statistics.median(plain)
    record_property("figure", "; ".join(figures))
    assert all(whole <= 2 * plain for whole, plain in costs.values())
    first, *_, last = costs
    assert costs[last][0] / last <= 2 * costs[first][0] / first, "linear, but for noise"
