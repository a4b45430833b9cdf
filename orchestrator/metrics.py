"""A run's figures as metrics of Ray, which Prometheus can scrape; docs/performance.md has their names and labels.

They are told once a step, after it is committed, from its record: some thirty numbers, however many agents there are.
Ray exports them only where `ray[default]` is installed (our extra `metrics`); without it they go nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from .observer import Record
from .timing import AGENT_PARTS, TimeTally

STEP_BOUNDS_S = [0.1, 0.3, 1, 3, 10, 30, 100, 300]
"""Of the histogram's buckets."""


class RunMetrics:
    """Counts a run's steps for Ray. Ray must be up.

    Args:
        run: the label that tells runs apart.
    """

    def __init__(self, run: str) -> None:
        from ray.util import metrics

        def counter(name: str, what: str, *labels: str) -> Any:
            made = metrics.Counter(f"housemates_{name}", what, tag_keys=("run", *labels))
            return made.set_default_tags({"run": run})

        self._agent_seconds = counter("agent_seconds", "What the agents' time went into, all together", "part")
        self._step_seconds = counter("step_parts_seconds", "What the time of the steps went into", "part")
        self._turns = counter("turns", "Turns", "verdict")
        self._calls = counter("model_calls", "Calls of models", "purpose", "outcome")
        self._tokens = counter("tokens", "Tokens of prompts and replies", "kind")
        self._updates = counter("plan_updates", "What became of proposed plans", "verdict")
        bounds: Any = {"boundaries": STEP_BOUNDS_S, "tag_keys": ("run",)}
        self._steps = metrics.Histogram("housemates_step_seconds", "Duration of a step", **bounds)
        self._agents = metrics.Gauge("housemates_agents", "Agents that take turns", tag_keys=("run",))
        for metric in (self._steps, self._agents):
            metric.set_default_tags({"run": run})

    def add(self, record: Mapping[str, Any]) -> None:
        """Tell a record of the journal; only those of steps and lessons say something."""
        if "agents" not in record or "step_s" not in record:
            return
        tally = TimeTally()
        tally.add(record)
        for part in AGENT_PARTS:
            _count(self._agent_seconds, sum(one.parts[part] for one in tally.agents.values()), part=_word(part))
        for part, seconds in tally.steps.items():
            _count(self._step_seconds, seconds, part=_word(part))
        verdicts, updates = Counter[str](), Counter[str]()
        calls, tokens = Counter[tuple[str, str]](), Counter[str]()
        for part in record["agents"].values():
            turn: Mapping[str, Any] = part["turn"] or {"calls": (), "update": None}
            verdicts[part["verdict"]] += 1
            if turn["update"]:
                updates[turn["update"]["verdict"]] += 1
            for call in (*turn["calls"], *part["lost_calls"]):
                calls[call["purpose"], call["error"] or "ok"] += 1
                tokens["prompt"] += call["prompt_tokens"]
                tokens["completion"] += call["completion_tokens"]
        for verdict, number in verdicts.items():
            _count(self._turns, number, verdict=verdict)
        for verdict, number in updates.items():
            _count(self._updates, number, verdict=verdict)
        for (purpose, outcome), number in calls.items():
            _count(self._calls, number, purpose=purpose, outcome=outcome)
        for kind, number in tokens.items():
            _count(self._tokens, number, kind=kind)
        if record["kind"] == "step":
            self._steps.observe(record["step_s"])
            self._agents.set(len(record["agents"]) - verdicts["quarantined"])


def metered(commit: Callable[[Record], None], run: str) -> Callable[[Record], None]:
    """Commits records, and then tells Ray's metrics of them."""
    metrics = RunMetrics(run)

    def committed(record: Record) -> None:
        commit(record)
        metrics.add(record)

    return committed


def _count(counter: Any, number: float, **labels: str) -> None:
    if number > 0:  # Ray takes no zero
        counter.inc(number, labels)


def _word(part: str) -> str:
    return part.removesuffix("_s")
