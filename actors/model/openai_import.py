"""Imports the openai package without most of its models of requests and replies, which nobody here looks at.

They are four hundred modules; a process of a single agent would pay more for them (10 MB, a quarter of a second of CPU)
than for Trace. What is left out is loaded as soon as anybody asks for it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

LATER = ("openai.types", "openai.types.responses")
"""Packages whose parts are imported one by one, as far as the client itself needs them."""


class _Later(ModuleType):
    """A package that is loaded when it is asked for something; until then it only leads to its parts."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if name.startswith("__") or spec is None or spec.loader is None:
            raise AttributeError(name)
        object.__setattr__(self, "__class__", ModuleType)
        spec.loader.exec_module(self)
        return getattr(self, name)


def _put_off() -> None:
    found = importlib.util.find_spec("openai")
    if "openai" in sys.modules or found is None or not found.submodule_search_locations:
        return
    (root,) = map(Path, found.submodule_search_locations)
    for name in LATER:
        folder = root.joinpath(*name.split(".")[1:])
        file = folder / "__init__.py"
        spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=[str(folder)])
        if spec is None or not file.is_file():  # another version
            continue
        module = sys.modules[name] = _Later(name)
        module.__spec__, module.__path__, module.__package__ = spec, [str(folder)], name
        module.__file__, module.__loader__ = spec.origin, spec.loader
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)


_put_off()

from openai import (  # noqa: E402
    DEFAULT_CONNECTION_LIMITS,
    APIConnectionError,
    APIStatusError,
    AsyncOpenAI,
    DefaultAioHttpClient,
    Omit,
)

__all__ = [
    "DEFAULT_CONNECTION_LIMITS",
    "APIConnectionError",
    "APIStatusError",
    "AsyncOpenAI",
    "DefaultAioHttpClient",
    "Omit",
]
