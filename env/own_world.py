"""A user's own world, made where it lives from its name and its arguments: no world ever travels."""

from __future__ import annotations

from typing import Any

from .plugin import PluginError, find_own
from .world import World, WorldError

GROUP = "housemates.worlds"
"""The entry points by which installed packages offer worlds."""


def make_world(name: str, /, **arguments: Any) -> World:
    """A world by name.

    Args:
        name: the import path `module:name` of a `World` class, or of a function that returns one; or the name of an
            entry point in `GROUP`.
        arguments: for it.

    Raises:
        WorldError: there is none, or it cannot be made with these arguments. One line that says why.
    """
    try:
        world = find_factory(name)(**arguments)
    except (WorldError, PluginError) as error:
        raise WorldError(str(error)) from None
    except Exception as error:  # the world is a user's: making it may do anything
        raise WorldError(f"{name} cannot be made: {type(error).__name__}: {error}") from error
    if not isinstance(world, World):
        raise WorldError(f"{name} made a {type(world).__name__}, not a housemates.env.world.World")
    return world


def find_factory(name: str) -> Any:
    """What makes the world of this name.

    Raises:
        PluginError: there is none, or it cannot be called.
    """
    found = find_own("world", name, ["household"], GROUP)
    if not callable(found):
        raise PluginError(f"{name} is neither a World class nor a function that returns a World")
    return found
