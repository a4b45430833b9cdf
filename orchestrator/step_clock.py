"""Where the time of a step goes: taken by the driver, which has a clock, and told in the step's record.

A step is the turns of all agents at once, then the world's step, then the record. What an agent's part of the first
was spent on adds up, from being asked until the barrier closed:

    act_s, learn_s   its model was at work
    queued_s         waiting for leave to ask it, and between two attempts
    optimizer_s      lessons outside their calls: Trace, the prompt about the graph, the proposal taken over
    agent_s          the rest of its turn: prompt, reply, state
    transport_s      question and answer on their way, packed and unpacked
    lost_s           turns that did not count
    barrier_s        waiting for the others

All in seconds, to a tenth of a millisecond; what took less is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..actors.turn import Answer, Ask, Turn
from .protocol import AgentRecord, StepRecord

DIGITS = 4


@dataclass(slots=True)
class _Question:
    """An agent's running ask: when it was asked first in the step, and last; when the answer came, and its own time."""

    first: float
    asked: float
    attempt: int
    answered: float | None = None
    turn_s: float = 0.0


class StepClock:
    """Told what the driver does, in order; `now` is what it reads."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._step = -1
        self._began = now()
        self._closed: float | None = None
        self._stepped: float | None = None
        self._journal_s = 0.0
        self._questions: dict[str, _Question] = {}

    def begin(self) -> None:
        """A step begins."""
        self._began = self._now()
        self._closed = self._stepped = None
        self._questions.clear()

    def asked(self, ask: Ask) -> None:
        """An agent is asked for its turn."""
        now = self._now()
        before = self._questions.get(ask.agent)
        self._step = ask.step
        self._questions[ask.agent] = _Question(before.first if before else now, now, ask.attempt)

    def answered(self, answer: Answer) -> None:
        """An answer is here; one to an older ask does not count."""
        question = self._questions.get(answer.agent)
        if question is not None and (answer.step, answer.attempt) == (self._step, question.attempt):
            question.answered, question.turn_s = self._now(), answer.seconds

    def closed(self) -> None:
        """The barrier has closed; now it is the world's turn."""
        self._closed = self._now()

    def stepped(self) -> None:
        """The world has taken the step."""
        self._stepped = self._now()

    def commit(self, record: StepRecord, write: Callable[[Mapping[str, Any]], None]) -> None:
        """Have the record written, with its times; the next one tells how long that took."""
        timed = self._timed(record)
        began = self._now()
        write(timed)
        self._journal_s = self._now() - began
        self.begin()

    def _timed(self, record: StepRecord) -> dict[str, Any]:
        now = self._now()
        closed = now if self._closed is None else self._closed
        stepped = closed if self._stepped is None else self._stepped
        written = record.to_dict()
        for agent, part in record.agents.items():
            question = self._questions.get(agent)
            spent = _spent(question, part, closed) if question else {}
            rounded = {name: round(seconds, DIGITS) for name, seconds in spent.items()}
            written["agents"][agent]["times"] = {name: seconds for name, seconds in rounded.items() if seconds > 0}
        return {
            **written,
            "step_s": round(now - self._began, DIGITS),
            "turns_s": round(closed - self._began, DIGITS),
            "world_s": round(stepped - closed, DIGITS),
            "journal_s": round(self._journal_s, DIGITS),
        }


def _spent(question: _Question, part: AgentRecord, closed: float) -> dict[str, float]:
    answered = closed if question.answered is None else question.answered
    waiting = {"barrier_s": closed - answered}
    if part.turn is None:
        return {"lost_s": answered - question.first, **waiting}
    turn = _of_turn(part.turn)
    return {
        **turn,
        "agent_s": question.turn_s - sum(turn.values()),
        "transport_s": answered - question.asked - question.turn_s,
        "lost_s": question.asked - question.first,
        **waiting,
    }


def _of_turn(turn: Turn) -> dict[str, float]:
    spent = {"act_s": 0.0, "learn_s": 0.0, "queued_s": 0.0, "optimizer_s": turn.learning_s}
    for call in turn.calls:
        spent[f"{call.purpose}_s"] += call.seconds - call.waited_s
        spent["queued_s"] += call.queued_s + call.waited_s
        if call.purpose == "learn":
            spent["optimizer_s"] -= call.seconds + call.queued_s
    return spent
