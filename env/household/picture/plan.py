"""The part of a picture that hardly ever changes: floors, walls, doors, windows, furniture and labels."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..scene.graph import Box, Node, SceneGraph
from .furniture import Side, draw_piece, label_colours, nearest_side, side_away_from
from .palette import Theme
from .svg import BOLD, MIDDLE, Rect, View, line, num, rectangle, width_of, words

_FURNISHING = frozenset({"Furniture", "Appliances", "Lamps", "Electronics"})
_STRUCTURE = frozenset({"Rooms", "Characters", "Floor", "Ceiling", "Walls", "Doors", "Windows"})
_LARGE_M2 = 0.6
"""What can be carried and covers more floor than this (a rug) is drawn as furniture."""
_THIN_WALL_M = 0.5
"""A wall whose box is thicker than this both ways goes round a corner; its box says nothing about where it is."""
_HANGING_M = 1.2
"""What begins higher than this above its room's floor hangs over other furniture."""
_CEILING_M = 1.9
_TABLE_M = 0.9
"""How near to a table a chair is taken to belong to it."""
_MIN_LABEL_PX = 8.0

_FIRST_WORDS = (
    "bathroom", "coffee", "dining", "dish", "garbage", "kitchen", "night", "table", "towel", "toilet", "wall",
    "washing", "book", "light", "cloth", "power", "ceiling",
)  # fmt: skip
"""Class names that begin with one of these may be written on two lines."""

_ROOM_NAMES = {"livingroom": "living room", "diningroom": "dining room", "homeoffice": "home office"}


@dataclass(slots=True)
class Inventory:
    """The nodes of a scene that can be drawn, by how they are drawn. All in id order."""

    rooms: list[int] = field(default_factory=list)
    walls: list[int] = field(default_factory=list)
    doors: list[int] = field(default_factory=list)
    windows: list[int] = field(default_factory=list)
    pieces: list[int] = field(default_factory=list)
    loose: list[int] = field(default_factory=list)


def take_inventory(graph: SceneGraph) -> Inventory:
    """Sort the nodes of a scene. What has no box, or one that is no place, is left out."""
    found = Inventory()
    kinds = {"Rooms": found.rooms, "Walls": found.walls, "Doors": found.doors, "Windows": found.windows}
    for number in sorted(graph.nodes):
        node = graph.nodes[number]
        box = node.box
        if box is None or not all(math.isfinite(value) for part in box for value in part):
            continue
        if node.category in kinds:
            kinds[node.category].append(number)
        elif node.category in _STRUCTURE or (node.category == "Lamps" and box.bottom > _CEILING_M):
            continue
        elif _is_loose(node, box):
            found.loose.append(number)
        else:
            found.pieces.append(number)
    return found


def _is_loose(node: Node, box: Box) -> bool:
    small = box.size[0] * box.size[2] < _LARGE_M2
    return "GRABBABLE" in node.properties and node.category not in _FURNISHING and small


