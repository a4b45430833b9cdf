"""How a run stands, in words: what happened in the last step, who is waited for, and how long it may still take."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from statistics import mean

from ..config import RunConfig
from ..observer import Record
from ..summary import Tally
from .telling import Part, counted, duration, verb_of

NAMED_AGENTS = 20
"""What more agents than this do is counted, not told one by one."""
_NAMED_SLOW = 6
_RECENT_STEPS = 10
"""The steps whose mean duration the time left is guessed from."""


class Progress:
    """Follows one episode; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._step_began = clock()
        self._horizon = 0
        self._agents: Sequence[str] = ()
        self._record: Record = {}
        self._tally = Tally()
        self._durations: deque[float] = deque(maxlen=_RECENT_STEPS)
        self._waiting_for: Callable[[], list[str]] = list

    def started(self, config: RunConfig, waiting_for: Callable[[], list[str]]) -> None:
        """The first step begins."""
        self._horizon, self._agents, self._waiting_for = config.steps, config.names, waiting_for
        self._step_began = self._clock()

    def committed(self, record: Record, tally: Tally) -> None:
        """A step or lesson is over."""
        self._record, self._tally = record, tally
        self._step_began = self._clock()
        if record["kind"] == "step":
            self._durations.append(record["step_s"])

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    @property
    def parts(self) -> Mapping[str, Part]:
        """What each agent did in the last step; empty before it."""
        return self._record.get("agents", {})

    @property
    def is_crowd(self) -> bool:
        """Whether there are too many agents to name each."""
        return len(self._agents) > NAMED_AGENTS

    def headline(self) -> str:
        """The step, the best return, and what was spent."""
        tally = self._tally
        best = max(tally.returns.values(), default=0.0)
        what = "last lesson" if self._record.get("kind") == "lesson" else f"step {tally.steps}/{self._horizon}"
        return (
            f"{what}  return {best:g}  LLM calls {tally.calls.total()} "
            f"({tally.sticky} saved)  tokens {tally.prompt_tokens}+{tally.completion_tokens}  {self.elapsed:.0f} s"
        )

    def time_left(self) -> str:
        """How long the steps up to the horizon will take, which the task may make needless; "" if nothing is known."""
        left = self._horizon - self._tally.steps
        if not self._durations or left <= 0:
            return ""
        return f"at most {duration(mean(self._durations) * left)} to go"

    def slow(self) -> str:
        """Who is thinking and for how long, and how many wait for them; "" if nothing is going on."""
        thinking, total = self._waiting_for(), len(self._agents)
        if not thinking:
            return "the world moves" if total and self._record.get("kind") != "lesson" else ""
        names = ", ".join(thinking[:_NAMED_SLOW])
        more = f" and {len(thinking) - _NAMED_SLOW} more" if len(thinking) > _NAMED_SLOW else ""
        waits = f", {total - len(thinking)} waiting" if len(thinking) < total else ""
        return f"{len(thinking)} thinking for {duration(self._clock() - self._step_began)}{waits}: {names}{more}"

    def counts(self) -> list[str]:
        """What the agents did in the last step, counted: by kind, by verb, and what went wrong."""
        verbs = Counter(map(verb_of, self.parts.values()))
        idle, spoke = verbs["nothing"], verbs["send_message"]
        odd = Counter(part["verdict"] for part in self.parts.values() if part["verdict"] != "ok")
        lines = [
            f"{verbs.total() - idle - spoke} acted, {spoke} spoke, {idle} did nothing",
            counted(verbs),
            counted(odd),
        ]
        return [line for line in lines if line] if verbs else []
