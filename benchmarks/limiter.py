"""What leave to call costs, and what a storm of agents wastes on a server that takes so many requests a second.

One JSON line. The first part times the gate alone, without any model:

    here_us, here_cpu_us      a call's leave (begin and end) in one process: wall clock over all calls, CPU
    packed_us, packed_cpu_us  the same from `--processes` Ray actors with `--agents` agents each, by one gate actor;
                              CPU of all processes that take part
    dedicated_us, …           the same from `--processes` actors with one agent each
    dedicated_free_us, …      the same under an account that nothing limits; everything above has caps
    …_messages_per_call       2 would be one message to ask and one to tell

The second is the scripted server behind real HTTP, refusing what exceeds `--rate` requests a second, asked
by 32 clients as fast as they are allowed to, after `--warm` seconds of learning:

    waste                     share of the requests that were refused
    goodput                   replies a second / `--rate`
    fairness                  replies of the client with the fewest / the most
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from contextlib import redirect_stdout
from typing import Any

import aiohttp
import ray
from housemates.actors.limiter.actor import RemoteGate
from housemates.actors.limiter.gate import Gate, Granting, News, Terms, Word
from housemates.actors.limiter.limiter import Caps, Outcome
from housemates.actors.limiter.permits import Permits
from housemates.actors.model.chat import ChatModel, Endpoint
from housemates.actors.model.scripted_server import MODEL, scripted_server
from housemates.benchmarks import Row
from housemates.orchestrator.cluster.own import local_ray

CLIENTS = 32
CAPPED = Terms(Caps(requests_per_minute=1e9))
"""Never reached, but every request has to be asked for."""
FREE = Terms()


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class Counting:
    """A gate that counts the messages to it."""

    def __init__(self, gate: Granting) -> None:
        self._gate = gate
        self.messages = 0

    async def exchange(self, news: News) -> Word:
        self.messages += 1
        return await self._gate.exchange(news)


class Asker:
    """A process with agents that ask for leave, hold it for a moment, and give it back."""

    async def ask(self, gate: Granting, terms: Terms, agents: int, calls: int) -> tuple[int, float]:
        """Returns the messages sent and the CPU seconds used."""
        counting, began = Counting(gate), cpu_s()
        permits = Permits(counting.exchange, f"account of {terms}", terms)

        async def one(agent: int) -> None:
            for _ in range(calls):
                number = await permits.begin(f"agent{agent}", 1000, first=True)
                await asyncio.sleep(0.01)
                permits.end(number, Outcome("ok", 900), 800, 100)

        await asyncio.gather(*map(one, range(agents)))
        await asyncio.sleep(0.05)
        await permits.close()
        return counting.messages, cpu_s() - began


async def from_actors(terms: Terms, processes: int, agents: int, calls: int) -> tuple[float, float, float]:
    """(microseconds, CPU microseconds, messages) a call, asked by so many Ray actors."""
    actor: Any = ray.remote(num_cpus=0)(Asker)
    cpu: Any = ray.remote(num_cpus=0)(GateCpu)
    gate = RemoteGate()
    gate.start()
    meter = cpu.remote()
    askers = [actor.remote() for _ in range(processes)]
    await asyncio.gather(*(asker.ask.remote(gate, terms, 1, 1) for asker in askers))  # all is imported
    before, began = await meter.used.remote(), time.perf_counter()
    told = await asyncio.gather(*(asker.ask.remote(gate, terms, agents, calls) for asker in askers))
    wall, after = time.perf_counter() - began, await meter.used.remote()
    number = processes * agents * calls
    for asker in [*askers, meter]:
        ray.kill(asker)
    cpu_of_all = after - before + sum(used for _, used in told)
    return wall / number * 1e6, cpu_of_all / number * 1e6, sum(messages for messages, _ in told) / number


class GateCpu:
    """Looks up what the process of the gate has used; on this machine may be those of other Rays, too."""

    def used(self) -> float:
        import psutil

        ours = psutil.Process(os.getppid()).children(recursive=True)
        return sum(sum(p.cpu_times()[:2]) for p in ours if p.name().startswith("ray::Gate"))


async def storm(rate: float, warm_s: float, seconds: float) -> dict[str, float]:
    gate, served = Gate(), Counter[int]()
    with scripted_server(0.3, faults=f"rate={rate:g},retry-after=1") as server:
        endpoint = Endpoint(base_url=server.url, model=MODEL)
        models = [
            ChatModel(endpoint, max_attempts=1000, permits=Permits(gate.exchange, endpoint.account))
            for _ in range(CLIENTS)
        ]

        async def keep_asking(number: int) -> None:
            while True:
                messages = [{"role": "user", "content": f"{number} {served[number]}"}]
                await models[number].complete(messages, schema=None, max_tokens=9, deadline_s=300)
                served[number] += 1

        async def refused() -> tuple[int, int]:
            async with aiohttp.ClientSession() as session, session.get(f"{server.url}/tally") as response:
                tally = await response.json()
            return tally["requests"], tally["met"].get("429", 0)

        asking = [asyncio.create_task(keep_asking(number)) for number in range(CLIENTS)]
        await asyncio.sleep(warm_s)
        before = await refused()
        earlier = served.copy()
        await asyncio.sleep(seconds)
        after = await refused()
        met = [served[number] - earlier[number] for number in range(CLIENTS)]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        for model in models:
            await model.close()
    return {
        "waste": round((after[1] - before[1]) / (after[0] - before[0]), 4),
        "goodput": round(sum(met) / seconds / rate, 4),
        "fairness": round(min(met) / max(met), 3),
    }


def rows() -> list[Row]:
    options = parser().parse_args(["--processes", "2", "--calls", "20"])
    found = leave(options)
    here, packed = found["here_cpu_us"], found["packed_cpu_us"]
    capped, free = found["dedicated_cpu_us"], found["dedicated_free_cpu_us"]
    actors = f"{options.processes} actors of"
    return [
        Row("leave for a call, one process, CPU", here, "µs"),
        Row(f"the same, {actors} {options.agents} agents", packed, "µs", packed / here, "one process"),
        Row(f"the same, {actors} one agent, capped", capped, "µs"),
        Row(f"the same, {actors} one agent, nothing limited", free, "µs", free / capped, "capped"),
    ]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--agents", type=int, default=64, help="of a packed process")
    parser.add_argument("--calls", type=int, default=50, help="of each agent")
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--warm", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=60.0, help="of the storm that are measured")
    return parser


def leave(options: argparse.Namespace) -> dict[str, float]:
    """The first part: what leave costs."""
    number = options.agents * options.calls
    began = time.perf_counter()
    _, used = asyncio.run(Asker().ask(Gate(), CAPPED, options.agents, options.calls))
    result = {"here_us": (time.perf_counter() - began) / number * 1e6, "here_cpu_us": used / number * 1e6}
    with local_ray():
        for name, terms, agents in (
            ("packed", CAPPED, options.agents),
            ("dedicated", CAPPED, 1),
            ("dedicated_free", FREE, 1),
        ):
            wall, cpu, messages = asyncio.run(from_actors(terms, options.processes, agents, options.calls))
            result |= {f"{name}_us": wall, f"{name}_cpu_us": cpu, f"{name}_messages_per_call": messages}
    return {name: round(value, 2) for name, value in result.items()}


def main() -> None:
    options = parser().parse_args()
    result: dict[str, Any] = {"cores": os.cpu_count(), "processes": options.processes, "agents": options.agents}
    with redirect_stdout(sys.stderr):
        result |= leave(options)
        result |= asyncio.run(storm(options.rate, options.warm, options.seconds))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
