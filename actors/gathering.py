"""Answers that leave together: a message each would cost more than many an answer."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from .turn import Answer

HOLD_S = 1.0
"""An answer that is ready waits so long for the others. What is lost with a process is not more than that."""

HOLD_FAILED_S = 0.02
"""A failure waits only for those that come of the same cause: somebody may want to ask again."""


class Gathering:
    """Waits for turns that are being taken.

    All of them leave together, if the last is ready within `HOLD_S` of the first; else those that are ready then.
    """

    def __init__(self, turns: Sequence[asyncio.Task[Answer]]) -> None:
        self._turns = turns
        self._missing = len(turns)
        self._enough = asyncio.get_running_loop().create_future()
        self._hold: asyncio.TimerHandle | None = None
        self._hold_s = math.inf

    async def ready(self) -> list[Answer]:
        """The answers that leave now. A turn that was cancelled, because a newer ask overtook it, has none.

        Raises:
            Exception: what a turn raised.
        """
        for turn in self._turns:
            turn.add_done_callback(self._done)
        try:
            if self._turns:
                await self._enough
        finally:
            for turn in self._turns:
                turn.remove_done_callback(self._done)
            if self._hold is not None:
                self._hold.cancel()
        return [turn.result() for turn in self._turns if turn.done() and not turn.cancelled()]

    def _done(self, turn: asyncio.Task[Answer]) -> None:
        self._missing -= 1
        failed = turn.cancelled() or turn.exception() is not None or turn.result().failure is not None
        hold_s = HOLD_FAILED_S if failed else HOLD_S
        if self._missing == 0:
            self._close()
        elif hold_s < self._hold_s:
            if self._hold is not None:
                self._hold.cancel()
            self._hold, self._hold_s = asyncio.get_running_loop().call_later(hold_s, self._close), hold_s

    def _close(self) -> None:
        if not self._enough.done():
            self._enough.set_result(None)
