"""Whatever is answered, lost, late or repeated, and whenever the deadline passes: properties of the barrier."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from housemates.actors.turn import Answer, Ask
from housemates.orchestrator.barrier import MAX_ATTEMPTS
from housemates.orchestrator.protocol import Commit, DeadlinePassed, End, Event, StartClock, Stepped, StepWorld
from hypothesis import given, settings
from hypothesis import strategies as st

from .test_barrier import AGENTS, answer, begin, failure, result

HORIZON = 6
KINDS = ("ok", "ok", "ok", "lost", "stale", "late", "error")


class History:
    """An episode in which everything that can happen to an answer happens by lot.

    `closed` has for each deadline that passed in time the commands it led to, and who was missing then.
    """

    def __init__(self, seed: int, *, everybody_is_there: bool = False) -> None:
        self._rng = random.Random(seed)
        self._everybody_is_there = everybody_is_there
        self.barrier, first = begin(HORIZON)
        self.asked: list[Ask] = list(first.values())
        self.records: list[Any] = []
        self.closed: list[tuple[list[str], list[Any]]] = []
        self.end: End | None = None
        self._clock = 0
        self._stepping: int | None = None  # the step for which the world was asked and has not answered
        for event in self._events():
            self._happen(event)

    def _events(self) -> Iterator[Event]:
        for _ in range(1000):
            if self.end is not None:
                return
            if self._stepping is not None and self._rng.random() < 0.5:
                yield Stepped(self._stepping, result())
            elif not self._everybody_is_there and self._rng.random() < 0.1:
                yield DeadlinePassed(self._rng.choice([self._clock, self._clock - 1]))
            else:
                yield self._answer(self._rng.choice(self.asked))
        raise AssertionError("it does not come to its end")

    def _answer(self, ask: Ask) -> Answer:
        kind = "ok" if self._everybody_is_there else self._rng.choice(KINDS)
        state = f"{ask.agent} {ask.step} {ask.attempt}".encode()
        return answer(ask, state=state) if kind == "ok" else failure(ask, kind)

    def _happen(self, event: Event) -> None:
        missing = self.barrier.waiting_for()
        commands = self.barrier.handle(event)
        if isinstance(event, DeadlinePassed) and event.step == self._clock and missing:
            self.closed.append((missing, commands))
        if isinstance(event, Stepped):
            self._stepping = None
        for command in commands:
            if isinstance(command, Ask):
                self.asked.append(command)
            elif isinstance(command, StartClock):
                self._clock = command.step
            elif isinstance(command, StepWorld):
                self._stepping = command.step
            elif isinstance(command, Commit):
                self.records.append(command.record)
            elif isinstance(command, End):
                self.end = command


seeds = st.integers(0, 2**32)


@settings(deadline=None)
@given(seeds)
def test_the_deadline_closes_a_step_whoever_is_missing_and_nobody_else_is_late_for_it(seed: int) -> None:
    history = History(seed)
    for missing, commands in history.closed:
        assert any(isinstance(command, StepWorld | End) for command in commands), "nothing is waited for any more"
        step = next((command for command in commands if isinstance(command, StepWorld)), None)
        if step is not None:
            assert all(step.actions[agent] is None for agent in missing)


@settings(deadline=None)
@given(seeds)
def test_a_committed_turn_was_asked_for_in_its_step_and_last(seed: int) -> None:
    history = History(seed)
    asked: dict[tuple[str, int], int] = {}
    for ask in history.asked:
        asked[ask.agent, ask.step] = max(ask.attempt, asked.get((ask.agent, ask.step), 0))
    assert max(asked.values()) <= MAX_ATTEMPTS
    for record in history.records:
        for agent, part in record.agents.items():
            if part.turn is not None:
                assert part.state == f"{agent} {record.step} {asked[agent, record.step]}".encode()


@settings(deadline=None)
@given(seeds)
def test_every_step_is_committed_once_and_in_order(seed: int) -> None:
    history = History(seed)
    steps = [record.step for record in history.records if record.kind == "step"]
    assert steps == list(range(len(steps)))
    assert history.end is not None
    assert len(steps) == HORIZON or history.end.error


@settings(deadline=None)
@given(seeds)
def test_in_whatever_order_answers_come_the_records_are_the_same(seed: int) -> None:
    def told(seed: int) -> list[Any]:
        records = History(seed, everybody_is_there=True).records
        return [list(record.to_dict()["agents"].items()) for record in records]

    assert told(seed) == told(0)
    assert [agent for agent, _ in told(seed)[0]] == AGENTS
