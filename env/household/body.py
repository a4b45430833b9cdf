"""An agent's body: what it remembers of the home, what it could do next, and how it does it.

A high-level action (`[goexplore]`, `[gocheck]`, `[gograb]`, `[goput]`) takes several steps; the body
turns it into one primitive per step. It stays among the options until it is finished or pointless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .engine import Primitive
from .graph import SceneGraph
from .sight import RoomView
from .tasks import Goal

MAX_HISTORY, MAX_DIALOGUE = 20, 30
"""How many previous actions and lines of dialogue are remembered."""

STUCK_STEPS = 20
"""After more than this many fruitless repetitions of one primitive the body gives up on it..."""

WITHHELD_STEPS = 20
"""...and does not offer the same object again for this many steps."""

MAX_HELD = 2

Option = tuple[str, int]
"""A high-level action: its verb and the id of its object."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What everybody knows from the start.

    Attributes:
        goal: what the episode asks for.
        rooms: the room ids in the order in which texts list them.
        labels: `<class> (id)` of every node.
        classes: the class name of every node.
    """

    goal: Goal
    rooms: tuple[int, ...]
    labels: Mapping[int, str]
    classes: Mapping[int, str]


@dataclass(slots=True)
class Mate:
    """What is remembered of a teammate: where it was last seen (None: never), and holding what."""

    room: int | None = None
    holding: tuple[int, ...] = ()
    here: bool = False


@dataclass(slots=True)
class Body:
    """The memory of one agent. `number` is its id in the scene; rooms are ids.

    Attributes:
        unchecked: per room the shut containers last seen there; None: never been there.
        ungrabbed: per room the goal things last seen there; None: never been there.
        target_rooms: where the goal's target may be; one entry: known.
        satisfied: goal things known to be in place.
        heard: messages received so far.
        withheld: objects given up on, with the step from which they are offered again.
        repeats: fruitless repetitions of the last primitive.
    """

    number: int
    room: int
    unchecked: dict[int, list[int] | None]
    ungrabbed: dict[int, list[int] | None]
    target_rooms: tuple[int, ...]
    mates: dict[int, Mate]
    holding: tuple[int, ...] = ()
    satisfied: tuple[int, ...] = ()
    steps: int = 0
    heard: int = 0
    history: list[str] = field(default_factory=list)
    dialogue: list[str] = field(default_factory=list)
    withheld: dict[int, int] = field(default_factory=dict)
    last: Primitive | None = None
    repeats: int = 0

    @classmethod
    def at_start(cls, number: int, room: int, numbers: Sequence[int], briefing: Briefing) -> Body:
        """The body of an agent that has just woken up in a room."""
        return cls(
            number=number,
            room=room,
            unchecked=dict.fromkeys(briefing.rooms),
            ungrabbed=dict.fromkeys(briefing.rooms),
            target_rooms=briefing.rooms,
            mates={other: Mate() for other in numbers if other != number},
            history=[f"[goexplore] {briefing.labels[room]}"],
        )

    # -- perceiving ---------------------------------------------------------------------------

    def perceive(self, view: RoomView, briefing: Briefing) -> None:
        """Take in what is visible in the room one is in."""
        self.room = room = view.room
        here = dict(view.people)
        self.holding = here[self.number]
        gone = set(self.holding)
        for number, mate in self.mates.items():
            held = here.get(number)
            mate.here = held is not None
            if held is not None:
                mate.room, mate.holding = room, held
                gone.update(held)
        if view.placed is not None:
            self.satisfied = view.placed
        self._locate_target(view)
        gone.update(self.satisfied, view.goods)
        for other, seen in self.ungrabbed.items():
            if seen:
                self.ungrabbed[other] = [number for number in seen if number not in gone]
        missing = self.missing(briefing)
        self.ungrabbed[room] = [
            number
            for number in view.goods
            if number not in self.satisfied and missing.get(briefing.classes[number], 0) > 0
        ]
        self.unchecked[room] = list(view.closed)

    def _locate_target(self, view: RoomView) -> None:
        if view.has_target:
            self.target_rooms = (view.room,)
        elif view.room in self.target_rooms and len(self.target_rooms) > 1:
            self.target_rooms = tuple(room for room in self.target_rooms if room != view.room)

    def missing(self, briefing: Briefing) -> dict[str, int]:
        """How many of each class are still to be placed, as far as this agent knows."""
        missing = dict(briefing.goal.needs)
        for number in self.satisfied:
            missing[briefing.classes[number]] -= 1
        return missing

    # -- choosing -----------------------------------------------------------------------------

    def options(self, briefing: Briefing) -> list[Option]:
        """The high-level actions open to the agent, in the order in which they are listed."""
        options: list[Option] = [("goexplore", room) for room in briefing.rooms if self.unchecked[room] is None]
        if len(self.holding) < MAX_HELD:
            for room in briefing.rooms:
                options += [("gocheck", number) for number in self.unchecked[room] or () if self._is_offered(number)]
            missing = self.missing(briefing)
            for room in briefing.rooms:
                options += [
                    ("gograb", number)
                    for number in self.ungrabbed[room] or ()
                    if missing.get(briefing.classes[number], 0) > 0 and self._is_offered(number)
                ]
        if self.holding:
            options.append(("goput", briefing.goal.target))
        return options

    def _is_offered(self, number: int) -> bool:
        return self.withheld.get(number, 0) <= self.steps

    # -- acting -------------------------------------------------------------------------------

    def compile(self, option: Option, graph: SceneGraph, briefing: Briefing) -> Primitive | None:
        """The one primitive with which an option goes on in this step; None if there is nothing left to do."""
        primitive = self._pursue(option, graph, briefing)
        if primitive is not None and primitive == self.last and self.repeats > STUCK_STEPS:
            return self._give_up(option, briefing)
        return primitive

    def _pursue(self, option: Option, graph: SceneGraph, briefing: Briefing) -> Primitive | None:
        verb, number = option
        if verb == "goexplore":
            return Primitive("walktowards", number) if self.room != number else None
        if verb == "goput":
            return self._pursue_put(graph, briefing.goal)
        lists = self.unchecked if verb == "gocheck" else self.ungrabbed
        room = next((room for room, numbers in lists.items() if numbers and number in numbers), None)
        if room is None:
            return None
        if room != self.room:
            return Primitive("walktowards", room)
        if not graph.is_reachable(self.number, number):
            return Primitive("walktowards", number)
        return Primitive("open" if verb == "gocheck" else "grab", number)

    def _pursue_put(self, graph: SceneGraph, goal: Goal) -> Primitive | None:
        if not self.holding:
            return None
        if self.target_rooms[0] != self.room:
            return Primitive("walktowards", self.target_rooms[0])
        if not graph.is_reachable(self.number, goal.target):
            return Primitive("walktowards", goal.target)
        if goal.relation == "ON":
            return Primitive("putback", self.holding[0], goal.target)
        if graph.is_shut(goal.target) and len(self.holding) < MAX_HELD:
            return Primitive("open", goal.target)
        return Primitive("putin", self.holding[0], goal.target)

    def _give_up(self, option: Option, briefing: Briefing) -> Primitive:
        """Stop repeating what leads nowhere: mark it, do not offer it for a while, and walk away."""
        self.repeats = 0
        if self.history:
            self.history[-1] += " but unfinished"
        if option[0] in ("gocheck", "gograb"):
            self.withheld[option[1]] = self.steps + WITHHELD_STEPS
        away = [room for room in (*self.target_rooms, *briefing.rooms) if room != self.room]
        return Primitive("walktowards", away[0] if away else self.room)

    def record(self, primitive: Primitive, text: str, *, progress: bool) -> None:
        """Remember a primitive that was tried. `progress`: it succeeded, and changed something."""
        self.repeats = self.repeats + 1 if primitive == self.last and not progress else 0
        self.last = primitive
        self.remember(text)

    def remember(self, text: str) -> None:
        """Add to the previous actions."""
        self.history.append(text)
        del self.history[:-MAX_HISTORY]

    def hear(self, line: str, *, received: bool) -> None:
        """Add a line of dialogue, one's own or a received one."""
        self.heard += received
        self.dialogue.append(line)
        del self.dialogue[:-MAX_DIALOGUE]

    # -- saving -------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """The memory as plain msgpack types; `from_dict` undoes it."""
        return {
            "number": self.number,
            "room": self.room,
            "unchecked": list(self.unchecked.items()),
            "ungrabbed": list(self.ungrabbed.items()),
            "target_rooms": self.target_rooms,
            "mates": [(number, mate.room, mate.holding, mate.here) for number, mate in self.mates.items()],
            "holding": self.holding,
            "satisfied": self.satisfied,
            "steps": self.steps,
            "heard": self.heard,
            "history": self.history,
            "dialogue": self.dialogue,
            "withheld": sorted(self.withheld.items()),
            "last": (self.last.verb, self.last.target, self.last.dest) if self.last else None,
            "repeats": self.repeats,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Body:
        return cls(
            number=data["number"],
            room=data["room"],
            unchecked=dict(data["unchecked"]),
            ungrabbed=dict(data["ungrabbed"]),
            target_rooms=tuple(data["target_rooms"]),
            mates={number: Mate(room, tuple(holding), here) for number, room, holding, here in data["mates"]},
            holding=tuple(data["holding"]),
            satisfied=tuple(data["satisfied"]),
            steps=data["steps"],
            heard=data["heard"],
            history=list(data["history"]),
            dialogue=list(data["dialogue"]),
            withheld=dict(data["withheld"]),
            last=Primitive(*data["last"]) if data["last"] else None,
            repeats=data["repeats"],
        )
