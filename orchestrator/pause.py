"""A gate in front of every step: closed to pause a run, opened for one step or for good, from any thread."""

from __future__ import annotations

import asyncio
import threading


class Gate:
    """The episode awaits `passage` before each step; whoever controls it works the gate from another thread.

    A run that waits at the gate takes no processor time, and can be interrupted like any other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = True
        self._steps = 0  # that may pass although the gate is closed
        self._waiting: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    @property
    def paused(self) -> bool:
        """Whether the run stops before its next step, or has stopped."""
        with self._lock:
            return not self._open and not self._steps

    @property
    def held(self) -> bool:
        """Whether the run stands at the gate right now."""
        with self._lock:
            return self._waiting is not None

    def pause(self) -> None:
        """Stop the run before its next step."""
        with self._lock:
            self._open, self._steps = False, 0

    def resume(self) -> None:
        """Let the run go on."""
        with self._lock:
            self._open, self._steps = True, 0
            self._wake()

    def step(self) -> None:
        """Let one step pass, and pause after it."""
        with self._lock:
            self._open, self._steps = False, 1
            self._wake()

    async def passage(self) -> None:
        """Wait until the next step may begin."""
        loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if self._open or self._steps:
                    self._steps = max(0, self._steps - 1)
                    return
                woken = asyncio.Event()
                self._waiting = loop, woken
            try:
                await woken.wait()
            finally:
                with self._lock:
                    self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None:
            loop, woken = self._waiting
            loop.call_soon_threadsafe(woken.set)
