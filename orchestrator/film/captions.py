"""What is written under the pictures of a film."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..observer import Record
from ..terminal.telling import Part, action_words, counted, fault_words, mark_words, plan_words, verb_of

NAMED_AGENTS = 4
"""The actions of more agents than this are counted under the bird's-eye view, not named."""
AGENT_LINES = 3
_LONGEST = 300
"""No picture has room for more characters of a line."""


def bird_lines(agents: Sequence[str]) -> int:
    """How many lines the caption of the bird's-eye view has."""
    return 1 + (len(agents) if len(agents) <= NAMED_AGENTS else 2)


def bird_caption(task: str, agents: Sequence[str], record: Record | None) -> list[str]:
    """The step and the best return, then what everybody does, or how many do what."""
    if record is None:
        return [f"{task}, {len(agents)} agents"]
    parts = record["agents"]
    best = max((part["total"] for part in parts.values()), default=0.0)
    head = f"step {record['step']} · {task} · return {best:g}"
    if len(agents) <= NAMED_AGENTS:
        return [head, *(_joined(agent, _doing(parts[agent]), _plan(parts[agent])) for agent in agents)]
    odd = Counter(part["verdict"] for part in parts.values() if part["verdict"] != "ok")
    return [head, counted(Counter(map(verb_of, parts.values()))), counted(odd)]


def agent_caption(agent: str, record: Record | None) -> list[str]:
    """The step and the agent's return, what it does, and its plan."""
    if record is None:
        return [agent]
    part = record["agents"][agent]
    return [f"{agent} · step {record['step']} · return {part['total']:g}", _doing(part), _plan(part)]


def caption_of(eye: str | None, task: str, agents: Sequence[str], record: Record | None, ending: str = "") -> list[str]:
    """The caption of a view (None: the bird's), and how the run ended, if it did."""
    head, *more = bird_caption(task, agents, record) if eye is None else agent_caption(eye, record)
    return [_joined(head, ending), *more]


def end_words(end: Record) -> str:
    """How a run ended."""
    return "solved" if end["success"] else f"not solved ({end['status']})"


def _doing(part: Part) -> str:
    words = f"{action_words(part, _LONGEST)} {mark_words(part)}".rstrip()
    return _joined(words, fault_words(part, _LONGEST))


def _plan(part: Part) -> str:
    plan = plan_words(part, _LONGEST)
    return f"plan: {plan}" if plan else ""


def _joined(*words: str) -> str:
    return " · ".join(filter(None, words))
