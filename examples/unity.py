"""An episode in which a VirtualHome simulator moves the people.

SIMULATOR=path/to/linux_exec.x86_64 python examples/unity.py     an executable, started and ended with the run
SIMULATOR=http://127.0.0.1:8080 python examples/unity.py         a simulator that runs already

Without Unity, `housemates serve --make-executable linux_exec` writes an executable that behaves like it. The agents,
the task and the journal are as always; `simulator.log` in the run's folder has what the executable said.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import housemates


def main() -> None:
    simulator = os.environ.get("SIMULATOR")
    if not simulator:
        sys.exit("name a simulator: SIMULATOR=path/to/linux_exec.x86_64, or its URL")
    config = housemates.make_config(
        task="put_dishwasher", agents=2, steps=12, llm="scripted", runtime="inline", simulator=simulator
    )
    result = housemates.run(config, Path("runs/unity"))
    summary = result.summary
    print(f"{summary['steps']} steps on {simulator}: {summary['actions']} actions, {summary['verdicts']}")


if __name__ == "__main__":
    main()
