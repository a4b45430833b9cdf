"""A home as the household uses it: a furnished scene without people, and who lives where."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ...world import WorldError
from ..scene.graph import SceneGraph
from .blueprint import Blueprint
from .building import FLATS, building_blueprint
from .clutter import LEVELS, lay_out
from .generator import ROOMS, SIZES, generated_blueprint
from .scene_file import read_home
from .shipped import APARTMENTS, shipped_blueprint

_OTHERS = {
    "generated[:seed=…,rooms=…,size=…,clutter=…]": (
        f"a flat drawn by a seed: {ROOMS[0]} to {ROOMS[-1]} rooms; small, medium or large; clutter low, medium or high"
    ),
    "building:M[,seed=…]": f"{FLATS[0]} to {FLATS[-1]} generated flats along corridors",
    "PATH.json": "a scene in VirtualHome's JSON; people in it are left out",
}
_MAX_SEED = 2**32


@dataclass(frozen=True, slots=True)
class Flat:
    """Rooms that one team lives in. `rooms` are room ids; a corridor comes last, in every flat that opens to it."""

    name: str
    rooms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """A scene without people, and its flats: one for an apartment, several for a building."""

    name: str
    graph: SceneGraph
    flats: tuple[Flat, ...]


def names() -> dict[str, str]:
    """What homes there are: names, or forms of names, each with one line about it."""
    return {name: apartment.description for name, apartment in APARTMENTS.items()} | _OTHERS


def build_home(name: str, first_id: int, rng: Random) -> Home:
    """Build a home. `rng` draws what may differ between episodes (the clutter); all else depends on `name` only.

    Ids: rooms first, from `first_id`, then furniture, then clutter. In a building all rooms come first (the flats',
    then the common ones), then the furniture flat by flat, then all clutter. A file keeps its ids (see `read_home`),
    and gets no clutter.

    Args:
        name: `0` to `6` (a shipped apartment), `generated[:…]`, `building:M`, or a path ending in `.json`.
        first_id: the smallest id that a node may get (ids below belong to people).
        rng: draws the clutter.

    Raises:
        WorldError: there is no such home, or the file is no scene.
    """
    kind, _, rest = name.partition(":")
    if name in APARTMENTS:
        return _one_flat(name, shipped_blueprint(name), first_id, rng, "medium")
    if name.endswith(".json"):
        graph = read_home(name, first_id)
        return Home(name, graph, (Flat(name, tuple(graph.rooms)),))
    if kind == "generated":
        return _generated(name, rest, first_id, rng)
    if kind == "building":
        return _building(name, rest, first_id, rng)
    *others, last = _OTHERS
    known = ", ".join([f"{min(APARTMENTS)} to {max(APARTMENTS)}", *others])
    raise WorldError(f"unknown apartment {name!r}; there are {known} and {last}")


def _generated(name: str, text: str, first_id: int, rng: Random) -> Home:
    options = _options(name, text.split(",") if text else [], ("seed", "rooms", "size", "clutter"))
    seed = _number(name, "seed", options.get("seed", "0"), range(_MAX_SEED))
    rooms = _number(name, "rooms", options["rooms"], ROOMS) if "rooms" in options else None
    size = _one_of(name, "size", options.get("size", "medium"), SIZES)
    level = _one_of(name, "clutter", options.get("clutter", "medium"), LEVELS)
    return _one_flat(name, generated_blueprint(str(seed), rooms, size), first_id, rng, level)


def _one_flat(name: str, blueprint: Blueprint, first_id: int, rng: Random, level: str) -> Home:
    graph = SceneGraph()
    rooms = blueprint.build_rooms(graph, first_id)
    following = blueprint.build_pieces(graph, rooms, first_id + len(rooms))
    lay_out(graph, rng, rooms, following, level)
    return Home(name, graph, (Flat(name, rooms),))


def _building(name: str, text: str, first_id: int, rng: Random) -> Home:
    size, *rest = text.split(",")
    count = _number(name, "number of flats", size, FLATS)
    seed = _number(name, "seed", _options(name, rest, ("seed",)).get("seed", "0"), range(_MAX_SEED))
    building = building_blueprint(count, seed)
    graph = SceneGraph()
    number = first_id
    rooms: list[tuple[int, ...]] = []
    for blueprint in (*building.flats, building.common):
        rooms.append(blueprint.build_rooms(graph, number))
        number += len(blueprint.rooms)
    *own, common = rooms
    corridors = [common[floor] for floor in building.floors]
    for blueprint, ids, corridor in zip(building.flats, own, corridors, strict=True):
        number = blueprint.build_pieces(graph, ids, number, outside=corridor)
    number = building.common.build_pieces(graph, common, number)
    for ids in own:
        number = lay_out(graph, rng, ids, number)
    rooms_of_flats = [(*ids, corridor) for ids, corridor in zip(own, corridors, strict=True)]
    return Home(name, graph, tuple(Flat(f"flat {n}", ids) for n, ids in enumerate(rooms_of_flats, 1)))


# -- names ------------------------------------------------------------------------------------


def _options(name: str, parts: list[str], known: tuple[str, ...]) -> dict[str, str]:
    """The `key=value` parts of a name."""
    found: dict[str, str] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals or key not in known:
            raise WorldError(f"apartment {name!r}: {part!r} is not one of {', '.join(f'{key}=…' for key in known)}")
        if key in found:
            raise WorldError(f"apartment {name!r}: {key} is given twice")
        found[key] = value
    return found


def _number(name: str, what: str, text: str, allowed: range) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if number not in allowed:
        raise WorldError(f"apartment {name!r}: the {what} must be {allowed[0]} to {allowed[-1]}, not {text!r}")
    return number


def _one_of(name: str, what: str, text: str, allowed: dict[str, float]) -> str:
    if text not in allowed:
        raise WorldError(f"apartment {name!r}: {what} must be {' or '.join(allowed)}, not {text!r}")
    return text
