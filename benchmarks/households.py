"""What many households in one run cost: start-up, memory, throughput, and what one agent-step takes of which process.

Every household is a building in which `--agents` live (a flat for four), `--method react`; the scripted model answers
over real HTTP after `--latency` seconds. One JSON line for each entry of `--sizes` (HOUSEHOLDSxAGENTS), all in one go,
each with a Ray of its own (with `--runtime inline` all is in one
process, and without Ray; then driver_cpu_ms and conductor_limit are of all of it):

    startup_s           until the first step of a household was committed
    all_open_s          until each household had committed a step; what follows is counted from then on
    steps_s             from then until all households have ended
    agent_steps         turns of agents in committed steps
    agent_steps_per_s   these by steps_s
    calls_per_s         calls of the model
    cpu_ms              CPU milliseconds an agent-step takes in all processes but the scripted model's
    driver_cpu_ms       of these in the run's own process: barriers, journals, messages
    conductor_limit     agent-steps a second at which a process that conducts has its core full: 1000 / driver_cpu_ms
    model_cpu_ms        what the scripted model takes for an agent-step, for comparison
    calls_of_a_step     model calls of an agent-step: unchanged views and full hands ask no model
    rss_gb              largest sum of the resident memory of all processes, pages that they share counted in each
    pss_gb              the same, looked at less often, shared pages counted once
    flat                cpu_ms against that of the first size; what Ray's own processes take while they idle is in
                        it, and weighs most on few agents

A machine has so many agent-steps a second at most: 1000 x cores / (cpu_ms + model_cpu_ms); the scripted model, one
process that reads every prompt, is full at 1000 / model_cpu_ms.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from housemates.actors.model.scripted_server import scripted_server
from housemates.benchmarks import Row, as_program
from housemates.benchmarks.parts.processes import Cpu, Meter, tree
from housemates.orchestrator.config import RunConfig, make_config
from housemates.orchestrator.households.books import News
from housemates.orchestrator.households.conductor import Shape
from housemates.orchestrator.households.running import HouseholdsObserver, run_households

PEOPLE_IN_A_FLAT = 4
TOLD_S = 10.0
"""How often a run that goes on says how far it is."""


class Watch(HouseholdsObserver):
    """Notes when each household had committed a step and when all had ended, and what was used in between."""

    def __init__(self, households: int, meter: Meter) -> None:
        self._households = households
        self._meter = meter
        self._all = News()
        self._began = time.perf_counter()
        self._first = 0.0
        self._open: tuple[float, Cpu, int, int] | None = None
        self._told = 0.0
        self.shape: Shape | None = None
        self.figures: dict[str, Any] = {}

    def starting(self, what: str) -> None:
        print(f"{time.perf_counter() - self._began:6.1f} s  {what}", file=sys.stderr)

    def planned(self, config: RunConfig, folder: Path, finished: int, shape: Shape) -> None:
        self.shape = shape

    def news(self, news: News) -> None:
        self._all.add(news)
        now = time.perf_counter() - self._began
        if self._all.steps and not self._first:
            self._first = now
            self.starting("the first step is committed")
        if self._all.begun == self._households and self._open is None:
            self._open = (now, self._meter.look(), self._all.agent_steps, self._all.calls)
            self.starting("every household has committed one")
        if now > self._told + TOLD_S:
            self._told = now
            self.starting(f"{self._all.agent_steps} agent-steps, {len(self._all.ended)} households have ended")
        if self._open is not None and len(self._all.ended) == self._households and not self.figures:
            opened, before, agent_steps, calls = self._open
            used = [b - a for a, b in zip(before, self._meter.look(), strict=True)]
            turns, seconds = self._all.agent_steps - agent_steps, now - opened
            if not turns:
                raise RuntimeError("all households had ended when the last one had committed a step; use more --steps")
            cpu = [1000 * share / turns for share in used]
            self.figures = {
                "startup_s": round(self._first, 1),
                "all_open_s": round(opened, 1),
                "steps_s": round(seconds, 1),
                "agent_steps": turns,
                "agent_steps_per_s": round(turns / seconds, 1),
                "calls_per_s": round((self._all.calls - calls) / seconds, 1),
                "calls_of_a_step": round((self._all.calls - calls) / turns, 3),
                "cpu_ms": round(cpu[0] + cpu[2], 3),
                "driver_cpu_ms": round(cpu[0], 3),
                "conductor_limit": round(1000 / cpu[0]) if cpu[0] else None,
                "model_cpu_ms": round(cpu[1], 3),
            }


def measure(households: int, agents: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run so many households, and tell what that took.

    Raises:
        KeyboardInterrupt: also if the run has ended in good order because of one.
    """
    print(f"{households} households of {agents} agents, {options.steps} steps", file=sys.stderr)
    before = {process.pid for process in tree()}
    with tempfile.TemporaryDirectory() as folder, scripted_server(options.latency) as server:
        meter = Meter({process.pid for process in tree()} - before)
        config = make_config(
            households=households,
            agents=agents,
            steps=options.steps,
            method="react",
            apartment=f"building:{max(2, -(-agents // PEOPLE_IN_A_FLAT))}",
            llm="openai:scripted",
            base_url=server.url,
            runtime=options.runtime,
            agents_per_actor=options.agents_per_actor,
            worlds_per_actor=options.worlds_per_actor,
            conductors=options.conductors,
            max_concurrency=None,
        )
        watch = Watch(households, meter)
        began = time.perf_counter()
        with meter.watching():
            result = run_households(config, Path(folder) / "run", watch)
    if result.status == "interrupted":
        raise KeyboardInterrupt
    if watch.shape is None or not watch.figures:
        raise RuntimeError("not every household committed a step")
    return {
        "households": households,
        "agents": agents,
        "everybody": households * agents,
        "latency_s": options.latency,
        "cores": os.cpu_count(),
        **watch.shape._asdict(),
        "completed": result.summary["completed"],
        "steps": result.summary["steps"],
        **watch.figures,
        "pss_gb": round(meter.pss / 1e9, 2),
        "rss_gb": round(meter.rss / 1e9, 2),
        "run_s": round(time.perf_counter() - began, 1),
    }


