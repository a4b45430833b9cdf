"""Kills processes of real runs with the embedded model, one after the other, at moments drawn by lot.

    python -m tests.chaos.by_hand --kills 20 --steps 6

A run that ends of it is resumed, one that completes is followed by another. After each kill what was committed must be
in the journal as it was, and in the end each run must be complete, with each step there once. Prints a line for each
kill and writes the sums into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path

import psutil
from housemates.env.codec import pack
from housemates.orchestrator.journal.log import FILE_NAME, JournalError, read_journal
from housemates.orchestrator.past import read_past

from ..leftovers import descendants, until
from .table import put_between

VICTIMS = {
    "agent": "ray::AgentHost",
    "world": "ray::WorldHost",
    "model server": "housemates.actors.model.local",
    "orchestrator": "",
    "Ray's node": "raylet/raylet",
}
"""What a process is called, or has in its command; "" for the run's own."""

ORDER = (*("agent", "orchestrator", "world", "model server") * 2, "Ray's node")
FOUND_S, STEP_S, ENDED_S, LONGEST_S = 120.0, 60.0, 45.0, 1200.0
"""Seconds to wait for a victim to come up, for a further step, for a run to end of a kill, and for one to complete."""


@dataclass
class Ledger:
    """What became of the kills, by victim."""

    killed: Counter[str] = field(default_factory=Counter[str])
    survived: Counter[str] = field(default_factory=Counter[str])
    resumed: Counter[str] = field(default_factory=Counter[str])

    def table(self, title: str) -> str:
        rows = [
            f"| {victim} | {self.killed[victim]} | {self.survived[victim]} | {self.resumed[victim]} |"
            for victim in VICTIMS
            if self.killed[victim]
        ]
        total = self.killed.total(), self.survived.total(), self.resumed.total()
        rows.append("| all | {} | {} | {} |".format(*total))
        head = ["| killed | times | the run went on | it ended and was resumed |", "|---|---|---|---|"]
        return "\n".join([title, "", *head, *rows])


class Run:
    """A run in a process of its own, resumed as often as it ends too early."""

    def __init__(self, folder: Path, steps: int) -> None:
        self.folder = folder
        self._steps = steps
        self._committed: dict[int, bytes] = {}
        self._process: subprocess.Popen[str] | None = None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def go_on(self) -> None:
        new = ["run", "--llm", "local", "--steps", str(self._steps), "--agents", "2", "--out", str(self.folder)]
        what = ["resume", str(self.folder)] if self.begun() else new
        command = [sys.executable, "-m", "housemates.orchestrator.cli", *what, "--quiet"]
        log = (self.folder.parent / f"{self.folder.name}.log").open("a")
        self._process = subprocess.Popen(command, stdout=log, stderr=log, text=True)
        log.close()

    def begun(self) -> bool:
        try:
            return bool(next(iter(read_journal(self.folder / FILE_NAME)), None))
        except (FileNotFoundError, JournalError):
            return False

    def complete(self) -> bool:
        return self.begun() and read_past(self.folder).status == "completed"

    def find(self, victim: str) -> psutil.Process | None:
        """A living process of that kind."""
        assert self._process is not None
        own = psutil.Process(self._process.pid)
        if not VICTIMS[victim]:
            return own
        for process in own.children(recursive=True):
            try:
                called = f"{process.name()} {' '.join(process.cmdline())}"
                if VICTIMS[victim] in called and process.status() != psutil.STATUS_ZOMBIE:
                    return process
            except psutil.NoSuchProcess:
                continue
        return None

    def ended(self, within_s: float) -> bool:
        return until(lambda: not self.alive(), within_s)

    def check(self) -> int:
        """Whether all that was committed is there as it was, each step once; how many steps that is."""
        if not self.begun():
            return 0
        steps = [record for record in read_journal(self.folder / FILE_NAME) if record["kind"] == "step"]
        assert [record["step"] for record in steps] == list(range(len(steps))), "a step is missing, or there twice"
        now = {record["step"]: pack(record) for record in steps}
        assert now | self._committed == now, "what was committed has changed"
        self._committed = now
        return len(now)


def kill_one(run: Run, victim: str, rng: random.Random) -> str:
    """Kill such a process at some moment; what became of the run, "" if it completed before."""
    deadline = time.monotonic() + FOUND_S
    if rng.random() < 0.6:  # in the middle of a step; else soon after the last kill, while it still comes up
        before = run.check()
        until(lambda: not run.alive() or run.check() > before, STEP_S)
    time.sleep(rng.uniform(0, 8))
    while run.alive() and time.monotonic() < deadline:
        process = run.find(victim)
        if process is not None:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.05)
    else:
        return ""
    ends = victim in ("orchestrator", "model server")
    ended = run.ended(ENDED_S if ends else rng.uniform(2, 8))  # without its node a run ends when it needs one
    if not ended:
        assert victim != "orchestrator"
        return "survived"
    if not run.complete():
        run.go_on()
    return "resumed"


def kills(number: int, steps: int, folder: Path, rng: random.Random, ledger: Ledger) -> Iterator[str]:
    """Kills processes until there were that many; a line for each."""
    run = Run(folder / "0", steps)
    runs = [run]
    for victim in cycle(ORDER):
        if ledger.killed.total() == number:
            break
        if not run.alive() and run.complete():
            run = Run(folder / str(len(runs)), steps)
            runs.append(run)
        if not run.alive():
            run.go_on()
        became = kill_one(run, victim, rng)
        committed = run.check()
        if became:
            ledger.killed[victim] += 1
            (ledger.survived if became == "survived" else ledger.resumed)[victim] += 1
            yield f"{ledger.killed.total():3} {victim:13} {became:9} {committed} steps in run {run.folder.name}"
    for attempt in islice(cycle(runs), 3 * len(runs)):
        if not attempt.complete():
            if not attempt.alive():
                attempt.go_on()
            assert attempt.ended(LONGEST_S), "a run does not come to its end"
        attempt.check()
    assert all(run.complete() for run in runs), "a run cannot be completed"
    yield f"{len(runs)} runs, all complete"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--seed", default="by hand")
    options = parser.parse_args()
    ledger = Ledger()
    with tempfile.TemporaryDirectory(prefix="by-hand-") as folder:
        for line in kills(options.kills, options.steps, Path(folder), random.Random(options.seed), ledger):
            print(line, flush=True)
        assert until(lambda: not descendants()), f"left: {descendants()}"
    where = f"{os.cpu_count()} cores with a load of {os.getloadavg()[1]:.0f}"
    title = f"{time.strftime('%Y-%m-%d')}, embedded model, 2 agents, {options.steps} steps, on {where}:"
    put_between("by hand", ledger.table(title))


if __name__ == "__main__":
    main()
