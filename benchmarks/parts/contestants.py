"""What `scale` compares with: the bare client, and the design one would write first."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from housemates.actors.agent import AgentSpec
from housemates.actors.model.chat import ChatModel, Endpoint, Reply
from housemates.actors.model.dialect import Dialect, Request
from housemates.actors.react_agent import ReActAgent
from housemates.benchmarks.parts.crowd import CrowdWorld

Body = dict[str, Any]


class _Listening(ChatModel):
    """Keeps what it is asked instead of asking."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self.heard: list[Body] = []

    async def complete(
        self, messages: list[dict[str, str]], *, deadline_s: float | None = None, caller: str = "", **request: Any
    ) -> Reply:
        self.heard.append(Dialect().body(self.endpoint.model, Request(messages=messages, **request)))
        return Reply(text="", prompt_tokens=0, completion_tokens=0, seconds=0.0, attempts=1, finish_reason="stop")


async def bodies(agents: int, endpoint: Endpoint) -> list[Body]:
    """What so many react agents ask in their first step, heard from themselves."""
    model = _Listening(endpoint)
    for name, observation in CrowdWorld(agents).reset(0).items():
        await ReActAgent(AgentSpec(name=name, method="react"), model).turn(0, observation, "")
    return model.heard


def bare_steps(requests: Sequence[Body], steps: int, endpoint: Endpoint) -> tuple[float, float]:
    """Seconds of a step, and CPU milliseconds of a call, of the bare client in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("bare_client.py")), str(steps), endpoint.base_url]
    lines = "".join(json.dumps(body) + "\n" for body in requests)
    done = subprocess.run(command, check=True, input=lines, stdout=subprocess.PIPE, text=True)
    step_s, cpu_ms = json.loads(done.stdout)
    return step_s, cpu_ms


class NaiveAgent:
    """One agent as a synchronous Ray actor with a client of its own."""

    def __init__(self, url: str) -> None:
        import openai

        self._client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)

    def act(self, body: Body) -> str:
        completion = self._client.chat.completions.create(**body)
        return str(json.loads(completion.choices[0].message.content or "")["action"])


def naive_steps(
    requests: Sequence[Body], steps: int, endpoint: Endpoint, cpu_s: Callable[[], float]
) -> tuple[float, float, float]:
    """Seconds of a step, CPU milliseconds of a decision, and seconds until all actors have answered once."""
    import ray

    actor: Any = ray.remote(num_cpus=0)(NaiveAgent)
    began = time.perf_counter()
    actors = [actor.remote(endpoint.base_url) for _ in requests]
    try:
        ray.get([one.act.remote(body) for one, body in zip(actors, requests, strict=True)])
        start_s, cpu = time.perf_counter() - began, cpu_s()
        durations: list[float] = []
        for _ in range(steps):
            step_began = time.perf_counter()
            ray.get([one.act.remote(body) for one, body in zip(actors, requests, strict=True)])
            durations.append(time.perf_counter() - step_began)
        used = cpu_s() - cpu
    finally:
        for one in actors:
            ray.kill(one)
    return statistics.median(durations), used / steps / len(requests) * 1e3, start_s
