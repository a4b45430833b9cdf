"""The figures of a run, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

SHOWN_RETURNS = 12
"""The returns of more agents than this are not shown."""


def summary_table(summary: Mapping[str, Any]) -> Table:
    """The figures of a run, for people."""
    llm, optimizer = summary["llm"], summary["optimizer"]
    rejected = sum(optimizer["rejected"].values())
    rows = {
        "task": f"{summary['task']}: " + ("solved" if summary["success"] else f"not solved ({summary['status']})"),
        "agents": f"{summary['agents']} {summary['method']}, model {summary['model']}, seed {summary['seed']}",
        "steps": f"{summary['steps']} ({summary['actions']} actions, {summary['messages']} messages)",
        "return": ", ".join(f"{agent} {total:g}" for agent, total in list(summary["returns"].items())[:SHOWN_RETURNS]),
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
