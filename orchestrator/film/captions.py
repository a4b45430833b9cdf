"""What is written under the pictures of a film."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ...env.world import parse_message
from ..observer import Record, one_line

SHOWN_AGENTS = 4
"""The actions of more agents than this are counted under the bird's-eye view, not named."""
AGENT_LINES = 3
_LONGEST = 300
"""No picture has room for more characters of a line."""


def bird_lines(agents: Sequence[str]) -> int:
    """How many lines the caption of the bird's-eye view has."""
    return 1 + (len(agents) if len(agents) <= SHOWN_AGENTS else 2)


def bird_caption(task: str, agents: Sequence[str], record: Record | None) -> list[str]:
    """The step and the best return, then what everybody does, or how many do what."""
    if record is None:
        return [f"{task}, {len(agents)} agents"]
    parts = record["agents"]
    best = max((part["total"] for part in parts.values()), default=0.0)
    head = f"step {record['step']}   {task}   return {best:g}"
    if len(agents) <= SHOWN_AGENTS:
        return [head, *(f"{agent}   {_action(parts[agent])}{_plan(parts[agent])}" for agent in agents)]
    counts = Counter(verb_of(part) for part in parts.values())
    odd = Counter(part["verdict"] for part in parts.values() if part["verdict"] != "ok")
    return [head, _counted(counts), _counted(odd)]


def agent_caption(agent: str, record: Record | None) -> list[str]:
    """The step and the agent's return, what it does, and its plan."""
    if record is None:
        return [agent]
    part = record["agents"][agent]
    head = f"{agent}   step {record['step']}   return {part['total']:g}"
    return [head, _action(part), _plan(part).lstrip()]


def end_line(end: Record) -> str:
    """How a run ended."""
    return "solved" if end["success"] else f"not solved ({end['status']})"


def verb_of(part: Mapping[str, Any]) -> str:
    """What an agent does in a word: the verb of its action, or nothing."""
    action = (part["turn"] or {}).get("action")
    if action is None:
        return "nothing"
    return one_line(action.partition("]")[0].lstrip("["), 30)


def _action(part: Mapping[str, Any]) -> str:
    turn = part["turn"]
    action = (turn and turn["action"]) or "(nothing)"
    message = parse_message(action)
    shown = one_line(f"to {message.name}: {message.text}" if message else action, _LONGEST)
    how = f" ({turn['how']})" if turn and turn["how"] in ("random", "sticky", "reflex") else ""
    odd = "" if part["verdict"] == "ok" else f"  {part['verdict']}: {one_line(part['detail'], _LONGEST)}"
    return shown + how + odd


def _plan(part: Mapping[str, Any]) -> str:
    plan = part["turn"]["plan"] if part["turn"] else ""
    return f"   plan: {one_line(plan, _LONGEST)}" if plan else ""


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
