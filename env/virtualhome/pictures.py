"""What `camera_image` answers: maps of the scene as PNG, one painter per mode.

Segmentation is drawn as rectangles in plain colours, exact to the pixel; `normal` is the household's floor plan.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence

from ..household.picture import MissingExtraError, Picture, to_png
from ..household.scene.graph import Box, Node, SceneGraph
from ..world import WorldError
from .cameras import Window, colour, visible

Colour = tuple[int, int, int]

_LEVEL = 1


def paint_map(graph: SceneGraph, window: Window, width: int, height: int, colour_of: Callable[[Node], Colour]) -> bytes:
    """A top-down map of a window as PNG, `width` by `height` pixels; what is higher covers what is lower.

    The window must have the picture's aspect.
    """
    shown = [node for node in (graph.nodes[number] for number in visible(graph, window)) if node.box is not None]
    shown.sort(key=lambda node: (node.box.top if node.box else 0.0, node.id))
    rows = [bytearray(3 * width) for _ in range(height)]
    west, north = window.x - window.width / 2, window.z + window.depth / 2
    scale = width / window.width
    for node in shown:
        assert node.box is not None
        (x, _, z), (size_x, _, size_z) = node.box
        left, right = _pixels((x - size_x / 2 - west) * scale, (x + size_x / 2 - west) * scale, width)
        top, bottom = _pixels((north - z - size_z / 2) * scale, (north - z + size_z / 2) * scale, height)
        stripe = bytes(colour_of(node)) * (right - left)
        for row in rows[top:bottom]:
            row[3 * left : 3 * right] = stripe
    return _png(rows, width, height)


def _pixels(start: float, end: float, limit: int) -> tuple[int, int]:
    """The pixels of an interval, at least one where it can be seen at all."""
    first = min(max(0, round(start)), limit - 1)
    return first, min(max(first + 1, round(end)), limit)


def _png(rows: Sequence[bytes | bytearray], width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), _LEVEL)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _normal_view(graph: SceneGraph, window: Window, width: int, height: int) -> bytes:
    """The floor plan; a person's cameras dim the rooms the person is not in.

    Where it cannot be drawn, because the extra `report` is not installed or no room has a box, a map in plain
    colours takes its place.
    """
    room = graph.room_of(window.person) if window.person else None
    area = Box((window.x, 0.0, window.z), (window.width, 0.0, window.depth))
    try:
        return to_png(Picture(graph, width=width, area=area).frame(lit=None if room is None else [room]))
    except (MissingExtraError, WorldError):
        return paint_map(graph, window, width, height, lambda node: _TINTS.get(node.category, _OTHER_TINT))


def _instances(graph: SceneGraph, window: Window, width: int, height: int) -> bytes:
    return paint_map(graph, window, width, height, lambda node: colour(node.id))


def _classes(graph: SceneGraph, window: Window, width: int, height: int) -> bytes:
    names = sorted({node.class_name for node in graph.nodes.values()})
    numbers = {name: number for number, name in enumerate(names, 1)}
    return paint_map(graph, window, width, height, lambda node: colour(numbers[node.class_name]))


Painter = Callable[[SceneGraph, Window, int, int], bytes]

PAINTERS: dict[str, Painter] = {"normal": _normal_view, "seg_inst": _instances, "seg_class": _classes}
"""The modes that need no graphics: (graph, window of the picture's aspect, width, height) -> PNG."""

_OTHER_TINT: Colour = (120, 150, 110)
_TINTS: dict[str, Colour] = {
    "Floor": (236, 231, 220),
    "Walls": (96, 92, 88),
    "Doors": (190, 160, 120),
    "Furniture": (181, 148, 112),
    "Appliances": (160, 172, 184),
    "Electronics": (90, 104, 128),
    "Decor": (214, 200, 180),
    "Food": (208, 96, 72),
    "Characters": (40, 110, 200),
}
