"""What a person sees of a run in the terminal: a live table, or plain lines where there is no terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .config import RunConfig
from .observer import Observer, Record, one_line
from .summary import Tally

SHOWN_AGENTS = 12
"""More agents than this are not shown one by one."""
REFRESHES_PER_S = 4


class RunConsole(Console):
    """A console whose reader may leave (`housemates run … | head`): the run goes on, in silence."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class TerminalObserver(Observer):
    """Shows a run while it goes on. Use it as a context manager, so that the terminal is left as it was."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._began = time.monotonic()
        self._steps = 0
        self._record: Record = {}
        self._tally = Tally()
        self._waiting_for: Callable[[], list[str]] = list

    def __enter__(self) -> TerminalObserver:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def starting(self, what: str) -> None:
        self._console.print(f"{self._elapsed():6.1f} s  {what}", markup=False, highlight=False, soft_wrap=True)

    def started(self, config: RunConfig, folder: Path, model: str, waiting_for: Callable[[], list[str]]) -> None:
        self._steps = config.steps
        self._waiting_for = waiting_for
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
        self._tally = tally
        if record["kind"] not in ("step", "lesson"):
            return
        self._record = record
        if self._live is None:
            for line in self._lines():
                self._console.print(line, soft_wrap=True)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _headline(self) -> Text:
        tally = self._tally
        step = tally.steps
        best = max(tally.returns.values(), default=0.0)
        what = "last lesson" if self._record.get("kind") == "lesson" else f"step {step}/{self._steps}"
        return Text(
            f"{what}  return {best:g}  LLM calls {tally.calls.total()} "
            f"({tally.sticky} saved)  tokens {tally.prompt_tokens}+{tally.completion_tokens}  {self._elapsed():.0f} s",
            style="bold",
        )

    def _lines(self) -> list[Text]:
        lines = [self._headline()]
        for agent, part in list(self._record["agents"].items())[:SHOWN_AGENTS]:
            lines.append(Text.assemble("  ", agent, "  ", describe(part), "  plan: ", one_line(plan_of(part), 100)))
        return lines

    def _picture(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, expand=True)
        for heading, ratio in (("agent", 1), ("action", 4), ("plan", 6)):
            table.add_column(heading, ratio=ratio, overflow="ellipsis", no_wrap=heading != "plan")
        agents: Mapping[str, Any] = self._record.get("agents", {})
        for agent, part in list(agents.items())[:SHOWN_AGENTS]:
            table.add_row(agent, describe(part), one_line(plan_of(part), 200))
        parts: list[RenderableType] = [self._headline(), table]
        if len(agents) > SHOWN_AGENTS:
            parts.append(Text(f"… and {len(agents) - SHOWN_AGENTS} more agents", style="dim"))
        waiting = self._waiting_for()
        if waiting:
            names = ", ".join(waiting[:6]) + (f" and {len(waiting) - 6} more" if len(waiting) > 6 else "")
            parts.append(Text(f"thinking: {names}", style="dim"))
        return Group(*parts)


def describe(part: Mapping[str, Any]) -> Text:
    """One agent's part of a step in a few words: the action, and what was odd about it."""
    turn = part["turn"]
    action = (turn and turn["action"]) or "(nothing)"
    text = Text(one_line(action, 80))
    if turn and turn["how"] in ("random", "sticky", "reflex"):
        text.append(f" ({turn['how']})", style="dim")
    if part["verdict"] != "ok":
        text.append(f" {part['verdict']}: {one_line(part['detail'], 80)}", style="red")
    return text


def plan_of(part: Mapping[str, Any]) -> str:
    turn = part["turn"]
    return turn["plan"] if turn else ""


def summary_table(summary: Mapping[str, Any]) -> Table:
    """The figures of a run, for people."""
    llm, optimizer = summary["llm"], summary["optimizer"]
    rejected = sum(optimizer["rejected"].values())
    rows = {
        "task": f"{summary['task']}: " + ("solved" if summary["success"] else f"not solved ({summary['status']})"),
        "agents": f"{summary['agents']} {summary['method']}, model {summary['model']}, seed {summary['seed']}",
        "steps": f"{summary['steps']} ({summary['actions']} actions, {summary['messages']} messages)",
        "return": ", ".join(f"{agent} {total:g}" for agent, total in list(summary["returns"].items())[:SHOWN_AGENTS]),
        "LLM calls": f"{llm['calls']} ({llm['act_calls']} to act, {llm['learn_calls']} to learn; "
        f"{llm['sticky_saved']} saved by repeating; {llm['failures']} failed)",
        "tokens": f"{llm['prompt_tokens']} in, {llm['completion_tokens']} out"
        + (f", ${llm['cost']:.4f}" if "cost" in llm else ""),
        "plans": f"{optimizer['accepted']} rewritten, {optimizer['unchanged']} unchanged, {rejected} rejected",
        "fallbacks": f"{summary['fallbacks']} replies matched no action, {summary['repaired']} were nearly JSON",
        "wall clock": f"{summary['wall_s']:.1f} s",
        "digest": summary["digest"],
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table
