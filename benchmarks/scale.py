"""What agents cost beside their model's time, against the bare client and the designs one would write first.

Everything talks to the same stub model over real HTTP (`stub_model.py`: one process, fixed latency; it is not
counted). A *decision* is one model call that becomes an action. Ours is the whole of it: agents on Ray actors with the
limiter, the barrier, a world of real observations (`crowd.py`), and the journal on disk. Contestants take turns within
one run, several rounds; figures are medians over the rounds, and only their ratios mean anything on another machine.

Rows, by `--rows`:

    dedicated16 dedicated64 packed256   learning agents, two calls a step: efficiency = the largest sum of model-call
                                        seconds of one agent / step; efficiency_nominal = latency x calls / step
    packed1024 packed5000               `--method react`, one call a step, beside the bare client (AsyncOpenAI with
                                        aiohttp, one process) that makes the same calls with nothing around it:
                                        step_ratio = ours / bare, throughput_ratio = bare / ours, cpu_ratio = CPU a
                                        decision of all our processes / the bare client's
    naive16                             16 dedicated react agents beside a synchronous client in one Ray actor per
                                        agent with `ray.get` as the barrier
    sequential16                        16 dedicated learning agents beside the Trace tutorial's loop (`barrier.py`)
    memory                              KB of a packed agent after 100 learning steps

Start-up is from before Ray to the first step's beginning; unique_mb that of one agent process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from contestants import bare_steps, naive_steps
from crowd import CrowdWorld
from housemates.actors.agent import AgentSpec, Method
from housemates.actors.limiter.gate import Terms
from housemates.actors.model.chat import Endpoint
from housemates.orchestrator.barrier import Barrier
from housemates.orchestrator.cluster import local_ray
from housemates.orchestrator.episode import Episode
from housemates.orchestrator.journal.log import FILE_NAME, Journal
from housemates.orchestrator.observer import Observer
from housemates.orchestrator.recorder import Recorder
from housemates.orchestrator.runtime import RayRuntime
from rich.console import Console
from rich.table import Table
from stub_model import stub_model

Row = dict[str, Any]


class Setup(NamedTuple):
    """Agents, how many share a process, how they decide, and the calls of a step."""

    agents: int
    agents_per_actor: int
    method: Method

    @property
    def calls(self) -> int:
        return 2 if self.method == "trace" else 1


class Steps(NamedTuple):
    """Medians of the steps of one episode, but for the first."""

    step_s: float
    critical_path_s: float
    cpu_ms: float  # of a decision
    start_s: float
    unique_mb: float


ROWS = {
    "dedicated2": Setup(2, 1, "trace"),
    "dedicated16": Setup(16, 1, "trace"),
    "dedicated64": Setup(64, 1, "trace"),
    "packed256": Setup(256, 128, "trace"),
    "packed1024": Setup(1024, 512, "react"),
    "packed5000": Setup(5000, 1250, "react"),
    "naive16": Setup(16, 1, "react"),
    "sequential16": Setup(16, 1, "trace"),
}


def our_cpu_s(except_pids: Iterable[int]) -> float:
    """CPU seconds that this process and its descendants have used so far, as far as they are alive."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    left_out = {*except_pids}
    return sum(sum(p.cpu_times()[:2]) for p in processes if p.pid not in left_out)


def unique_mb(name: str) -> float:
    """Memory of the processes of one name that they share with nobody: the median."""
    found = [p for p in psutil.Process().children(recursive=True) if p.name().startswith(name)]
    return statistics.median(p.memory_full_info().uss for p in found) / 2**20 if found else 0.0


async def our_steps(setup: Setup, steps: int, endpoint: Endpoint, server: int) -> Steps:
    """An episode with everything a run has but its terminal."""
    names = [f"Agent_{number}" for number in range(1, setup.agents + 1)]
    began = time.perf_counter()
    runtime = RayRuntime(
        [AgentSpec(name=name, method=setup.method) for name in names],
        endpoint,
        CrowdWorld,
        {"agents": setup.agents},
        call_deadline_s=600.0,
        agents_per_actor=setup.agents_per_actor,
        terms=Terms(),
    )
    durations: list[float] = []
    paths: list[float] = []
    cpu: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / FILE_NAME)
        recorder = Recorder(Path(folder), journal, Observer())

        def commit(record: Mapping[str, Any]) -> None:
            recorder.record(record)
            if record["kind"] != "step":
                return
            cpu.append(our_cpu_s([server]))
            turns = [part["turn"] for part in record["agents"].values()]
            if record["step"] and any(turn["error"] or len(turn["calls"]) != setup.calls for turn in turns):
                raise RuntimeError(f"an agent did not make its {setup.calls} calls")
            durations.append(record["step_s"])
            paths.append(max(sum(call["seconds"] for call in turn["calls"]) for turn in turns))

        try:
            await runtime.start()
            start_s = time.perf_counter() - began
            episode = Episode(Barrier(names, steps + 1, 600.0), runtime, 0, commit)
            await episode.run({"kind": "begin", "config": {}, "model": endpoint.model, "agents": names})
            unique = unique_mb("ray::AgentHost")
        finally:
            await runtime.close()
            journal.close()
    decisions = steps * setup.agents
    return Steps(
        statistics.median(durations[1:]),
        statistics.median(paths[1:]),
        (cpu[-1] - cpu[0]) / decisions * 1e3,
        start_s,
        unique,
    )


