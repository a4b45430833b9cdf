"""Who is told how a run goes."""

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
