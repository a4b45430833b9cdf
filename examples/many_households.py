"""Four households at the same time, each with a seed of its own: the spread of an outcome from one run.

Each is a run like any other, in a folder of its own: here the second one is done again alone, and ends the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from housemates.orchestrator.households.running import run_households

import housemates

SETTINGS = {"task": "read_book", "agents": 2, "llm": "scripted", "runtime": "inline"}
SEED = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        result = run_households(housemates.make_config(**SETTINGS, seed=SEED, households=4), Path(folder) / "four")
        runs = [housemates.load_run(path) for path in sorted((result.folder / "households").iterdir())]
        summaries = [run.summary() for run in runs]
        alone = housemates.run(housemates.make_config(**SETTINGS, seed=SEED + 1), Path(folder) / "alone")
    for seed, summary in enumerate(summaries, SEED):
        print(f"seed {seed}: {'solved' if summary['success'] else 'not solved'} in {summary['steps']} steps")
    print("the second one alone is the same:", alone.summary["digest"] == summaries[1]["digest"])


if __name__ == "__main__":
    main()
