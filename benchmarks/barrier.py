"""What a synchronous step costs beyond the agents' model calls, against the tutorial's sequential loop.

Every agent learns and acts in every step (two calls of the scripted model over real HTTP, each taking
`--latency` seconds), so a perfect barrier takes as long as the slowest agent's two calls. One JSON line:

    step_s             median duration of a step
    critical_path_s    median over the steps of the largest sum of model-call seconds of one agent
    efficiency         median of critical path / step
    efficiency_nominal latency of the two calls / step_s
    sequential_step_s  median step of the loop in which agents take their turns one after another, as in the
                       Trace tutorial: plain `opto`, one process, stock OptoPrime; measured in the same run
    speedup            sequential_step_s / step_s

The first step is left out of the medians: there is nothing to learn from in it.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import functools
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, redirect_stdout
from typing import Any

import openai
from housemates.actors.agent import AgentSpec
from housemates.actors.model.chat import Endpoint
from housemates.actors.model.scripted_server import scripted_server
from housemates.actors.optimizer import OptoPrime
from housemates.benchmarks import Row
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import Observation, StepResult, World
from housemates.orchestrator.barrier import Barrier
from housemates.orchestrator.cluster.own import local_ray
from housemates.orchestrator.episode import Episode
from housemates.orchestrator.runtime import InlineRuntime, RayRuntime
from opto import trace


class RestlessWorld(World):
    """The household, except that everybody has a new reason to think in every step, and that it never ends."""

    def __init__(self, agents: int) -> None:
        self._household = HouseholdWorld("put_dishwasher", agents)
        self._steps = 0

    @property
    def agents(self) -> Any:
        return self._household.agents

    def reset(self, seed: int) -> dict[str, Observation]:
        return self._restless(self._household.reset(seed))

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        self._steps += 1
        if self._steps % 10 == 0:  # long before anyone could finish the task
            observations = self._household.reset(self._steps)
            result = StepResult(
                observations=observations,
                rewards=dict.fromkeys(self.agents, 0.0),
                outcomes=self._household.step({}).outcomes,
            )
        else:
            result = self._household.step(actions)
        return dataclasses.replace(result, observations=self._restless(result.observations), done=False, success=False)

    def snapshot(self) -> bytes:
        return self._household.snapshot()

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        return self._restless(self._household.restore(snapshot))

    def _restless(self, observations: Mapping[str, Observation]) -> dict[str, Observation]:
        return {
            agent: dataclasses.replace(o, key=f"{o.key} {self._steps}", reflex=None)
            for agent, o in observations.items()
        }


async def concurrent_steps(options: argparse.Namespace, endpoint: Endpoint) -> list[tuple[float, float]]:
    """(step seconds, critical path seconds) of each step but the first, and the seconds of start-up on stderr."""
    specs = [AgentSpec(name=f"Agent_{i}") for i in range(1, options.agents + 1)]
    arguments: dict[str, Any] = {"call_deadline_s": 600.0}
    began = time.perf_counter()
    runtime: InlineRuntime | RayRuntime
    if options.runtime == "inline":
        runtime = InlineRuntime(specs, endpoint, RestlessWorld, {"agents": options.agents}, **arguments)
    else:
        arguments["agents_per_actor"] = options.agents_per_actor
        runtime = RayRuntime(specs, endpoint, RestlessWorld, {"agents": options.agents}, **arguments)
    steps: list[tuple[float, float]] = []

    def commit(record: Mapping[str, Any]) -> None:
        if record["kind"] == "step" and record["step"] > 0:
            turns = [part["turn"] for part in record["agents"].values()]
            if any(len(turn["calls"]) != 2 or turn["error"] for turn in turns):
                raise RuntimeError("an agent did not learn and act")
            steps.append((record["step_s"], max(sum(c["seconds"] for c in turn["calls"]) for turn in turns)))

    try:
        await runtime.start()
        print(f"start-up {time.perf_counter() - began:.1f} s", file=sys.stderr)
        barrier = Barrier([spec.name for spec in specs], options.steps + 1, 600.0)
        await Episode(barrier, runtime, 0, commit).run({"kind": "begin"})
    finally:
        await runtime.close()
    return steps


class Tutorial:
    """What the traced functions of the sequential loop reach: the model, and the world's next answer."""

    model: Callable[..., Any]
    following = ""


