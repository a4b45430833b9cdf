"""Episodes that differ in nothing but their seed, taken together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..timing import AGENT_PARTS, STEP_PARTS
from .intervals import Interval, mean, share
from .rows import Results, Row


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of the report.

    Attributes:
        key: in tables.
        title: for people.
        of: the interval over a group's episodes; None where the figure is not defined for any of them.
        digits: after the point.
    """

    key: str
    title: str
    of: Callable[[Sequence[Row]], Interval | None]
    digits: int = 1


def _mean(key: str, title: str, digits: int = 1) -> Column:
    return Column(key, title, lambda rows: mean([row[key] for row in rows if row[key] is not None]), digits)


OUTCOMES = (
    Column("success", "solved", lambda rows: share([row["success"] for row in rows]), 2),
    _mean("actions", "actions to finish"),
    _mean("messages", "messages"),
    _mean("steps_taken", "steps"),
    _mean("mean_return", "return"),
    _mean("calls", "model calls"),
    Column("tokens", "tokens", lambda rows: mean([r["prompt_tokens"] + r["completion_tokens"] for r in rows]), 0),
    _mean("cost_usd", "cost, $", 4),
    _mean("plans_accepted", "plans rewritten"),
    _mean("fallbacks", "fallbacks"),
)
"""What came of it. Actions leave messages out; those of unsolved episodes are a lower bound."""

EMERGENCE = (
    _mean("delivery_balance", "delivery balance", 2),
    _mean("specialisation", "specialisation", 2),
    _mean("specialisation_chance", "… by chance", 2),
    _mean("territory", "territory", 2),
    _mean("territory_chance", "… by chance", 2),
    _mean("duplicated_effort", "duplicated effort", 2),
    _mean("coverage_overlap", "coverage overlap", 2),
    _mean("idle_share", "idle", 2),
    _mean("message_rate", "message rate", 3),
    _mean("reply_rate", "replies", 2),
    _mean("acted_on", "acted on", 2),
    _mean("acted_on_before", "… before", 2),
    _mean("leadership", "leadership", 2),
    _mean("plan_mentions", "plans naming mates", 2),
)
"""What emerged; the definitions are in docs/emergence.md."""

STEP = (
    _mean("step_mean_s", "step, s", 3),
    _mean("efficiency", "efficiency", 3),
)
"""How long a step takes, and the share of it in which the model of the slowest agent worked."""


def _shares(prefix: str, parts: Mapping[str, str]) -> tuple[Column, ...]:
    return tuple(_share(f"{prefix}_{part}", [f"{prefix}_{p}" for p in parts], title) for part, title in parts.items())


def _share(key: str, whole: Sequence[str], title: str) -> Column:
    def of(rows: Sequence[Row]) -> Interval | None:
        timed = [row for row in rows if row[key] is not None and sum(row[name] for name in whole)]
        shares = [100 * row[key] / sum(row[name] for name in whole) for row in timed]
        return mean(shares) if any(shares) else None

    return Column(key, f"{title}, %", of)


STEP_TIMES = _shares("step", STEP_PARTS)
"""Where the time of the steps went: that of the agent each waited for, of the world, of the record."""

AGENT_TIMES = _shares("agent", AGENT_PARTS)
"""What the agents did all the while."""


@dataclass(frozen=True, slots=True)
class Group:
    """Episodes with the same settings but for the seed. `name` has one part per varied setting."""

    name: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def label(self) -> str:
        """Its name in one text."""
        return ", ".join(self.name) or "all"


def headings(results: Results) -> tuple[str, ...]:
    """The settings that name a group."""
    return tuple(name for name in results.varied if name != "seed")


def group(results: Results) -> list[Group]:
    """The groups, in the order in which their first episodes come. Episodes that failed count in none."""
    names = headings(results)
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in results.episodes:
        if row["status"] == "completed":
            found.setdefault(tuple(str(row.get(name, "")) for name in names), []).append(row)
    return [Group(name, tuple(rows)) for name, rows in found.items()]


def written(column: Column, rows: Sequence[Row]) -> str:
    """A figure with its interval, as text; empty where it is not defined."""
    interval = column.of(rows)
    if interval is None:
        return ""
    digits = column.digits
    if not interval.bounded:
        return f"{interval.value:.{digits}f}"
    return f"{interval.value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"