def rows() -> list[Row]:
    options = parser().parse_args(["--steps", "10", "--latency", "0.2"])
    few, many = measure(2, 5, options), measure(10, 50, options)
    what = f"{many['households']} households of {many['agents']} react agents"
    return [
        Row(f"agent-step of {what}, CPU", many["cpu_ms"], "ms", many["cpu_ms"] / few["cpu_ms"], "one of 2 x 5"),
        Row("… of that the conducting process", many["driver_cpu_ms"], "ms"),
        Row("… agent-steps a second", many["agent_steps_per_s"], "1/s"),
    ]


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="2x5,10x10,10x100,100x100", help="HOUSEHOLDSxAGENTS, comma-separated")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--latency", type=float, default=1.0, help="seconds of each model call")
    parser.add_argument("--runtime", choices=["ray", "inline"], default="ray")
    parser.add_argument("--agents-per-actor", default="auto")
    parser.add_argument("--worlds-per-actor", default="auto")
    parser.add_argument("--conductors", default="auto")
    return parser


def main() -> None:
    options = parser().parse_args()
    sizes = [tuple(map(int, size.split("x"))) for size in options.sizes.split(",")]
    first: float | None = None
    for households, agents in sizes:
        with redirect_stdout(sys.stderr):  # what Ray has to say of its own accord
            figures = measure(households, agents, options)
        first = first or figures["cpu_ms"]
        print(json.dumps(figures | {"flat": round(figures["cpu_ms"] / first, 3)}), flush=True)


if __name__ == "__main__":
    as_program(main)
