"""The figures of a run, counted from its journal records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..actors.limiter.budget import Budget, Spent
from ..env.world import is_message
from .journal.digest import TrajectoryDigest
from .own_world import task_name
from .timing import TimeTally


class Tally:
    """Counts a run while it goes on, or when its journal is read again."""

    def __init__(self) -> None:
        self.digest = TrajectoryDigest()
        self.steps = 0
        self.actions = 0
        self.messages = 0
        self.fallbacks = 0
        self.repaired = 0
        self.sticky = 0
        self.calls: Counter[str] = Counter()
        self.failures = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.updates: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.returns: dict[str, float] = {}
        self.verdicts: Counter[str] = Counter()
        self.quarantined: dict[str, int] = {}
        self.resumes = 0
        self.times = TimeTally()
        self._wall_s = 0.0
        self._open_s = 0.0  # of the steps of a part that has not ended
        self._prices: dict[str, float] = {}
        self._head: Mapping[str, Any] = {}
        self._end: Mapping[str, Any] = {}

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in the next record of the journal."""
        self.digest.add(record)
        if record["kind"] == "begin":
            self._head = record
            self._price(record["config"])
            self.returns = dict.fromkeys(record["agents"], 0.0)
        elif record["kind"] == "end":
            self._end = record
            self._wall_s += record["wall_s"]
            self._open_s = 0.0
        elif record["kind"] == "resumed":
            self._price(record.get("budget", {}))
            self._wall_s += self._open_s  # what is left of a part that was killed
            self._open_s = 0.0
            self._end = {}
            self.resumes += 1
        elif record["kind"] in ("step", "lesson", "abandoned"):
            self._open_s += record["step_s"]
            self.times.add(record)
            self.steps += record["kind"] == "step"
            happened = record["kind"] != "abandoned"
            for agent, part in record["agents"].items():
                self._add_calls([*part["lost_calls"], *(part["turn"] or {"calls": ()})["calls"]])
                if happened:
                    self.returns[agent] = part["total"]
                    self._add_turn(part, in_step=record["kind"] == "step")
                    if part["verdict"] == "quarantined":
                        self.quarantined.setdefault(agent, record["step"])

    @property
    def spent(self) -> Spent:
        """What the run has used of its budget."""
        return Spent(
            calls=self.calls.total(),
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            seconds=self._wall_s + self._open_s,
        )

    def summary(self) -> dict[str, Any]:
        """What `summary.json` holds.

        Counts of actions leave out messages and idle turns; `quarantined` says who, and since which step; `times` are
        told in `orchestrator.timing`.
        """
        config = self._head["config"]
        return {
            "world": config.get("world", ""),
            "task": task_name(config),
            "agents": config["agents"],
            "method": config["method"],
            "model": self._head["model"],
            "seed": config["seed"],
            "status": self._end.get("status", "unfinished"),
            "error": self._end.get("error", ""),
            "success": self._end.get("success", False),
            "steps": self.steps,
            "actions": self.actions,
            "messages": self.messages,
            "returns": self.returns,
            "llm": {
                "calls": self.calls.total(),
                "act_calls": self.calls["act"],
                "learn_calls": self.calls["learn"],
                "sticky_saved": self.sticky,
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.completion_tokens,
                "failures": self.failures,
                **self._cost(),
            },
            "optimizer": {
                "accepted": self.updates["accepted"],
                "unchanged": self.updates["unchanged"],
                "rejected": dict(self.rejected),
            },
            "fallbacks": self.fallbacks,
            "repaired": self.repaired,
            "verdicts": dict(self.verdicts),
            "quarantined": self.quarantined,
            "resumes": self.resumes,
            "wall_s": round(self._wall_s, 3),
            "times": self.times.summary(),
            "digest": self.digest.hexdigest(),
        }

    def _price(self, settings: Mapping[str, Any]) -> None:
        self._prices |= {name: settings[name] for name in ("price_in", "price_out") if name in settings}

    def _cost(self) -> dict[str, float]:
        """The dollars, if the prices are known."""
        if len(self._prices) < 2:
            return {}
        prices = Budget(price_in=self._prices["price_in"], price_out=self._prices["price_out"])
        return {"cost": round(prices.cost(self.spent), 6)}

    def _add_calls(self, calls: Sequence[Mapping[str, Any]]) -> None:
        for call in calls:
            self.calls[call["purpose"]] += 1
            self.failures += call["error"] is not None
            self.prompt_tokens += call["prompt_tokens"]
            self.completion_tokens += call["completion_tokens"]

    def _add_turn(self, part: Mapping[str, Any], *, in_step: bool) -> None:
        if in_step:
            self.verdicts[part["verdict"]] += 1
        turn = part["turn"]
        if turn is None:
            return
        if turn["action"] is not None:
            if is_message(turn["action"]):
                self.messages += 1
            else:
                self.actions += 1
        self.fallbacks += turn["how"] == "random"
        self.sticky += turn["how"] == "sticky"
        self.repaired += turn["repaired"]
        if turn["update"] is not None:
            self.repaired += turn["update"]["repaired"]
            self.updates[turn["update"]["verdict"]] += 1
            if turn["update"]["verdict"] == "rejected":
                self.rejected[turn["update"]["reason"]] += 1
