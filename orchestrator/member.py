"""What the barrier knows of one agent."""

from __future__ import annotations

from dataclasses import dataclass

from ..actors.turn import Answer, Failure
from ..env.world import Observation, Outcome
from .protocol import Verdict

MAX_RESTARTS = 3
"""How often in a row an agent's process is started again; when it dies once more, the agent is quarantined. Not less
than `barrier.MAX_ATTEMPTS`: after an observation that kills whoever reads it, the next one shows whose fault it was."""


@dataclass(slots=True)
class Member:
    """One agent between its last committed turn and the next.

    Attributes:
        observation, feedback: what it is asked with.
        state, version, total: its committed state, the turns behind it, its return.
        attempt: how often it has been asked in the running step.
        dirty: it may hold a state that was never committed.
        answer, failure: what came of the running step; neither while it is awaited.
        deaths: of its process, since it last gave a sign of life.
    """

    observation: Observation
    state: bytes | None = None
    version: int = 0
    attempt: int = 0
    dirty: bool = False
    total: float = 0.0
    feedback: str = ""
    answer: Answer | None = None
    failure: Failure | None = None
    deaths: int = 0

    @property
    def quarantined(self) -> bool:
        """Whether it is not asked any more."""
        return self.deaths > MAX_RESTARTS

    @property
    def decided(self) -> bool:
        """Whether it knew what to do in this step, be it nothing."""
        turn = self.answer.turn if self.answer else None
        return turn is not None and turn.error is None

    @property
    def action(self) -> str | None:
        """What it does in this step."""
        return self.answer.turn.action if self.answer and self.answer.turn else None

    def count_deaths(self, answer: Answer) -> None:
        """Take note of whether its process lives."""
        if answer.failure is not None and answer.failure.kind == "lost":
            self.deaths += 1
        elif answer.failure is None or answer.failure.kind != "stale":  # a process that forgot has just been made
            self.deaths = 0

    def verdict(self, outcome: Outcome | None) -> tuple[Verdict, str]:
        """How it did in this step, and why; `outcome` of its action, if the world took it."""
        if self.quarantined:
            why = self.failure.message if self.failure else "it is not asked any more"
            return "quarantined", f"its process died {self.deaths} times in a row: {why}"
        if self.failure is not None:
            return ("late" if self.failure.kind == "late" else "failed"), self.failure.message
        turn = self.answer.turn if self.answer else None
        if turn is not None and turn.error is not None:
            return ("late" if turn.how == "late" else "failed"), turn.error
        if outcome is None:
            return "ok", ""
        return ("ok" if outcome.ok else "invalid"), outcome.detail
