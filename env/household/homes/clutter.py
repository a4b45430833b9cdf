"""Clutter: the loose things of a household, drawn anew for every episode and laid where people keep them."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from ..scene.catalog import object_class
from ..scene.graph import Box, SceneGraph
from .placing import Place, add_object, spot_at

LEVELS = {"low": 0.6, "medium": 1.0, "high": 1.5}
"""How much clutter, as a factor of the usual."""

_SHARE = 0.2
"""The part of a surface that clutter may cover, so that there is room to work and for what tasks bring."""

_TRIES = 4
"""How many places are tried for one thing before it is left out."""

_ROWS: tuple[tuple[str, int, int, str, str], ...] = (
    # class, fewest, most, stands on, lies in
    ("waterglass", 2, 3, "kitchencounter coffeetable nightstand kitchentable", "kitchencabinet cabinet dishwasher"),
    ("wineglass", 1, 3, "kitchencounter kitchentable", "kitchencabinet cabinet"),
    ("mug", 2, 3, "kitchencounter desk nightstand coffeetable", "kitchencabinet dishwasher microwave"),
    ("dishbowl", 2, 3, "kitchencounter kitchentable", "cabinet kitchencabinet dishwasher"),
    ("cutleryknife", 2, 3, "", "kitchencabinet dishwasher"),
    ("spoon", 2, 3, "kitchencounter kitchentable", "kitchencabinet dishwasher"),
    ("cookingpot", 1, 2, "stove kitchencounter", "kitchencabinet stove"),
    ("fryingpan", 1, 1, "stove", "kitchencabinet"),
    ("oventray", 0, 1, "", "stove"),
    ("kettle", 1, 1, "stove kitchencounter", ""),
    ("cuttingboard", 0, 1, "kitchencounter", ""),
    ("condimentshaker", 2, 3, "kitchencounter kitchentable wallshelf", "kitchencabinet"),
    ("condimentbottle", 2, 3, "kitchencounter wallshelf", "fridge kitchencabinet"),
    ("dishwashingliquid", 1, 1, "kitchencounter", "kitchencabinet"),
    ("washingsponge", 1, 1, "kitchencounter", ""),
    ("bananas", 1, 1, "kitchencounter kitchentable", ""),
    ("orange", 1, 3, "kitchencounter kitchentable", "fridge"),
    ("lime", 1, 2, "kitchencounter", "fridge"),
    ("plum", 0, 2, "kitchentable", "fridge"),
    ("peach", 0, 2, "kitchentable kitchencounter", "fridge"),
    ("pear", 0, 2, "kitchentable kitchencounter", "fridge"),
    ("bellpepper", 0, 2, "", "fridge"),
    ("tomato", 1, 2, "kitchencounter", "fridge"),
    ("carrot", 1, 2, "kitchencounter", "fridge"),
    ("potato", 1, 2, "kitchencounter", "kitchencabinet"),
    ("bread", 1, 1, "kitchencounter kitchentable", "kitchencabinet cabinet"),
    ("breadslice", 1, 2, "kitchencounter kitchentable", ""),
    ("cereal", 1, 2, "kitchencounter", "kitchencabinet"),
    ("crackers", 0, 1, "", "kitchencabinet"),
    ("milk", 1, 2, "", "fridge"),
    ("beer", 0, 2, "", "fridge"),
    ("alcohol", 0, 1, "", "cabinet kitchencabinet"),
    ("bottlewater", 1, 2, "kitchencounter desk nightstand", "fridge"),
    ("chicken", 0, 1, "", "fridge"),
    ("salmon", 0, 1, "", "fridge"),
    ("creamybuns", 0, 1, "kitchentable", "fridge"),
    ("chocolatesyrup", 0, 1, "", "kitchencabinet fridge"),
    ("whippedcream", 0, 1, "", "fridge"),
    ("chips", 0, 1, "sofa", "cabinet kitchencabinet"),
    ("candybar", 1, 2, "coffeetable desk", "cabinet"),
    ("book", 3, 6, "nightstand desk sofa coffeetable dresser", "bookshelf cabinet"),
    ("magazine", 2, 4, "coffeetable sofa bench", "bookshelf"),
    ("notes", 1, 1, "desk coffeetable", ""),
    ("paper", 1, 2, "desk", "cabinet bookshelf"),
    ("folder", 1, 2, "desk", "cabinet bookshelf"),
    ("pen", 1, 2, "desk coffeetable", ""),
    ("keyboard", 1, 1, "desk", ""),
    ("mousemat", 1, 1, "desk", ""),
    ("mouse", 1, 1, "desk", ""),
    ("radio", 0, 1, "cabinet dresser", ""),
    ("cellphone", 1, 2, "nightstand desk sofa", ""),
    ("remotecontrol", 1, 1, "coffeetable sofa tvstand", ""),
    ("candle", 1, 2, "coffeetable cabinet bathroomcounter wallshelf", ""),
    ("boardgame", 0, 1, "bench", "cabinet bookshelf"),
    ("toy", 1, 2, "bed sofa", ""),
    ("teddybear", 0, 1, "bed", ""),
    ("pillow", 2, 4, "bed sofa", ""),
    ("clothesshirt", 2, 4, "", "closet"),
    ("clothespants", 2, 3, "", "closet"),
    ("clothespile", 1, 1, "bed dresser", "closet"),
    ("hanger", 3, 5, "", "closet"),
    ("slippers", 1, 2, "", "closet"),
    ("towel", 2, 3, "bathroomcounter", "washingmachine"),
    ("toiletpaper", 1, 3, "bathroomcounter", ""),
    ("toothbrush", 1, 2, "bathroomcounter", "bathroomcabinet"),
    ("toothpaste", 1, 1, "bathroomcounter", ""),
    ("barsoap", 1, 1, "bathroomcounter", ""),
    ("hairproduct", 1, 3, "bathroomcounter", "bathroomcabinet"),
    ("facecream", 1, 2, "bathroomcounter", "bathroomcabinet"),
)
"""What lies about, and where. What the tasks of cwah ask for is left to the tasks."""


def lay_out(graph: SceneGraph, rng: Random, rooms: Sequence[int], first_id: int, level: str = "medium") -> int:
    """Lay the clutter of one flat; returns the next free id. What fits nowhere is left out."""
    by_class: dict[str, list[int]] = {}
    for number in sorted(number for room in rooms for number in graph.contents(room)):
        by_class.setdefault(graph.nodes[number].class_name, []).append(number)
    covered: dict[int, float] = {}
    number = first_id
    for class_name, fewest, most, on, inside in _ROWS:
        places = [("ON", place) for name in on.split() for place in by_class.get(name, ())]
        places += [("INSIDE", place) for name in inside.split() for place in by_class.get(name, ())]
        for _ in range(_stretched(rng, fewest, most, LEVELS[level])):
            found = _find(graph, rng, class_name, places, covered)
            if found is not None:
                (relation, target), box = found
                add_object(graph, class_name, box.center, relation, target, size=box.size, number=number)
                covered[target] = covered.get(target, 0.0) + box.size[0] * box.size[2]
                number += 1
    return number


def _find(
    graph: SceneGraph, rng: Random, class_name: str, places: list[Place], covered: dict[int, float]
) -> tuple[Place, Box] | None:
    size = object_class(class_name).size
    for place in rng.sample(places, min(_TRIES, len(places))):
        support = graph.nodes[place[1]].box
        assert support is not None
        share = (covered.get(place[1], 0.0) + size[0] * size[2]) / (support.size[0] * support.size[2])
        if place[0] == "INSIDE" or share <= _SHARE:
            box = spot_at(graph, rng, size, place)
            if box is not None:
                return place, box
    return None


def _stretched(rng: Random, fewest: int, most: int, factor: float) -> int:
    """A drawn count times a factor, rounded at random so that the mean is right."""
    return int(rng.randint(fewest, most) * factor + rng.random())
