"""Runs the show: the barrier, episodes, the journal, the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .load import load_run

__all__ = ["load_run"]


def __getattr__(name: str) -> Any:
    if name != "load_run":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .load import load_run  # when it is first used: importing a module of this package must cost nothing

    return load_run
