"""What `housemates --help` costs: CPU seconds of the whole command, and the imports that take the most of it.

    python benchmarks/startup.py

Wanted: less than half a second. The least of several starts counts: others may use the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys

STARTS = 7
SHOWN = 8
COMMAND = ["-m", "housemates.orchestrator.cli", "--help"]


def cpu_s() -> float:
    """CPU seconds, user and system, of one start."""
    before = os.times()
    subprocess.run([sys.executable, *COMMAND], stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def imports() -> list[tuple[int, str]]:
    """Microseconds that each module takes by itself, the slowest first."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMAND], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ).stderr
    rows = [line.removeprefix("import time:").split("|") for line in told.splitlines()[1:]]
    return sorted(((int(own), name.strip()) for own, _, name in rows), reverse=True)


def main() -> None:
    print(f"{min(cpu_s() for _ in range(STARTS)):.3f} s of CPU, the least of {STARTS} starts")
    slowest = imports()
    print(f"{len(slowest)} modules; the slowest, in ms:")
    for own_us, name in slowest[:SHOWN]:
        print(f"{own_us / 1000:8.1f}  {name}")


if __name__ == "__main__":
    main()
