"""`HouseholdWorld`: the household as a text world for any number of agents."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from ..codec import pack, unpack
from ..world import (
    MESSAGE_PLACEHOLDER,
    Message,
    Observation,
    Outcome,
    StepResult,
    World,
    WorldError,
    is_message,
    parse_message,
)
from . import apartments, language, tasks
from .body import MAX_HELD, Body, Briefing, Option
from .engine import Engine, Primitive, Result
from .graph import FIRST_OBJECT_ID, Box, SceneGraph
from .homes import build_home
from .sight import RoomView, look

_SNAPSHOT = "household/1"
_CHANGING = ("INSIDE", "ON", "HOLDS_RH", "HOLDS_LH", "SITTING")
"""The relations that actions change."""

_ROOM_ORDER = ("livingroom", "kitchen", "bedroom", "bathroom")
"""The order in which texts list rooms (convention of Guo et al.); other rooms follow by id."""


class _Episode:
    """All that one running episode consists of; made anew by every reset and restore."""

    def __init__(self, task: tasks.Task, numbers: Sequence[int], seed: int, apartment: str) -> None:
        self.seed = seed
        self._task, self._apartment = task, apartment
        self._fingerprint: int | None = None
        first_id = max(FIRST_OBJECT_ID, len(numbers) + 1)
        self.graph = build_home(apartment, first_id, Random(f"{seed}/clutter")).graph
        self.goal = tasks.set_up(task, self.graph, Random(f"{seed}/goal/{task.name}"))
        rooms = tuple(sorted(self.graph.rooms, key=self._room_rank))
        starts = Random(f"{seed}/start")
        for number in numbers:
            apartments.add_character(self.graph, starts, number, starts.choice(rooms))
        self.graph.validate()
        nodes = self.graph.nodes
        self.briefing = Briefing(
            goal=self.goal,
            rooms=rooms,
            labels={number: node.label for number, node in nodes.items()},
            classes={number: node.class_name for number, node in nodes.items()},
        )
        self.engine = Engine(self.graph, seed)
        self.bodies = {
            number: Body.at_start(number, self.room_of(number), numbers, self.briefing) for number in numbers
        }
        self.progress = self.goal.count(self.graph)
        self.done = False
        self.executed: dict[int, str | None] = dict.fromkeys(numbers)
        self.options: dict[int, dict[str, Option]] = {}

    def _room_rank(self, room: int) -> tuple[int, int]:
        name = self.graph.nodes[room].class_name
        return (_ROOM_ORDER.index(name) if name in _ROOM_ORDER else len(_ROOM_ORDER), room)

    def room_of(self, number: int) -> int:
        room = self.graph.room_of(number)
        assert room is not None
        return room

    def look_around(self) -> None:
        """Let everybody perceive the room they are in."""
        views: dict[int, RoomView] = {}
        for number, body in self.bodies.items():
            room = self.room_of(number)
            if room not in views:
                views[room] = look(self.graph, room, self.goal)
            body.perceive(views[room], self.briefing)

    def fingerprint(self) -> int:
        """Tells whether two versions of this program build the same home from a seed."""
        if self._fingerprint is None:
            start = (
                _Episode(self._task, tuple(self.bodies), self.seed, self._apartment) if self.engine.touched else self
            )
            things = [(number, node.class_name, node.box) for number, node in sorted(start.graph.nodes.items())]
            self._fingerprint = zlib.crc32(pack(things))
        return self._fingerprint


class HouseholdWorld(World):
    """Agents `Agent_1` to `Agent_n` do one task together in a seeded apartment.

    Args:
        task: one of `tasks.TASKS`.
        agents: how many agents, at least one.
        apartment: a name that `homes.build_home` knows.

    Raises:
        WorldError: there is no such task, or no agent.
    """

    def __init__(self, task: str, agents: int = 2, apartment: str | None = None) -> None:
        if agents < 1:
            raise WorldError(f"a household needs at least one agent, not {agents}")
        self._task = tasks.find_task(task)
        self._apartment = apartment or "0"
        self._numbers = tuple(range(1, agents + 1))
        self._names = {number: language.agent_name(number) for number in self._numbers}
        self._numbers_by_name = {name: number for number, name in self._names.items()}
        self._alone = agents == 1
        self._openings = {number: language.preamble(number, self._numbers) for number in self._numbers}
        self._forms = language.message_forms(self._numbers)
        self._lettering: list[str] = []
        self._episode: _Episode | None = None

    @property
    def agents(self) -> Sequence[str]:
        return tuple(self._names.values())

    def scene(self) -> SceneGraph:
        """The household as it is right now, to be drawn and not to be changed.

        Raises:
            WorldError: the episode has not begun.
        """
        return self._running().graph

    def reset(self, seed: int) -> dict[str, Observation]:
        self._episode = episode = _Episode(self._task, self._numbers, seed, self._apartment)
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
            if action is None:
                outcomes[number] = Outcome(ok=True, detail="did nothing")
            elif not isinstance(action, str):
                outcomes[number] = Outcome(ok=False, detail=f"an action is a text, not {type(action).__name__}")
            elif is_message(action):
                outcomes[number] = self._take_message(number, action, messages)
            else:
                outcomes[number] = self._take_option(episode, number, action, primitives)
        self._act(episode, primitives, outcomes)
        self._deliver(episode, messages)
        reward = self._score(episode)
        for body in episode.bodies.values():
            body.steps += 1
        episode.look_around()
        names = self._names
        return StepResult(
            observations=self._observe(episode),
            rewards=dict.fromkeys(names.values(), reward),
            outcomes={names[number]: outcomes[number] for number in self._numbers},
            messages=tuple(messages),
            done=episode.done,
            success=episode.done,
        )

    def snapshot(self) -> bytes:
        episode = self._running()
        graph = episode.graph
        things: list[Any] = []
        for number in sorted(episode.engine.touched):
            node = graph.nodes[number]
            edges = [(name, graph.targets(number, name)) for name in _CHANGING]
            things.append((number, node.states, node.box, [edge for edge in edges if edge[1]]))
        return pack(
            {
                "kind": _SNAPSHOT,
                "task": self._task.name,
                "agents": len(self._numbers),
                "seed": str(episode.seed),  # msgpack has no integers beyond 64 bits
                "home": episode.fingerprint(),
                "steps": episode.engine.steps,
                "things": things,
                "bodies": [body.to_dict() for body in episode.bodies.values()],
                "executed": list(episode.executed.values()),
            }
        )

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        try:
            state = unpack(snapshot)
            kind = state["kind"] if isinstance(state, dict) else None
        except (ValueError, TypeError, KeyError) as error:
            raise WorldError(f"this is no snapshot of a household ({error!r})") from None
        if kind != _SNAPSHOT:
            raise WorldError(f"this is no snapshot of a household of kind {_SNAPSHOT!r}, but {kind!r}")
        try:
            mine = {"task": self._task.name, "agents": len(self._numbers)}
            for key, value in mine.items():
                if state[key] != value:
                    raise WorldError(f"the snapshot has {key} {state[key]!r}, this world has {value!r}")
            episode = _Episode(self._task, self._numbers, int(state["seed"]), self._apartment)
            if episode.fingerprint() != state["home"]:
                raise WorldError("the snapshot was taken in another version of the apartment")
            self._load(episode, state)
            observations = self._observe(episode)
        except WorldError:
            raise
        except Exception as error:  # whatever does not fit together, the world stays as it was
            raise WorldError(f"the snapshot is damaged ({error!r})") from None
        self._episode = episode
        return observations

    # -- one step -----------------------------------------------------------------------------

    def _running(self) -> _Episode:
        if self._episode is None:
            raise WorldError("the episode has not begun; call reset or restore first")
        return self._episode

    def _take_message(self, number: int, action: str, messages: list[Message]) -> Outcome:
        parsed = parse_message(action)
        if parsed is None:
            return Outcome(ok=False, detail="a message is written [send_message] <name> (id): text")
        receiver, text = parsed.name, language.clean_message(parsed.text)
        if receiver == self._names[number]:
            return Outcome(ok=False, detail="nobody sends messages to oneself")
        if receiver not in self._numbers_by_name:
            return Outcome(ok=False, detail=f"there is no {language.clean_message(receiver)} to send a message to")
        if parsed.number != self._numbers_by_name[receiver]:
            return Outcome(ok=False, detail=f"{receiver} is not number {parsed.number}")
        if text in ("", MESSAGE_PLACEHOLDER):
            return Outcome(ok=False, detail="the message has no text")
        messages.append(Message(sender=self._names[number], receiver=receiver, text=text))
        return Outcome(ok=True, detail=f"sent a message to {receiver}")

    def _take_option(self, episode: _Episode, number: int, action: str, primitives: dict[int, Primitive]) -> Outcome:
        option = episode.options[number].get(action)
        if option is None:
            return Outcome(ok=False, detail="not one of the available actions")
        primitive = episode.bodies[number].compile(option, episode.graph, episode.briefing)
        if primitive is None:
            return Outcome(ok=True, detail="nothing left to do for it")
        primitives[number] = primitive
        return Outcome(ok=True)

    def _act(self, episode: _Episode, primitives: Mapping[int, Primitive], outcomes: dict[int, Outcome]) -> None:
        graph = episode.graph
        before = {number: graph.nodes[number].box for number in primitives}
        results: Mapping[int, Result] = episode.engine.step(primitives)
        episode.executed = dict.fromkeys(self._numbers)
        for number, result in results.items():
            primitive = primitives[number]
            text = episode.executed[number] = primitive.text(graph)
            moved = primitive.verb != "walktowards" or graph.nodes[number].box != before[number]
            episode.bodies[number].record(primitive, text, progress=result.ok and moved)
            detail = text if result.ok else f"{text}: {'; '.join(result.lines)}"
            outcomes[number] = Outcome(ok=result.ok, detail=detail)

    def _deliver(self, episode: _Episode, messages: Sequence[Message]) -> None:
        for message in messages:
            sender, receiver = self._numbers_by_name[message.sender], self._numbers_by_name[message.receiver]
            to_whom = f"<{message.receiver}> ({receiver})"
            episode.bodies[sender].remember(f"[send_message] {to_whom}")
            line = f"You send_message to {message.receiver}: {message.text}"
            episode.bodies[sender].hear(line, received=False)
            line = f"{message.sender} send_message to You: {message.text}"
            episode.bodies[receiver].hear(line, received=True)

    def _score(self, episode: _Episode) -> float:
        """What the step brought: the change of the goal's progress, the same for everybody."""
        before, episode.progress = episode.progress, episode.goal.count(episode.graph)
        placed = sum(episode.progress.values())
        episode.done = placed >= episode.goal.total
        return tasks.REWARD_PER_OBJECT * (placed - sum(before.values()))

    # -- observing ----------------------------------------------------------------------------

    def _observe(self, episode: _Episode) -> dict[str, Observation]:
        goal = language.goal_text(episode.briefing)
        return {name: self._observe_one(episode, number, goal) for number, name in self._names.items()}

    def _observe_one(self, episode: _Episode, number: int, goal: str) -> Observation:
        body, briefing = episode.bodies[number], episode.briefing
        options = {language.option_text(option, briefing): option for option in body.options(briefing)}
        episode.options[number] = options
        choices = (*options, *self._forms[: number - 1], *self._forms[number:])
        while len(self._lettering) < len(choices):
            self._lettering.append(language.letters(len(self._lettering)))
        progress = language.progress_text(body, briefing, self._alone)
        masked = progress.replace(f"This is step {body.steps}. ", "This is step X. ", 1)
        reflex = f"[goput] {briefing.labels[episode.goal.target]}" if len(body.holding) >= MAX_HELD else None
        return Observation(
            text=language.prompt(self._openings[number], goal, progress, body, choices, self._lettering, self._alone),
            choices=choices,
            key="\n".join([masked, *options, f"{body.heard} messages"]),
            reflex=reflex,
            info=self._facts(episode, body),
        )

    def _facts(self, episode: _Episode, body: Body) -> dict[str, Any]:
        box = episode.graph.nodes[body.number].box
        assert box is not None
        return {
            "room": episode.briefing.classes[body.room],
            "position": [round(box.center[0], 3), round(box.center[2], 3)],
            "holding": list(body.holding),
            "progress": {name: [episode.progress[name], count] for name, count in episode.goal.needs},
            "executed": episode.executed[body.number],
        }

    # -- restoring ----------------------------------------------------------------------------

    def _load(self, episode: _Episode, state: Mapping[str, Any]) -> None:
        graph = episode.graph
        things = state["things"]
        for number, states, box, _ in things:
            node = graph.nodes[number]
            node.states = tuple(states)
            node.box = Box(tuple(box[0]), tuple(box[1])) if box else None
            for relation in _CHANGING:
                graph.unlink(number, relation)
        for number, _, _, edges in things:
            for relation, targets in edges:
                for target in targets:
                    graph.link(number, relation, graph.nodes[target].id)
        graph.validate()
        episode.engine.steps = int(state["steps"])
        episode.engine.touched = {thing[0] for thing in things}
        bodies = [Body.from_dict(data) for data in state["bodies"]]
        episode.bodies = {body.number: body for body in bodies}
        if tuple(episode.bodies) != self._numbers:
            raise ValueError("bodies do not match the agents")
        episode.executed = dict(zip(self._numbers, state["executed"], strict=True))
        episode.progress = episode.goal.count(graph)
        episode.done = sum(episode.progress.values()) >= episode.goal.total
