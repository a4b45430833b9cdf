"""What agents cost beside their model's time, against the bare client and the design one would write first.

Everything talks to the same stub model over real HTTP (`parts/stub_model.py`: one process, fixed latency). A *decision*
is one model call that becomes an action. Ours is the whole of it: agents on Ray actors with the limiter, the barrier, a
world of real observations (`parts/crowd.py`), and the journal on disk. Contestants take turns within one run, several
rounds; figures are medians over the rounds, and only their ratios mean anything on another machine.

Rows, by `--rows`:

    dedicated16 dedicated64 packed256   learning agents, two calls a step: efficiency = the largest sum of model-call
                                        seconds of one agent / step; efficiency_nominal = latency x calls / step
    packed1024 packed5000               `--method react`, one call a step, beside the bare client (one process,
                                        `parts/bare_client.py`) with the same requests: step_ratio = ours / bare,
                                        throughput_ratio = bare / ours, cpu_ratio = CPU a decision of all our
                                        processes / the bare client's
    naive16 naive64                     dedicated react agents beside a synchronous client in one Ray actor per agent
                                        with `ray.get` as the barrier: the same ratios, and start_ratio
    memory                              KB of a packed agent after 100 learning steps (`memory.py`)

cpu_ms counts this process, the actors' and Ray's own; of one that has ended, what it was last seen to use. The stub
model is left out: model_cpu_ms is what it takes for one of our calls, so it is full at 1000 / model_cpu_ms calls a
second. start_s is until all actors stand, Ray being up (`startup.py` measures the whole command); unique_mb is what an
agents' process shares with no other. The tutorial's sequential loop is in `barrier.py`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Literal, NamedTuple

from housemates.actors.agent import AgentSpec
from housemates.actors.limiter.gate import Terms
from housemates.actors.model.chat import Endpoint
from housemates.benchmarks import Row, as_program
from housemates.benchmarks.memory import of_a_new_process as memory_of_a_new_process
from housemates.benchmarks.parts.contestants import bare_steps, bodies, naive_steps
from housemates.benchmarks.parts.crowd import CrowdWorld
from housemates.benchmarks.parts.processes import Cpu, Meter, tree
from housemates.benchmarks.parts.stub_model import stub_model
from housemates.orchestrator.barrier import Barrier
from housemates.orchestrator.cluster.own import local_ray
from housemates.orchestrator.episode import Episode
from housemates.orchestrator.journal.log import FILE_NAME, Journal
from housemates.orchestrator.observer import Observer
from housemates.orchestrator.recorder import Recorder
from housemates.orchestrator.runtime import RayRuntime
from rich.console import Console
from rich.table import Table

Figures = dict[str, Any]


class Setup(NamedTuple):
    """Agents, how many share a process, how they decide, and whom they are compared with."""

    agents: int
    agents_per_actor: int
    method: Literal["trace", "react"]
    rival: Literal["", "bare", "naive"] = ""

    @property
    def calls(self) -> int:
        """Of an agent in a step."""
        return 2 if self.method == "trace" else 1


class Steps(NamedTuple):
    """One episode: medians over its steps but the first, and CPU of a decision."""

    step_s: float
    critical_path_s: float
    cpu_ms: float
    model_cpu_ms: float  # of a call
    start_s: float
    unique_mb: float


class Rival(NamedTuple):
    """The same of whom it is compared with."""

    step_s: float
    cpu_ms: float
    start_s: float = 0.0


ROWS = {
    "dedicated16": Setup(16, 1, "trace"),
    "dedicated64": Setup(64, 1, "trace"),
    "packed256": Setup(256, 128, "trace"),
    "packed1024": Setup(1024, 512, "react", "bare"),
    "packed5000": Setup(5000, 1250, "react", "bare"),
    "naive16": Setup(16, 1, "react", "naive"),
    "naive64": Setup(64, 1, "react", "naive"),
}


def say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def unique_mb() -> float:
    """Memory of an agents' process that it shares with nobody: the median."""
    found = [process.memory_full_info().uss for process in tree() if process.name().startswith("ray::AgentHost")]
    return statistics.median(found) / 2**20


async def our_steps(setup: Setup, steps: int, endpoint: Endpoint, meter: Meter) -> Steps:
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
    cpu: list[Cpu] = []
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / FILE_NAME)
        recorder = Recorder(Path(folder), journal, Observer())

        def commit(record: Mapping[str, Any]) -> None:
            recorder.record(record)
            if record["kind"] != "step":
                return
            if record["step"] in (0, steps):
                cpu.append(meter.look())
            if record["step"] == 0:  # connections are opened in it, and nothing is learned
                return
            turns = [part["turn"] for part in record["agents"].values()]
            if any(turn["error"] or len(turn["calls"]) != setup.calls for turn in turns):
                raise RuntimeError(f"an agent did not make its {setup.calls} calls")
            durations.append(record["step_s"])
            paths.append(max(sum(call["seconds"] for call in turn["calls"]) for turn in turns))

        try:
            await runtime.start()
            start_s = time.perf_counter() - began
            episode = Episode(Barrier(names, steps + 1, 600.0), runtime, 0, commit)
            await episode.run({"kind": "begin", "config": {}, "model": endpoint.model, "agents": names})
            unique = unique_mb()
        finally:
            await runtime.close()
            journal.close()
    decisions = steps * setup.agents
    return Steps(
        step_s=statistics.median(durations),
        critical_path_s=statistics.median(paths),
        cpu_ms=(cpu[1].ours - cpu[0].ours) / decisions * 1e3,
        model_cpu_ms=(cpu[1].model - cpu[0].model) / decisions / setup.calls * 1e3,
        start_s=start_s,
        unique_mb=unique,
    )


