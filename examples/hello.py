"""Two scripted agents set a household in order within seconds: no account, no model, no Ray.

Run it with `python examples/hello.py`; it prints what the agents did, step by step.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from housemates.orchestrator.replay import story

import housemates


def main() -> None:
    config = housemates.make_config(task="read_book", agents=2, llm="scripted", runtime="inline", seed=1)
    with tempfile.TemporaryDirectory() as folder:
        result = housemates.run(config, Path(folder) / "run")
        print("\n".join(story(result.folder)))
    print(f"{result.summary['actions']} actions, {result.summary['optimizer']['accepted']} plans rewritten")


if __name__ == "__main__":
    main()
