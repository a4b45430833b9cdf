"""A team's briefing and a body's memory made by hand, for tests of the text."""

from __future__ import annotations

from housemates.env.household.person.body import Body, Mate
from housemates.env.household.person.briefing import Briefing
from housemates.env.household.tasks.goals import Goal, Want, WantKind

CLASSES = {
    1: "character",
    2: "character",
    3: "character",
    11: "kitchen",
    12: "livingroom",
    13: "bedroom",
    14: "bathroom",
    20: "coffeetable",
    21: "fridge",
    22: "microwave",
    23: "cabinet",
    24: "dishwasher",
    25: "tv",
    26: "sofa",
    27: "kitchentable",
    30: "apple",
    31: "wine",
    32: "wine",
    33: "plate",
    34: "plate",
    35: "mug",
    36: "remotecontrol",
    37: "book",
    40: "bedroom",
    41: "home_office",
}
ROOMS = (12, 11, 13, 14)

on, into = WantKind.ON, WantKind.INSIDE


def place(kind: WantKind, target: int, **counts: int) -> list[Want]:
    """Wants to bring things to a target."""
    return [Want(kind, name, count, target) for name, count in counts.items()]


def take(kind: WantKind, target: int, **counts: int) -> list[Want]:
    """Wants to take things away from a target."""
    return [Want(kind, name, count, target, count) for name, count in counts.items()]


def hold(**counts: int) -> list[Want]:
    return [Want(WantKind.HOLD, name, count) for name, count in counts.items()]


def switch_on(target: int) -> list[Want]:
    return [Want(WantKind.SWITCH_ON, CLASSES[target], 1, target)]


def sit(target: int, count: int = 1) -> list[Want]:
    return [Want(WantKind.SIT, CLASSES[target], count, target)]


PARTY = place(on, 20, apple=1, wine=2, plate=1)
"""Bring things to one target, as cwah's tasks do."""


def brief(
    wants: list[Want] | None = None, members: tuple[int, ...] = (1, 2), rooms: tuple[int, ...] = ROOMS
) -> Briefing:
    """What a team of agents with these wants knows."""
    labels = {number: f"<{name}> ({number})" for number, name in CLASSES.items()}
    return Briefing(Goal("test", tuple(wants or PARTY)), members, rooms, labels, CLASSES)


def body(briefing: Briefing, **changes: object) -> Body:
    """Agent 2 in the bedroom at the start, except for the changes; `known` is given by want."""
    fresh = Body(
        number=2,
        room=13,
        unchecked=dict.fromkeys(briefing.rooms) | {13: []},
        ungrabbed=dict.fromkeys(briefing.rooms) | {13: {}},
        target_rooms=dict.fromkeys(briefing.targets, tuple(room for room in briefing.rooms if room != 13)),
        known=[None] * len(briefing.goal.wants),
        mates={number: Mate() for number in briefing.members if number != 2},
    )
    known = changes.pop("known", {})
    assert isinstance(known, dict)
    for index, found in known.items():
        fresh.known[index] = found
    for name, value in changes.items():
        setattr(fresh, name, value)
    fresh.judge(briefing)
    return fresh