class Plan:
    """The still layers of one scene: `below` what moves, and the labels `above` it.

    Attributes:
        backs: the side of each piece of furniture that is its back.
    """

    def __init__(self, graph: SceneGraph, inventory: Inventory, view: View, theme: Theme) -> None:
        self._graph, self._inventory, self._view, self._theme = graph, inventory, view, theme
        by_room: dict[int | None, list[int]] = defaultdict(list)
        for number in inventory.pieces:
            if graph.holder(number) is None:
                by_room[graph.room_of(number)].append(number)
        self.backs: dict[int, Side] = {}
        for room, pieces in by_room.items():
            self.backs.update(self._backs(room, pieces))
        pieces = sorted(self.backs, key=lambda number: (self._box(number).top, number))
        self.below = "".join([*self._shell(), *self._openings(), *self._furniture(pieces)])
        self.above = "".join(self._labels(by_room))

    def _box(self, number: int) -> Box:
        box = self._graph.nodes[number].box
        assert box is not None
        return box

    def _room_box(self, number: int) -> Box | None:
        room = self._graph.room_of(number)
        return None if room is None else self._graph.nodes[room].box

    def _shell(self) -> Iterable[str]:
        """Floors and walls; a room without walls of its own gets an outline."""
        graph, view, theme = self._graph, self._view, self._theme
        thin = [n for n in self._inventory.walls if min(self._box(n).size[0], self._box(n).size[2]) < _THIN_WALL_M]
        walled = {graph.room_of(number) for number in thin}
        thick = max(2.0, 0.1 * view.scale)
        for number in self._inventory.rooms:
            at, fill = view.rect(self._box(number)), theme.floor(graph.nodes[number].class_name)
            outline = "" if number in walled else f' stroke="{theme.wall}" stroke-width="{num(thick)}"'
            yield rectangle(at, fill, outline)
        for number in thin:
            x, y, width, height = view.rect(self._box(number))
            grow_x, grow_y = max(0.0, 2.0 - width) / 2, max(0.0, 2.0 - height) / 2
            yield rectangle(Rect(x - grow_x, y - grow_y, width + 2 * grow_x, height + 2 * grow_y), theme.wall)

    def _openings(self) -> Iterable[str]:
        """Doors and windows, each in the wall of its room that it is nearest to."""
        theme, view = self._theme, self._view
        deep = max(4.0, 0.2 * view.scale)
        for number in self._inventory.doors:
            node, (upright, x, y, half, inward) = self._graph.nodes[number], self._in_wall(number)
            yield rectangle(_strip(upright, x, y, half, deep), theme.opening)
            ends = _across(upright, x, y, -half, deep) + _across(upright, x, y, half, deep)
            if "CAN_OPEN" in node.properties:
                ends += _open_leaf(upright, x, y, half, inward) if "OPEN" in node.states else _leaf(upright, x, y, half)
            yield f'<path d="{ends}" fill="none" stroke="{theme.wall}" stroke-width="{num(max(1.0, deep / 8))}"/>'
        for number in self._inventory.windows:
            upright, x, y, half, _ = self._in_wall(number)
            strip = _strip(upright, x, y, half, deep * 0.7)
            yield rectangle(strip, theme.glass, f' stroke="{theme.wall}" stroke-width="1"')

    def _in_wall(self, number: int) -> tuple[bool, float, float, float, int]:
        """How a door or window lies on the sheet.

        Whether its wall is upright, its middle and its half width in pixels, and which way leads into its room: 1 is
        to the right or down, -1 to the left or up.
        """
        box, room = self._box(number), self._room_box(number)
        x, y = self._view.point(box.center[0], box.center[2])
        half = max(box.size[0], box.size[2]) * self._view.scale / 2
        if room is None:
            return box.size[2] > box.size[0], x, y, half, 1
        side = nearest_side(Box(box.center, (0.0, 0.0, 0.0)), room)
        return side in "EW", x, y, half, 1 if side in "NW" else -1

    def _furniture(self, pieces: Sequence[int]) -> Iterable[str]:
        theme, view = self._theme, self._view
        yield f'<g stroke="{theme.line}" stroke-width="{num(max(0.6, min(1.6, view.scale / 60)))}">'
        yield '<g fill="none">'
        for number in pieces:
            node, box, room = self._graph.nodes[number], self._box(number), self._room_box(number)
            high = room is not None and box.bottom - room.bottom > _HANGING_M
            can_open = {"CAN_OPEN", "CONTAINERS"} <= node.properties
            back = self.backs[number]
            yield draw_piece(node.class_name, box, back, view, theme, can_open=can_open, high=high)
        yield "</g></g>"

    def _backs(self, room: int | None, pieces: Sequence[int]) -> dict[int, Side]:
        room_box = None if room is None else self._graph.nodes[room].box
        names = {number: self._graph.nodes[number].class_name for number in pieces}
        tables = [self._box(n) for n in pieces if names[n].endswith(("table", "desk"))]
        backs: dict[int, Side] = {}
        for number in pieces:
            box = self._box(number)
            backs[number] = nearest_side(box, room_box) if room_box else "N"
            if "chair" in names[number] and tables:
                x, z = box.center[0], box.center[2]
                table = min(tables, key=lambda other: other.distance(x, z))
                if table.distance(x, z) < _TABLE_M:
                    backs[number] = side_away_from(box, table)
        return backs

    def _labels(self, by_room: dict[int | None, list[int]]) -> Iterable[str]:
        """Names of rooms, then of furniture, wherever they fit without covering each other."""
        theme = self._theme
        yield f'<g fill="{theme.text}"{MIDDLE} stroke="{theme.halo}" stroke-linejoin="round" paint-order="stroke">'
        for room in self._inventory.rooms:
            pieces = by_room.get(room, [])
            rects = {number: self._view.rect(self._box(number)) for number in pieces}
            taken: list[Rect] = []
            yield self._room_label(room, list(rects.values()), taken)
            for number in sorted(pieces, key=lambda n: (-self._box(n).top, n)):
                above = [rects[n] for n in pieces if self._box(n).top > self._box(number).top]
                yield self._piece_label(self._graph.nodes[number].class_name, rects[number], above, taken)
        yield "</g>"

    def _room_label(self, number: int, pieces: Sequence[Rect], taken: list[Rect]) -> str:
        """The room's name where it covers least furniture, near the middle if possible."""
        at = self._view.rect(self._box(number))
        class_name = self._graph.nodes[number].class_name
        text = _ROOM_NAMES.get(class_name, class_name).replace("_", " ")
        size = min(
            self._view.text * 1.1, 0.45 * self._view.scale, (at.width - 6) / width_of(text, 1.05), at.height * 0.5
        )
        if size < _MIN_LABEL_PX:
            return ""
        width, height = width_of(text, size * 1.05), size * 1.2
        rim = 3 + 0.05 * self._view.scale
        free_x, free_y = at.width - width - 2 * rim, at.height - height - 2 * rim
        spots = [
            Rect(at.x + rim + column * free_x / 8, at.y + rim + row * free_y / 8, width, height)
            for row in (4, 3, 5, 2, 6, 1, 7, 0, 8)
            for column in (4, 3, 5, 2, 6, 1, 7, 0, 8)
        ]
        spot = min(spots, key=lambda rect: sum(rect.overlap(other) for other in pieces))
        taken.append(spot)
        more = f'{BOLD} stroke-width="{num(size / 5)}" letter-spacing="0.3"'
        return words(text, spot.x + width / 2, spot.y + height / 2, size, self._theme.text, more)

    def _piece_label(self, name: str, at: Rect, above: Sequence[Rect], taken: list[Rect]) -> str:
        """The name of a piece inside its outline, on one line or two, along its longer side; or nothing."""
        best: tuple[float, tuple[str, ...], bool] = (0.0, (), False)
        for upright in (False, True):
            length, depth = (at.height, at.width) if upright else (at.width, at.height)
            for lines in _splits(name):
                size = min((length - 3) / max(width_of(text, 1.0) for text in lines), (depth - 2) / (1.05 * len(lines)))
                size = min(size, self._view.text * 0.8, 0.35 * self._view.scale)
                if size > best[0] * (1.2 if upright else 1.0):
                    best = (size, lines, upright)
        size, lines, upright = best
        if size < _MIN_LABEL_PX:
            return ""
        long, deep = max(width_of(text, size) for text in lines), 1.05 * size * len(lines)
        width, height = (deep, long) if upright else (long, deep)
        for shift in (0.0, -0.5, 0.5):
            x = at.x + at.width / 2 + shift * (at.width - width)
            y = at.y + at.height / 2 + shift * (at.height - height)
            spot = Rect(x - width / 2, y - height / 2, width, height)
            if any(spot.overlap(other) > 1.0 for other in (*above, *taken)):
                continue
            taken.append(spot)
            turn = f' transform="rotate(-90 {num(x)} {num(y)})"' if upright else ""
            fill, halo = label_colours(name, self._theme)
            more = f'{turn} stroke="{halo}" stroke-width="{num(size / 4)}"'
            first = y - (len(lines) - 1) * 0.52 * size
            return "".join(
                words(text, x, first + row * 1.04 * size, size, fill, more) for row, text in enumerate(lines)
            )
        return ""


