"""What a person sees of a run with many households in the terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..config import RunConfig
from ..printing import one_line
from .books import News
from .conductor import Shape
from .running import HouseholdsObserver, HouseholdsResult

REFRESHES_PER_S = 2
LINE_S = 10.0
"""Without a terminal there is a line so often."""
SHOWN_FAILED = 20


class HouseholdsTerminal(HouseholdsObserver):
    """Shows how many households are done and how fast the others go. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = self._up = self._told = time.monotonic()
        self._live: Live | None = None
        self._households = self._finished = self._horizon = 0
        self._all = News()

    def __enter__(self) -> HouseholdsTerminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def starting(self, what: str) -> None:
        self._print(f"{time.monotonic() - self._began:6.1f} s  {what}")

    def planned(self, config: RunConfig, folder: Path, finished: int, shape: Shape) -> None:
        self._households, self._finished, self._horizon = config.households, finished, config.steps
        self._up = self._told = time.monotonic()
        seeds = f"{config.seed} to {config.seed + config.households - 1}"
        self.starting(
            f"{config.households} households of {config.agents} {config.method} agents, task {config.task_name}, "
            f"model {config.llm}, seeds {seeds}, horizon {config.steps}; run folder {folder}"
        )
        if config.runtime == "ray":
            self.starting(
                f"agents per actor {shape.agents_per_actor}, worlds per actor {shape.worlds_per_actor}, "
                f"conductors {shape.conductors}"
            )
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=lambda: Text(self.headline(), style="bold"),
                console=self._console,
                refresh_per_second=REFRESHES_PER_S,
                transient=True,
            )
            self._live.start()

    def news(self, news: News) -> None:
        self._all.add(news)
        for name, end in news.ended.items():
            if end.status != "completed" and len(self._failed()) <= SHOWN_FAILED:
                self.starting(f"household {name} {end.status}: {one_line(end.error, 300)}".removesuffix(": "))
        if self._live is None and time.monotonic() - self._told >= LINE_S:
            self._told = time.monotonic()
            self.starting(self.headline())

    def headline(self) -> str:
        """Households done, steps, and how many decisions a second: turns of agents in committed steps."""
        seconds = max(0.001, time.monotonic() - self._up)
        told = self._all
        done = self._finished + len(told.ended) - len(self._failed())
        failed = f", {len(self._failed())} not" if self._failed() else ""
        return (
            f"{done}/{self._households} households done{failed}  {told.steps} steps ({told.steps / seconds:.1f}/s)  "
            f"{told.agent_steps} decisions ({told.agent_steps / seconds:.0f}/s)  LLM calls {told.calls}  "
            f"{time.monotonic() - self._began:.0f} s"
        )

    def _failed(self) -> list[str]:
        return [name for name, end in self._all.ended.items() if end.status != "completed"]

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def totals_table(summary: Mapping[str, Any]) -> Table:
    """The figures of a run with many households, for people."""
    llm = summary["llm"]
    rows = {
        "households": f"{summary['households']}: {summary['completed']} completed, {summary['solved']} solved "
        f"({summary['status']})",
        "task": summary["task"],
        "agents": f"{summary['agents']} {summary['method']} in each, model {summary['model']}",
        "seeds": f"{summary['seed']} to {summary['seed'] + summary['households'] - 1}",
        "steps": f"{summary['steps']} ({summary['actions']} actions, {summary['messages']} messages)",
        "mean return": f"{summary['mean_return']:g}",
        "LLM calls": f"{llm['calls']} ({llm['act_calls']} to act, {llm['learn_calls']} to learn; "
        f"{llm['sticky_saved']} saved by repeating; {llm['failures']} failed)",
        "tokens": f"{llm['prompt_tokens']} in, {llm['completion_tokens']} out"
        + (f", ${llm['cost']:.4f}" if "cost" in llm else ""),
        "longest": f"{summary['wall_s']:.1f} s",
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table


def closing_lines(result: HouseholdsResult) -> Iterator[str]:
    """Why households failed, and what to do next."""
    failed = list(result.summary["failed"].items())
    for name, why in failed[:SHOWN_FAILED]:
        yield f"household {name}: {one_line(why, 300)}"
    if len(failed) > SHOWN_FAILED:
        yield f"… and {len(failed) - SHOWN_FAILED} more"
    yield f"\nrun folder  {result.folder}"
    if result.status != "completed":
        yield f"go on       housemates resume {result.folder}"
    yield f"compare     housemates report {result.folder}"
