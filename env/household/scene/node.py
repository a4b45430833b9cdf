"""One node of the scene graph (a thing, a person or a room) and its VirtualHome JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from reprlib import repr as shortened
from sys import intern
from typing import Any, NamedTuple, cast

from ...codec import pack, unpack
from ...world import WorldError
from .catalog import PROPERTIES

MAX_ID = 2**31 - 1
MAX_NAME = 100
"""Characters of a class name: names go into scripts and prompts."""

MAX_M = 1e6
"""Metres: nothing in a scene is larger or farther off, so sums and products of lengths stay finite."""

STATES = frozenset(["CLOSED", "OPEN", "ON", "OFF", "SITTING", "LYING", "CLEAN", "DIRTY", "PLUGGED_IN", "PLUGGED_OUT"])
OPPOSITES = (("OPEN", "CLOSED"), ("ON", "OFF"), ("CLEAN", "DIRTY"), ("PLUGGED_IN", "PLUGGED_OUT"))
"""States that exclude each other."""

_MARKUP = frozenset("<>()|$")
"""What scripts, prompts and templates are marked up with."""

_OTHER_SPELLINGS = {"kitchencabinets": "kitchencabinet"}
"""Class names of VirtualHome up to 2.2 that 2.3 writes differently."""

_UPRIGHT = (0.0, 0.0, 0.0, 1.0)
_NUMBERS = frozenset([int, float])

Vec = tuple[float, float, float]


@lru_cache(maxsize=4096)
def class_kind(class_name: str) -> str:
    """The class name as rules compare it: VirtualHome's spelling (lower case, no spaces, no underscores)."""
    kind = intern(class_name.lower().replace(" ", "").replace("_", ""))
    return _OTHER_SPELLINGS.get(kind, kind)


class Box(NamedTuple):
    """An axis-aligned bounding box in metres, y up."""

    center: Vec
    size: Vec

    @property
    def top(self) -> float:
        """The height of its top, in metres."""
        return self.center[1] + self.size[1] / 2

    @property
    def bottom(self) -> float:
        """The height of its bottom, in metres."""
        return self.center[1] - self.size[1] / 2

    def distance(self, x: float, z: float) -> float:
        """Metres on the floor plane from a point to the nearest point of the box (0 inside)."""
        (cx, _, cz), (sx, _, sz) = self
        dx = abs(x - cx) - sx / 2
        dz = abs(z - cz) - sz / 2
        if dx <= 0.0:
            return dz if dz > 0.0 else 0.0
        return math.hypot(dx, dz) if dz > 0.0 else dx

    def nearest(self, x: float, z: float) -> tuple[float, float]:
        """The point of the box, seen from above, that is nearest to (x, z)."""
        (cx, _, cz), (sx, _, sz) = self
        return min(max(x, cx - sx / 2), cx + sx / 2), min(max(z, cz - sz / 2), cz + sz / 2)


class Entry(NamedTuple):
    """A node as a scene gave it: all of its JSON (packed), and the values in it that actions change."""

    packed: bytes
    box: Box | None
    states: tuple[str, ...]


