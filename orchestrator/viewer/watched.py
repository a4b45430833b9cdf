"""The page of a run that this process conducts: `housemates run --view`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..config import RunConfig
from ..errors import RuntimeFailure
from ..observer import Observer, Record
from ..pause import Gate
from ..summary import Tally
from .control import Control
from .server import Viewer

START_S = 10.0
"""How long the page of a run may take to be there."""


class ViewedRun(Observer):
    """Passes on what happens to another observer, and serves the page of the run from a thread of its own."""

    def __init__(self, shown: Observer, say: Callable[[str], None]) -> None:
        self._shown = shown
        self._say = say
        self._control = Control(Gate())
        self._folder = Path()
        self._thread: threading.Thread | None = None
        self.address = ""
        """Where the page is, once the first record is in the journal; with the token."""

    def starting(self, what: str) -> None:
        self._shown.starting(what)

    def started(self, config: RunConfig, folder: Path, model: str, waiting_for: Callable[[], list[str]]) -> None:
        self._control.waiting_for = waiting_for
        self._folder = folder
        self._shown.started(config, folder, model, waiting_for)

    async def ready(self) -> None:
        await self._shown.ready()
        await self._control.gate.passage()

    def committed(self, record: Record, tally: Tally) -> None:
        self._shown.committed(record, tally)
        if record["kind"] == "end":
            self._control.over = True
        elif self._thread is None:
            self._serve()
            self._say(f"the page of the run: {self.address}")

    def keep(self, interrupted: bool) -> None:
        """Go on serving after the run, until Ctrl-C; not after a run that was ended by Ctrl-C itself."""
        if self._thread is None or (interrupted and not self._control.stopped):
            return
        self._say("the page stays until Ctrl-C")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()

    def _serve(self) -> None:
        up = threading.Event()

        async def serve() -> None:
            self.address = await Viewer(self._folder, control=self._control).start()
            up.set()
            await asyncio.Event().wait()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True, name="viewer")
        self._thread.start()
        if not up.wait(START_S):
            raise RuntimeFailure("the page of the run could not be served")
