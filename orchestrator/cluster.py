"""Starting Ray on this machine, quietly and for this run alone."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil

OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Turns are a few kilobytes, which Ray sends without its object store."""

SWEEPS = 5
"""A process that is killed may just have started another one, so we look again until there is none."""

STOP_S = 1.0
"""Seconds all sweeps may take."""

_PR_SET_CHILD_SUBREAPER = 36

_others: set[int] | None = None  # our children that are not Ray's, while a Ray of ours is up


@contextmanager
def local_ray() -> Generator[None]:
    """A Ray of our own, up for as long as the context lasts, all of its processes gone afterwards.

    Start it from the main thread: Ray's processes are bound to the life of the thread that starts them.
    One at a time in a process.
    """
    global _others
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no network access nobody asked for
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of its own plans
    import ray

    on_sigterm = signal.getsignal(signal.SIGTERM)
    _adopt_orphans(True)
    _others = {child.pid for child in psutil.Process().children(recursive=True)}
    try:
        ray.init(
            address="local",
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=OBJECT_STORE_BYTES,
            namespace="housemates",
        )
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own ends the process without a word
        yield
    finally:
        ray.shutdown()
        kill_own_ray()
        _others = None
        _adopt_orphans(False)


def kill_own_ray() -> None:
    """End what Ray's own shutdown leaves behind, above all when it was interrupted while starting."""
    if _others is None:
        return
    for _ in range(SWEEPS):
        left = [child for child in psutil.Process().children(recursive=True) if child.pid not in _others]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=STOP_S / SWEEPS)


def _adopt_orphans(adopt: bool) -> None:
    """Have the children of dead children become ours (Linux), so that none is lost from sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)
