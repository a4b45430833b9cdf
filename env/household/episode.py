"""One running episode: the scene and its simulator, and the teams that live in it."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from ..codec import pack
from .apartments import add_character
from .body import Body, Option
from .briefing import Briefing
from .goal_text import goal_text
from .goals import Goal
from .graph import FIRST_OBJECT_ID, SceneGraph
from .homes import Flat, Home
from .language import preamble
from .messages import agent_name, message_forms
from .sight import RoomView, look
from .simulator import Simulator, SimulatorFactory

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


class Team:
    """The people of one flat and how far they are.

    Attributes:
        briefing: what all of them know.
        goal: the goal in words.
        members: their numbers by name.
        openings: the first line of each one's prompts.
        forms: the messages each one can fill in.
        bodies: what each one remembers.
        progress: how much of each want is met.
        done: whether the goal was reached; what happens later does not change that.
    """

    def __init__(self, briefing: Briefing, graph: SceneGraph) -> None:
        numbers = briefing.members
        self.briefing = briefing
        self.goal = goal_text(briefing)
        self.members = {agent_name(number): number for number in numbers}
        self.openings = {number: preamble(number, numbers) for number in numbers}
        self.forms = {number: message_forms(number, numbers) for number in numbers}
        self.bodies = {number: Body.at_start(number, _room_of(graph, number), briefing) for number in numbers}
        self.progress = self.count(graph)
        self.done = False

    def count(self, graph: SceneGraph) -> tuple[int, ...]:
        """How much of each want is met in the scene."""
        return self.briefing.goal.done(graph, self.briefing.members)

    def score(self, graph: SceneGraph) -> int:
        """Bring the progress up to date; returns by how much it grew."""
        if self.done:
            return 0
        before, self.progress = sum(self.progress), self.count(graph)
        now = sum(self.progress)
        self.done = now >= self.briefing.goal.total
        return now - before

    def look_around(self, graph: SceneGraph) -> None:
        """Let everybody perceive the room they are in; each room is looked at once."""
        views: dict[int, RoomView] = {}
        for number, body in self.bodies.items():
            room = _room_of(graph, number)
            view = views.get(room)
            if view is None:
                view = views[room] = look(graph, room, self.briefing.focus)
            body.perceive(view, self.briefing)


class Episode:
    """All that one running episode consists of; made anew by every reset and restore.

    Attributes:
        home: tells whether two versions of this program build the same home and goals from a seed.
        teams: one per flat that somebody lives in.
        team_of: everybody's team.
        executed: what each agent's body did in the last step, or None.
        options: what each agent may choose, by the text of the choice.
    """

    def __init__(self, setting: Setting, seed: int) -> None:
        self.seed = seed
        numbers = setting.numbers
        home = setting.build_home(max(FIRST_OBJECT_ID, len(numbers) + 1), Random(f"{seed}/clutter"))
        graph = home.graph
        residents = _settle(home, numbers)
        rooms = {flat: tuple(sorted(flat.rooms, key=lambda room: _rank(graph, room))) for flat in residents}
        flats_of = Counter(room for flat in home.flats for room in flat.rooms)
        own = {flat: [room for room in rooms[flat] if flats_of[room] == 1] for flat in residents}
        goals = {flat: _set_up(setting, home, flat, own[flat], seed) for flat in residents}
        starts = Random(f"{seed}/start")
        for flat, members in residents.items():
            for number in members:
                add_character(graph, starts, number, starts.choice(own[flat]))
        graph.validate()
        labels = {number: node.label for number, node in graph.nodes.items()}
        classes = {number: node.class_name for number, node in graph.nodes.items()}
        self.home = _fingerprint(graph, list(goals.values()))
        self.simulator: Simulator = setting.simulator(graph, seed)
        self.teams = [
            Team(Briefing(goals[flat], members, rooms[flat], labels, classes), self.graph)
            for flat, members in residents.items()
        ]
        self.team_of = {number: team for team in self.teams for number in team.bodies}
        self.executed: dict[int, str | None] = dict.fromkeys(numbers)
        self.options: dict[int, Mapping[str, Option]] = {}

    @property
    def graph(self) -> SceneGraph:
        return self.simulator.graph

    @property
    def done(self) -> bool:
        return all(team.done for team in self.teams)

    def look_around(self) -> None:
        """Let everybody perceive the room they are in."""
        graph = self.graph
        for team in self.teams:
            team.look_around(graph)


def _settle(home: Home, numbers: Sequence[int]) -> dict[Flat, tuple[int, ...]]:
    """Who lives where: neighbours in number share a flat, and the flats fill up evenly."""
    residents: dict[Flat, tuple[int, ...]] = {}
    for index, number in enumerate(numbers):
        flat = home.flats[index * len(home.flats) // len(numbers)]
        residents[flat] = (*residents.get(flat, ()), number)
    return residents


def _set_up(setting: Setting, home: Home, flat: Flat, own_rooms: Sequence[int], seed: int) -> Goal:
    """Draw a flat's goal. Its things are hidden in rooms of its own, where no other team takes them away."""
    purpose = f"{seed}/goal/{setting.task}"
    if len(home.flats) == 1:
        return setting.set_up(home.graph, Random(purpose), None)
    return setting.set_up(home.graph, Random(f"{purpose}/{flat.name}"), own_rooms)


def _rank(graph: SceneGraph, room: int) -> int:
    name = graph.nodes[room].class_name
    return _ROOM_ORDER.index(name) if name in _ROOM_ORDER else len(_ROOM_ORDER)


def _room_of(graph: SceneGraph, number: int) -> int:
    room = graph.room_of(number)
    assert room is not None
    return room


def _fingerprint(graph: SceneGraph, goals: Sequence[Goal]) -> int:
    things = [(number, node.class_name, node.box) for number, node in sorted(graph.nodes.items())]
    wants: list[Any] = [
        (want.kind.value, want.class_name, want.count, want.target) for goal in goals for want in goal.wants
    ]
    return zlib.crc32(pack([things, wants]))
