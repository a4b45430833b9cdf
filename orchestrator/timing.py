"""Where the time of a run went, added up from the times in its records (`orchestrator.step_clock` takes them).

Two sums. That of the **steps** follows, in every step, the agent that answered last, and goes on with the world and
the record: it is the time on the wall, and what to look at to make a run faster. That of the **agents** is over all of
them, waiting for each other included: what they were doing all the while.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

AGENT_PARTS = {
    "act_s": "acting",
    "learn_s": "learning",
    "queued_s": "queueing",
    "optimizer_s": "optimizer",
    "agent_s": "agent",
    "transport_s": "transport",
    "lost_s": "lost turns",
    "barrier_s": "waiting",
}
"""What an agent's time goes into, and the words for it."""

STEP_PARTS = {name: words for name, words in AGENT_PARTS.items() if name != "barrier_s"} | {
    "world_s": "world",
    "journal_s": "journal",
    "driver_s": "driver",
}
"""What a step's time goes into: the agent it waited for, the world, the record, and what the driver does between."""

NOTICED_S = 0.01
"""A step waits for an agent if the next to last had answered so much earlier."""

STRAGGLERS = 10
"""So many are named in a summary."""


@dataclass(slots=True)
class AgentTimes:
    """One agent's: its parts, the steps that waited for it alone, and for how long they did."""

    parts: dict[str, float] = field(default_factory=lambda: dict.fromkeys(AGENT_PARTS, 0.0))
    waited_for: int = 0
    delay_s: float = 0.0


class TimeTally:
    """Adds up the times of records; older ones, which have none, do not count.

    Attributes:
        count: the records with times.
        steps: seconds per part of the steps.
        model_s: of each step the work of the model that was busy longest, calls of one agent added up.
        agents: everybody's.
    """

    def __init__(self) -> None:
        self.count = 0
        self.steps = dict.fromkeys(STEP_PARTS, 0.0)
        self.model_s = 0.0
        self.agents: dict[str, AgentTimes] = {}

    @property
    def seconds(self) -> float:
        """Of all steps."""
        return sum(self.steps.values())

    @property
    def efficiency(self) -> float:
        """The share of the steps' time in which the model of the slowest agent worked."""
        return self.model_s / self.seconds if self.seconds else 0.0

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in a record of a step, a lesson, or a step that was broken off."""
        if record.get("turns_s") is None:
            return
        self.count += 1
        timed = {agent: part["times"] for agent, part in record["agents"].items() if part.get("times")}
        for agent, times in timed.items():
            mine = self.agents.setdefault(agent, AgentTimes()).parts
            for name in mine:
                mine[name] += times.get(name, 0.0)
        self.model_s += max((t.get("act_s", 0.0) + t.get("learn_s", 0.0) for t in timed.values()), default=0.0)
        world_s = record.get("world_s", 0.0)
        rest = record["step_s"] - world_s
        last = min(timed, key=lambda agent: timed[agent].get("barrier_s", 0.0), default=None)
        if last is not None:
            for name in STEP_PARTS:
                spent = timed[last].get(name, 0.0)
                self.steps[name] += spent
                rest -= spent
            self._wait_for(last, timed)
        self.steps["world_s"] += world_s
        self.steps["journal_s"] += record.get("journal_s", 0.0)
        self.steps["driver_s"] += max(0.0, rest)

    def _wait_for(self, last: str, timed: Mapping[str, Mapping[str, float]]) -> None:
        waits = [times.get("barrier_s", 0.0) for agent, times in timed.items() if agent != last]
        delay_s = min(waits, default=0.0) - timed[last].get("barrier_s", 0.0)
        if delay_s >= NOTICED_S:
            self.agents[last].waited_for += 1
            self.agents[last].delay_s += delay_s

    def stragglers(self) -> list[str]:
        """Whom the steps waited for, the longest first."""
        found = [agent for agent, times in self.agents.items() if times.waited_for]
        return sorted(found, key=lambda agent: -self.agents[agent].delay_s)

    def summary(self) -> dict[str, Any]:
        """In seconds, for `summary.json`; empty if no record had times."""
        if not self.count:
            return {}
        sums = {name: sum(times.parts[name] for times in self.agents.values()) for name in AGENT_PARTS}
        return {
            "efficiency": round(self.efficiency, 4),
            "steps": {name: round(seconds, 3) for name, seconds in self.steps.items()},
            "agents": {name: round(seconds, 3) for name, seconds in sums.items()},
            "stragglers": [
                {"agent": agent, "steps": self.agents[agent].waited_for, "s": round(self.agents[agent].delay_s, 3)}
                for agent in self.stragglers()[:STRAGGLERS]
            ],
        }
