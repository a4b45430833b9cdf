"""From drawings to pixels, on several processes: the renderer takes a tenth of a second and holds the interpreter."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, resource_tracker
from typing import NamedTuple

from ...env.household.picture import to_png
from ..errors import StartError
from .reels import pixels_of

_MOST_PROCESSES = 8
_WAITING_PER_PROCESS = 3
"""Drawings handed over ahead of time; more would only fill the memory."""


class Drawing(NamedTuple):
    """One picture on its way: which film it is for, the SVG, and for how many frames it stands."""

    film: int
    svg: str
    ticks: int


class Developed(NamedTuple):
    """The same, drawn: PNG or pixels."""

    film: int
    picture: bytes
    ticks: int


def developed(drawings: Iterable[Drawing], *, as_pixels: bool) -> Generator[Developed]:
    """Render drawings, in their order; close it early to give up what is not drawn yet.

    Raises:
        StartError: a process that draws was killed.
    """
    processes = min(_MOST_PROCESSES, len(os.sched_getaffinity(0)))
    resource_tracker.ensure_running()  # which changes the mask of signals when it starts: not within `_deaf`
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    waiting: deque[tuple[Drawing, Future[bytes]]] = deque()
    try:
        for drawing in drawings:
            with _deaf():  # handing over starts the processes
                waiting.append((drawing, pool.submit(_develop, drawing.svg, as_pixels)))
            if len(waiting) >= _WAITING_PER_PROCESS * processes:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    except BrokenProcessPool:
        raise StartError("a process that draws the film was killed (is there enough memory?)") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _next(waiting: deque[tuple[Drawing, Future[bytes]]]) -> Developed:
    drawing, picture = waiting.popleft()
    return Developed(drawing.film, picture.result(), drawing.ticks)


def _develop(svg: str, as_pixels: bool) -> bytes:
    png = to_png(svg)
    return pixels_of(png) if as_pixels else png


@contextmanager
def _deaf() -> Generator[None]:
    """Hold Ctrl-C back meanwhile; processes started within never hear it, from their very first instruction.

    It reaches every process of a terminal, but only the first one, which ends the others, is meant.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