def _splits(name: str) -> list[tuple[str, ...]]:
    """The ways to write a class name: on one line, and on two if it begins with a word of its own."""
    for first in _FIRST_WORDS:
        if name.startswith(first) and len(name) > len(first) + 2:
            return [(name,), (first, name[len(first) :].lstrip("_"))]
    return [(name,)]


def _strip(upright: bool, x: float, y: float, half: float, deep: float) -> Rect:
    return Rect(x - deep / 2, y - half, deep, 2 * half) if upright else Rect(x - half, y - deep / 2, 2 * half, deep)


def _across(upright: bool, x: float, y: float, along: float, deep: float) -> str:
    """A jamb: a short line across a wall."""
    if upright:
        return line(x - deep / 2, y + along, x + deep / 2, y + along)
    return line(x + along, y - deep / 2, x + along, y + deep / 2)


def _leaf(upright: bool, x: float, y: float, half: float) -> str:
    """A door that is shut lies in its wall."""
    return line(x, y - half, x, y + half) if upright else line(x - half, y, x + half, y)


def _open_leaf(upright: bool, x: float, y: float, half: float, inward: int) -> str:
    """A door that is open stands out into its room, with the arc of its way."""
    length = num(2 * half)
    if upright:
        arc = f"A{length} {length} 0 0 {int(inward > 0)} {num(x)} {num(y + half)}"
        return line(x, y - half, x + inward * 2 * half, y - half) + arc
    arc = f"A{length} {length} 0 0 {int(inward < 0)} {num(x + half)} {num(y)}"
    return line(x - half, y, x - half, y + inward * 2 * half) + arc
