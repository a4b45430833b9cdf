"""What the VirtualHome protocol costs: our server's throughput, a step through it, and recovery from faults.

One JSON line:

    requests_per_s     per action, one client, one request after the other over one connection
    server_cpu_ms      processor time of the server per request, which other load on the machine changes less
    embedded_step_ms   median joint step of two people in the embedded engine, with the scene read as a dict
    step_cpu_ms        processor time of a step through a process, client and server
    process_step_ms    the same through a simulator process: script, report, scene read back and compared
    overhead_ms        the difference
    recovery_s         per fault, the duration of the step it struck: noticing, restart, scene restored, step done.
                       Hangs are noticed after `--deadline` seconds, which are in it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import psutil
from housemates.benchmarks import Row
from housemates.env.household import homes
from housemates.env.household.engine.engine import Engine, Primitive
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.virtualhome.client import Deadlines, SimulatorClient
from housemates.env.virtualhome.process import SimulatorProcess
from housemates.env.virtualhome.remote import RemoteSimulators
from housemates.env.virtualhome.session import SimulatorSession
from housemates.orchestrator.commands.serve import write_executable

FAULTS = ("crash before", "crash after", "hang before", "garbage", "status 408", "status 500", "half an answer", "leak")
FAULTY = Path(__file__).parent.parent / "tests" / "wire" / "faulty_simulator.py"
FAULT_STEP = 5
LEAK_LIMIT_BYTES = 200 * 2**20


def household() -> SceneGraph:
    graph = homes.build_home("0", 11, Random("bench")).graph
    for number in (1, 2):
        homes.add_character(graph, Random(number), number, graph.rooms[0])
    return graph


def plans(graph: SceneGraph, steps: int) -> list[dict[int, Primitive]]:
    """Two people walk from room to room, so that every step changes something."""
    rooms, people = graph.rooms, graph.characters
    return [{who: Primitive("walktowards", rooms[(n // 8 + who) % len(rooms)]) for who in people} for n in range(steps)]


def cpu_s(pid: int | None) -> float:
    """Processor time that a process has used."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def throughput(process: SimulatorProcess, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Per action: requests per second, and milliseconds of the server's processor time per request."""
    url = await process.start()
    try:
        async with SimulatorClient(url) as client:
            await client.reset(0)
            await client.add_character("Chars/Male1", room="kitchen")
            await client.add_character("Chars/Female1", room="kitchen")
            rooms = [node.id for node in (await client.environment_graph()).nodes if node.category == "Rooms"]
        lines = [f"<char0> [walktowards] <x> ({room})|<char1> [walktowards] <x> ({room})" for room in rooms]
        bodies: dict[str, Callable[[int], dict[str, Any]]] = {
            "idle": lambda _: {"action": "idle"},
            "environment_graph": lambda _: {"action": "environment_graph"},
            "render_script": lambda n: {"action": "render_script", "stringParams": ["{}", lines[n // 8 % len(lines)]]},
        }
        rates: dict[str, float] = {}
        costs: dict[str, float] = {}
        async with aiohttp.ClientSession() as session:
            for action, body in bodies.items():
                count, began, used = 0, time.perf_counter(), cpu_s(process.pid)
                while time.perf_counter() - began < seconds:
                    async with session.post(url, json={"id": str(count)} | body(count)) as response:
                        assert (await response.json())["success"]
                    count += 1
                rates[action] = round(count / (time.perf_counter() - began), 1)
                costs[action] = round(1000 * (cpu_s(process.pid) - used) / count, 2)
        return rates, costs
    finally:
        await process.stop()


def embedded_step_ms(steps: int) -> float:
    graph = household()
    engine = Engine(graph, 0)
    durations: list[float] = []
    for plan in plans(graph, steps):
        began = time.perf_counter()
        engine.step(plan)
        graph.to_dict()
        durations.append(time.perf_counter() - began)
    return 1000 * statistics.median(durations)


def process_steps(process: SimulatorProcess, steps: int, deadlines: Deadlines) -> tuple[list[float], int, float]:
    """Seconds of every step, how often the simulator was replaced, and seconds of processor time per step."""
    simulators = RemoteSimulators(SimulatorSession(process, deadlines=deadlines))
    durations: list[float] = []
    try:
        graph = household()
        remote = simulators(graph, 0)
        used = cpu_s(None) + cpu_s(process.pid)
        for plan in plans(graph, steps):
            began = time.perf_counter()
            remote.step(plan)
            durations.append(time.perf_counter() - began)
        spent = cpu_s(None) + cpu_s(process.pid) - used
        return durations, simulators.restarts, spent / steps
    finally:
        simulators.close()


def recovery(folder: Path, fault: str, deadlines: Deadlines) -> float:
    folder.mkdir()
    path = folder / "simulator"
    plan = json.dumps({"fault": fault, "step": FAULT_STEP})
    command = [sys.executable, "-P", str(FAULTY), str(folder), plan]
    root = shlex.quote(str(FAULTY.parent.parent.parent))
    path.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {shlex.join(command)} "$@"\n')
    path.chmod(0o755)
    process = SimulatorProcess(path, folder / "log", deadlines=deadlines, memory_limit=LEAK_LIMIT_BYTES)
    durations, restarts, _ = process_steps(process, FAULT_STEP + 3, deadlines)
    assert restarts == 1, f"{fault}: {restarts} restarts"
    return round(max(durations), 2)


def rows() -> list[Row]:
    with tempfile.TemporaryDirectory() as name:
        process = SimulatorProcess(write_executable(Path(name) / "ours"), Path(name) / "ours.log")
        embedded = embedded_step_ms(50)
        durations, _, _ = process_steps(process, 50, Deadlines())
    through = 1000 * statistics.median(durations)
    return [
        Row("joint step of two people, embedded engine", embedded, "ms"),
        Row("the same through the VirtualHome protocol", through, "ms", through / embedded, "the embedded engine"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="per action")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--deadline", type=float, default=2.0, help="seconds a step may take in the faulty simulator")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = SimulatorProcess(write_executable(folder / "ours"), folder / "ours.log")
        rates, costs = asyncio.run(throughput(process, options.seconds))
        embedded = embedded_step_ms(options.steps)
        durations, _, step_cpu_s = process_steps(process, options.steps, Deadlines())
        through = 1000 * statistics.median(durations)
        deadlines = Deadlines(step=options.deadline)
        recoveries = {fault: recovery(folder / str(n), fault, deadlines) for n, fault in enumerate(FAULTS)}
    result = {
        "cores": os.cpu_count(),
        "requests_per_s": rates,
        "server_cpu_ms": costs,
        "step_cpu_ms": round(1000 * step_cpu_s, 1),
        "embedded_step_ms": round(embedded, 3),
        "process_step_ms": round(through, 2),
        "overhead_ms": round(through - embedded, 2),
        "recovery_s": recoveries,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
