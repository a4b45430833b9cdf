"""A task of your own: what is to be where, as a JSON file, checked before anything starts.

`examples/tasks/breakfast.json` is one; `docs/tasks.md` says what may stand in it. This example runs it, and shows what
a mistake looks like.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from housemates.orchestrator.errors import ConfigError

import housemates

BREAKFAST = Path(__file__).parent / "tasks" / "breakfast.json"


def main() -> None:
    config = housemates.make_config(task=str(BREAKFAST), agents=3, apartment="5", llm="scripted", runtime="inline")
    with tempfile.TemporaryDirectory() as folder:
        result = housemates.run(config, Path(folder) / "run")
        seen = housemates.load_run(result.folder).steps[0]["result"]["observations"]["Agent_1"]["text"]
    print(next(line for line in seen.splitlines() if line.startswith("Goal:")))
    print(
        f"solved: {result.summary['success']}, in {result.summary['steps']} steps; returns {result.summary['returns']}"
    )

    task = json.loads(BREAKFAST.read_text())
    task["wants"][0]["class"] = "plaet"
    try:
        housemates.make_config(task=task, llm="scripted")
    except ConfigError as error:
        print(f"and with a mistake: {error}")


if __name__ == "__main__":
    main()
