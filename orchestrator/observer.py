"""Who is told how a run goes, and how untrusted text is made fit for showing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .config import RunConfig
from .summary import Tally

Record = Mapping[str, Any]
"""A journal record, see `orchestrator.journal.log`."""


class Observer:
    """Is told how a run goes. The command line shows it; the default shows nothing."""

    def starting(self, what: str) -> None:
        """Something slow begins: a model server, Ray, the actors."""

    def started(self, config: RunConfig, folder: Path, model: str, waiting_for: Callable[[], list[str]]) -> None:
        """All is up; the first step begins. `waiting_for` says at any time which agents are thinking."""

    async def ready(self) -> None:
        """Awaited before each step; the run is paused for as long as this waits."""

    def committed(self, record: Record, tally: Tally) -> None:
        """A record is in the journal."""


def printable(text: str) -> str:
    """Untrusted text with spaces in place of characters that could drive the terminal or turn the line around."""
    return "".join(c if c.isprintable() else " " for c in text)


def one_line(text: str, limit: int) -> str:
    """Untrusted text on one line of at most `limit` characters.

    Control characters, which could drive the terminal, become spaces.
    """
    clean = " ".join(printable(text).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"