@dataclass(slots=True)
class Node:
    """One thing, person or room. `states` and `box` change; the rest does not.

    `class_name` is written as the scene writes it; rules compare `kind`. A node that was read keeps its
    `entry`, so that all of it can be written again.
    """

    id: int
    class_name: str
    category: str
    properties: frozenset[str] = frozenset()
    states: tuple[str, ...] = ()
    box: Box | None = None
    prefab_name: str = ""
    rotation: tuple[float, ...] = _UPRIGHT
    scale: Vec = (1.0, 1.0, 1.0)
    entry: Entry | None = field(default=None, repr=False, compare=False)
    kind: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.kind = class_kind(self.class_name)

    @property
    def label(self) -> str:
        """How texts and scripts write this node."""
        return f"<{self.class_name}> ({self.id})"

    @property
    def is_unmoved(self) -> bool:
        """Whether the node came with a scene and has not moved since."""
        return self.entry is not None and self.box == self.entry.box

    def copy(self) -> Node:
        """An independent copy."""
        return Node(
            self.id,
            self.class_name,
            self.category,
            self.properties,
            self.states,
            self.box,
            self.prefab_name,
            self.rotation,
            self.scale,
            self.entry,
        )

    def to_dict(self) -> dict[str, Any]:
        """The node in VirtualHome's JSON form; one that was read as it was written, but for what has changed."""
        if self.entry is not None:
            return self._patched(self.entry)
        position = self.box.center if self.box else (0.0, 0.0, 0.0)
        if self.box and self.category == "Characters":
            position = (position[0], self.box.bottom, position[2])
        return {
            "id": self.id,
            "category": self.category,
            "class_name": self.class_name,
            "prefab_name": self.prefab_name,
            "obj_transform": {
                "position": list(position),
                "rotation": list(self.rotation),
                "scale": list(self.scale),
            },
            "bounding_box": {"center": list(self.box.center), "size": list(self.box.size)} if self.box else None,
            "properties": sorted(self.properties),
            "states": list(self.states),
        }

    def _patched(self, entry: Entry) -> dict[str, Any]:
        data: dict[str, Any] = unpack(entry.packed)
        if self.states != entry.states:
            data["states"] = list(self.states)
        if self.box is None or self.box == entry.box:
            return data
        center, size = self.box
        data["bounding_box"] = {**(data.get("bounding_box") or {}), "center": list(center), "size": list(size)}
        transform = data.get("obj_transform") or {}
        if "position" in transform and entry.box is not None:  # the origin need not be the centre: it moves along
            steps = zip(transform["position"], entry.box.center, center, strict=True)
            transform["position"] = [new if at == old else at + new - old for at, old, new in steps]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Node:
        """Read one node.

        Raises:
            WorldError: a field is missing or not what VirtualHome writes.
        """
        reader = NodeReader()
        node = reader.read(data, "the node")
        if node is None or reader.faults:
            raise WorldError(f"scene graph: {reader.faults[0]}")
        return node


