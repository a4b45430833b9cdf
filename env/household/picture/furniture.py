"""What furniture looks like from above. Pieces are drawn with their back up and turned to the wall they stand at."""

from __future__ import annotations

from collections.abc import Callable

from ..scene.graph import Box
from .palette import Theme
from .svg import Rect, View, line, num, rectangle

_DETAIL_PX = 10.0
"""Pieces that are narrower than this are plain rectangles."""

_LONG, _CORNER_M = 1.4, 0.4
"""What is longer than deep by the first factor has its back at an end only if a wall is nearer there by the second."""

Side = str
"""N, E, S or W: the side of a piece that is its back."""

_TURN = {"N": 0, "E": 90, "S": 180, "W": 270}
_OPPOSITE = {"N": "S", "S": "N", "E": "W", "W": "E"}

Detail = Callable[[float, float], str]
"""Draws the inside of a piece of some width and depth, centred at the origin, as the `d` of a path."""


def nearest_side(box: Box, room: Box) -> Side:
    """The side of a room that a box is nearest to: where a piece has its back, and which wall a door is in.

    In a corner, a piece that is much longer than deep has its back along its length.
    """
    (x, _, z), (sx, _, sz) = box
    (rx, _, rz), (width, _, depth) = room
    gaps = {
        "N": rz + depth / 2 - (z + sz / 2),
        "E": rx + width / 2 - (x + sx / 2),
        "S": (z - sz / 2) - (rz - depth / 2),
        "W": (x - sx / 2) - (rx - width / 2),
    }
    ends = "EW" if sx > _LONG * sz else "NS" if sz > _LONG * sx else ""
    return min(gaps, key=lambda side: abs(gaps[side]) + (_CORNER_M if side in ends else 0.0))


def side_away_from(box: Box, other: Box) -> Side:
    """The side of a box that faces away from another one: where a chair at a table has its back."""
    dx, dz = other.center[0] - box.center[0], other.center[2] - box.center[2]
    facing = ("E" if dx > 0 else "W") if abs(dx) > abs(dz) else ("N" if dz > 0 else "S")
    return _OPPOSITE[facing]


def draw_piece(class_name: str, box: Box, back: Side, view: View, theme: Theme, *, can_open: bool, high: bool) -> str:
    """One piece of furniture; `high` ones hang above what else stands there, and are drawn as an outline."""
    material, detail, corner = _look(class_name)
    at = view.rect(box)
    if min(at.width, at.height) < 1.0:
        return ""
    radius = corner * min(at.width, at.height) / 2
    fill = theme.materials[material]
    plain = rectangle(at, fill, ' fill-opacity="0.35" stroke-dasharray="3 2"' if high else "", radius)
    if min(at.width, at.height) < _DETAIL_PX:
        return plain
    wide, deep = (at.width, at.height) if back in "NS" else (at.height, at.width)
    path = detail(wide, deep) + (_handle(wide, deep) if can_open else "")
    if not path:
        return plain
    cx, cy = at.x + at.width / 2, at.y + at.height / 2
    turn = f" rotate({_TURN[back]})" if _TURN[back] else ""
    return f'{plain}<path transform="translate({num(cx)} {num(cy)}){turn}" d="{path}"/>'


def label_colours(class_name: str, theme: Theme) -> tuple[str, str]:
    """What the name of a piece is written in, and the colour around the letters."""
    material = _look(class_name)[0]
    return theme.on_device if material == "device" else theme.text, theme.materials[material]


def draw_open(box: Box, back: Side, view: View, theme: Theme) -> str:
    """What shows that a container is open: its dark inside, and two doors that stand out at its front."""
    at = view.rect(box)
    cx, cy = at.x + at.width / 2, at.y + at.height / 2
    wide, deep = (at.width, at.height) if back in "NS" else (at.height, at.width)
    rim = min(3.0, wide * 0.12, deep * 0.12)
    leaf = min(wide / 2, 0.45 * view.scale)
    swing = leaf * 0.35
    doors = line(-wide / 2, deep / 2, -wide / 2 - swing, deep / 2 + leaf)
    doors += line(wide / 2, deep / 2, wide / 2 + swing, deep / 2 + leaf)
    inside = rectangle(Rect(-wide / 2 + rim, -deep / 2 + rim, wide - 2 * rim, deep - rim), theme.inside)
    strong = num(max(1.5, min(3.0, 0.05 * view.scale)))
    return (
        f'<g transform="translate({num(cx)} {num(cy)}) rotate({_TURN[back]})">{inside}'
        f'<path d="{doors}" fill="none" stroke="{theme.text}" stroke-width="{strong}"/></g>'
    )


def _look(class_name: str) -> tuple[str, Detail, float]:
    """Material, inside and roundness (0 to 1) of a class; unknown classes are plain."""
    for names, material, detail, corner in _LOOKS:
        if any(name in class_name for name in names):
            return material, detail, corner
    return "", _plain, 0.1


def _circle(x: float, y: float, r: float) -> str:
    size = f"{num(r)} {num(r)} 0 1 0"
    return f"M{num(x - r)} {num(y)}a{size} {num(2 * r)} 0a{size} {num(-2 * r)} 0Z"


