"""Memory of a packed agent after a hundred learning steps, resident memory before and after over the agents.

Within a process in which other agents have learned as long before, so that everything is imported and has been used,
and the garbage that Python has not looked for yet is there already: what one more agent takes. Prints one JSON line;
packed_agent_kb is the figure.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import dataclasses
import gc
import json
import subprocess
import sys
from typing import Any

import psutil
from housemates.actors.agent import AgentSpec
from housemates.actors.host import AgentHost
from housemates.actors.model.chat import Endpoint
from housemates.actors.turn import Ask
from housemates.benchmarks import Row, as_program
from housemates.benchmarks.parts.crowd import seen
from housemates.benchmarks.parts.stub_model import stub_model

BEFORE, AGENTS = 25, 100
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


async def packed_agent_kb(agents: int, steps: int) -> float:
    with stub_model(0.0) as (url, _):
        endpoint = Endpoint(base_url=url, model="stub")
        first = AgentHost([AgentSpec(name=f"Agent_{number}") for number in range(BEFORE)], endpoint)
        await live(first, BEFORE, steps)
        before = resident()
        host = AgentHost([AgentSpec(name=f"Agent_{number}") for number in range(agents)], endpoint)
        await live(host, agents, steps)
        each = (resident() - before) / agents
        await host.close()
        await first.close()
    return round(each / 1024, 1)


def of_a_new_process() -> dict[str, Any]:
    """What this program prints. A process that has done other things has room to spare, which would not be seen."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "housemates.benchmarks.memory"], stdout=subprocess.PIPE, check=True
    )
    return json.loads(done.stdout)


def rows() -> list[Row]:
    found = of_a_new_process()["packed_agent_kb"]
    return [Row(f"memory of a packed agent after {STEPS} learning steps", found, "KB")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=AGENTS)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    found = asyncio.run(packed_agent_kb(options.agents, options.steps))
    print(json.dumps({"agents": options.agents, "learning_steps": options.steps, "packed_agent_kb": found}))


if __name__ == "__main__":
    as_program(main)
