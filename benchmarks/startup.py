"""How long a user waits for a command: until `--help` is there, and until the first step of a run begins.

    python -m housemates.benchmarks.startup
    python -m housemates.benchmarks.startup --runs 2 64 100x100

`--help` in CPU seconds (wanted: less than half a second), the least of several starts, because others may use the
machine; with --imports also the modules that take the most of it. A run is the whole command, from its start to the
moment its agents are asked: Python, imports, the model's server, Ray, actors, world. AGENTS is a run with a process
for each; HOUSEHOLDSxAGENTS one with many households of packed `--method react` agents, once for the household that
begins first and once for the last. Then it gets a Ctrl-C, and has to be gone in seconds.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from housemates.benchmarks import Row, as_program
from housemates.orchestrator.journal.log import FILE_NAME, MAGIC

STARTS = 7
SHOWN = 8
PEOPLE_IN_A_FLAT = 4
COMMAND = [sys.executable, "-m", "housemates.orchestrator.cli"]
POLL_S = 0.02
GONE_S = 30.0


class FirstStep(NamedTuple):
    """Seconds until the first household began its first step, and the last; and from a Ctrl-C to the end."""

    first_s: float
    last_s: float
    end_s: float


def help_cpu_s() -> float:
    """CPU seconds, user and system, of one `--help`."""
    before = os.times()
    subprocess.run([*COMMAND, "--help"], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def imports() -> list[tuple[int, str]]:
    """Microseconds that each module takes by itself, the slowest first."""
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], "--help"]
    told = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines()[1:]]
    return sorted(((int(own), name.strip()) for own, _, name in rows), reverse=True)


def first_step(size: str) -> FirstStep:
    """Start a run and end it as soon as everybody has been asked.

    Raises:
        RuntimeError: it ended by itself, or did not end when it was told to.
    """
    households, _, agents = size.rpartition("x")
    settings = ["--agents", agents, "--llm", "scripted", "--quiet"]
    if households:
        flats = max(2, -(-int(agents) // PEOPLE_IN_A_FLAT))
        settings += ["--households", households, "--agents-per-actor", "auto", "--method", "react"]
        settings += ["--apartment", f"building:{flats}"]
    with tempfile.TemporaryDirectory() as place:
        folder, began = Path(place) / "run", time.perf_counter()
        process = subprocess.Popen([*COMMAND, "run", *settings, "--out", str(folder)], stdout=sys.stderr)
        begun: list[float] = []
        try:
            while len(begun) < int(households or 1):
                if process.poll() is not None:
                    raise RuntimeError(f"the run of {size} ended before its first step, with code {process.returncode}")
                time.sleep(POLL_S)
                # The record that begins a journal is written right before the first agent is asked.
                now = sum(path.stat().st_size > len(MAGIC) for path in folder.rglob(FILE_NAME))
                begun += [time.perf_counter() - began] * (now - len(begun))
        finally:
            told = time.perf_counter()
            process.send_signal(signal.SIGINT)
            try:
                process.wait(GONE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise RuntimeError(f"the run of {size} did not end within {GONE_S:g} s of a Ctrl-C") from None
    return FirstStep(begun[0], begun[-1], time.perf_counter() - told)


def rows() -> list[Row]:
    return [
        Row("housemates --help, CPU", min(help_cpu_s() for _ in range(3)), "s"),
        Row("a run of 2 agents, a process each: until its first step", first_step("2").first_s, "s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="*", default=["2", "64", "100x100"], metavar="SIZE")
    parser.add_argument("--imports", action="store_true", help="name the modules that --help loads")
    options = parser.parse_args()
    print(f"--help: {min(help_cpu_s() for _ in range(STARTS)):.3f} s of CPU, the least of {STARTS} starts", flush=True)
    if options.imports:
        slowest = imports()
        print(f"{len(slowest)} modules; the slowest, in ms:")
        for own_us, name in slowest[:SHOWN]:
            print(f"{own_us / 1000:8.1f}  {name}")
    for size in options.runs:
        print(f"starting a run of {size} …", file=sys.stderr, flush=True)
        found = first_step(size)
        last = f" ({found.last_s:.1f} s in the last household)" if "x" in size else ""
        print(f"{size}: {found.first_s:.1f} s until the first step{last}; after a Ctrl-C gone in {found.end_s:.1f} s")


if __name__ == "__main__":
    as_program(main)
