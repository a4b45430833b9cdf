"""The goal in words, and what is done of it; several wants of one sort share a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..tasks.goals import CLEARING, PLACING, WantKind
from .body import Body
from .briefing import Briefing, Group

_PREPOSITIONS = {
    WantKind.ON: "onto",
    WantKind.INSIDE: "into",
    WantKind.OFF: "off",
    WantKind.OUT: "out of",
    WantKind.SIT: "on",
}


def goal_text(briefing: Briefing) -> str:
    """The goal; always the whole one, also when part of it is done."""
    sentences: dict[str, list[str]] = {}
    for group in briefing.groups:
        opening, part = _ask(group, briefing)
        sentences.setdefault(opening, []).append(part)
    return " ".join(f"{opening} {_join(parts)}." for opening, parts in sentences.items())


def done_text(body: Body, briefing: Briefing, alone: bool) -> str:
    """What is known to be done of the goal: sentences that each end with a space, or nothing."""
    sentences: dict[str, list[str]] = {}
    for group in briefing.groups:
        for opening, part in _tell(group, body, briefing):
            sentences.setdefault(opening, []).append(part)
    who = "I've" if alone else "We've"
    return "".join(f"{who} already {opening} {_join(parts)}. " for opening, parts in sentences.items())


def _ask(group: Group, briefing: Briefing) -> tuple[str, str]:
    """How a sentence of the goal begins, and what a group adds to it."""
    wants = [briefing.goal.wants[index] for index in group.wants]
    counts = [(want.class_name, want.count) for want in wants]
    if group.kind in PLACING:
        return "Find and put", f"{_amounts(counts)} {_place(group, briefing)}"
    if group.kind in CLEARING:
        return "Take", f"{_amounts(counts)} {_place(group, briefing)}"
    if group.kind is WantKind.HOLD:
        return "Hold", _amounts(counts)
    if group.kind is WantKind.SWITCH_ON:
        return "Switch on", f"the {briefing.labels[group.target]}"
    people = wants[0].count
    return "Sit", f"{people} people {_place(group, briefing)}" if people > 1 else _place(group, briefing)


def _tell(group: Group, body: Body, briefing: Briefing) -> Iterable[tuple[str, str]]:
    """How a sentence about what is done begins, and what a group adds to it; nothing if nothing is done."""
    if group.kind in CLEARING:
        gone = [(briefing.goal.wants[index].class_name, body.done(index, briefing)) for index in group.wants]
        if any(count for _, count in gone):
            yield "taken", f"{_amounts([(name, count) for name, count in gone if count])} {_place(group, briefing)}"
        return
    found = sorted(number for index in group.wants for number in body.known[index] or ())
    if not found:
        return
    if group.kind in PLACING:
        things = ", ".join(briefing.labels[number] for number in found)
        yield "found and put", f"{things} {_place(group, briefing)}"
    elif group.kind is WantKind.SWITCH_ON:
        yield "switched on", f"the {briefing.labels[group.target]}"


def _place(group: Group, briefing: Briefing) -> str:
    return f"{_PREPOSITIONS[group.kind]} the {briefing.labels[group.target]}"


def _amounts(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in counts)


def _join(parts: Sequence[str]) -> str:
    """A; or A, and B; or A, B, and C."""
    return f"{', '.join(parts[:-1])}, and {parts[-1]}" if len(parts) > 1 else parts[0]
