"""Cameras of a scene that has no pictures but maps: every camera looks straight down.

A camera shows an upright rectangle of the floor plan, its *window*, orthographically, north (z) up. What
`camera_data` says is exactly what `camera_image` draws. The order of the cameras is VirtualHome's: one per room,
one for the whole apartment, those that were added, and then a block for every character.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..household.scene.graph import SceneGraph
from .wire import MAX_CAMERAS, NewCamera

CHARACTER_CAMERAS = (
    "PERSON_FRONT",
    "PERSON_TOP",
    "FIRST_PERSON",
    "PERSON_FROM_BACK",
    "PERSON_FROM_LEFT",
    "PERSON_RIGHT",
    "PERSON_LEFT",
    "PERSON_BACK",
)
"""The cameras every character has, in VirtualHome's order."""

_ABOVE_M = 10.0
_AROUND_M = 4.0
_EYE_M = 1.8
_MARGIN_M = 0.25


class Window(NamedTuple):
    """What a camera shows: centre and extent on the floor plan, in metres. `person` is whose it is, 0 nobody's."""

    x: float
    z: float
    width: float
    depth: float
    person: int = 0

    def fitted(self, aspect: float) -> Window:
        """The smallest window of an aspect (width over depth) around this one."""
        width = max(self.width, self.depth * aspect)
        return self._replace(width=width, depth=width / aspect)


@dataclass(slots=True)
class CameraRig:
    """The cameras of one scene. Added ones are kept until the next reset."""

    added: list[NewCamera] = field(default_factory=list)
    on_characters: dict[str, NewCamera] = field(default_factory=dict)
    _moved: dict[int, NewCamera] = field(default_factory=dict)

    def names(self) -> list[str]:
        """The cameras of one character."""
        return [*CHARACTER_CAMERAS, *self.on_characters]

    def fixed(self, graph: SceneGraph) -> int:
        """How many cameras belong to no character."""
        return len(graph.rooms) + 1 + len(self.added)

    def count(self, graph: SceneGraph) -> int:
        """How many cameras there are, those of the characters included."""
        return self.fixed(graph) + len(graph.characters) * len(self.names())

    def add(self, graph: SceneGraph, camera: NewCamera) -> int | None:
        """Add a camera to the scene; returns its index, or None when there are too many."""
        if len(self.added) >= MAX_CAMERAS:
            return None
        self.added.append(camera)
        return self.fixed(graph) - 1

    def update(self, graph: SceneGraph, index: int, camera: NewCamera) -> bool:
        """Move a camera that belongs to no character; False if there is none with this index."""
        if not 0 <= index < self.fixed(graph):
            return False
        self._moved[index] = camera
        return True

    def window(self, graph: SceneGraph, index: int) -> tuple[str, Window] | None:
        """Name and window of a camera now; None if there is none with this index."""
        if not 0 <= index < self.count(graph):
            return None
        fixed = self.fixed(graph)
        if index in self._moved:
            return f"camera_{index}", _below(self._moved[index])
        if index < len(graph.rooms):
            node = graph.nodes[graph.rooms[index]]
            return f"{node.class_name}_{node.id}", _around(graph, [node.id])
        if index == len(graph.rooms):
            return "apartment", _around(graph, graph.rooms)
        if index < fixed:
            return f"camera_{index}", _below(self.added[index - len(graph.rooms) - 1])
        names = self.names()
        who, which = divmod(index - fixed, len(names))
        person = graph.characters[who]
        box = graph.nodes[person].box
        assert box is not None
        mine = self.on_characters.get(names[which])
        size = 2 * _AROUND_M * math.tan(math.radians(mine.field_view / 2)) if mine else _AROUND_M
        return f"{names[which]}_{who}", Window(box.center[0], box.center[2], size, size, person)


def _around(graph: SceneGraph, rooms: Sequence[int]) -> Window:
    boxes = [box for box in (graph.nodes[room].box for room in rooms) if box is not None]
    if not boxes:
        return Window(0.0, 0.0, 1.0, 1.0)
    west = min(box.center[0] - box.size[0] / 2 for box in boxes) - _MARGIN_M
    east = max(box.center[0] + box.size[0] / 2 for box in boxes) + _MARGIN_M
    south = min(box.center[2] - box.size[2] / 2 for box in boxes) - _MARGIN_M
    north = max(box.center[2] + box.size[2] / 2 for box in boxes) + _MARGIN_M
    return Window((west + east) / 2, (south + north) / 2, east - west, north - south)


def _below(camera: NewCamera) -> Window:
    """What is below an added camera: as much of the floor as its field of view covers from its height."""
    height = max(_EYE_M, camera.position.y)
    size = 2 * height * math.tan(math.radians(camera.field_view / 2))
    return Window(camera.position.x, camera.position.z, size, size)


def describe(index: int, name: str, window: Window, aspect: float = 1.0) -> dict[str, Any]:
    """A camera as `camera_data` writes it: two 4x4 matrices, row by row, that map the world to the picture.

    After Unity's conventions the camera looks along its -z axis and the picture spans -1 to 1.
    """
    width, depth = window.fitted(aspect)[2:4]
    far = 2 * _ABOVE_M
    projection = [[2 / width, 0, 0, 0], [0, 2 / depth, 0, 0], [0, 0, -2 / far, -1], [0, 0, 0, 1]]
    # East is right, north is up, and what is lower is farther away.
    to_camera = [[1, 0, 0, -window.x], [0, 0, 1, -window.z], [0, 1, 0, -_ABOVE_M], [0, 0, 0, 1]]
    return {
        "index": index,
        "name": name,
        "aspect": aspect,
        "projection_matrix": [float(value) for row in projection for value in row],
        "world_to_camera_matrix": [float(value) for row in to_camera for value in row],
    }


def visible(graph: SceneGraph, window: Window) -> Iterator[int]:
    """Ids of what a window shows, lowest first: all that lies in it and in no shut container."""
    for number in sorted(graph.nodes):
        node = graph.nodes[number]
        if node.box is None or node.category in ("Rooms", "Ceiling") or not graph.is_accessible(number):
            continue
        (x, _, z), (width, _, depth) = node.box
        if abs(x - window.x) <= (width + window.width) / 2 and abs(z - window.z) <= (depth + window.depth) / 2:
            yield number


def colour(number: int) -> tuple[int, int, int]:
    """The colour that stands for an object in `seg_inst`; no two ids below 2^24 share one."""
    mixed = number * 0x9E3779 % 2**24  # odd, so this is a permutation
    return mixed >> 16, mixed >> 8 & 255, mixed & 255


def colour_fractions(number: int) -> list[float]:
    """`colour` as `instance_colors` writes it."""
    return [part / 255 for part in colour(number)]
