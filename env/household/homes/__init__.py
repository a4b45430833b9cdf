"""Homes: the shipped apartments, generated ones, buildings, and homes read from files."""

from __future__ import annotations

from .home import Flat, Home, build_home, names
from .placing import Place, add_character, add_object, discard, find_places, remove_clutter, scatter, things_in

__all__ = [
    "Flat",
    "Home",
    "Place",
    "add_character",
    "add_object",
    "build_home",
    "discard",
    "find_places",
    "names",
    "remove_clutter",
    "scatter",
    "things_in",
]
