"""Episodes without a run folder, with everything they wrote down."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from housemates.actors.model.chat import Endpoint
from housemates.orchestrator.barrier import Barrier
from housemates.orchestrator.config import make_config
from housemates.orchestrator.episode import Episode
from housemates.orchestrator.observer import Record
from housemates.orchestrator.playing import agent_specs, make_runtime
from housemates.orchestrator.protocol import End, SetAside
from housemates.orchestrator.runtime import Runtime
from housemates.orchestrator.summary import Tally

SETTINGS: dict[str, Any] = {"llm": "scripted", "task": "put_dishwasher", "agents": 3, "seed": 5}


@dataclass
class Played:
    """What came of an episode."""

    records: list[Record] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    end: End = field(default_factory=lambda: End(success=False))

    @property
    def digest(self) -> str:
        return self.tally.digest.hexdigest()

    def steps(self) -> list[Record]:
        return [record for record in self.records if record["kind"] == "step"]

    def verdicts(self, agent: str) -> list[str]:
        return [record["agents"][agent]["verdict"] for record in self.steps()]

    def commit(self, record: Record) -> None:
        self.records.append(record)
        self.tally.add(record)


async def play(runtime: Runtime, names: list[str], *, seed: int, steps: int, deadline_s: float = 300.0) -> Played:
    """An episode over a runtime, which is closed afterwards."""
    played = Played()
    head = {"kind": "begin", "config": {}, "model": "scripted", "agents": names}
    try:
        await runtime.start()
        barrier = Barrier(names, steps, deadline_s)
        episode = Episode(barrier, runtime, seed, played.commit, lambda: _actions(played), played.set_aside.append)
        played.end = await episode.run(head)
    finally:
        await runtime.close()
    return played


def _actions(played: Played) -> list[dict[str, Any]]:
    return [{a: (part["turn"] or {}).get("action") for a, part in r["agents"].items()} for r in played.steps()]


def play_household(endpoint: Endpoint, **settings: Any) -> Played:
    """An episode of the household with the scripted model."""
    config = make_config(**SETTINGS | settings)
    specs = agent_specs(config)
    runtime = make_runtime(config, specs, endpoint, Path())
    names = [spec.name for spec in specs]
    return asyncio.run(play(runtime, names, seed=config.seed, steps=config.steps, deadline_s=config.step_deadline_s))
