"""Text in and out: what an agent reads about its situation, and what it may say.

The layout follows the convention of Guo et al. (2024) with the plan line of the Trace tutorial,
to the space, because models, parsers and learnt plans depend on it. The opening line is our own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..world import MESSAGE_PLACEHOLDER, PLAN_TOKEN, format_message
from .body import Body, Briefing, Option

MAX_MESSAGE_CHARS = 500
"""cwah cuts messages at this length."""


_ONTO = {"ON": "onto", "INSIDE": "into"}

_NOTE = (
    "Note: You must respond in the json format above. The action choice must be the same as one of the available "
    'actions. If there\'s nothing left to do, the action can be "None".'
)
_NOTE_MESSAGE = " If you choose [send_message], you must also generate the actual message."

_FORMAT = (
    "Response format:\n"
    '{"thoughts" : "thoughts content", \n'
    '"action" : "choose one action from the available actions above"}\n'
)

_MARKER = re.compile(
    r"(Goal|Plan|Progress|Dialogue history|Previous actions|Available actions|Response format|Note"
    r"|Organization instructions)\s*:",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(?<=[A-Za-z])\.(?=\s*\[)")


def agent_name(number: int) -> str:
    """The name of the agent with this number."""
    return f"Agent_{number}"


def letters(index: int) -> str:
    """What numbers the action with this index: A to Z, then AA, AB and so on."""
    text = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def clean_message(text: str) -> str:
    """A message as it is delivered: one line, at most 500 characters, unable to pass for part of a prompt."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MAX_MESSAGE_CHARS].strip()
    text = text.replace(PLAN_TOKEN, "(plan)")
    text = _MARKER.sub(r"\1 -", text)
    return _OPTION.sub("", text)[:MAX_MESSAGE_CHARS].strip()


def option_text(option: Option, briefing: Briefing) -> str:
    """A high-level action as the agent chooses it."""
    return f"[{option[0]}] {briefing.labels[option[1]]}"


def message_forms(numbers: Sequence[int]) -> tuple[str, ...]:
    """One form to fill in per agent, for all the others."""
    return tuple(format_message(agent_name(number), number, MESSAGE_PLACEHOLDER) for number in numbers)


def goal_text(briefing: Briefing) -> str:
    """The goal; always the whole one, also when part of it is done."""
    goal = briefing.goal
    wanted = ", ".join(f"{count} {name}{'s' if count > 1 else ''}" for name, count in goal.needs)
    return f"Find and put {wanted} {_ONTO[goal.relation]} the {briefing.labels[goal.target]}."


def preamble(me: int, numbers: Sequence[int]) -> str:
    """Who one is and what the rest of the prompt is about, on one line."""
    mates = ", ".join(agent_name(number) for number in numbers if number != me)
    if mates:
        start = (
            f"I'm {agent_name(me)}. I share this home with {mates}, and together we want the housework done in as few "
            "steps as we can. From our goal, what we said to each other, how far I am and what I did before, tell me "
            "which of the available actions brings us there soonest."
        )
    else:
        start = (
            f"I'm {agent_name(me)}. I live here on my own and want the housework done in as few steps as I can. From "
            "my goal, how far I am and what I did before, tell me which of the available actions brings me there "
            "soonest."
        )
    return (
        f"{start} My two hands can carry one object each, and carrying costs nothing. Objects are written "
        "<name> (id), for example <lamp> (305). What is in another room I can only look at or take after walking "
        "there, and that takes steps."
    )


def progress_text(body: Body, briefing: Briefing, alone: bool) -> str:
    """Where the agent stands. Ends with a space, like each of its sentences."""
    labels, goal = briefing.labels, briefing.goal
    text = f"This is step {body.steps}. "
    if body.satisfied:
        done = ", ".join(labels[number] for number in body.satisfied)
        who = "I've" if alone else "We've"
        text += f"{who} already found and put {done} {_ONTO[goal.relation]} the {labels[goal.target]}. "
    here = briefing.classes[body.room]
    text += f"I'm holding {_held(body.holding, briefing)}. "
    text += f"I'm in the {here}, where I found {_found(body, body.room, briefing)}. "
    for number, mate in body.mates.items():
        name = agent_name(number)
        if mate.room is None:
            text += f"I don't know where {name} is. "
        elif mate.here:
            text += f"I also see {name} here in the {here}, she is holding {_held(mate.holding, briefing)}. "
        else:
            where = briefing.classes[mate.room]
            text += f"Last time I saw {name} was in the {where}, she was holding {_held(mate.holding, briefing)}. "
    for room in briefing.rooms:
        if room == body.room:
            continue
        name = briefing.classes[room]
        if body.unchecked[room] is None and body.target_rooms != (room,):
            text += f"The {name} is unexplored. "
        else:
            text += f"I found {_found(body, room, briefing)} in the {name}. "
    return text


def prompt(
    opening: str, goal: str, progress: str, body: Body, choices: Sequence[str], lettering: Sequence[str], alone: bool
) -> str:
    """The whole prompt body, with the plan token under the goal."""
    actions = "".join([f"{letter}. {choice}\n" for letter, choice in zip(lettering, choices, strict=False)])
    dialogue = "\n".join(body.dialogue)
    return (
        f"{opening}\nGoal: {goal}\nPlan: {PLAN_TOKEN}\nProgress: {progress}\nDialogue history:\n{dialogue}\n"
        f"Previous actions: {', '.join(body.history)}\nAvailable actions:\n{actions}\n{_FORMAT}"
        f"{_NOTE}{'' if alone else _NOTE_MESSAGE}"
    )


def _held(numbers: Sequence[int], briefing: Briefing) -> str:
    return " and ".join(briefing.labels[number] for number in numbers) or "nothing"


def _found(body: Body, room: int, briefing: Briefing) -> str:
    things = [briefing.goal.target] if body.target_rooms == (room,) else []
    missing = body.missing(briefing)
    things += [number for number in body.ungrabbed[room] or () if missing.get(briefing.classes[number], 0) > 0]
    objects = ", ".join(briefing.labels[number] for number in things)
    shut = body.unchecked[room]
    if not shut:
        return objects or "nothing"
    containers = f"{'an unchecked container' if len(shut) == 1 else 'unchecked containers'} " + ", ".join(
        briefing.labels[number] for number in shut
    )
    return f"{objects}, and {containers}" if objects else containers
