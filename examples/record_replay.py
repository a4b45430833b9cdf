"""What the models were asked and answered goes onto a cassette, and the run is played again without any model.

The replay takes the settings of the recorded run, and fails if its digest is not the recorded one. A cassette holds
prompts and replies, but no key and no address.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import housemates


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cassette = Path(folder) / "dishes.cassette"
        config = housemates.make_config(task="put_dishwasher", agents=2, steps=20, llm="scripted", runtime="inline")
        recorded = housemates.run(config, Path(folder) / "recorded", record=cassette)
        print(f"recorded {recorded.summary['llm']['calls']} calls in {cassette.stat().st_size} bytes")
        again = housemates.make_config(llm=f"replay:{cassette}", runtime="inline")
        replayed = housemates.run(again, Path(folder) / "replayed")
    print("the same run:", replayed.summary["digest"] == recorded.summary["digest"])


if __name__ == "__main__":
    main()
