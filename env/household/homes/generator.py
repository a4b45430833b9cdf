"""Generated flats: a seeded floor plan and wishes for every room, furnished by the same rules as the shipped ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from random import Random

from ...world import WorldError
from .blueprint import Blueprint
from .floorplans import draw_rooms, outer_sides, turn
from .furnishing import Cramped, furnish
from .layout import OPPOSITE, Doorway, FloorPlan, RoomPlan, doorway, entrance

ROOMS = range(4, 13)
"""How many rooms a flat may have. Kitchen, living room, bedroom and bathroom are always among them."""

SIZES = {"small": 0.9, "medium": 1.0, "large": 1.3}
"""Floor area, as a factor of the usual."""

_USUAL_ROOMS = (4, 4, 5, 5, 6)
_TRIES = 200
_STYLES = ("Classic", "Studio", "Oldtown", "Family", "Modern", "Scholar", "Loft", "Country")
_MORE_ROOMS = ("bedroom", "bedroom", "bedroom", "bathroom", "bathroom", "home_office", "dining_room")
_HALL_FROM = 6
"""From how many rooms on a flat has a hall."""

_HUBS = ("hall", "livingroom", "kitchen", "dining_room", "home_office", "bedroom", "bathroom")
"""Through which rooms one would rather go to get to others (see also `_may_lead`)."""

_PLEASANT = (("livingroom", "kitchen"), ("kitchen", "dining_room"), ("livingroom", "dining_room"))
"""Neighbours that get a doorway between them even if they can be reached otherwise."""

_WISHES: dict[str, tuple[str, str]] = {
    # room: what it must have, what it may have
    "kitchen": (
        "window*2? kitchencounter sink faucet stove dishwasher fridge microwave kitchentable kitchencabinet*4 "
        "ceilinglamp lightswitch",
        "stovefan kitchencabinet kitchencabinet kitchencabinet chair*2 chair*2 toaster coffeemaker knifeblock "
        "garbagecan powersocket*2 clock wallshelf orchid wallpictureframe plant ceilinglamp powersocket",
    ),
    "livingroom": (
        "window*2? curtains*2? sofa coffeetable tvstand tv cabinet bench ceilinglamp lightswitch",
        "rug bookshelf speaker*2 floorlamp plant tablelamp powersocket*3 wallphone wallpictureframe*2 photoframe*2 "
        "vase orchid clock cabinet wallpictureframe ceilinglamp plant",
    ),
    "bedroom": (
        "window*2? curtains*2? bed nightstand ceilinglamp lightswitch",
        "nightstand closet desk chair computer dresser rug bench tablelamp*2 powersocket*2 wallpictureframe*2 "
        "mirror photoframe plant walllamp cabinet",
    ),
    "bathroom": (
        "window? bathroomcounter bathroomcabinet sink faucet toilet ceilinglamp lightswitch",
        "bathtub shower washingmachine towelrack*2 mat walllamp*2 powersocket garbagecan mirror orchid",
    ),
    "home_office": (
        "window? curtains? desk chair computer ceilinglamp lightswitch",
        "bookshelf*2 printer cabinet floorlamp powersocket*2 wallpictureframe clock plant rug tablelamp",
    ),
    "dining_room": (
        "window*2? curtains*2? diningtable chair*2 ceilinglamp lightswitch",
        "chair*2 chair*2 cabinet rug vase wallpictureframe*2 plant powersocket",
    ),
    "hall": (
        "ceilinglamp lightswitch",
        "ceilinglamp coatrack mirror doormat wallpictureframe*2 powersocket walllamp wallphone plant",
    ),
}

_LEFT_OUT = 0.12
"""The chance that something a room may have is left out."""


@lru_cache(maxsize=16)
def generated_blueprint(seed: str, rooms: int | None, size: str) -> Blueprint:
    """The flat of a seed, kept for the next episode."""
    return generate(seed, rooms, size)


def generate(seed: str, rooms: int | None = None, size: str = "medium", face: str | None = None) -> Blueprint:
    """The flat of a seed. `rooms` None: the seed draws how many.

    `face` is the side of the flat that its front door is on. Then there are neighbours behind the other walls, so only
    those opposite to the door get windows.

    Raises:
        WorldError: no plan was found that has room for everything.
    """
    for attempt in range(_TRIES):
        rng = Random(f"{seed}/flat/{attempt}")
        plan = _draw_plan(rng, rooms or rng.choice(_USUAL_ROOMS), SIZES[size], face)
        if plan is not None:
            try:
                return furnish(plan, rng)
            except Cramped:
                continue
    raise WorldError(f"generated home of seed {seed!r}: none of {_TRIES} plans had room for everything")


def _draw_plan(rng: Random, count: int, size: float, face: str | None) -> FloorPlan | None:
    """A floor plan, or None if the draw makes no good one."""
    more = list(_MORE_ROOMS)
    rng.shuffle(more)
    hall = count >= _HALL_FROM
    classes = ["livingroom", "kitchen", "bedroom", "bathroom", *more[: count - 4 - hall]]
    drawn = draw_rooms(rng, classes, size, hall=hall)
    if drawn is None:
        return None
    sides = outer_sides(drawn)
    if not sides:
        return None
    side = rng.choice(sides)
    if face is not None:
        side, drawn = face, turn(drawn, side, face)
    rooms = tuple(RoomPlan(name, area, _draw_wishes(rng, name)) for name, area in drawn)
    openings = _connect(rng, rooms)
    if openings is None:
        return None
    front = entrance(rooms, 0, side, rng.choice((0.0, 0.5, 1.0)))
    blind = frozenset(OPPOSITE) - {OPPOSITE[face]} if face else frozenset[str]()
    return FloorPlan(rooms, (*openings, front), rng.choice(_STYLES), blind)


def _draw_wishes(rng: Random, room: str) -> str:
    must, may = _WISHES[room]
    return " ".join([must, *(f"{wish}?" for wish in may.split() if rng.random() >= _LEFT_OUT)])


def _connect(rng: Random, rooms: Sequence[RoomPlan]) -> tuple[Doorway, ...] | None:
    """Doorways so that every room is reached from the first, through the best hubs; None: that cannot be."""
    names = [room.class_name for room in rooms]
    pairs = [(n, m) for n in range(len(rooms)) for m in range(len(rooms)) if doorway(rooms, n, m) is not None]
    pairs.sort(key=lambda pair: (_HUBS.index(names[pair[0]]), pair[0], _HUBS.index(names[pair[1]]), pair[1]))
    reached, chosen = {0}, list[tuple[int, int]]()
    while len(reached) < len(rooms):
        ways = ((n, m) for n, m in pairs if n in reached and m not in reached and _may_lead(names[n], names[m]))
        way = next(ways, None)
        if way is None:
            return None
        reached.add(way[1])
        chosen.append(way)
    chosen += [(n, m) for n, m in pairs if (names[n], names[m]) in _PLEASANT and not {(n, m), (m, n)} & {*chosen}]
    openings = (doorway(rooms, n, m, rng.choice((0.2, 0.5, 0.8))) for n, m in chosen)
    return tuple(opening for opening in openings if opening is not None)


def _may_lead(hub: str, room: str) -> bool:
    """Whether one may have to go through a room of class `hub` to get to a `room`."""
    return hub != "bathroom" and (hub != "bedroom" or room == "bathroom")
