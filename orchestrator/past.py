"""What an interrupted run has behind it, read from its journal: where everybody stands, and how they got there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..actors.limiter.budget import Spent
from .config import RunConfig
from .journal.log import FILE_NAME, JournalError, whole_bytes
from .observer import Record
from .protocol import Standing
from .replay import records
from .runtime import JointAction
from .summary import Tally


@dataclass
class Past:
    """The committed part of a run.

    Attributes:
        folder: of the run.
        config: as it was begun with; its budgets as they were given last.
        tally: its figures so far.
        step: how many steps are committed.
        standings: of the agents, after the last committed step.
        texts: the last observation of each agent, as text: the world must come to the same when it is rebuilt.
        done, success, decided: see `protocol.Began`.
        lesson: whether the last lesson is committed, too: only the end is missing.
        new_budget: settings of the budget that are given anew.
    """

    folder: Path
    config: RunConfig
    tally: Tally = field(default_factory=Tally)
    step: int = 0
    standings: dict[str, Standing] = field(default_factory=dict[str, Standing])
    texts: dict[str, str] = field(default_factory=dict[str, str])
    done: bool = False
    success: bool = False
    decided: bool = False
    lesson: bool = False
    status: str = "unfinished"
    new_budget: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def spent(self) -> Spent:
        """What counts against its budget."""
        return self.tally.spent

    @property
    def whole_bytes(self) -> int:
        """Where the journal goes on."""
        return whole_bytes(self.folder / FILE_NAME)


def joint_actions(folder: Path) -> Iterator[JointAction]:
    """What the world was given in each committed step of a run."""
    for record in records(folder):
        if record["kind"] == "step":
            yield {agent: (part["turn"] or {}).get("action") for agent, part in record["agents"].items()}


def read_past(folder: Path) -> Past:
    """Read what a run has behind it.

    Raises:
        JournalError: there is no run, its journal is damaged, or it was begun with another version's settings.
    """
    past: Past | None = None
    for record in records(folder):
        if past is None:
            past = Past(folder, begun_config(record, folder))
            past.texts = {agent: o["text"] for agent, o in record["observations"].items()}
        past.tally.add(record)
        _take_in(past, record)
    assert past is not None  # records() yields the head or raises
    return past


def _take_in(past: Past, record: Record) -> None:
    if record["kind"] == "end":
        past.status = record["status"]
    if record["kind"] == "resumed":
        past.config = past.config.model_copy(update=record.get("budget", {}))
    if record["kind"] not in ("step", "lesson"):
        return
    past.lesson = record["kind"] == "lesson"
    for agent, part in record["agents"].items():
        before = past.standings.get(agent, Standing())
        acted = part["turn"] is not None
        past.standings[agent] = Standing(part["state"], before.version + acted, part["total"])
        past.decided |= acted and part["turn"]["error"] is None
    if not past.lesson:
        past.step = record["step"] + 1
        past.done, past.success = record["result"]["done"], record["result"]["success"]
        past.texts = {agent: o["text"] for agent, o in record["result"]["observations"].items()}


def begun_config(head: Mapping[str, Any], folder: Path) -> RunConfig:
    """The settings in the first record of a journal.

    Raises:
        JournalError: this version does not take them.
    """
    try:
        return RunConfig(**head["config"])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise JournalError(
            f"{folder} was begun by version {head['version']} with settings that this one does not take: "
            f"{where}: {first['msg'][:300]}"
        ) from None
