"""One run as the page asks for it. Everything here runs in one thread, so nothing is locked."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..journal.index import JournalIndex
from ..journal.log import JournalError
from ..run_folder import SUMMARY_NAME
from .panels import NOTHING, agent_panel, agent_texts, step_row
from .survey import MESSAGE_CHARS, PlanChange, Survey
from .texts import LOADED_CHARS, clip, label, word_diff

KEPT_RECORDS = 6
"""How many decoded records are kept: whoever scrubs comes back to the neighbours."""
THREAD_LENGTH = 40
"""How many messages are sent to the page at once."""
HISTORY_LENGTH = 12
"""How many changes of a plan are."""
DIFF_CHARS = 600
"""How much of a plan is sent with its history where no difference can be shown."""


class RunReader:
    """A run's journal, indexed, with what the page needs of it.

    Attributes:
        index: of the journal.
        survey: what is known of the whole run; whoever owns the reader advances it.
    """

    def __init__(self, folder: Path) -> None:
        """Open the run in a folder.

        Raises:
            JournalError: there is none, or it is of another format.
        """
        self.folder = folder
        self.index = JournalIndex(folder)
        self.survey = Survey(self.index)
        self._records: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def close(self) -> None:
        """Let go of the journal."""
        self.index.close()

    def head(self) -> dict[str, Any]:
        """What the run is, and how far it is."""
        head = self.index.head
        return {
            "name": self.folder.resolve().name,
            "model": label(str(head["model"])),
            "version": head["version"],
            "config": head["config"],
            "agents": [label(agent) for agent in head["agents"]],
            **self.progress(),
        }

    def progress(self) -> dict[str, Any]:
        """How far the run is; changes while it goes on."""
        index = self.index
        index.refresh()
        end = index.end
        kinds = [index.frames[number].kind for number in index.moments[-1:]]
        return {
            "steps": len(index.moments),
            "last_kind": kinds[0] if kinds else "begin",
            "status": end["status"] if end else "unfinished",
            "success": bool(end and end["success"]),
            "error": label(end["error"]) if end else "",
            "fault": index.fault or self.survey.fault,
            "torn_bytes": index.torn_bytes,
        }

    def summary(self) -> dict[str, Any] | None:
        """The figures: the run's own when it has ended, else those of what has been read so far."""
        if self.index.end is not None:
            try:
                return {"complete": True, **json.loads((self.folder / SUMMARY_NAME).read_text())}
            except (OSError, ValueError):
                pass  # it ended without one, or with half of one: then from the journal
        return {"complete": self.survey.complete, **self.survey.tally.summary()} if self.survey.begun else None

    def track(self, first: int) -> dict[str, Any]:
        """The survey's rows from this step on."""
        return {"first": first, "rows": self.survey.track[first:], "complete": self.survey.complete}

    def step(self, step: int) -> dict[str, Any]:
        """A step at a glance: every agent in a row, and what was said.

        Raises:
            IndexError, JournalError: there is no such step, or it is damaged.
        """
        record = self._record(step)
        after = self._observations(record)
        result = record["result"] or {"messages": (), "done": False, "success": False}
        rows = [step_row(agent, part, after.get(agent)) for agent, part in record["agents"].items()]
        turns_s = record.get("turns_s")
        return {
            "step": step,
            "kind": record["kind"],
            "step_s": record["step_s"],
            "turns_s": max(sum(row["spans"].values()) for row in rows) if turns_s is None else turns_s,
            "world_s": record.get("world_s"),
            "journal_s": record.get("journal_s"),
            "done": result["done"],
            "success": result["success"],
            "rows": rows,
        }

    def agent(self, step: int, agent: str) -> dict[str, Any]:
        """One agent's part in a step.

        Raises:
            KeyError: there is no such agent.
            IndexError, JournalError: as `step`.
        """
        record = self._record(step)
        panel = agent_panel(
            record["agents"][agent],
            self._before(step, agent),
            self._observations(record).get(agent),
            self._settings(agent),
        )
        return {"step": step, "agent": agent, **panel}

    def text(self, step: int, agent: str, field: str, start: int) -> dict[str, Any]:
        """More of a text that was shortened: the characters from `start` on.

        A field is one of `panels.agent_texts`, or `message:N` for the N-th message of the step.

        Raises:
            KeyError: there is no such field or agent.
            IndexError, JournalError: as `step`.
        """
        record = self._record(step)
        kind, _, number = field.partition(":")
        if kind == "message":
            text = self._message(step, int(number))
        else:
            text = agent_texts(record["agents"][agent], self._before(step, agent), self._settings(agent))[field]
        return {"text": text[start : start + LOADED_CHARS], "length": len(text)}

    def messages(self, until: int, agent: str | None) -> dict[str, Any]:
        """The conversation up to and with a step, the latest part of it; that of one agent if one is named."""
        found = [
            spoken
            for spoken in self.survey.messages
            if spoken.step <= until and (agent is None or agent in (spoken.sender, spoken.receiver))
        ]
        shown = [
            {
                "step": spoken.step,
                "number": spoken.number,
                "sender": label(spoken.sender),
                "receiver": label(spoken.receiver),
                "text": spoken.text or clip(self._message(spoken.step, spoken.number), MESSAGE_CHARS),
            }
            for spoken in found[-THREAD_LENGTH:]
        ]
        return {"messages": shown, "earlier": len(found) - len(shown), "complete": self.survey.complete}

    def plans(self, until: int, agent: str) -> dict[str, Any]:
        """How an agent's plan came to be what it is in a step: the latest changes first, with their differences."""
        found = [change for change in self.survey.changes.get(agent, ()) if change.step <= until]
        earlier = max(0, len(found) - HISTORY_LENGTH)
        shown: list[dict[str, Any]] = []
        for number in range(len(found) - 1, earlier - 1, -1):
            change = found[number]
            entry: dict[str, Any] = {"step": change.step, "verdict": change.verdict, "reason": change.reason}
            if change.changed:
                new = self._plan(change, agent)
                entry["diff"] = word_diff(self._plan(found[number - 1], agent) if number else "", new)
                entry["plan"] = clip(new, DIFF_CHARS) if entry["diff"] is None else None
            if change.verdict == "rejected":
                entry["proposal"] = clip(self._turn(change.step, agent)["update"]["reply"], DIFF_CHARS)
            shown.append(entry)
        return {"changes": shown, "earlier": earlier, "complete": self.survey.complete}

    def _settings(self, agent: str) -> dict[str, str]:
        """The method of an agent and how it is organized: its own if its settings name them, else those of all."""
        config = self.index.head["config"]
        own = next((table for table in config.get("agent", ()) if table.get("name") == agent), {})
        given = {name: own.get(name) for name in ("method", "organization")}
        return {name: str(config.get(name, "") if value is None else value) for name, value in given.items()}

    def _plan(self, change: PlanChange, agent: str) -> str:
        return self._turn(change.step, agent)["plan"] if change.plan is None else change.plan

    def _message(self, step: int, number: int) -> str:
        return (self._record(step)["result"] or {"messages": ()})["messages"][number]["text"]

    def _turn(self, step: int, agent: str) -> Mapping[str, Any]:
        return self._record(step)["agents"][agent]["turn"] or {}

    def _record(self, step: int) -> dict[str, Any]:
        if not 0 <= step < len(self.index.moments):
            raise IndexError(step)
        number = self.index.moments[step]
        if number in self._records:
            self._records.move_to_end(number)
        else:
            self._records[number] = self.index.read(number)
            while len(self._records) > KEPT_RECORDS:
                self._records.popitem(last=False)
        return self._records[number]

    def _observations(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        return record["result"]["observations"] if record["result"] else {}

    def _before(self, step: int, agent: str) -> Mapping[str, Any]:
        """What an agent decided on in a step: the observation after the step before."""
        if step == 0:
            return self.index.head["observations"].get(agent, NOTHING)
        try:
            return self._observations(self._record(step - 1)).get(agent, NOTHING)
        except JournalError:  # the step itself can still be shown
            return NOTHING
