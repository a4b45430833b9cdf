"""Scenes as JSON to test with: one shaped like an export of the Unity simulator, and any valid one."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from housemates.env.household.scene.catalog import CATALOG, PROPERTIES, default_states
from housemates.env.household.scene.scene_json import RELATIONS
from hypothesis import strategies as st

_LARGE = (
    "kitchencabinet fridge stove dishwasher microwave kitchentable kitchencounter sofa bookshelf nightstand desk bed tv"
)
_SMALL = "apple milk plate mug book pillow cellphone wine cupcake remotecontrol cutleryfork box towel waterglass"


def unity_scene(rooms: int = 4, seed: int = 0) -> dict[str, Any]:
    """A scene with the traits of a Unity export, about 87 nodes and 150 edges a room, and one person in the first.

    Ids from 11 in tree order; pieces of floor without a box; doors inside a room and no edges BETWEEN; what is in a
    container is inside the room as well; origins that are not the centres; turned things; long numbers; properties
    and states in no order; pairs of edges CLOSE only with the person.
    """
    return _UnityScene(Random(seed), rooms).data


class _UnityScene:
    def __init__(self, rng: Random, rooms: int) -> None:
        self.rng = rng
        self.data: dict[str, Any] = {"nodes": [], "edges": []}
        person = self.add(1, "character", "Characters", (3.0, 0.9, 3.0), (0.6, 1.8, 0.5), [], [])
        self.next_id = 11
        classes = ("kitchen", "livingroom", "bedroom", "bathroom", "home_office", "Entrance Hall")
        numbers = [self.furnish_room(index, classes[index % len(classes)]) for index in range(rooms)]
        self.edge(person, "INSIDE", numbers[0])
        for node in self.data["nodes"][2:40]:
            box = node["bounding_box"]
            if box and math.hypot(box["center"][0] - 3.0, box["center"][2] - 3.0) < 1.3:
                self.edge(person, "CLOSE", node["id"])
                self.edge(node["id"], "CLOSE", person)

    def add(
        self,
        number: int,
        name: str,
        category: str,
        center: tuple[float, float, float],
        size: tuple[float, float, float],
        properties: list[str],
        states: list[str],
    ) -> int:
        angle = self.rng.choice([0.0, math.pi / 2, self.rng.uniform(0, math.pi)])
        rotation = [0.0, math.sin(angle / 2), 0.0, math.cos(angle / 2)]
        self.data["nodes"].append(
            {
                "id": number,
                "category": category,
                "class_name": name,
                "prefab_name": f"PRE_{name.title()}_{self.rng.randint(1, 9):02}",
                "obj_transform": {
                    "position": [center[0], round(center[1] - size[1] / 2, 6), center[2]],
                    "rotation": [round(part, 7) for part in rotation],
                    "scale": [1.0, 1.0, 1.0] if self.rng.random() < 0.9 else [1, 1, 1.25],
                },
                "bounding_box": {"center": list(center), "size": list(size)},
                "properties": properties,
                "states": states,
            }
        )
        return number

    def edge(self, source: int, relation: str, target: int) -> None:
        self.data["edges"].append({"from_id": source, "to_id": target, "relation_type": relation})

    def object(self, name: str, x: float, z: float, base: float = 0.0) -> int:
        kind = CATALOG[name]
        properties, states = list(kind.properties), list(default_states(name, kind.properties))
        properties.sort()
        self.rng.shuffle(properties)
        self.rng.shuffle(states)
        number, self.next_id = self.next_id, self.next_id + 1
        where = (round(x, 6), round(base + kind.size[1] / 2, 6), round(z, 6))
        return self.add(number, name, kind.category, where, kind.size, properties, states)

    def furnish_room(self, index: int, name: str) -> int:
        x0, z0 = 8.0 * (index % 20), 8.0 * (index // 20)
        room, self.next_id = self.next_id, self.next_id + 1
        self.add(room, name, "Rooms", (x0 + 3.5, 1.3, z0 + 3.5), (7.0, 2.6, 7.0), [], [])
        floors: list[int] = []
        for piece in ("floor", "ceiling", "wall") * 6:
            number = self.object(piece, x0 + self.rng.uniform(0, 7), z0 + self.rng.uniform(0, 7))
            self.edge(number, "INSIDE", room)
            if piece == "floor":
                floors.append(number)
        self.data["nodes"][-3]["bounding_box"] = None
        for piece in ("door", "doorjamb", "window"):
            self.edge(self.object(piece, x0, z0 + 3.5), "INSIDE", room)
        large: list[int] = []
        for piece in (_LARGE.split() * 2)[: 12 + index % 9]:
            number = self.object(piece, x0 + self.rng.uniform(0, 7), z0 + self.rng.uniform(0, 7))
            self.edge(number, "INSIDE", room)
            self.edge(number, "ON", self.rng.choice(floors))
            large.append(number)
        nodes = {node["id"]: node for node in self.data["nodes"][-len(large) :]}
        boxes = [number for number in large if "CONTAINERS" in nodes[number]["properties"]]
        tops = [number for number in large if "SURFACES" in nodes[number]["properties"]]
        for count in range(49):
            center = nodes[target := self.rng.choice(boxes if count % 4 == 0 else tops)]["bounding_box"]["center"]
            number = self.object(self.rng.choice(_SMALL.split()), center[0], center[2], 0.5)
            self.edge(number, "INSIDE", room)
            self.edge(number, "INSIDE" if count % 4 == 0 else "ON", target)
        for seat in large[7:9]:
            self.edge(seat, "FACING", large[-1])
        return room


# -- any valid scene ------------------------------------------------------------------------------

_number = st.one_of(
    st.integers(-1000, 1000), st.floats(-1000, 1000, allow_nan=False, allow_infinity=False, allow_subnormal=False)
)
_length = st.one_of(st.integers(0, 50), st.floats(0, 50, allow_nan=False, allow_subnormal=False))
_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=4,
)
_extras = st.dictionaries(st.text(min_size=1).map(lambda key: f"my {key}"), _json, max_size=2)
_names = st.one_of(
    st.sampled_from([*CATALOG, "kitchen_cabinet", "Kitchen Cabinets", "t-shirt", "Living Room", "Küche", "x"]),
    st.text("abcXYZ_ -'.0", min_size=1, max_size=20).filter(lambda name: name.strip(" _") != ""),
)
_transforms = st.fixed_dictionaries(
    {},
    optional={
        "position": st.lists(_number, min_size=3, max_size=3),
        "rotation": st.lists(_number, min_size=4, max_size=4),
        "scale": st.lists(_number, min_size=3, max_size=3),
    },
)
_boxes = st.fixed_dictionaries(
    {"center": st.lists(_number, min_size=3, max_size=3), "size": st.lists(_length, min_size=3, max_size=3)}
)
_states = st.tuples(
    *(st.sampled_from(pair) for pair in [("OPEN", "CLOSED"), ("ON", "OFF"), ("CLEAN", "DIRTY"), ("SITTING", "LYING")])
).flatmap(lambda states: st.lists(st.sampled_from(states), unique=True))


@st.composite
def _nodes(draw: st.DrawFn, number: int, category: str | None) -> dict[str, Any]:
    fields = draw(
        st.fixed_dictionaries(
            {"class_name": _names, "properties": st.lists(st.sampled_from(sorted(PROPERTIES)), unique=True)},
            optional={
                "prefab_name": st.text(),
                "states": _states,
                "obj_transform": st.one_of(st.none(), _transforms),
                "bounding_box": st.one_of(st.none(), _boxes),
            },
        )
    )
    if category is not None:
        fields["category"] = category
    return {**draw(_extras), "id": number, **fields}


@st.composite
def scenes(draw: st.DrawFn) -> dict[str, Any]:
    """Any scene that VirtualHome's schema allows: partial nodes, unknown keys, any order, any relation."""
    count = draw(st.integers(1, 9))
    numbers = draw(st.lists(st.integers(1, 2**31 - 1), min_size=count, max_size=count, unique=True))
    kinds = st.sampled_from(["Characters", "Doors", "Apple_1", "Furniture", "Rooms", None])
    categories = ["Rooms", *(draw(kinds) for _ in numbers[1:])]
    nodes = [draw(_nodes(number, category)) for number, category in zip(numbers, categories, strict=True)]
    rooms = [number for number, category in zip(numbers, categories, strict=True) if category == "Rooms"]
    people = [number for number, category in zip(numbers, categories, strict=True) if category == "Characters"]
    edges: list[tuple[int, str, int]] = []
    for index, number in enumerate(numbers):
        if number not in rooms:
            inside = draw(st.sampled_from(numbers[:index]))
            edges.append((number, "INSIDE", inside))
            if inside not in rooms and draw(st.booleans()):
                edges.append((number, "INSIDE", draw(st.sampled_from(rooms))))
        if index and draw(st.booleans()):
            edges.append((number, "ON", draw(st.sampled_from(numbers[:index]))))
    for who, what in zip(people, draw(st.permutations(numbers)), strict=False):
        edges.append((who, draw(st.sampled_from(["HOLDS_RH", "HOLDS_LH", "SITTING"])), what))
    free = st.sampled_from([*(name for name in RELATIONS if name in ("BETWEEN", "FACING", "UNDER")), "CLOSE"])
    ends = st.sampled_from(numbers)
    edges += draw(st.lists(st.tuples(ends, free, ends), max_size=6))
    return {
        **draw(_extras),
        "nodes": draw(st.permutations(nodes)),
        "edges": [
            {**draw(_extras), "from_id": source, "relation_type": relation, "to_id": target}
            for source, relation, target in draw(st.permutations(edges))
        ],
    }
