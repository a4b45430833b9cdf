"""An agent's body: what it remembers of the home and makes of what it sees.

What it could do next is in `options`, how it does that in `deeds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine.engine import Primitive
from ..tasks.goals import CLEARING, PLACING, WantKind
from .briefing import Briefing
from .sight import RoomView

MAX_HISTORY, MAX_DIALOGUE = 20, 30
"""How many previous actions and lines of dialogue are remembered."""

MAX_HELD = 2
"""One thing in each hand."""

WITHHELD_STEPS = 20
"""What one has given up on is not offered again for this many steps."""


@dataclass(slots=True)
class Mate:
    """What is remembered of a teammate: where it was last seen (None: never), holding what, on which seat (0: none)."""

    room: int | None = None
    holding: tuple[int, ...] = ()
    seat: int = 0
    here: bool = False


@dataclass(slots=True)
class Body:
    """The memory of one agent. `number` is its id in the scene; rooms are ids.

    Attributes:
        unchecked: per room the shut containers last seen there; None: never been there.
        ungrabbed: per room the things last seen there that can serve a want, with those wants; None: never been there.
        surfaces: per room where things can be put to rest, as last seen.
        target_rooms: per target of the goal where it may be; one entry: known.
        known: per want what was last seen at its target (see `RoomView.known`); None: never seen.
        open_wants: the wants that are not known to be met, as indices (follows from the rest).
        in_place: the things known to be where the goal wants them (follows from the rest).
        heard: messages received so far.
        failures: primitives that failed so far.
        has_failed: whether the last primitive failed.
        withheld: objects given up on, with the step from which they are offered again.
        repeats: fruitless repetitions of the last primitive.
    """

    number: int
    room: int
    unchecked: dict[int, list[int] | None]
    ungrabbed: dict[int, dict[int, tuple[int, ...]] | None]
    target_rooms: dict[int, tuple[int, ...]]
    known: list[tuple[int, ...] | None]
    mates: dict[int, Mate]
    open_wants: frozenset[int] = frozenset()
    in_place: frozenset[int] = frozenset()
    surfaces: dict[int, tuple[int, ...]] = field(default_factory=dict)
    holding: tuple[int, ...] = ()
    seat: int = 0
    steps: int = 0
    heard: int = 0
    failures: int = 0
    has_failed: bool = False
    history: list[str] = field(default_factory=list)
    dialogue: list[str] = field(default_factory=list)
    withheld: dict[int, int] = field(default_factory=dict)
    last: Primitive | None = None
    repeats: int = 0

    @classmethod
    def at_start(cls, number: int, room: int, briefing: Briefing) -> Body:
        """The body of an agent that has just woken up in a room."""
        body = cls(
            number=number,
            room=room,
            unchecked=dict.fromkeys(briefing.rooms),
            ungrabbed=dict.fromkeys(briefing.rooms),
            target_rooms=dict.fromkeys(briefing.targets, briefing.rooms),
            known=[None] * len(briefing.goal.wants),
            mates={other: Mate() for other in briefing.members if other != number},
            history=[f"[goexplore] {briefing.labels[room]}"],
        )
        body.judge(briefing)
        return body

    # -- perceiving ---------------------------------------------------------------------------

    def perceive(self, view: RoomView, briefing: Briefing) -> None:
        """Take in what is visible in the room one is in."""
        self.room = room = view.room
        self.holding, self.seat = view.people[self.number]
        gone = set(self.holding)
        for number, mate in self.mates.items():
            person = view.people.get(number)
            mate.here = person is not None
            if person is not None:
                mate.room = room
                mate.holding, mate.seat = person
                gone.update(person.holding)
        for index, found in view.known.items():
            self.known[index] = found
        self._locate_targets(view)
        if briefing.focus.seats:
            self._notice_who_got_up(view, briefing)
        if view.known or briefing.focus.people:
            self.judge(briefing)
        satisfied = self.in_place
        gone.update(satisfied, view.goods)
        for other, things in self.ungrabbed.items():
            if things and not gone.isdisjoint(things):
                self.ungrabbed[other] = {number: uses for number, uses in things.items() if number not in gone}
        self.ungrabbed[room] = {number: uses for number, uses in view.goods.items() if number not in satisfied}
        self.unchecked[room] = list(view.closed)
        if view.surfaces:
            self.surfaces[room] = view.surfaces

    def _locate_targets(self, view: RoomView) -> None:
        for target, rooms in self.target_rooms.items():
            if target in view.targets:
                self.target_rooms[target] = (view.room,)
            elif view.room in rooms and len(rooms) > 1:
                self.target_rooms[target] = tuple(room for room in rooms if room != view.room)

    def _notice_who_got_up(self, view: RoomView, briefing: Briefing) -> None:
        """Who is in this room does not sit on a seat in another one."""
        for index, want in enumerate(briefing.goal.wants):
            seated = self.known[index]
            if want.kind is WantKind.SIT and seated and want.target not in view.targets:
                self.known[index] = tuple(person for person in seated if person not in view.people)

    # -- judging ------------------------------------------------------------------------------

    def done(self, index: int, briefing: Briefing) -> int:
        """How much of a want is met, as far as this agent knows."""
        want, found = briefing.goal.wants[index], self.known[index]
        if want.kind is WantKind.HOLD:
            held = [*self.holding, *(number for mate in self.mates.values() for number in mate.holding)]
            return min(want.count, sum(briefing.classes[number] == want.class_name for number in held))
        if found is None:
            return 0
        return max(0, min(want.count, want.start - len(found))) if want.kind in CLEARING else len(found)

    def judge(self, briefing: Briefing) -> None:
        """Find out which wants are still open, and what is in place."""
        wants = briefing.goal.wants
        self.open_wants = frozenset([i for i, want in enumerate(wants) if self.done(i, briefing) < want.count])
        placed = [found for want, found in zip(wants, self.known, strict=True) if found and want.kind in PLACING]
        self.in_place = frozenset([number for found in placed for number in found])

    def is_offered(self, number: int) -> bool:
        """Whether something has not been given up on lately."""
        return not self.withheld or self.withheld.get(number, 0) <= self.steps

    # -- remembering --------------------------------------------------------------------------

    def record(self, primitive: Primitive, text: str, *, ok: bool, progress: bool) -> None:
        """Remember a primitive that was tried. `progress`: it succeeded, and changed something."""
        self.repeats = self.repeats + 1 if primitive == self.last and not progress else 0
        self.last = primitive
        self.has_failed = not ok
        self.failures += not ok
        self.remember(text)

    def give_up_on(self, number: int, briefing: Briefing) -> None:
        """Do not offer something for a while; except for a place where something belongs, which has no substitute."""
        wants = briefing.goal.wants
        if not any(want.target == number and want.kind in PLACING for want in wants):
            self.withheld[number] = self.steps + WITHHELD_STEPS

    def note_put(self, thing: int, target: int, briefing: Briefing) -> None:
        """Remember what one has put into a container, because a shut door may hide it from now on."""
        for index, want in enumerate(briefing.goal.wants):
            found = self.known[index] or ()
            fits = want.kind is WantKind.INSIDE and want.target == target and briefing.classes[thing] == want.class_name
            if fits and len(found) < want.count:
                self.known[index] = tuple(sorted({*found, thing}))
        self.judge(briefing)

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
            "ungrabbed": [
                (room, list(things.items()) if things is not None else None) for room, things in self.ungrabbed.items()
            ],
            "surfaces": list(self.surfaces.items()),
            "target_rooms": list(self.target_rooms.items()),
            "known": self.known,
            "mates": [(number, mate.room, mate.holding, mate.seat, mate.here) for number, mate in self.mates.items()],
            "holding": self.holding,
            "seat": self.seat,
            "steps": self.steps,
            "heard": self.heard,
            "failures": self.failures,
            "has_failed": self.has_failed,
            "history": self.history,
            "dialogue": self.dialogue,
            "withheld": sorted(self.withheld.items()),
            "last": (self.last.verb, self.last.target, self.last.dest) if self.last else None,
            "repeats": self.repeats,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], briefing: Briefing) -> Body:
        """The body that `to_dict` wrote."""
        body = cls(
            number=int(data["number"]),
            room=int(data["room"]),
            unchecked=dict(data["unchecked"]),
            ungrabbed={
                room: {thing: tuple(uses) for thing, uses in things} if things is not None else None
                for room, things in data["ungrabbed"]
            },
            surfaces={room: tuple(places) for room, places in data["surfaces"]},
            target_rooms={target: tuple(rooms) for target, rooms in data["target_rooms"]},
            known=[tuple(found) if found is not None else None for found in data["known"]],
            mates={
                number: Mate(room, tuple(holding), seat, here) for number, room, holding, seat, here in data["mates"]
            },
            holding=tuple(data["holding"]),
            seat=int(data["seat"]),
            steps=int(data["steps"]),
            heard=int(data["heard"]),
            failures=int(data["failures"]),
            has_failed=data["has_failed"],
            history=list(data["history"]),
            dialogue=list(data["dialogue"]),
            withheld=dict(data["withheld"]),
            last=Primitive(*data["last"]) if data["last"] else None,
            repeats=int(data["repeats"]),
        )
        body.judge(briefing)
        return body
