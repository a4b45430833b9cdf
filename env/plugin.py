"""A user's own function or class: named by its import path `module:name`, or as an entry point of a package."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class PluginError(Exception):
    """What a user names is not there, is of the wrong kind, or fails; one line that says which."""


def is_path(text: str) -> bool:
    """Whether a text has the form of an import path."""
    return _PATH.fullmatch(text) is not None


def find(setting: str, name: str, known: Mapping[str, Any], base: type, base_path: str, group: str = "") -> Any:
    """The class of this name among the known ones, or a user's subclass of `base`.

    Args:
        setting: what is being chosen, for the error.
        name: what the user wrote.
        known: the classes that have names.
        base: what a user's own must be a subclass of.
        base_path: where that is imported from, for the error.
        group: of the entry points by which installed packages offer more of them; "": there are none.

    Raises:
        PluginError: there is none.
    """
    if name in known:
        return known[name]
    found = find_own(setting, name, known, group)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise PluginError(f"{name} is not a subclass of {base_path}")
    return found


def find_own(setting: str, name: str, known: Iterable[str], group: str) -> Any:
    """What a user names, by import path or as an entry point of a group.

    Raises:
        PluginError: there is no such thing; `known` are the other names there are.
    """
    if is_path(name):
        return load(name)
    offered: dict[str, EntryPoint] = {point.name: point for point in entry_points(group=group)} if group else {}
    if name not in offered:
        raise PluginError(f"unknown {setting} {name!r}; there are {', '.join([*known, *offered, 'module:Class'])}")
    return load(offered[name].value)


def load(path: str) -> Any:
    """What `module:name` names; a module in the working directory is found as well.

    Raises:
        PluginError: there is no such thing.
    """
    module_name, _, name = path.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        found: Any = import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # the module is a user's: importing it may do anything
        raise PluginError(f"cannot import {path}: {type(error).__name__}: {error}") from None
    return found