@trace.model
class TutorialAgent:
    def __init__(self) -> None:
        self.plan = trace.node("", trainable=True, description="The current plan of the agent.")

    def __call__(self, observation: Any) -> Any:
        return tutorial_act(observation.replace("$PLAN$", self.plan))


@trace.bundle()
def tutorial_act(prompt: str) -> str:
    """Call the model to produce the next action."""
    reply = Tutorial.model(messages=[{"role": "user", "content": prompt}])
    return str(json.loads(reply.choices[0].message.content)["action"])


@trace.bundle()
def tutorial_step(action: str) -> str:
    """Act in the world and return the next observation."""
    return Tutorial.following


def sequential_steps(agents: int, endpoint: Endpoint, steps: int) -> list[float]:
    """The tutorial's loop: each agent calls its model and learns, then the next one.

    Returns the seconds of each step but the first. The one thing changed is that the next observation enters
    as a new node instead of a detached one, which would copy the whole history every step.
    """
    client = openai.OpenAI(base_url=endpoint.base_url, api_key="none", max_retries=0)
    Tutorial.model = functools.partial(client.chat.completions.create, model=endpoint.model)
    world = RestlessWorld(agents)
    observations = {name: trace.node(o.text) for name, o in world.reset(0).items()}
    minds = {name: TutorialAgent() for name in world.agents}
    optimizers = {name: OptoPrime([mind.plan], llm=Tutorial.model, log=False) for name, mind in minds.items()}
    durations: list[float] = []
    for _ in range(steps + 1):
        began = time.perf_counter()
        actions = {name: mind(observations[name]) for name, mind in minds.items()}
        result = world.step({name: action.data for name, action in actions.items()})
        for name, optimizer in optimizers.items():
            Tutorial.following = result.observations[name].text
            optimizer.zero_feedback()
            optimizer.backward(tutorial_step(actions[name]), "Task Return: 0.0")
            optimizer.step(verbose=False)
            observations[name] = trace.node(result.observations[name].text)
        durations.append(time.perf_counter() - began)
    return durations[1:]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=16)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds of each model call")
    parser.add_argument("--steps", type=int, default=10, help="measured steps")
    parser.add_argument("--agents-per-actor", type=int, default=1)
    parser.add_argument("--runtime", choices=["ray", "inline"], default="ray")
    parser.add_argument("--sequential-steps", type=int, default=1, help="measured steps of the sequential loop")
    return parser


def rows() -> list[Row]:
    options = parser().parse_args(["--latency", "0.25", "--steps", "5"])
    found = measure(options)
    what = f"{options.agents} agents, a process each, two model calls of {options.latency} s each"
    loop = "as fast as the tutorial's loop"
    return [
        Row(f"step of {what}", found["step_s"], "s", found["speedup"], loop),
        Row("efficiency: slowest agent's calls / step", found["efficiency"], ""),
    ]


def measure(options: argparse.Namespace) -> dict[str, Any]:
    cluster = local_ray() if options.runtime == "ray" else nullcontext()
    # Ray prints warnings to stdout, where nothing but the result belongs.
    with redirect_stdout(sys.stderr), scripted_server(options.latency) as server, cluster:
        endpoint = Endpoint(base_url=server.url, model="scripted")
        steps = asyncio.run(concurrent_steps(options, endpoint))
        sequential = sequential_steps(options.agents, endpoint, options.sequential_steps)
    step_s = statistics.median(step for step, _ in steps)
    sequential_step_s = statistics.median(sequential)
    return {
        "agents": options.agents,
        "agents_per_actor": options.agents_per_actor,
        "runtime": options.runtime,
        "latency_s": options.latency,
        "steps": len(steps),
        "cores": os.cpu_count(),
        "step_s": round(step_s, 4),
        "critical_path_s": round(statistics.median(path for _, path in steps), 4),
        "efficiency": round(statistics.median(path / step for step, path in steps), 4),
        "efficiency_nominal": round(2 * options.latency / step_s, 4),
        "sequential_step_s": round(sequential_step_s, 3),
        "speedup": round(sequential_step_s / step_s, 2),
    }


def main() -> None:
    print(json.dumps(measure(parser().parse_args())))


if __name__ == "__main__":
    main()
