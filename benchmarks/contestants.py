"""What `scale.py` compares with: the bare client, and the design one would write first.

python benchmarks/contestants.py AGENTS STEPS URL MODEL     the bare client, in a process of its own
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from crowd import seen
from housemates.actors.agent import AgentSpec, ReplyLimits
from housemates.actors.language_agent import INSTRUCTION
from housemates.actors.model.chat import Endpoint
from housemates.actors.model.dialect import Dialect, Request
from housemates.actors.reply import action_schema
from housemates.env.world import PLAN_TOKEN


def bodies(agents: int, model: str) -> list[dict[str, Any]]:
    """The requests of one step of so many react agents, as ours send them."""
    limits, observations = ReplyLimits(), seen()
    made: list[dict[str, Any]] = []
    for number in range(agents):
        observation = observations[number % len(observations)]
        prompt = "\n".join(line for line in observation.text.split("\n") if PLAN_TOKEN not in line)
        request = Request(
            messages=[{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": prompt}],
            schema=action_schema(observation.choices, limits),
            max_tokens=limits.act_tokens,
            seed=AgentSpec(name=f"Agent_{number}").request_seed(0, "act"),
            temperature=0.0,
        )
        made.append(Dialect().body(model, request))
    return made


def bare_steps(agents: int, steps: int, endpoint: Endpoint) -> tuple[float, float]:
    """Seconds of a step, and CPU milliseconds of a call, of AsyncOpenAI with aiohttp and nothing around it."""
    command = [sys.executable, __file__, str(agents), str(steps), endpoint.base_url, endpoint.model]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    step_s, cpu_ms = json.loads(done.stdout)
    return step_s, cpu_ms


async def _bare(agents: int, steps: int, url: str, model: str) -> tuple[float, float]:
    from openai import DEFAULT_CONNECTION_LIMITS, AsyncOpenAI, DefaultAioHttpClient

    limits = type(DEFAULT_CONNECTION_LIMITS)(max_connections=agents, max_keepalive_connections=agents)
    http_client = DefaultAioHttpClient(limits=limits)
    client = AsyncOpenAI(base_url=url, api_key="none", max_retries=0, timeout=600, http_client=http_client)
    requests = bodies(agents, model)

    async def decide(body: dict[str, Any]) -> str:
        completion = await client.chat.completions.create(**body)
        return str(json.loads(completion.choices[0].message.content or "")["action"])

    durations: list[float] = []
    used = 0.0
    for step in range(steps + 1):  # the first opens the connections
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*map(decide, requests))
        durations.append(time.perf_counter() - began)
        used += time.process_time() - cpu if step else 0.0
    await client.close()
    return statistics.median(durations[1:]), used / steps / agents * 1e3


class NaiveAgent:
    """One agent as a synchronous Ray actor with a client of its own."""

    def __init__(self, url: str) -> None:
        import openai

        self._client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)

    def act(self, body: dict[str, Any]) -> str:
        completion = self._client.chat.completions.create(**body)
        return str(json.loads(completion.choices[0].message.content or "")["action"])


def naive_steps(agents: int, steps: int, endpoint: Endpoint, cpu_s: Callable[[], float]) -> tuple[float, float, float]:
    """Seconds of a step, CPU milliseconds of a decision, and seconds of start-up (without Ray's)."""
    import ray

    actor: Any = ray.remote(num_cpus=0)(NaiveAgent)
    requests = bodies(agents, endpoint.model)
    began = time.perf_counter()
    actors = [actor.remote(endpoint.base_url) for _ in range(agents)]
    ray.get([one.act.remote(body) for one, body in zip(actors, requests, strict=True)])
    start_s, cpu = time.perf_counter() - began, cpu_s()
    durations: list[float] = []
    for _ in range(steps):
        step_began = time.perf_counter()
        ray.get([one.act.remote(body) for one, body in zip(actors, requests, strict=True)])
        durations.append(time.perf_counter() - step_began)
    used = cpu_s() - cpu
    for one in actors:
        ray.kill(one)
    return statistics.median(durations), used / steps / agents * 1e3, start_s


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_bare(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))))
