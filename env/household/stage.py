"""Where an episode takes place: the furnished home with its people and their goals, before anything moves."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from ..codec import pack
from .homes import Flat, Home, add_character
from .person.briefing import Briefing
from .scene.graph import FIRST_OBJECT_ID, SceneGraph
from .simulator import SimulatorFactory
from .tasks.goals import Goal

_ROOM_ORDER = ("livingroom", "kitchen", "bedroom", "bathroom")
"""The order in which texts list rooms (convention of Guo et al.); other rooms follow as the home lists them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all episodes of one world have in common.

    Attributes:
        task: the task's name.
        home: the home's name.
        numbers: the numbers of the agents.
        build_home: builds the home; ids of nodes begin at the given one.
        set_up: draws a team's goal and hides its objects in the given rooms (None: anywhere).
        simulator: makes what moves people about.
    """

    task: str
    home: str
    numbers: Sequence[int]
    build_home: Callable[[int, Random], Home]
    set_up: Callable[[SceneGraph, Random, Sequence[int] | None], Goal]
    simulator: SimulatorFactory


class Stage:
    """A home furnished for one episode.

    Doors between rooms stand open, as at first in VirtualHome: agents have no action that opens them.
    In a building, a flat's people wake up, and its things are hidden, in rooms that are its own: what is in a
    corridor, another team could take away.

    Attributes:
        seed: what all of it is drawn from.
        graph: the scene.
        briefings: what the team of each flat with people in it knows.
        fingerprint: tells whether two versions of this program build the same from a seed.
    """

    def __init__(self, setting: Setting, seed: int) -> None:
        self.seed = seed
        numbers = setting.numbers
        home = setting.build_home(max(FIRST_OBJECT_ID, len(numbers) + 1), Random(f"{seed}/clutter"))
        self.graph = graph = home.graph
        _open_doors(graph)
        flats_of = Counter(room for flat in home.flats for room in flat.rooms)
        teams = _settle(home, numbers)
        goals = [_set_up(setting, home, flat, flats_of, seed) for flat, _ in teams]
        starts = Random(f"{seed}/start")
        for flat, members in teams:
            own = [room for room in _in_text_order(graph, flat) if flats_of[room] == 1]
            for number in members:
                add_character(graph, starts, number, starts.choice(own))
        graph.validate()
        labels = {number: node.label for number, node in graph.nodes.items()}
        classes = {number: node.kind for number, node in graph.nodes.items()}
        self.briefings = [
            Briefing(goal, members, _in_text_order(graph, flat), labels, classes)
            for goal, (flat, members) in zip(goals, teams, strict=True)
        ]
        self.fingerprint = _fingerprint(graph, goals)


def _open_doors(graph: SceneGraph) -> None:
    for door in {door for room in graph.rooms for door in graph.sources(room, "BETWEEN")}:
        node = graph.nodes[door]
        node.states = tuple("OPEN" if state == "CLOSED" else state for state in node.states)


def _settle(home: Home, numbers: Sequence[int]) -> list[tuple[Flat, tuple[int, ...]]]:
    """Who lives where: neighbours in number share a flat, and the flats fill up evenly."""
    members: list[list[int]] = [[] for _ in home.flats]
    for index, number in enumerate(numbers):
        members[index * len(home.flats) // len(numbers)].append(number)
    return [(flat, tuple(people)) for flat, people in zip(home.flats, members, strict=True) if people]


def _set_up(setting: Setting, home: Home, flat: Flat, flats_of: Counter[int], seed: int) -> Goal:
    purpose = f"{seed}/goal/{setting.task}"
    if len(home.flats) == 1:
        return setting.set_up(home.graph, Random(purpose), None)
    own = [room for room in flat.rooms if flats_of[room] == 1]
    return setting.set_up(home.graph, Random(f"{purpose}/{flat.name}"), own)


def _in_text_order(graph: SceneGraph, flat: Flat) -> tuple[int, ...]:
    def rank(room: int) -> int:
        name = graph.nodes[room].kind
        return _ROOM_ORDER.index(name) if name in _ROOM_ORDER else len(_ROOM_ORDER)

    return tuple(sorted(flat.rooms, key=rank))


def _fingerprint(graph: SceneGraph, goals: Sequence[Goal]) -> int:
    things = [(number, node.kind, node.box) for number, node in sorted(graph.nodes.items())]
    wants = [(want.kind.value, want.class_name, want.count, want.target) for goal in goals for want in goal.wants]
    return zlib.crc32(pack([things, wants]))
