"""A user's own function or class, named by its import path `module:name`."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class PluginError(Exception):
    """What a user names is not there, is of the wrong kind, or fails; one line that says which."""


def is_path(text: str) -> bool:
    """Whether a text has the form of an import path."""
    return _PATH.fullmatch(text) is not None


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