def measured(name: str, options: argparse.Namespace, endpoint: Endpoint, server: int) -> Row:
    """One row, every contestant in every round."""
    setup = ROWS[name]
    ours: list[Steps] = []
    others: list[tuple[float, float, float]] = []  # step seconds, CPU ms a decision, start-up seconds
    began = time.perf_counter()
    with local_ray():
        ray_s = time.perf_counter() - began
        for _ in range(options.rounds):
            ours.append(asyncio.run(our_steps(setup, options.steps, endpoint, server)))
            if name.startswith("packed") and setup.method == "react":
                others.append((*bare_steps(setup.agents, options.steps, endpoint), 0.0))
            elif name.startswith("naive"):
                others.append(naive_steps(setup.agents, options.steps, endpoint, lambda: our_cpu_s([server])))
    if name.startswith("sequential"):
        from barrier import sequential_steps

        others.append((statistics.median(sequential_steps(setup.agents, endpoint, 1)), 0.0, 0.0))
    row: Row = {"row": name, **setup._asdict(), "latency_s": options.latency}
    row |= {field: statistics.median(getattr(one, field) for one in ours) for field in Steps._fields}
    row["start_s"] += ray_s
    row["efficiency"] = statistics.median(one.critical_path_s / one.step_s for one in ours)
    row["efficiency_nominal"] = options.latency * setup.calls / row["step_s"]
    row["decisions_per_s"] = setup.agents / row["step_s"]
    if others:
        step_s, cpu_ms, start_s = (statistics.median(figures) for figures in zip(*others, strict=True))
        row |= {"other_step_s": step_s, "other_cpu_ms": cpu_ms, "other_start_s": start_s}
        pairs = list(zip(ours, others, strict=False))
        row["step_ratio"] = statistics.median(one.step_s / other[0] for one, other in pairs)
        row["throughput_ratio"] = 1 / row["step_ratio"]
        if cpu_ms:
            row["cpu_ratio"] = statistics.median(one.cpu_ms / other[1] for one, other in pairs)
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}


def memory(url: str) -> Row:
    """In a process of its own, so that nothing else is in it."""
    command = [sys.executable, str(Path(__file__).with_name("memory.py")), url]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return {"row": "memory", **json.loads(done.stdout)}


def table(rows: list[Row]) -> Table:
    """The rows for a reader."""
    columns = ["row", "step_s", "efficiency", "efficiency_nominal", "decisions_per_s", "cpu_ms", "other_step_s"]
    columns += ["step_ratio", "throughput_ratio", "cpu_ratio", "start_s", "unique_mb", "packed_agent_kb"]
    shown = Table(*columns)
    for row in rows:
        shown.add_row(*(f"{row[c]:.3g}" if isinstance(row.get(c), float) else str(row.get(c, "")) for c in columns))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=[*ROWS, "memory"], default=[*ROWS, "memory"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="measured steps of each contestant in each round")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds of each model call")
    options = parser.parse_args()
    rows: list[Row] = []
    # Ray prints warnings to stdout, where nothing but the result belongs.
    with redirect_stdout(sys.stderr):
        for name in options.rows:
            with stub_model(0.0 if name == "memory" else options.latency) as (url, server):
                endpoint = Endpoint(base_url=url, model="stub")
                rows.append(memory(url) if name == "memory" else measured(name, options, endpoint, server))
            print(rows[-1], flush=True)
        Console(stderr=True, width=200).print(table(rows))
    print(json.dumps({"cores": os.cpu_count(), "rounds": options.rounds, "steps": options.steps, "rows": rows}))


if __name__ == "__main__":
    main()
