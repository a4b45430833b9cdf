"""The prompt: what an agent reads about its situation.

The layout follows the convention of Guo et al. (2024) with the plan line of the Trace tutorial,
to the space, because models, parsers and learnt plans depend on it. The opening line is our own.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...wording import choice_text
from ...world import PLAN_TOKEN
from .body import Body
from .briefing import Briefing
from .goal_text import done_text
from .messages import agent_name
from .options import Option


def option_text(option: Option, briefing: Briefing) -> str:
    """A high-level action as the agent chooses it."""
    return f"[{option[0]}] {briefing.labels[option[1]]}"


def preamble(me: int, members: Sequence[int]) -> str:
    """Who one is and what the rest of the prompt is about, on one line."""
    mates = ", ".join(agent_name(number) for number in members if number != me)
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


def step_text(step: int) -> str:
    """How the progress begins."""
    return f"This is step {step}. "


def progress_text(body: Body, briefing: Briefing) -> str:
    """Where the agent stands, after the step number. Ends with a space, like each of its sentences."""
    alone = not body.mates
    here = briefing.room_name(body.room)
    text = [done_text(body, briefing, alone), f"I'm holding {_held(body.holding, briefing)}. "]
    if body.seat:
        text.append(f"I'm sitting on the {briefing.labels[body.seat]}. ")
    text.append(f"I'm in the {here}, where I found {_found(body, body.room, briefing)}. ")
    for number, mate in body.mates.items():
        name = agent_name(number)
        if mate.room is None:
            text.append(f"I don't know where {name} is. ")
            continue
        doing = _held(mate.holding, briefing)
        if mate.seat:
            doing += f", sitting on the {briefing.labels[mate.seat]}"
        if mate.here:
            text.append(f"I also see {name} here in the {here}, she is holding {doing}. ")
        else:
            where = briefing.room_name(mate.room)
            text.append(f"Last time I saw {name} was in the {where}, she was holding {doing}. ")
    known_rooms = {rooms[0] for rooms in body.target_rooms.values() if len(rooms) == 1}
    for room in briefing.rooms:
        if room == body.room:
            continue
        name = briefing.room_name(room)
        if body.unchecked[room] is None and room not in known_rooms:
            text.append(f"The {name} is unexplored. ")
        else:
            text.append(f"I found {_found(body, room, briefing)} in the {name}. ")
    return "".join(text)


def prompt(
    opening: str, goal: str, progress: str, body: Body, choices: Sequence[str], lettering: Sequence[str], alone: bool
) -> str:
    """The whole prompt body, with the plan token under the goal."""
    dialogue = "\n".join(body.dialogue)
    return (
        f"{opening}\nGoal: {goal}\nPlan: {PLAN_TOKEN}\nProgress: {progress}\nDialogue history:\n{dialogue}\n"
        f"Previous actions: {', '.join(body.history)}\n{choice_text(choices, lettering, talking=not alone)}"
    )


def _held(numbers: Sequence[int], briefing: Briefing) -> str:
    return " and ".join([briefing.labels[number] for number in numbers]) or "nothing"


def _found(body: Body, room: int, briefing: Briefing) -> str:
    """What was found in a room: targets, then things that are still of use, then shut containers."""
    labels = briefing.labels
    things = [labels[target] for target, rooms in body.target_rooms.items() if rooms == (room,)]
    for number, uses in (body.ungrabbed[room] or {}).items():
        if not body.open_wants.isdisjoint(uses):
            things.append(labels[number])
    objects = ", ".join(things)
    shut = body.unchecked[room]
    if not shut:
        return objects or "nothing"
    containers = f"{'an unchecked container' if len(shut) == 1 else 'unchecked containers'} " + ", ".join(
        [labels[number] for number in shut]
    )
    return f"{objects}, and {containers}" if objects else containers
