"""What a team knows from the start: its goal, its rooms, and how everything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..tasks.goals import PLACING, Goal, WantKind
from .sight import Focus


@dataclass(frozen=True, slots=True)
class Group:
    """Wants of one kind with one target; `wants` are indices into the goal's wants."""

    kind: WantKind
    target: int
    wants: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Briefing:
    """What everybody in a team knows from the start.

    Attributes:
        goal: what the team is asked for.
        members: the numbers of its people, in order.
        rooms: the ids of its rooms in the order in which texts list them.
        labels: `<class> (id)` of every node of the scene.
        classes: the class name of every node of the scene.
        room_names: how sentences call the rooms: by class, with the id where a class occurs twice.
        groups: the wants by kind and target, in the order in which the goal names them.
        targets: the targets in the order in which the goal names them.
        single: whether the goal is only to bring things to one target, as in cwah's tasks.
        focus: what the goal makes worth seeing.
    """

    goal: Goal
    members: tuple[int, ...]
    rooms: tuple[int, ...]
    labels: Mapping[int, str]
    classes: Mapping[int, str]
    room_names: Mapping[int, str] = field(init=False)
    groups: tuple[Group, ...] = field(init=False)
    targets: tuple[int, ...] = field(init=False)
    single: bool = field(init=False)
    focus: Focus = field(init=False)

    def __post_init__(self) -> None:
        groups = group_wants(self.goal)
        single = len(groups) == 1 and groups[0].kind in PLACING
        targets = tuple(dict.fromkeys(want.target for want in self.goal.wants if want.target))
        derived = {
            "room_names": name_rooms(self.rooms, self.classes),
            "groups": groups,
            "targets": targets,
            "single": single,
            "focus": Focus(self.goal, self.members, self.classes, single=single),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)  # the way for frozen dataclasses

    def room_name(self, room: int) -> str:
        """What sentences call a room, also one that is not the team's."""
        return self.room_names.get(room) or self.classes[room]


def group_wants(goal: Goal) -> tuple[Group, ...]:
    """The wants by kind and target, in order of first appearance."""
    found: dict[tuple[WantKind, int], list[int]] = {}
    for index, want in enumerate(goal.wants):
        found.setdefault((want.kind, want.target), []).append(index)
    return tuple(Group(kind, target, tuple(indices)) for (kind, target), indices in found.items())


def name_rooms(rooms: Sequence[int], classes: Mapping[int, str]) -> dict[int, str]:
    """Each room's class; where a class occurs more than once, with the id, so that texts tell them apart."""
    times = Counter(classes[room] for room in rooms)
    return {room: classes[room] if times[classes[room]] == 1 else f"{classes[room]} ({room})" for room in rooms}
