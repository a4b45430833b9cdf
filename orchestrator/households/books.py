"""How the households of a run stand: what they did so far, and which have ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...actors.limiter.budget import Spent
from ..config import RunConfig
from ..observer import Record
from ..run import OVER_BUDGET
from ..side_by_side import Listener
from ..summary import Tally

Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a household ended: `completed`, `interrupted`, `failed` or `budget_exceeded`, and why."""

    status: str
    summary: Summary | None
    error: str


@dataclass(slots=True)
class News:
    """What happened since it was asked last.

    Attributes:
        begun: households that committed the first step since they began, or went on.
        steps: committed.
        agent_steps: turns of agents in them.
        calls: of models.
        ended: households that ended, by name.
    """

    begun: int = 0
    steps: int = 0
    agent_steps: int = 0
    calls: int = 0
    ended: dict[str, Ended] = field(default_factory=dict[str, Ended])

    def add(self, other: News) -> None:
        """Take in later news."""
        self.begun += other.begun
        self.steps += other.steps
        self.agent_steps += other.agent_steps
        self.calls += other.calls
        self.ended |= other.ended


class Reporter(Listener):
    """Collects the news of the households that a process conducts. Their records stay where they are."""

    def __init__(self) -> None:
        self._news = News()
        self._begun: set[str] = set()

    def take(self) -> News:
        """The news since the last time."""
        news, self._news = self._news, News()
        return news

    def committed(self, name: str, record: Record, tally: Tally) -> None:
        if record["kind"] == "step":
            if name not in self._begun:
                self._begun.add(name)
                self._news.begun += 1
            self._news.steps += 1
            self._news.agent_steps += len(record["agents"])
        for part in record.get("agents", {}).values() if record["kind"] != "begin" else ():
            self._news.calls += len(part["lost_calls"]) + len((part["turn"] or {"calls": ()})["calls"])

    def ended(self, name: str, status: str, summary: Summary | None, error: str) -> None:
        self._news.ended[name] = Ended(status, summary, error)


def spent_by(summaries: Iterable[Summary]) -> Spent:
    """What households have spent together. They ran at the same time: the seconds are those of the longest."""
    total = Spent()
    for summary in summaries:
        llm = summary["llm"]
        calls = Spent(
            calls=llm["calls"], prompt_tokens=llm["prompt_tokens"], completion_tokens=llm["completion_tokens"]
        )
        total += Spent(seconds=max(0.0, summary["wall_s"] - total.seconds)) + calls
    return total


def summarize(
    config: RunConfig, summaries: Mapping[str, Summary], failed: Mapping[str, str], status: str, error: str
) -> dict[str, Any]:
    """What `summary.json` of the whole run holds: sums over its households, and which of them are not complete.

    Args:
        config: of the run.
        summaries: of the households that left one, by name.
        failed: why households ended early or could not begin, by name.
        status, error: of the run.
    """
    found = list(summaries.values())

    def total(name: str) -> Any:
        return sum(summary[name] for summary in found)

    llm: dict[str, Any] = {}
    for name in ("calls", "act_calls", "learn_calls", "sticky_saved", "prompt_tokens", "completion_tokens", "failures"):
        llm[name] = sum(summary["llm"][name] for summary in found)
    if any("cost" in summary["llm"] for summary in found):
        llm["cost"] = round(sum(summary["llm"].get("cost", 0.0) for summary in found), 6)
    completed = [summary for summary in found if summary["status"] == "completed"]
    returns = [value for summary in found for value in summary["returns"].values()]
    return {
        "households": config.households,
        "completed": len(completed),
        "solved": sum(summary["success"] for summary in completed),
        "task": config.task_name,
        "agents": config.agents,
        "method": config.method,
        "model": found[0]["model"] if found else config.llm,
        "seed": config.seed,
        "status": status,
        "error": error,
        "success": bool(completed) and all(summary["success"] for summary in found),
        "steps": total("steps"),
        "actions": total("actions"),
        "messages": total("messages"),
        "mean_return": sum(returns) / len(returns) if returns else 0.0,
        "llm": llm,
        "fallbacks": total("fallbacks"),
        "wall_s": max((summary["wall_s"] for summary in found), default=0.0),
        "failed": dict(failed),
        "digests": {name: summary["digest"] for name, summary in summaries.items()},
    }


def outcome(ended: Mapping[str, Ended], *, interrupted: bool) -> str:
    """The status of a run whose households ended so."""
    statuses = {end.status for end in ended.values()}
    if interrupted:
        return "interrupted"
    for status in ("failed", OVER_BUDGET, "interrupted"):
        if status in statuses:
            return status
    return "completed"
