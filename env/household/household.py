"""`HouseholdWorld`: the household as a text world for any number of agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from ..messages import read_message
from ..wording import letters
from ..world import Message, Observation, Outcome, StepResult, World, WorldError, is_message
from .engine.engine import Engine, Primitive
from .episode import Episode, Team
from .homes import Home, build_home
from .person import language
from .person.body import Body
from .person.deeds import compile_option, note_result
from .person.messages import agent_name, deliver
from .person.options import find_reflex, list_options
from .scene.graph import SceneGraph
from .simulator import SimulatorFactory
from .snapshot import load, save
from .stage import Setting, Stage
from .tasks import families as tasks
from .tasks.goals import Goal

DEFAULT_APARTMENT = "0"
INSTRUCTION = "You are a member of a household who decides what to do next."


class HouseholdWorld(World):
    """Agents `Agent_1` to `Agent_n` do housework in a seeded home.

    In a building, neighbours in number share a flat, and every flat with people in it is a team: it has a goal of
    its own, sees, says and earns only what concerns it, and the episode is over when all teams are done.

    Args:
        task: a task, or the name of one (see `tasks.find_task`).
        agents: how many agents, at least one.
        apartment: the home (see `homes.build_home`); None: the one the task names, or else the first apartment.
        simulator: makes what moves people about; by default our own engine.

    Raises:
        WorldError: there is no such task, or no agent.
    """

    instruction = INSTRUCTION

    def __init__(
        self,
        task: str | tasks.Task,
        agents: int = 2,
        apartment: str | None = None,
        simulator: SimulatorFactory = Engine,
    ) -> None:
        if agents < 1:
            raise WorldError(f"a household needs at least one agent, not {agents}")
        self._task = task if isinstance(task, tasks.Task) else tasks.find_task(task, apartment or "")
        self._names = {number: agent_name(number) for number in range(1, agents + 1)}
        self._numbers = {name: number for number, name in self._names.items()}
        self._setting = Setting(
            task=self._task.name,
            home=apartment if apartment is not None else self._task.home or DEFAULT_APARTMENT,
            numbers=tuple(self._names),
            build_home=self.build_home,
            set_up=self.set_up,
            simulator=simulator,
        )
        self._lettering: list[str] = []
        self._episode: Episode | None = None

    @property
    def agents(self) -> Sequence[str]:
        return tuple(self._names.values())

    def build_home(self, first_id: int, rng: Random) -> Home:
        """Build the home of one episode. Override it for a home that has no name."""
        return build_home(self._setting.home, first_id, rng)

    def set_up(self, graph: SceneGraph, rng: Random, rooms: Sequence[int] | None) -> Goal:
        """Draw the goal of one team and hide its objects in the rooms (None: anywhere).

        Override it for goals that no task draws.
        """
        return tasks.set_up(self._task, graph, rng, rooms)

    def reset(self, seed: int) -> dict[str, Observation]:
        self._episode = episode = Episode(Stage(self._setting, seed), self._setting.simulator)
        episode.look_around()
        return self._observe(episode)

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        episode = self._running()
        if episode.done:
            raise WorldError("the episode is over; reset the world to begin another")
        outcomes: dict[int, Outcome] = {}
        messages: list[Message] = []
        primitives: dict[int, Primitive] = {}
        for number, name in self._names.items():
            action: Any = actions.get(name)
            team = episode.team_of[number]
            if action is None:
                outcomes[number] = Outcome(ok=True, detail="did nothing")
            elif not isinstance(action, str):
                outcomes[number] = Outcome(ok=False, detail=f"an action is a text, not {type(action).__name__}")
            elif is_message(action):
                message = read_message(action, number, team.members)
                if isinstance(message, Message):
                    messages.append(message)
                    outcomes[number] = Outcome(ok=True, detail=f"sent a message to {message.receiver}")
                else:
                    outcomes[number] = Outcome(ok=False, detail=message)
            elif action not in episode.options[number]:
                outcomes[number] = Outcome(ok=False, detail="not one of the available actions")
            else:
                option = episode.options[number][action]
                primitives[number] = compile_option(team.bodies[number], option, episode.graph, team.briefing)
        self._act(episode, primitives, outcomes)
        for message in messages:
            team = episode.team_of[self._numbers[message.sender]]
            deliver(message, team.members, team.bodies)
        rewards = self._score(episode)
        for number, team in episode.team_of.items():
            team.bodies[number].steps += 1
        episode.look_around()
        return StepResult(
            observations=self._observe(episode),
            rewards=rewards,
            outcomes={name: outcomes[number] for number, name in self._names.items()},
            messages=tuple(messages),
            done=episode.done,
            success=episode.done,
        )

    def scene_at_start(self, seed: int) -> SceneGraph:
        """The scene that `reset` with this seed begins with, without what everybody sees and remembers of it.

        Raises:
            WorldError: as for `reset`.
        """
        return Stage(self._setting, seed).graph

    def scene(self) -> SceneGraph:
        """The scene as it is now, for looking at: whoever changes it breaks the episode.

        Raises:
            WorldError: the episode has not begun.
        """
        return self._running().graph

    def snapshot(self) -> bytes:
        return save(self._running(), self._setting)

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        episode = load(snapshot, self._setting)
        try:
            observations = self._observe(episode)
        except Exception as error:  # a memory that makes no sense
            raise WorldError(f"the snapshot is damaged ({error!r})") from None
        self._episode = episode
        return observations

    # -- one step -----------------------------------------------------------------------------

    def _running(self) -> Episode:
        if self._episode is None:
            raise WorldError("the episode has not begun; call reset or restore first")
        return self._episode

    def _act(self, episode: Episode, primitives: Mapping[int, Primitive], outcomes: dict[int, Outcome]) -> None:
        graph = episode.graph
        before = {number: graph.nodes[number].box for number in primitives}
        results = episode.simulator.step(primitives)
        graph = episode.graph
        episode.executed = dict.fromkeys(self._names)
        for number, result in results.items():
            primitive, team = primitives[number], episode.team_of[number]
            body = team.bodies[number]
            text = episode.executed[number] = primitive.text(graph)
            moved = primitive.verb != "walktowards" or graph.nodes[number].box != before[number]
            body.record(primitive, text, ok=result.ok, progress=result.ok and moved)
            note_result(body, primitive, team.briefing, ok=result.ok)
            detail = text if result.ok else f"{text}: {'; '.join(result.lines)}"
            outcomes[number] = Outcome(ok=result.ok, detail=detail)

    def _score(self, episode: Episode) -> dict[str, float]:
        """What the step brought: the change of the team's progress, the same for all of a team."""
        rewards: dict[str, float] = {}
        for team in episode.teams:
            reward = tasks.REWARD_PER_OBJECT * team.score(episode.graph)
            rewards.update(dict.fromkeys(team.members, reward))
        return rewards

    # -- observing ----------------------------------------------------------------------------

    def _observe(self, episode: Episode) -> dict[str, Observation]:
        return {
            name: self._observe_one(episode, episode.team_of[number], number) for number, name in self._names.items()
        }

    def _observe_one(self, episode: Episode, team: Team, number: int) -> Observation:
        body, briefing = team.bodies[number], team.briefing
        # A team that is done has nothing left to choose while the others go on.
        is_over = team.done and not episode.done
        options = {} if is_over else {language.option_text(o, briefing): o for o in list_options(body, briefing)}
        episode.options[number] = options
        choices = (*options, *team.forms[number])
        while len(self._lettering) < len(choices):
            self._lettering.append(letters(len(self._lettering)))
        reflex = None if is_over else find_reflex(body, briefing)
        progress = language.progress_text(body, briefing)
        return Observation(
            text=language.prompt(
                team.openings[number],
                team.goal,
                language.step_text(body.steps) + progress,
                body,
                choices,
                self._lettering,
                not body.mates,
            ),
            choices=choices,
            key="\n".join([progress, *options, f"{body.heard} messages, {body.failures} failures"]),
            reflex=language.option_text(reflex, briefing) if reflex else None,
            info=self._facts(episode, team, body),
        )

    def _facts(self, episode: Episode, team: Team, body: Body) -> dict[str, Any]:
        box = episode.graph.nodes[body.number].box
        assert box is not None
        progress: dict[str, list[int]] = {}
        for want, done in zip(team.briefing.goal.wants, team.progress, strict=True):
            entry = progress.setdefault(want.class_name, [0, 0])
            entry[0] += done
            entry[1] += want.count
        return {
            "room": team.briefing.classes[body.room],
            "position": [round(box.center[0], 3), round(box.center[2], 3)],
            "holding": list(body.holding),
            "progress": progress,
            "executed": episode.executed[body.number],
        }
