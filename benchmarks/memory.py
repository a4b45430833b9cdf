"""Memory of a packed agent after a hundred learning steps: python benchmarks/memory.py URL, of a quick stub model."""

from __future__ import annotations

import asyncio
import ctypes
import dataclasses
import gc
import json
import sys

import psutil
from crowd import seen
from housemates.actors.agent import AgentSpec
from housemates.actors.host import AgentHost
from housemates.actors.model.chat import Endpoint
from housemates.actors.turn import Ask

AGENTS = 25
STEPS = 100


def resident() -> int:
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what is free belongs to nobody
    return psutil.Process().memory_info().rss


async def live(host: AgentHost, agents: int, steps: int) -> None:
    """Have the agents take so many turns."""
    observations = seen()

    async def turn(agent: str, step: int) -> None:
        observation = dataclasses.replace(observations[step % len(observations)], key=str(step))
        feedback = "Task Return: 0.0"
        answer = await host.turn(
            Ask(agent=agent, step=step, attempt=1, version=step, observation=observation, feedback=feedback)
        )
        if answer.turn is None or (step and answer.turn.update is None):
            raise RuntimeError(f"{agent} did not learn: {answer.failure}")

    for step in range(steps + 1):
        await asyncio.gather(*(turn(f"Agent_{number}", step) for number in range(agents)))


async def main() -> None:
    endpoint = Endpoint(base_url=sys.argv[1], model="stub")
    first = AgentHost([AgentSpec(name="Agent_0")], endpoint)
    await live(first, 1, 10)  # everything is imported, and has been used
    before = resident()
    host = AgentHost([AgentSpec(name=f"Agent_{number}") for number in range(AGENTS)], endpoint)
    await live(host, AGENTS, STEPS)
    each = (resident() - before) / AGENTS
    await host.close()
    await first.close()
    print(json.dumps({"agents": AGENTS, "learning_steps": STEPS, "packed_agent_kb": round(each / 1024, 1)}))


if __name__ == "__main__":
    asyncio.run(main())
