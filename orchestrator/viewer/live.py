"""A run that is open in the viewer: its reader, followed while the run goes on, and whoever listens to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from ...env.world import WorldError
from ..journal.log import JournalError
from .picture import Map, MapMaker
from .reader import RunReader

T = TypeVar("T")

LOOK_S = 0.25
"""How often we look whether the journal has grown."""
SLICE_S = 0.02
"""How long the survey reads before somebody else's question is answered."""


class OpenRun:
    """Follows the journal of one run, surveys it in the background, and wakes up its listeners.

    Args:
        folder: of the run.
        in_thread: runs a function in the one thread that reads journals.
    """

    def __init__(self, folder: Path, in_thread: Callable[..., Awaitable[Any]]) -> None:
        self.folder = folder
        self.listeners = 0
        self._in_thread = in_thread
        self._opening: asyncio.Future[RunReader] | None = None
        self._maker: MapMaker | None = None
        self._no_map = ""
        self._following: asyncio.Task[None] | None = None
        self._news = asyncio.Condition()

    async def reader(self) -> RunReader:
        """The reader, opened when it is first asked for.

        Raises:
            JournalError: there is no run, or none that this version reads.
        """
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        try:
            return await asyncio.shield(self._opening)
        except JournalError:
            self._opening = None  # a run that begins just now can be read a moment later
            raise

    async def ask(self, question: Callable[[RunReader], T]) -> T:
        """What the reader answers, in its thread.

        Raises:
            JournalError: see `reader`; or what the question raises.
        """
        reader = await self.reader()
        return await self._in_thread(question, reader)

    async def map(self, step: int, theme: str, agent: str | None) -> Map:
        """The map at a step.

        Raises:
            WorldError: this run has none.
            IndexError, JournalError: there is no such step, or it is damaged.
        """
        reader = await self.reader()
        return await self._in_thread(self._draw, reader, step, theme, agent)

    async def news(self) -> None:
        """Returns when the journal has grown, or something else is worth a look."""
        async with self._news:
            await self._news.wait()

    async def tell(self) -> None:
        """Wake up the listeners."""
        async with self._news:
            self._news.notify_all()

    async def close(self) -> None:
        """Stop following the journal, and let go of it."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        if self._opening is not None and self._opening.done() and self._opening.exception() is None:
            await self._in_thread(self._opening.result().close)

    async def _open(self) -> RunReader:
        reader = await self._in_thread(RunReader, self.folder)
        self._following = asyncio.create_task(self._follow(reader))
        return reader

    def _draw(self, reader: RunReader, step: int, theme: str, agent: str | None) -> Map:
        if self._no_map:
            raise WorldError(self._no_map)
        if self._maker is None:
            try:
                self._maker = MapMaker(reader.index)
            except (WorldError, KeyError, TypeError, ValueError) as error:
                self._no_map = str(error) if isinstance(error, WorldError) else f"this run has no map: {error!r}"
                raise WorldError(self._no_map) from None
        return self._maker.draw(step, theme, agent)

    async def _follow(self, reader: RunReader) -> None:
        known = -1
        while True:
            await self._in_thread(reader.index.refresh)
            if known != len(reader.index.frames):
                known = len(reader.index.frames)
                await self.tell()
            while not reader.survey.complete:
                await self._in_thread(reader.survey.advance, SLICE_S)
            await asyncio.sleep(LOOK_S)
