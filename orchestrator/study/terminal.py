"""What a person sees of a study in the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ...actors.limiter.budget import Budget
from ..observer import Record
from ..printing import one_line
from ..summary import Tally
from .plan import Cell, estimate
from .running import StudyObserver, StudyResult

REFRESHES_PER_S = 2
SHOWN_RUNNING = 16
"""More running episodes than this are not shown one by one."""


class StudyTerminal(StudyObserver):
    """Shows a study while it goes on: a live table, or a line per episode where there is no terminal."""

    def __init__(self, console: Console, folder: Path, budget: Budget) -> None:
        self._console = console
        self._folder = folder
        self._budget = budget
        self._began = time.monotonic()
        self._live: Live | None = None
        self._cells: Sequence[Cell] = ()
        self._earlier = 0
        self._ended: dict[str, str] = {}
        self._running: dict[str, tuple[Cell, Tally]] = {}

    def __enter__(self) -> StudyTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def starting(self, what: str) -> None:
        self._print(f"{self._elapsed():6.1f} s  {what}")

    def planned(self, cells: Sequence[Cell], finished: Mapping[str, Mapping[str, Any]]) -> None:
        self._cells = cells
        self._earlier = len(finished)
        for line in estimate_lines(cells, finished, self._budget):
            self.starting(line)
        self.starting(f"study folder {self._folder}")
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._picture, console=self._console, refresh_per_second=REFRESHES_PER_S, transient=True
            )
            self._live.start()

    def began(self, cell: Cell) -> None:
        self._running[cell.name] = (cell, Tally())

    def committed(self, cell: Cell, record: Record, tally: Tally) -> None:
        self._running[cell.name] = (cell, tally)

    def ended(self, cell: Cell, status: str, summary: Mapping[str, Any] | None, error: str) -> None:
        self._running.pop(cell.name, None)
        self._ended[cell.name] = status
        if summary is None or status != "completed":
            what = f"{status}: {one_line(error, 300)}" if error else status
        else:
            solved = "solved" if summary["success"] else "not solved"
            llm = summary["llm"]
            what = f"{solved} in {summary['steps']} steps, {summary['actions']} actions, {llm['calls']} calls"
        self._print(f"{self._elapsed():6.1f} s  {self._count()}  {cell.name}  {what}")

    def _count(self) -> str:
        return f"{self._earlier + len(self._ended)}/{len(self._cells)}"

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _picture(self) -> RenderableType:
        table = Table(box=None, pad_edge=False)
        for heading in ("episode", "step", "return", "calls", "tokens"):
            table.add_column(heading, no_wrap=True)
        running = list(self._running.items())
        for name, (cell, tally) in running[:SHOWN_RUNNING]:
            best = max(tally.returns.values(), default=0.0)
            tokens = f"{tally.prompt_tokens}+{tally.completion_tokens}"
            table.add_row(name, f"{tally.steps}/{cell.config.steps}", f"{best:g}", str(tally.calls.total()), tokens)
        head = f"{self._count()} episodes  {self._elapsed():.0f} s  {self._remaining()}"
        more = len(running) - SHOWN_RUNNING
        tail = [Text(f"… and {more} more running", style="dim")] if more > 0 else []
        return Group(Text(head, style="bold"), table, *tail)

    def _remaining(self) -> str:
        done, left = len(self._ended), len(self._cells) - self._earlier - len(self._ended)
        return f"about {self._elapsed() / done * left:.0f} s to go" if done and left else ""


def estimate_lines(cells: Sequence[Cell], finished: Mapping[str, Mapping[str, Any]], budget: Budget) -> Iterator[str]:
    """What a study consists of and what it will take, for people."""
    left = [cell for cell in cells if cell.name not in finished]
    rest = estimate(left, list(finished.values()))
    yield f"{len(cells)} episodes, {len(finished)} finished, {len(left)} to run"
    if left:
        yield f"at most {rest.most_calls} model calls (every agent learning and acting in every step of every horizon)"
    if rest.likely_calls is not None and left:
        share = sum(s["llm"]["prompt_tokens"] for s in finished.values()) / max(
            1, sum(s["llm"]["prompt_tokens"] + s["llm"]["completion_tokens"] for s in finished.values())
        )
        tokens = rest.likely_tokens or 0
        dollars = tokens * (share * budget.price_in + (1 - share) * budget.price_out) / 1e6
        cost = f", {dollars:.2f} dollars" if budget.price_in or budget.price_out else ""
        yield f"at the mean of the finished ones {rest.likely_calls} calls, {tokens} tokens{cost}"


def outcome_lines(result: StudyResult) -> Iterator[str]:
    """How a study ended, and what to do next."""
    yield f"\n{len(result.finished)} episodes completed, {len(result.failed)} failed"
    for name, why in list(result.failed.items())[:20]:
        yield f"  {name}: {one_line(why, 300)}"
    if result.stopped:
        yield result.stopped
    if result.stopped or result.interrupted or result.failed:
        yield f"go on       housemates study --out {result.folder}"
    if result.finished:
        yield f"compare     housemates report {result.folder}"
