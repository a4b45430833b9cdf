"""A home as the household uses it: a furnished scene without people, and who lives where."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .. import apartments
from ..graph import SceneGraph


@dataclass(frozen=True, slots=True)
class Flat:
    """Rooms that one team lives in. `rooms` are room ids; a building's corridors belong to every flat that opens to them."""

    name: str
    rooms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """A scene without people, and its flats: one for an apartment, several for a building."""

    name: str
    graph: SceneGraph
    flats: tuple[Flat, ...]


def build_home(name: str, first_id: int, rng: Random) -> Home:
    """Build a home. `rng` draws what may differ between episodes (the clutter); rooms and furniture depend on `name` only.

    Args:
        name: `0` to `6` (a shipped apartment), `generated[:…]`, `building:M`, or a path ending in `.json`.
        first_id: the smallest id that a node may get (ids below belong to people).
        rng: draws the clutter.

    Raises:
        WorldError: there is no such home, or the file is no scene.
    """
    graph = apartments.furnish(rng, first_id)
    return Home(name, graph, (Flat(name, tuple(graph.rooms)),))
