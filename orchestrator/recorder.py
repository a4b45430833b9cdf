"""Keeps the record of a run while it goes on."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .config import RunConfig
from .errors import StartError
from .journal.log import Journal
from .observer import Observer, Record
from .private_files import write_private
from .protocol import SetAside
from .run_folder import write_summary
from .summary import Tally

POISON_NAME = "poison-{agent}-step-{step}.json"
"""An observation that an agent's process died of each time it was asked with it."""


class Recorder:
    """Writes what is committed, counts it, and tells the observer, who may fail without harm."""

    def __init__(self, folder: Path, journal: Journal, observer: Observer, tally: Tally | None = None) -> None:
        self._folder = folder
        self._journal = journal
        self._observer = observer
        self._tally = tally or Tally()
        self.begun = False
        """Whether this process has added to the journal."""

    def starting(self, what: str) -> None:
        """Tell the observer that something slow begins."""
        self._tell(lambda: self._observer.starting(what))

    def started(self, config: RunConfig, model: str, waiting_for: Callable[[], list[str]]) -> None:
        """Tell the observer that the first step begins."""
        self._tell(lambda: self._observer.started(config, self._folder, model, waiting_for))

    def record(self, record: Record) -> None:
        """Write a record down, count it, then tell the observer."""
        self._journal.append(record)
        self.begun = True
        self._tally.add(record)
        self._tell(lambda: self._observer.committed(record, self._tally))

    async def ready(self) -> None:
        """Wait until the observer lets the next step begin."""
        await self._observer.ready()

    def set_aside(self, found: SetAside) -> None:
        """Keep what an agent's process died of, in a file of its own.

        Raises:
            OSError: the disk does not take it.
        """
        text = json.dumps(asdict(found), indent=2, ensure_ascii=False)
        path = self._folder / POISON_NAME.format(agent=found.agent, step=found.step)
        write_private(path, (text + "\n").encode(errors="backslashreplace"))

    @property
    def digest(self) -> str:
        """The trajectory digest so far."""
        return self._tally.digest.hexdigest()

    def _tell(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception as error:  # a display that fails is no reason to lose a run
            self._observer = Observer()
            warnings.warn(f"the run goes on unseen: {type(error).__name__}: {error}", stacklevel=2)

    def finish(self, status: str, success: bool, error: str, wall_s: float) -> dict[str, Any]:
        """Close the journal and write the summary.

        Raises:
            StartError: the disk does not take them.
        """
        end = {"kind": "end", "status": status, "success": success, "error": error, "wall_s": wall_s}
        try:
            self.record(end)
            self._journal.close()
            summary = self._tally.summary()
            write_summary(self._folder, summary)
        except OSError as fault:
            raise StartError(
                f"{error or 'the run ended'}, but {self._folder} does not take its record: {fault}"
            ) from None
        return summary
