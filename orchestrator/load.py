"""A recorded run in a notebook: its steps one by one, its figures, and everything as tables.

    run = load_run("runs/20261122-…")
    run.steps[12]["agents"]["Agent_1"]["turn"]["action"]
    run.turns().to_pandas()

Tables are Arrow tables (`to_pandas()` makes data frames of them). They need pyarrow, figures need matplotlib; both
come with the extra `report` and are imported when they are first used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from .errors import ConfigError
from .journal.index import JournalIndex
from .summary import Tally

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Record = dict[str, Any]

_TURNS = {
    "step": "int64",
    "kind": "string",
    "agent": "string",
    "action": "string",
    "how": "string",
    "verdict": "string",
    "detail": "string",
    "reward": "double",
    "total": "double",
    "room": "string",
    "thoughts": "string",
    "plan": "string",
    "act_s": "double",
    "learn_s": "double",
    "prompt_tokens": "int64",
    "completion_tokens": "int64",
}
_MESSAGES = {"step": "int64", "sender": "string", "receiver": "string", "text": "string"}
_PLANS = {"step": "int64", "agent": "string", "verdict": "string", "reason": "string", "plan": "string"}
"""The columns of the tables: the same whatever happened in a run, even if it is nothing."""


def load_run(folder: str | Path) -> Run:
    """Open the run in a folder. Nothing is read yet but where its records lie.

    Raises:
        JournalError: there is no run, or it is of another format.
    """
    return Run(JournalIndex(Path(folder)))


class Steps(Sequence[Record]):
    """The steps of a run as the journal has them, each read when it is asked for.

    The lesson after the last step comes last, as a record without a `result`.
    """

    def __init__(self, index: JournalIndex) -> None:
        self._index = index

    def __len__(self) -> int:
        return len(self._index.moments)

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> list[Record]: ...
    def __getitem__(self, at: int | slice) -> Record | list[Record]:
        """Raises `JournalError` if the record is damaged."""
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        return self._index.step(at + len(self) if at < 0 else at)


class Run:
    """A run as recorded.

    Attributes:
        config: the settings it was begun with.
        model: what the agents asked.
        agents: their names.
        steps: what happened, see `Steps`.
        status: completed, interrupted, failed, budget_exceeded, or unfinished while it has no end.
    """

    def __init__(self, index: JournalIndex) -> None:
        self._index = index
        self.config: Record = index.head["config"]
        self.model: str = index.head["model"]
        self.agents: list[str] = index.head["agents"]
        self.steps = Steps(index)
        self.status: str = index.end["status"] if index.end else "unfinished"

    def summary(self) -> Record:
        """The figures of the run, counted from its journal; the same as in `summary.json`."""
        tally = Tally()
        for number in range(len(self._index.frames)):
            tally.add(self._index.read(number))
        return tally.summary()

    def turns(self) -> Any:
        """An Arrow table with a row per agent and step: what it did, how, with what result, and what that took."""
        return self._table(_turn_rows, _TURNS)

    def messages(self) -> Any:
        """An Arrow table with a row per delivered message: step, sender, receiver, text."""
        return self._table(_message_rows, _MESSAGES)

    def plans(self) -> Any:
        """An Arrow table with a row per lesson: step, agent, verdict, reason, and the plan after it."""
        return self._table(_plan_rows, _PLANS)

    def draw_returns(self) -> Figure:
        """The return of every agent over the steps, and the mean."""
        figure, axes = _axes("step", "return")
        totals = [[record["agents"][agent]["total"] for agent in self.agents] for record in self.steps]
        for number, agent in enumerate(self.agents[:12]):
            axes.plot([row[number] for row in totals], label=agent, alpha=0.6)
        axes.plot([sum(row) / len(row) for row in totals], label="mean", color="black", linewidth=2)
        axes.legend()
        return figure

    def draw_times(self) -> Figure:
        """How long each step took, and how much of it the slowest agent's model."""
        figure, axes = _axes("step", "seconds")
        models = [max(map(_model_s, record["agents"].values())) for record in self.steps]
        steps = [record["step_s"] for record in self.steps]
        axes.fill_between(range(len(steps)), steps, label="step", alpha=0.3)
        axes.plot(models, label="model of the slowest agent")
        axes.legend()
        return figure

    def _table(self, rows: Callable[[Record], Iterator[Record]], columns: Mapping[str, str]) -> Any:
        _require("pyarrow", "tables")
        from pyarrow import Table, schema, type_for_alias

        kinds = schema([(name, type_for_alias(kind)) for name, kind in columns.items()])
        return Table.from_pylist([row for record in self.steps for row in rows(record)], schema=kinds)


def _turn_rows(record: Record) -> Iterator[Record]:
    for agent, part in record["agents"].items():
        turn = part["turn"] or {}
        info = record["result"]["observations"][agent]["info"] if record["result"] else {}
        calls = [*turn.get("calls", ()), *part["lost_calls"]]
        yield {
            "step": record["step"],
            "kind": record["kind"],
            "agent": agent,
            "action": turn.get("action"),
            "how": turn.get("how"),
            "verdict": part["verdict"],
            "detail": part["detail"],
            "reward": part["reward"],
            "total": part["total"],
            "room": info.get("room"),
            "thoughts": turn.get("thoughts"),
            "plan": turn.get("plan"),
            "act_s": _model_s(part, "act"),
            "learn_s": _model_s(part, "learn"),
            "prompt_tokens": sum(call["prompt_tokens"] for call in calls),
            "completion_tokens": sum(call["completion_tokens"] for call in calls),
        }


def _message_rows(record: Record) -> Iterator[Record]:
    for message in (record["result"] or {"messages": ()})["messages"]:
        yield {"step": record["step"], **message}


def _plan_rows(record: Record) -> Iterator[Record]:
    for agent, part in record["agents"].items():
        update = (part["turn"] or {}).get("update")
        if update is not None:
            row = {"step": record["step"], "agent": agent, "verdict": update["verdict"], "reason": update["reason"]}
            yield {**row, "plan": part["turn"]["plan"]}


def _model_s(part: Record, purpose: str = "") -> float:
    """Seconds an agent's model took in a step, for one purpose or for all."""
    calls = (part["turn"] or {"calls": ()})["calls"]
    return sum(call["seconds"] for call in calls if purpose in ("", call["purpose"]))


def _axes(across: str, up: str) -> tuple[Figure, Any]:
    _require("matplotlib", "figures")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    return figure, axes


def _require(package: str, what: str) -> None:
    if find_spec(package) is None:
        raise ConfigError(f"{what} need {package}, which is not here: pip install 'housemates[report]'")
