"""People between two steps: they walk where the simulation only says where they are afterwards."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...env.household.picture import Figure, figures_of
from ...env.household.scene.graph import SceneGraph

_TRAIL_STEPS = 6
"""How many steps back the dots behind a walker reach."""
_STILL_M, _STILL_RAD = 0.01, 0.02
"""Smaller changes than these are not seen."""


@dataclass(slots=True)
class Walkers:
    """Follows the people of a scene from step to step.

    Attributes:
        before, after: everybody, before and after the last step.
        rooms: per person the rooms before and after the last step.
    """

    before: dict[int, Figure] = field(default_factory=dict[int, Figure])
    after: list[Figure] = field(default_factory=list[Figure])
    rooms: dict[int, tuple[int | None, int | None]] = field(default_factory=dict[int, tuple[int | None, int | None]])
    _trails: dict[int, deque[tuple[float, float]]] = field(default_factory=dict[int, deque[tuple[float, float]]])

    def follow(self, scene: SceneGraph) -> None:
        """Take in the scene after the next step."""
        self.before = {figure.number: figure for figure in self.after}
        self.after = []
        for figure in figures_of(scene):
            trail = self._trails.setdefault(figure.number, deque(maxlen=_TRAIL_STEPS))
            earlier = self.before.get(figure.number, figure)
            if not trail or trail[-1] != (earlier.x, earlier.z):
                trail.append((earlier.x, earlier.z))
            self.after.append(replace(figure, trail=tuple(trail)))
            room = scene.room_of(figure.number)
            self.rooms[figure.number] = self.rooms.get(figure.number, (room, room))[1], room

    @property
    def moving(self) -> bool:
        """Whether the last step moved or turned anybody."""
        return any(_differ(self.before.get(figure.number, figure), figure) for figure in self.after)

    def at(self, share: float, speech: Mapping[int, str]) -> Sequence[Figure]:
        """Everybody as they are after some share (0 to 1) of the last step, and what they say."""
        share = share * share * (3 - 2 * share)  # nobody starts or stops at once
        return [
            replace(
                _between(self.before.get(figure.number, figure), figure, share), speech=speech.get(figure.number, "")
            )
            for figure in self.after
        ]

    def seen_by(self, number: int, share: float) -> set[int]:
        """The room somebody is in; both, while they walk from one to another."""
        before, after = self.rooms.get(number, (None, None))
        return {room for room in ((before, after) if share < 1.0 else (after,)) if room is not None}


def _between(before: Figure, after: Figure, share: float) -> Figure:
    if share >= 1.0:
        return after
    heading = after.heading
    if before.heading is not None and heading is not None:
        # Whoever walks turns at once, whoever stays turns slowly.
        walks = math.dist((before.x, before.z), (after.x, after.z)) > _STILL_M
        heading = before.heading + _turn(before.heading, heading) * min(1.0, share * (4 if walks else 1))
    x, z = before.x + (after.x - before.x) * share, before.z + (after.z - before.z) * share
    return replace(after, x=x, z=z, heading=heading)


def _turn(start: float, end: float) -> float:
    """The shorter way round from one heading to another, in radians."""
    return (end - start + math.pi) % (2 * math.pi) - math.pi


def _differ(before: Figure, after: Figure) -> bool:
    turned = before.heading is not None and after.heading is not None and abs(_turn(before.heading, after.heading))
    return math.dist((before.x, before.z), (after.x, after.z)) > _STILL_M or turned > _STILL_RAD
