"""One running episode: the teams, and the simulator that moves them about."""

from __future__ import annotations

from collections.abc import Mapping

from ..messages import message_forms
from .person.body import Body
from .person.briefing import Briefing
from .person.goal_text import goal_text
from .person.language import preamble
from .person.messages import agent_name
from .person.options import Option
from .person.sight import RoomView, look
from .scene.graph import SceneGraph
from .simulator import SimulatorFactory
from .stage import Stage


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
        self.forms = {number: message_forms(number, self.members) for number in numbers}
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
        stage: where it began.
        simulator: what moves people about.
        teams: one per flat that somebody lives in.
        team_of: everybody's team.
        executed: what each agent's body did in the last step, or None.
        options: what each agent may choose, by the text of the choice.
    """

    def __init__(self, stage: Stage, simulator: SimulatorFactory) -> None:
        self.stage = stage
        self.simulator = simulator(stage.graph, stage.seed)
        self.teams = [Team(briefing, self.graph) for briefing in stage.briefings]
        self.team_of = {number: team for team in self.teams for number in team.bodies}
        self.executed: dict[int, str | None] = dict.fromkeys(self.team_of)
        self.options: dict[int, Mapping[str, Option]] = {}

    @property
    def graph(self) -> SceneGraph:
        return self.simulator.graph

    @property
    def done(self) -> bool:
        """Whether every team has reached its goal."""
        return all(team.done for team in self.teams)

    def look_around(self) -> None:
        """Let everybody perceive the room they are in."""
        graph = self.graph
        for team in self.teams:
            team.look_around(graph)


def _room_of(graph: SceneGraph, number: int) -> int:
    room = graph.room_of(number)
    assert room is not None
    return room