def measured(setup: Setup, rounds: int, steps: int, latency_s: float) -> Figures:
    """One row, every contestant in every round."""
    ours: list[Steps] = []
    rivals: list[Rival] = []
    with stub_model(latency_s) as (url, server), local_ray():
        endpoint, meter = Endpoint(base_url=url, model="stub"), Meter({server})
        requests = asyncio.run(bodies(setup.agents, endpoint)) if setup.rival else []
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}: {setup.agents} agents, {setup.agents_per_actor} a process")
            ours.append(asyncio.run(our_steps(setup, steps, endpoint, meter)))
            if setup.rival:
                say(f"round {number} of {rounds}: {setup.rival}")
            if setup.rival == "bare":
                rivals.append(Rival(*bare_steps(requests, steps, endpoint)))
            elif setup.rival == "naive":
                rivals.append(Rival(*naive_steps(requests, steps, endpoint, lambda: meter.look().ours)))
    row: Figures = {**setup._asdict(), "calls": setup.calls, "latency_s": latency_s}
    row |= {field: statistics.median(getattr(one, field) for one in ours) for field in Steps._fields}
    row["efficiency"] = statistics.median(one.critical_path_s / one.step_s for one in ours)
    row["efficiency_nominal"] = latency_s * setup.calls / row["step_s"]
    row["decisions_per_s"] = setup.agents / row["step_s"]
    if rivals:
        row |= {f"rival_{field}": statistics.median(getattr(one, field) for one in rivals) for field in Rival._fields}
        pairs = list(zip(ours, rivals, strict=True))
        row["step_ratio"] = statistics.median(one.step_s / other.step_s for one, other in pairs)
        row["throughput_ratio"] = 1 / row["step_ratio"]
        row["cpu_ratio"] = statistics.median(one.cpu_ms / other.cpu_ms for one, other in pairs)
        if setup.rival == "naive":
            row["start_ratio"] = statistics.median(one.start_s / other.start_s for one, other in pairs)
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}


def memory() -> Figures:
    say("memory of a packed agent after 100 learning steps")
    return memory_of_a_new_process()


COLUMNS = (
    *("row", "step_s", "efficiency", "efficiency_nominal", "decisions_per_s", "cpu_ms", "model_cpu_ms", "rival"),
    *("rival_step_s", "rival_cpu_ms", "step_ratio", "throughput_ratio", "cpu_ratio", "start_s", "start_ratio"),
    *("unique_mb", "packed_agent_kb"),
)


def table(found: list[Figures]) -> Table:
    """The rows for a reader, without the columns that none of them has."""
    columns = [column for column in COLUMNS if any(row.get(column) for row in found)]
    shown = Table(*columns)
    for row in found:
        shown.add_row(*(f"{row[c]:.3g}" if isinstance(row.get(c), float) else str(row.get(c, "")) for c in columns))
    return shown


def rows() -> list[Row]:
    setup, latency_s = Setup(256, 128, "react", "bare"), 0.5
    found = measured(setup, rounds=2, steps=4, latency_s=latency_s)
    what = f"{setup.agents} react agents, {setup.agents_per_actor} a process, calls of {latency_s} s"
    bare = "the bare client"
    return [
        Row(f"step of {what}", found["step_s"], "s", found["step_ratio"], bare),
        Row("… CPU of a decision", found["cpu_ms"], "ms", found["cpu_ratio"], bare),
        Row("… efficiency: slowest agent's calls / step", found["efficiency"], ""),
        Row("… memory of a process that it shares with none", found["unique_mb"], "MB"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=[*ROWS, "memory"], default=[*ROWS, "memory"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3, help="measured steps of each contestant in each round")
    parser.add_argument("--latency", type=float, default=1.0, help="seconds of each model call")
    options = parser.parse_args()
    found: list[Figures] = []
    with redirect_stdout(sys.stderr):  # where what Ray prints belongs
        for name in options.rows:
            row = memory() if name == "memory" else measured(ROWS[name], options.rounds, options.steps, options.latency)
            found.append({"row": name, **row})
            say(json.dumps(found[-1]))
        Console(stderr=True, width=220).print(table(found))
    print(json.dumps({"cores": os.cpu_count(), "rounds": options.rounds, "steps": options.steps, "rows": found}))


if __name__ == "__main__":
    as_program(main)
