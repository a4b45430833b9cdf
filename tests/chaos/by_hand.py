"""Kills processes of real runs with the embedded model, one after the other, at moments drawn by lot.

    python -m tests.chaos.by_hand --kills 25 --steps 6 --minutes 30

A run that ends of it is resumed, one that completes is followed by another. After each kill what was committed must be
in the journal as it was, and in the end each run must be complete, with each step there once. Prints a line for each
kill, ends by itself, and writes the sums into docs/reliability.md, or says what was wrong and writes nothing.
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
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
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
FOUND_S, STEP_S, GONE_ON_S, COMPLETE_S = 120.0, 60.0, 180.0, 600.0
"""Seconds to wait for a victim to come up, for the step before a kill, for a run to go on or to end after one, and for
one to complete when nobody disturbs it any more."""


@dataclass
class Ledger:
    """What became of the kills, by victim: the run took its next step, or ended and was resumed, or neither in time."""

    went_on: Counter[str] = field(default_factory=Counter[str])
    resumed: Counter[str] = field(default_factory=Counter[str])
    slow: Counter[str] = field(default_factory=Counter[str])
    loads: list[float] = field(default_factory=list[float])

    @property
    def killed(self) -> Counter[str]:
        return self.went_on + self.resumed + self.slow

    def add(self, victim: str, became: str) -> None:
        {"went on": self.went_on, "resumed": self.resumed, "slow": self.slow}[became][victim] += 1
        self.loads.append(os.getloadavg()[0])

    def table(self, title: str) -> str:
        counters = (self.killed, self.went_on, self.resumed, self.slow)
        rows = [[victim, *(counter[victim] for counter in counters)] for victim in VICTIMS if self.killed[victim]]
        rows.append(["all", *(counter.total() for counter in counters)])
        slow = f"neither within {GONE_ON_S:g} s"
        head = ["killed", "times", "the run went on to its next step", "it ended and was resumed", slow]
        lines = ["| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)]
        return "\n".join([title, "", *lines])


class Run:
    """A run in a process of its own, resumed as often as it ends too early."""

    def __init__(self, folder: Path, steps: int) -> None:
        self.folder = folder
        self._steps = steps
        self._log = folder.with_name(f"{folder.name}.log")
        self._committed: dict[int, bytes] = {}
        self._process: subprocess.Popen[str] | None = None

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def go_on(self) -> None:
        new = ["run", "--llm", "local", "--steps", str(self._steps), "--agents", "2", "--out", str(self.folder)]
        what = ["resume", str(self.folder)] if self.begun() else new
        command = [sys.executable, "-m", "housemates.orchestrator.cli", *what, "--quiet"]
        log = self._log.open("a")
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
        if self._process is None or not self.alive():
            return None
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

    def come_to_its_end(self, within_s: float) -> None:
        """Undisturbed; again if Ray does not come up, as happens on a machine with much to do."""
        over = time.monotonic() + within_s
        while not self.complete():
            if not self.alive():
                self.go_on()
            if not self.ended(over - time.monotonic()):
                raise AssertionError(f"the run in {self.folder} has not come to its end; it said:\n{self.said()}")

    def said(self) -> str:
        """Its last words."""
        return "\n".join(self._log.read_text().splitlines()[-10:])

    def end(self) -> None:
        """Whatever it is doing."""
        if self.alive() and self._process is not None:
            self._process.terminate()
            if not self.ended(30.0):
                self._process.kill()
            self._process.wait()

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
    if rng.random() < 0.6:  # in the middle of a step; else soon after the last kill, while it still comes up
        before = run.check()
        until(lambda: not run.alive() or run.check() > before, STEP_S)
    time.sleep(rng.uniform(0, 8))
    found = time.monotonic() + FOUND_S
    while (process := run.find(victim)) is None:
        if not run.alive() or time.monotonic() > found:
            return ""
        time.sleep(0.05)
    before = run.check()
    process.send_signal(signal.SIGKILL)
    until(lambda: not run.alive() or run.check() > before, GONE_ON_S)
    if run.alive():
        assert victim != "orchestrator"
        return "went on" if run.check() > before else "slow"
    if run.complete():
        return "went on"
    run.go_on()
    return "resumed"


def kills(options: argparse.Namespace, folder: Path, ledger: Ledger) -> Iterator[str]:
    """Kills processes until there were that many, or the time is over; a line for each."""
    rng = random.Random(options.seed)
    over = time.monotonic() + 60 * options.minutes
    runs: list[Run] = []
    with ExitStack() as stack:
        for victim in cycle(ORDER):
            if ledger.killed.total() == options.kills or time.monotonic() > over:
                break
            if not runs or (not runs[-1].alive() and runs[-1].complete()):
                runs.append(Run(folder / str(len(runs)), options.steps))
                stack.callback(runs[-1].end)
            run = runs[-1]
            if not run.alive():
                run.go_on()
            became = kill_one(run, victim, rng)
            committed = run.check()
            if became:
                ledger.add(victim, became)
                yield f"{ledger.killed.total():3} {victim:13} {became:9} {committed} steps in run {run.folder.name}"
        for run in runs:
            run.come_to_its_end(COMPLETE_S)
            run.check()
    yield f"{len(runs)} runs, all complete"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--steps", type=int, default=6, help="of each run")
    parser.add_argument("--minutes", type=float, default=30, help="after which no more is killed")
    parser.add_argument("--seed", default="by hand")
    options = parser.parse_args()
    ledger, last = Ledger(), ""
    with tempfile.TemporaryDirectory(prefix="by-hand-") as folder:
        for last in kills(options, Path(folder), ledger):
            print(last, flush=True)
        assert until(lambda: not descendants()), f"left: {descendants()}"
    where = f"{os.cpu_count()} cores with a load of {min(ledger.loads):.0f} to {max(ledger.loads):.0f}"
    title = (
        f"{time.strftime('%Y-%m-%d')}, embedded model, 2 agents, {options.steps} steps a run, on {where}; "
        f"in the end {last}, each step there once:"
    )
    table = ledger.table(title)
    print(table)
    put_between("by hand", table)


if __name__ == "__main__":
    main()
