"""Buildings: generated flats along corridors.

Every floor is one corridor with flats on both sides; floors lie side by side on one plane, joined by a spine
at their western ends:

        | s |  [flat 2] [flat 4] ...
        | p |== corridor ===========
        | i |  [flat 1] [flat 3] ...
        | n |
        | e |  the next floor
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from .blueprint import OUTSIDE, Blueprint
from .furnishing import furnish
from .generator import generate
from .layout import Doorway, FloorPlan, Rect, RoomPlan, doorway

FLATS = range(1, 1001)
"""How many flats a building may have."""

FLATS_PER_FLOOR = 10
_CORRIDOR_M, _SPINE_M, _YARD_M = 2.2, 2.4, 4.0
_LAMP_EVERY_M = 7.0
_STYLE = "House"
_CORRIDOR_WISHES = "lightswitch*2 powersocket*2? plant*2? walllamp*2? clock? wallpictureframe*2? mirror?"


class Building(NamedTuple):
    """The flats, the common rooms (a corridor for each floor, then the spine), and each flat's floor."""

    flats: tuple[Blueprint, ...]
    common: Blueprint
    floors: tuple[int, ...]


@lru_cache(maxsize=1)
def building_blueprint(count: int, seed: int) -> Building:
    """The furnished building of a seed.

    Raises:
        WorldError: a flat could not be furnished.
    """
    flats: list[Blueprint] = []
    corridors: list[Rect] = []
    z = 0.0
    for first in range(0, count, FLATS_PER_FLOOR):
        numbers = range(first, min(first + FLATS_PER_FLOOR, count))
        floor = [generate(f"{seed}/{number}", face="south" if number % 2 else "north") for number in numbers]
        corridor, placed = _lay_out_floor(floor, z)
        corridors.append(corridor)
        flats.extend(placed)
        z = max([corridor.z1, *(flat.bounds[3] for flat in placed)]) + _YARD_M
    floors = tuple(number // FLATS_PER_FLOOR for number in range(count))
    return Building(tuple(flats), _furnish_common(corridors, flats, floors, seed), floors)


def _lay_out_floor(flats: Sequence[Blueprint], z: float) -> tuple[Rect, list[Blueprint]]:
    """A floor that begins at `z`: its corridor, and its flats moved to their places, by turns south and north of it."""
    south = z + max(flat.bounds[3] - flat.bounds[2] for flat in flats[::2])
    placed: list[Blueprint] = []
    ends = [0.0, 0.0]
    for number, flat in enumerate(flats):
        x0, x1, z0, z1 = flat.bounds
        row = number % 2
        placed.append(flat.moved(ends[row] - x0, south + _CORRIDOR_M - z0 if row else south - z1))
        ends[row] = round(ends[row] + x1 - x0, 3)
    return Rect(0.0, max(ends), round(south, 3), round(south + _CORRIDOR_M, 3)), placed


def _furnish_common(
    corridors: Sequence[Rect], flats: Sequence[Blueprint], floors: Sequence[int], seed: int
) -> Blueprint:
    rooms = [RoomPlan("corridor", area, f"{_lamps(area.x1 - area.x0)} {_CORRIDOR_WISHES}") for area in corridors]
    openings: list[Doorway] = []
    for flat, floor in zip(flats, floors, strict=True):
        x, _, z = flat.front_door.center
        openings.append(Doorway((OUTSIDE, floor), x, z, runs_along_x=True))
    if len(corridors) > 1:
        spine = Rect(-_SPINE_M, 0.0, corridors[0].z0, corridors[-1].z1)
        rooms.append(RoomPlan("corridor", spine, f"{_lamps(spine.z1 - spine.z0)} lightswitch powersocket? plant?"))
        for floor in range(len(corridors)):
            opening = doorway(rooms, floor, len(corridors))
            assert opening is not None
            openings.append(opening)
    return furnish(FloorPlan(tuple(rooms), tuple(openings), _STYLE), Random(f"{seed}/corridors"))


def _lamps(length: float) -> str:
    return f"ceilinglamp*{max(1, round(length / _LAMP_EVERY_M))}"
