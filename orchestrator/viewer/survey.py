"""What the page shows of a whole run at once: read in the background, a slice at a time, and kept small."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..journal.index import JournalIndex
from ..journal.log import JournalError
from ..summary import Tally
from .texts import clip, label

MESSAGE_CHARS = 600
"""How much of a message is kept, and shown before more is asked for."""
KEPT_CHARS = 48_000_000
"""How many characters of plans and messages are kept in all; those beyond are read again when they are shown."""


class PlanChange(NamedTuple):
    """A step in which an agent learned or has another plan: what became of it, and the plan since then.

    `given` is the verdict if nothing was learned. The plan is None if it was not kept.
    """

    step: int
    verdict: str
    reason: str
    changed: bool
    plan: str | None


class Spoken(NamedTuple):
    """A message: its number in its step, between whom, and its beginning with its length, or None if not kept."""

    step: int
    number: int
    sender: str
    receiver: str
    text: dict[str, Any] | None


class Survey:
    """Reads every record of a journal once, as it is written, and keeps some numbers per step.

    Attributes:
        tally: the run's figures, as far as it has read.
        track: per step a row: reward, seconds, messages, agents in trouble, plans accepted, plans rejected.
        messages: all that were delivered.
        fault: the first damage it met; it reads on after it.
    """

    def __init__(self, index: JournalIndex) -> None:
        self._index = index
        self._next = 0
        self._plans: dict[str, str] = {}
        self._kept_chars = 0
        self.tally = Tally()
        self.track: list[list[float]] = []
        self.messages: list[Spoken] = []
        self.changes: dict[str, list[PlanChange]] = {}
        self.fault = ""

    @property
    def begun(self) -> bool:
        """Whether anything was read, without which the tally knows nothing."""
        return self._next > 0

    @property
    def complete(self) -> bool:
        """Whether all that is in the journal has been read."""
        return self._next == len(self._index.frames)

    def advance(self, seconds: float) -> None:
        """Read on for at most so long (or one record)."""
        until = time.perf_counter() + seconds
        while not self.complete:
            self._next += 1
            try:
                record = self._index.read(self._next - 1)
                if record["kind"] in ("step", "lesson", "abandoned"):
                    self._take_in(record)
                self.tally.add(record)
            except JournalError as error:
                self.fault = self.fault or str(error)
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                where = f"{self._index.path}: record {self._next - 1}"
                self.fault = self.fault or f"{where} is not as this version writes them ({error!r})"
            if time.perf_counter() > until:
                return

    def _take_in(self, record: Mapping[str, Any]) -> None:
        step = record["step"]
        while len(self.track) <= step:  # records that could not be read leave empty rows
            self.track.append([0.0, 0.0, 0, 0, 0, 0])
        row = self.track[step] = [0.0, record["step_s"], 0, 0, 0, 0]
        for agent, part in record["agents"].items():
            row[0] += part["reward"] / len(record["agents"])
            row[3] += part["verdict"] != "ok"
            turn = part["turn"]
            if turn is not None:
                update = turn["update"]
                row[4] += update is not None and update["verdict"] == "accepted"
                row[5] += update is not None and update["verdict"] == "rejected"
                self._take_in_plan(step, agent, turn)
        for number, message in enumerate((record["result"] or {"messages": ()})["messages"]):
            row[2] += 1
            text = clip(message["text"], MESSAGE_CHARS)
            kept = text if self._keep(len(text["text"])) else None
            self.messages.append(Spoken(step, number, message["sender"], message["receiver"], kept))

    def _take_in_plan(self, step: int, agent: str, turn: Mapping[str, Any]) -> None:
        plan, update = self._plans.get(agent, ""), turn["update"]
        changed = turn["plan"] != plan
        if not changed and update is None:
            return
        changes = self.changes.setdefault(agent, [])
        while changes and changes[-1].step >= step:  # of a step that was broken off, and done again
            changes.pop()
        if changed:
            plan = self._plans[agent] = turn["plan"]
        kept = plan if not changed or self._keep(len(plan)) else None
        verdict, reason = (update["verdict"], update["reason"]) if update else ("given", "")
        changes.append(PlanChange(step, verdict, label(reason) or "", changed, kept))

    def _keep(self, chars: int) -> bool:
        """Whether there is room for so many more characters; if there is, it is taken."""
        room = self._kept_chars + chars <= KEPT_CHARS
        self._kept_chars += chars if room else 0
        return room
