"""What agents can do with which things: the reasons why a want could never be met."""

from __future__ import annotations

from ..engine.seats import SEATS
from ..scene.catalog import CONTAINER_CLASSES, ObjectClass
from ..scene.graph import Node
from .goals import CLEARING, PLACING, WantKind


def kind_of(node: Node) -> ObjectClass:
    """What is known of the class of a node, from the node itself (scenes from files have classes of their own)."""
    size = node.box.size if node.box else (0.0, 0.0, 0.0)
    return ObjectClass(node.kind, node.category, node.properties, size)


def why_never(kind: WantKind, thing: ObjectClass | None, target: ObjectClass | None, count: int = 1) -> str:
    """Why a want can never be met, as half a sentence; empty if it can.

    Args:
        kind: what is wanted.
        thing: what is to be brought, taken away or held; None for SWITCH_ON and SIT.
        target: where; None for HOLD.
        count: how many things or people.
    """
    if thing is not None and "GRABBABLE" not in thing.properties:
        return f"a {thing.name} cannot be held"
    if target is None:
        return ""
    has, name = target.properties, target.name
    if "GRABBABLE" in has and kind is not WantKind.SIT:
        return f"a {name} can be carried away itself"
    if kind is WantKind.SWITCH_ON:
        return "" if "HAS_SWITCH" in has else f"a {name} has no switch"
    if kind is WantKind.SIT:
        if "SITTABLE" not in has:
            return f"nobody can sit on a {name}"
        seats = SEATS.get(name, 1)
        return f"a {name} has room for {seats}, not for {count}" if count > seats else ""
    if kind in (WantKind.ON, WantKind.OFF):
        if "SURFACES" not in has:
            return f"a {name} is no surface"
    elif "CONTAINERS" not in has:
        return f"a {name} is no container"
    elif "CAN_OPEN" in has and name not in CONTAINER_CLASSES:
        return f"agents do not look into a {name}"
    return _why_too_big(kind, thing, target) if thing is not None and kind in (*PLACING, *CLEARING) else ""


def _why_too_big(kind: WantKind, thing: ObjectClass, target: ObjectClass) -> str:
    (width, height, depth), (room_x, room_y, room_z) = thing.size, target.size
    on_top = kind in (WantKind.ON, WantKind.OFF)
    fits = width <= room_x and depth <= room_z if on_top else height <= room_y
    return "" if fits else f"a {thing.name} is too big for a {target.name}"
