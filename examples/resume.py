"""A run that stops half-way goes on as if nothing had happened.

Here a budget stops it; Ctrl-C, `kill -9`, a full disk or a machine that goes down would do as well. The digest of
the resumed run is that of one that was never stopped.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from housemates.orchestrator.run import resume

import housemates

SETTINGS = {"task": "read_book", "agents": 2, "seed": 1, "llm": "scripted", "runtime": "inline"}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        stopped = housemates.run(housemates.make_config(**SETTINGS, max_calls=20), Path(folder) / "stopped")
        print(f"stopped after {stopped.summary['steps']} steps: {stopped.summary['status']}")
        resumed = resume(stopped.folder, budget={"max_calls": 1000})
        print(f"resumed, and ended after {resumed.summary['steps']}: {resumed.summary['status']}")
        undisturbed = housemates.run(housemates.make_config(**SETTINGS), Path(folder) / "undisturbed")
    print(f"digest {resumed.summary['digest']}")
    print("the same as undisturbed:", resumed.summary["digest"] == undisturbed.summary["digest"])


if __name__ == "__main__":
    main()
