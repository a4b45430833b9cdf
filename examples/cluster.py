"""The agents of a run are spread over a Ray cluster that is there already.

On the first machine:    ray start --head
On the others:           ray start --address=FIRST:6379
Then, on any of them:    RAY_ADDRESS=FIRST:6379 python examples/cluster.py

All machines need the same Ray, the same Python, and the packages that housemates depends on (housemates itself is sent
to them), and must reach the model's endpoint. The scripted model, which this example uses, listens on this machine
only: name a real endpoint (`llm`, `base_url`) if there are others. It prints whether the trajectory is that of a run in
one process.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import housemates

SETTINGS = {"task": "read_book", "agents": 4, "agents_per_actor": 2, "steps": 6, "llm": "scripted"}


def main() -> None:
    address = os.environ.get("RAY_ADDRESS", "auto")
    with tempfile.TemporaryDirectory() as folder:
        there = housemates.run(
            housemates.make_config(**SETTINGS, runtime="ray"), Path(folder) / "cluster", address=address
        )
        here = housemates.run(housemates.make_config(**SETTINGS, runtime="inline"), Path(folder) / "inline")
    print(f"{there.summary['steps']} steps on the cluster at {address}, {there.summary['verdicts']}")
    print("the same as in one process:", there.summary["digest"] == here.summary["digest"])


if __name__ == "__main__":
    main()