class NodeReader:
    """Reads the nodes of one scene.

    Thousands of nodes share a few values (sizes, properties, states), so each is kept once. What is wrong is
    collected in `faults`, a line each.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._names: set[str] = set()
        self._properties: dict[tuple[Any, ...], frozenset[str]] = {(): frozenset()}
        self._states: dict[tuple[Any, ...], tuple[str, ...]] = {(): ()}
        self._vectors: dict[tuple[float, ...], tuple[float, ...]] = {}

    def read(self, data: object, where: str) -> Node | None:
        """Read one node; `where` tells which one it is as long as its id is not known.

        A faulty field is left out, so that edges to the node can still be judged. None: the id is faulty.
        """
        known_faults = len(self.faults)
        if not isinstance(data, dict):
            self.faults.append(f"{where} is no object but {shortened(data)}")
            return None
        number = data.get("id")
        if type(number) is not int or not 0 < number <= MAX_ID:
            self.faults.append(f"{where}: its id is no whole number from 1 to {MAX_ID}, but {shortened(number)}")
            return None
        box = self._read_box(data.get("bounding_box"), number)
        transform = self._read_transform(data.get("obj_transform"), number)
        states = self._read_states(data.get("states", ()), number)
        node = Node(
            number,
            self._read_class_name(data.get("class_name"), number),
            self._read_text(data, "category", number),
            self._read_properties(data.get("properties", ()), number),
            states,
            box,
            self._read_text(data, "prefab_name", number),
            transform.get("rotation", _UPRIGHT),
            transform.get("scale", (1.0, 1.0, 1.0)),
        )
        if len(self.faults) == known_faults:
            try:
                node.entry = Entry(pack(data), box, states)
            except (TypeError, ValueError, OverflowError) as error:
                self.faults.append(f"node {number} holds what cannot be written again: {error}")
        return node

    def _read_class_name(self, name: Any, number: int) -> str:
        if type(name) is str:
            if name in self._names:
                return intern(name)
            if len(name) <= MAX_NAME and name.isprintable() and not _MARKUP & set(name) and class_kind(name):
                self._names.add(name)
                return intern(name)
        self.faults.append(
            f"node {number}: its class_name is no text of 1 to {MAX_NAME} printable characters "
            f"without any of < > ( ) | $, but {shortened(name)}"
        )
        return "unreadable"

    def _read_text(self, data: Mapping[str, Any], key: str, number: int) -> str:
        text = data.get(key, "")
        if type(text) is str:
            return intern(text)
        self.faults.append(f"node {number}: its {key} is no text but {shortened(text)}")
        return ""

    def _read_properties(self, names: Any, number: int) -> frozenset[str]:
        key = self._read_names("properties", "property", names, PROPERTIES, self._properties, number)
        if key not in self._properties:
            self._properties[key] = frozenset(key)
        return self._properties[key]

    def _read_states(self, names: Any, number: int) -> tuple[str, ...]:
        key = self._read_names("states", "state", names, STATES, self._states, number)
        if key in self._states:
            return self._states[key]
        for one, other in OPPOSITES:
            if one in key and other in key:
                self.faults.append(f"node {number} is both {one} and {other}")
                return key
        return self._states.setdefault(key, key)

    def _read_names(
        self, plural: str, one: str, names: Any, known: frozenset[str], seen: Mapping[tuple[Any, ...], Any], number: int
    ) -> tuple[str, ...]:
        """The names of a list that are known; `seen` has the lists that need no second look."""
        if not isinstance(names, list | tuple):
            self.faults.append(f"node {number}: its {plural} are no list but {shortened(names)}")
            return ()
        try:
            key = tuple(names)
            if key in seen:
                return key
            for name in names:
                if name not in known:
                    self.faults.append(f"node {number} has the unknown {one} {shortened(name)}")
            return tuple(name for name in names if name in known)
        except TypeError:
            self.faults.append(f"node {number}: its {plural} are no list of names but {shortened(names)}")
            return ()

    def _read_box(self, shape: Any, number: int) -> Box | None:
        if shape is None:
            return None
        if not isinstance(shape, dict):
            self.faults.append(f"node {number}: its bounding_box is no object but {shortened(shape)}")
            return None
        center = self._read_vector(shape.get("center"), 3, "bounding_box.center", number)
        size = self._read_vector(shape.get("size"), 3, "bounding_box.size", number)
        if center is None or size is None:
            return None
        if min(size) < 0:
            self.faults.append(f"node {number}: its bounding_box.size is negative: {shortened(shape['size'])}")
            return None
        return Box(cast(Vec, center), cast(Vec, self._vectors.setdefault(size, size)))

    def _read_transform(self, transform: Any, number: int) -> dict[str, Any]:
        """Rotation and scale, as far as they are given; the position is only checked."""
        found: dict[str, Any] = {}
        if transform is None:
            return found
        if not isinstance(transform, dict):
            self.faults.append(f"node {number}: its obj_transform is no object but {shortened(transform)}")
            return found
        if "position" in transform:
            self._read_vector(transform["position"], 3, "obj_transform.position", number)
        for key, count in (("rotation", 4), ("scale", 3)):
            if key in transform:
                vector = self._read_vector(transform[key], count, f"obj_transform.{key}", number)
                if vector is not None:
                    found[key] = self._vectors.setdefault(vector, vector)
        return found

    def _read_vector(self, values: Any, count: int, part: str, number: int) -> tuple[float, ...] | None:
        if isinstance(values, list | tuple) and len(values) == count:
            for value in values:
                if type(value) not in _NUMBERS or not -MAX_M <= value <= MAX_M:  # NaN is not in range either
                    break
            else:
                return tuple(map(float, values))
        self.faults.append(
            f"node {number}: its {part} is not {count} numbers from {-MAX_M:.0f} to {MAX_M:.0f}, "
            f"but {shortened(values)}"
        )
        return None
