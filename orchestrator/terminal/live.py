"""What a person sees of a run in the terminal: a live table, or plain lines where there is no terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ..config import RunConfig
from ..observer import Observer, Record
from ..summary import Tally
from .progress import Progress
from .telling import Part, action_words, fault_words, mark_words, plan_words

REFRESHES_PER_S = 4
_SHOW_CURSOR = b"\x1b[?25h"


class RunConsole(Console):
    """A console whose reader may leave (`housemates run … | head`): the run goes on, in silence."""

    def on_broken_pipe(self) -> None:
        """Say nothing any more, also not at the exit."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def give_back(self) -> None:
        """Show the cursor that a live table hides, at once and from any thread: the process is about to end."""
        if self.is_terminal:
            os.write(self.file.fileno(), _SHOW_CURSOR)


class TerminalObserver(Observer):
    """Shows a run while it goes on. Use it as a context manager, so that the terminal is left as it was."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._progress = Progress()

    def __enter__(self) -> TerminalObserver:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def starting(self, what: str) -> None:
        self._console.print(f"{self._progress.elapsed:6.1f} s  {what}", markup=False, highlight=False, soft_wrap=True)

    def started(self, config: RunConfig, folder: Path, model: str, waiting_for: Callable[[], list[str]]) -> None:
        self._progress.started(config, waiting_for)
        words = (
            f"{config.agents} {config.method} agents, task {config.task_name}, model {model}, horizon {config.steps}"
        )
        self.starting(f"{words}; run folder {folder}")
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._picture, console=self._console, refresh_per_second=REFRESHES_PER_S, transient=True
            )
            self._live.start()

    def committed(self, record: Record, tally: Tally) -> None:
        if record["kind"] not in ("step", "lesson"):
            return
        self._progress.committed(record, tally)
        if self._live is None:
            for line in self._lines():
                self._console.print(line, soft_wrap=True)

    def _lines(self) -> list[Text]:
        progress = self._progress
        head = Text(progress.headline(), style="bold")
        if progress.is_crowd:
            return [head, *(Text(f"  {line}") for line in progress.counts())]
        told = (
            Text.assemble("  ", agent, "  ", describe(part), "  plan: ", plan_words(part, 100))
            for agent, part in progress.parts.items()
        )
        return [head, *told]

    def _picture(self) -> RenderableType:
        progress = self._progress
        head = Text("  ".join(filter(None, (progress.headline(), progress.time_left()))), style="bold")
        slow = Text(progress.slow(), style="dim", no_wrap=True, overflow="ellipsis")
        if progress.is_crowd:
            return Group(head, slow, *map(Text, progress.counts()))
        table = Table(box=None, pad_edge=False, expand=True)
        for heading, ratio in (("agent", 1), ("action", 4), ("plan", 6)):
            table.add_column(heading, ratio=ratio, overflow="ellipsis", no_wrap=True)
        for agent, part in progress.parts.items():
            table.add_row(agent, describe(part), plan_words(part, 200))
        return Group(head, slow, table)  # a low terminal cuts off what is below


def describe(part: Part) -> Text:
    """One agent's part of a step in a few words: the action, and what was odd about it."""
    text = Text(action_words(part, 80))
    if mark_words(part):
        text.append(f" {mark_words(part)}", style="dim")
    if part["verdict"] != "ok":
        text.append(f" {fault_words(part, 80)}", style="red")
    return text
