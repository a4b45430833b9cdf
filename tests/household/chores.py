"""Households with goals made by hand, for what no single task asks for."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from housemates.env.household import HouseholdWorld
from housemates.env.household.engine.spots import free_spot, inner_spot
from housemates.env.household.homes import add_object, find_places, scatter
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.household.tasks.goals import CLEARING, Goal, Want, WantKind

Chore = tuple[str, str, int, str]
"""A kind of want, the class of its things, how many, and the class of its target."""

CHORES: dict[str, tuple[Chore, ...]] = {
    "two targets": (
        ("on", "plate", 2, "kitchentable"),
        ("on", "cutleryfork", 1, "kitchentable"),
        ("inside", "apple", 1, "fridge"),
        ("inside", "pudding", 1, "fridge"),
    ),
    "one kind, two targets": (("on", "apple", 2, "coffeetable"), ("inside", "apple", 1, "fridge")),
    "clean table": (("off", "plate", 2, "kitchentable"), ("off", "cutleryfork", 2, "kitchentable")),
    "unload dishwasher": (("out", "plate", 2, "dishwasher"), ("out", "mug", 1, "dishwasher")),
    "clear away": (("off", "plate", 2, "kitchentable"), ("inside", "plate", 2, "dishwasher")),
    "watch tv": (("hold", "remotecontrol", 1, ""), ("switch_on", "tv", 1, "tv"), ("sit", "sofa", 1, "sofa")),
    "read book": (
        ("on", "cupcake", 2, "coffeetable"),
        ("on", "juice", 1, "coffeetable"),
        ("hold", "book", 1, ""),
        ("sit", "sofa", 1, "sofa"),
    ),
    "hold two": (
        ("hold", "book", 1, ""),
        ("hold", "remotecontrol", 1, ""),
        ("on", "apple", 1, "coffeetable"),
        ("sit", "sofa", 1, "sofa"),
    ),
    "everything": (
        ("on", "apple", 1, "coffeetable"),
        ("out", "plate", 1, "dishwasher"),
        ("hold", "remotecontrol", 1, ""),
        ("switch_on", "tv", 1, "tv"),
        ("sit", "sofa", 1, "sofa"),
    ),
}

_HIDE_ON = ["cabinet", "bench", "desk"]
_HIDE_IN = ["kitchencabinet", "cabinet", "microwave"]


class Household(HouseholdWorld):
    """A household with one of `CHORES` to do; there is one thing more of each class than is asked for."""

    def __init__(self, chores: str, agents: int = 2, apartment: str | None = None) -> None:
        super().__init__("read_book", agents, apartment)
        self._chores = CHORES[chores]

    def set_up(self, graph: SceneGraph, rng: Random, rooms: Sequence[int] | None) -> Goal:
        mine = set(graph.rooms if rooms is None else rooms)
        wants: list[Want] = []
        for name, class_name, count, target_class in self._chores:
            kind = WantKind(name)
            target = next(
                (
                    n
                    for n, node in sorted(graph.nodes.items())
                    if node.class_name == target_class and graph.room_of(n) in mine
                ),
                0,
            )
            wants.append(Want(kind, class_name, count, target, count if kind in CLEARING else 0))
            if kind in CLEARING:
                for _ in range(count):
                    _put(graph, class_name, wants[-1].relation, target)
            elif kind in (WantKind.ON, WantKind.INSIDE, WantKind.HOLD):
                places = [place for place in find_places(graph, _HIDE_ON, _HIDE_IN) if graph.room_of(place[1]) in mine]
                for _ in range(count + 1):
                    assert scatter(graph, rng, class_name, places) is not None
        return Goal("chores", tuple(wants))


def _put(graph: SceneGraph, class_name: str, relation: str, target: int) -> None:
    box = graph.nodes[target].box
    assert box is not None
    near = (box.center[0], box.center[2])
    spot = (free_spot if relation == "ON" else inner_spot)(graph, target, (0.1, 0.1, 0.1), near)
    assert spot is not None
    add_object(graph, class_name, spot, relation, target)
