"""Drawing floor plans: rectangles that tile a flat, divided again and again or along a hall."""

from __future__ import annotations

from random import Random

from .layout import Rect

Rooms = list[tuple[str, Rect]]
"""Classes and areas. The first is the room with the front door: the hall, if there is one, or the living room."""

_AREA_M2 = {
    "livingroom": 34.0,
    "kitchen": 26.0,
    "bedroom": 22.0,
    "bathroom": 14.0,
    "home_office": 17.0,
    "dining_room": 20.0,
}
_SHORTEST_M = {
    "livingroom": 4.2,
    "kitchen": 3.8,
    "bedroom": 3.6,
    "bathroom": 2.7,
    "home_office": 3.0,
    "dining_room": 3.4,
}
_LONGEST = 2.1
"""No room is longer than this times its width; halls are."""


def draw_rooms(rng: Random, classes: list[str], size: float, *, hall: bool) -> Rooms | None:
    """Rooms of the given classes, with a hall added in front if there shall be one; None: the draw made bad shapes."""
    areas = {name: area * size * rng.uniform(0.9, 1.25) for name, area in _AREA_M2.items()}
    if not hall:
        return _divided(rng, classes, areas)
    rooms = _along_a_hall(rng, classes, areas)
    return rooms if all(name == "hall" or _is_good(name, area) for name, area in rooms) else None


def outer_sides(rooms: Rooms) -> list[str]:
    """The sides on which the first room has nothing before it."""
    own, areas = rooms[0][1], [area for _, area in rooms]
    found = {
        "west": own.x0 == min(area.x0 for area in areas),
        "east": own.x1 == max(area.x1 for area in areas),
        "south": own.z0 == min(area.z0 for area in areas),
        "north": own.z1 == max(area.z1 for area in areas),
    }
    return [side for side, is_outer in found.items() if is_outer]


def turn(rooms: Rooms, side: str, face: str) -> Rooms:
    """The same flat, mirrored so that what was on one side is on another."""
    if (side in ("west", "east")) != (face in ("west", "east")):
        rooms = [(name, Rect(area.z0, area.z1, area.x0, area.x1)) for name, area in rooms]
        side = {"west": "south", "east": "north", "south": "west", "north": "east"}[side]
    if side == face:
        return rooms
    if face in ("west", "east"):
        return [(name, Rect(0.0 - area.x1, 0.0 - area.x0, area.z0, area.z1)) for name, area in rooms]
    return [(name, Rect(area.x0, area.x1, 0.0 - area.z1, 0.0 - area.z0)) for name, area in rooms]


def _divided(rng: Random, classes: list[str], areas: dict[str, float]) -> Rooms | None:
    """A rectangle, divided in two until every part is one room; None: no division makes rooms of good shapes."""
    total = sum(areas[name] for name in classes)
    width = (total * rng.uniform(0.7, 1.5)) ** 0.5
    order = list(range(len(classes)))
    rng.shuffle(order)

    def divide(part: list[int], area: Rect) -> dict[int, Rect] | None:
        if len(part) == 1:
            return {part[0]: area} if _is_good(classes[part[0]], area) else None
        ways = [(cut, across) for cut in range(1, len(part)) for across in (False, True)]
        for cut, across in rng.sample(ways, len(ways)):
            share = sum(areas[classes[n]] for n in part[:cut]) / sum(areas[classes[n]] for n in part)
            first, second = _halves(area, share, across=across)
            one = divide(part[:cut], first)
            two = divide(part[cut:], second) if one is not None else None
            if one is not None and two is not None:
                return one | two
        return None

    found = divide(order, Rect(0.0, _rounded(width), 0.0, _rounded(total / width)))
    return None if found is None else [(name, found[n]) for n, name in enumerate(classes)]


def _halves(area: Rect, share: float, *, across: bool) -> tuple[Rect, Rect]:
    """A rectangle cut in two, the first with that share of it."""
    if across:
        mark = _rounded(area.x0 + share * (area.x1 - area.x0))
        return area._replace(x1=mark), area._replace(x0=mark)
    mark = _rounded(area.z0 + share * (area.z1 - area.z0))
    return area._replace(z1=mark), area._replace(z0=mark)


def _is_good(name: str, area: Rect) -> bool:
    """Whether a room has a good shape."""
    short, long = sorted((area.x1 - area.x0, area.z1 - area.z0))
    return short >= _SHORTEST_M[name] and long <= _LONGEST * short


def _along_a_hall(rng: Random, classes: list[str], areas: dict[str, float]) -> Rooms:
    """Two rows of rooms with a hall between them."""
    order = list(range(len(classes)))
    rng.shuffle(order)
    rows: tuple[list[int], list[int]] = ([], [])
    lengths = [0.0, 0.0]
    for number in sorted(order, key=lambda n: -areas[classes[n]]):
        shorter = lengths.index(min(lengths))
        rows[shorter].append(number)
        lengths[shorter] += areas[classes[number]]
    depth = max(4.8, (areas["livingroom"] / 1.25) ** 0.5) * rng.uniform(0.95, 1.1)
    widths = [[max(areas[classes[n]] / depth, _SHORTEST_M[classes[n]]) for n in row] for row in rows]
    whole = max(sum(row) for row in widths)
    hall = rng.uniform(1.7, 2.2)
    depth, hall = _rounded(depth), _rounded(hall)
    found: dict[int, Rect] = {}
    for row, row_widths, z0 in zip(rows, widths, (0.0, depth + hall), strict=True):
        row_order = list(range(len(row)))
        rng.shuffle(row_order)
        x = 0.0
        for place in row_order:
            end = x + row_widths[place] * whole / sum(row_widths)
            found[row[place]] = Rect(_rounded(x), _rounded(end), _rounded(z0), _rounded(z0 + depth))
            x = end
    area = Rect(0.0, _rounded(whole), depth, _rounded(depth + hall))
    return [("hall", area), *((name, found[n]) for n, name in enumerate(classes))]


def _rounded(value: float) -> float:
    """To the centimetre."""
    return round(value, 2)
