"""One agent's part of a step in words: what it did, what was odd about that, and what it plans."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ...env.world import parse_message
from ..printing import one_line

Part = Mapping[str, Any]
"""What a journal record holds about one agent, see `protocol.AgentRecord`."""

_MARKED = ("random", "sticky", "reflex")
"""Ways to come by an action that are worth a word: no reply matched, the last one is repeated, the body acts."""


def action_words(part: Part, limit: int) -> str:
    """The action, at most so many characters of it."""
    action = (part["turn"] or {}).get("action") or "(nothing)"
    message = parse_message(action)
    return one_line(f"to {message.name}: {message.text}" if message else action, limit)


def mark_words(part: Part) -> str:
    """How the action came about, if that is worth a word; else ""."""
    how = (part["turn"] or {}).get("how")
    return f"({how})" if how in _MARKED else ""


def fault_words(part: Part, limit: int) -> str:
    """What went wrong; "" if nothing did."""
    return "" if part["verdict"] == "ok" else f"{part['verdict']}: {one_line(part['detail'], limit)}"


def plan_words(part: Part, limit: int) -> str:
    """The plan; "" if there is none."""
    return one_line((part["turn"] or {}).get("plan") or "", limit)


def verb_of(part: Part) -> str:
    """What an agent does in a word: the verb of its action, or nothing."""
    action = (part["turn"] or {}).get("action") or "[nothing]"
    return one_line(action.partition("]")[0].lstrip("["), 30)


def counted(counts: Counter[str]) -> str:
    """`12 gograb, 3 goput`: the most frequent first."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def duration(seconds: float) -> str:
    """A time for people: `45 s`, `3 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