def _frame(x: float, y: float, width: float, height: float) -> str:
    return f"M{num(x)} {num(y)}h{num(width)}v{num(height)}h{num(-width)}Z"


def _handle(w: float, d: float) -> str:
    return line(-w * 0.18, d / 2 - 2.5, w * 0.18, d / 2 - 2.5)


def _plain(w: float, d: float) -> str:
    return ""


def _top(w: float, d: float) -> str:
    rim = min(w, d) * 0.1
    return _frame(-w / 2 + rim, -d / 2 + rim, w - 2 * rim, d - 2 * rim)


def _counter(w: float, d: float) -> str:
    return line(-w / 2, d * 0.36, w / 2, d * 0.36)


def _cabinet(w: float, d: float) -> str:
    return line(0, -d / 2, 0, d / 2 - 5)


def _fridge(w: float, d: float) -> str:
    return line(-w / 2, d * 0.3, w / 2, d * 0.3)


def _stove(w: float, d: float) -> str:
    r = min(w, d) * 0.15
    return "".join(_circle(x * w, y * d - d * 0.05, r) for x in (-0.23, 0.23) for y in (-0.23, 0.23))


def _dishwasher(w: float, d: float) -> str:
    return "".join(line(-w * 0.35, y * d, w * 0.35, y * d) for y in (-0.3, -0.1, 0.1)) + _fridge(w, d)


def _drum(w: float, d: float) -> str:
    return _circle(0, 0, min(w, d) * 0.32) + _circle(0, 0, min(w, d) * 0.18)


def _basin(w: float, d: float) -> str:
    return _top(w, d) + _circle(0, 0, min(w, d) * 0.07)


def _toilet(w: float, d: float) -> str:
    return line(-w / 2, -d * 0.25, w / 2, -d * 0.25) + _circle(0, d * 0.12, min(w, d) * 0.3)


def _bed(w: float, d: float) -> str:
    pillows = "".join(_frame(x * w - w * 0.18, -d * 0.44, w * 0.36, d * 0.18) for x in (-0.24, 0.24))
    return pillows + line(-w / 2, -d * 0.18, w / 2, -d * 0.18)


def _sofa(w: float, d: float) -> str:
    arm, back = min(w * 0.1, d * 0.25), d * 0.28
    seats = line(-w / 2 + arm, -d / 2 + back, w / 2 - arm, -d / 2 + back) + line(0, -d / 2 + back, 0, d / 2)
    return seats + "".join(line(x, -d / 2 + back, x, d / 2) for x in (-w / 2 + arm, w / 2 - arm))


def _chair(w: float, d: float) -> str:
    return line(-w * 0.42, -d * 0.3, w * 0.42, -d * 0.3)


def _books(w: float, d: float) -> str:
    count = max(2, min(16, int(w / 6)))
    return "".join(line((i / count - 0.5) * w, -d / 2, (i / count - 0.5) * w, d * 0.2) for i in range(1, count))


def _hangers(w: float, d: float) -> str:
    bars = "".join(line(x * w, -d * 0.25, x * w + w * 0.04, d * 0.2) for x in (-0.35, -0.2, -0.05, 0.1, 0.25))
    return line(-w / 2, 0, w / 2, 0) + bars


def _ring(w: float, d: float) -> str:
    return _circle(0, 0, min(w, d) * 0.28)


_LOOKS: tuple[tuple[tuple[str, ...], str, Detail, float], ...] = (
    # the first line with a name that is part of the class name decides
    (("lamp", "light", "candle"), "lamp", _ring, 1.0),
    (("fan", "hood"), "metal", _plain, 0.1),
    (("counter",), "wood", _counter, 0.0),
    (("fridge", "freezer"), "metal", _fridge, 0.1),
    (("stove", "oven"), "metal", _stove, 0.05),
    (("dishwasher",), "metal", _dishwasher, 0.05),
    (("washingmachine", "dryer"), "metal", _drum, 0.1),
    (("microwave", "toaster", "coffeemaker", "kettle"), "metal", _top, 0.15),
    (("sink",), "water", _basin, 0.3),
    (("faucet",), "metal", _plain, 0.5),
    (("toilet",), "water", _toilet, 0.3),
    (("bathtub", "shower"), "water", _basin, 0.35),
    (("bookshelf", "bookcase"), "wood", _books, 0.0),
    (("closet", "wardrobe"), "wood", _hangers, 0.0),
    (("cabinet", "stand", "drawer", "dresser", "shelf"), "wood", _cabinet, 0.05),
    (("sofa", "couch"), "soft", _sofa, 0.25),
    (("bed",), "soft", _bed, 0.1),
    (("chair", "stool"), "soft", _chair, 0.4),
    (("bench",), "soft", _top, 0.25),
    (("table", "desk"), "wood", _top, 0.2),
    (("tv", "computer", "phone", "radio", "speaker", "cpu", "screen"), "device", _plain, 0.2),
    (("rug", "mat"), "rug", _top, 0.1),
    (("orchid", "plant", "tree"), "plant", _ring, 1.0),
    (("garbage", "trash", "bucket", "basket"), "metal", _ring, 1.0),
)
