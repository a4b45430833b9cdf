"""What tests leave behind: processes below this one, and what its descriptors lead to."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

RAYS_FIRST, RAYS_NEXT = 16, 6
"""Descriptors that Ray's library keeps in a process for good: once, and for each session after the first one (the
session's log, deleted by then, and sockets)."""

LIBRARIES = 8
"""Further descriptors that a module may leave: fonts that matplotlib keeps open, the loop of a server in a thread."""

HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Processes that Python keeps for good once it has started others."""


def until(true: Callable[[], object], within_s: float = 15.0) -> bool:
    """Wait for something to come true; whether it did."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def descendants() -> set[psutil.Process]:
    """All living processes below this one; the dead whom we adopted from killed runs are buried later."""
    return {process for process in psutil.Process().children(recursive=True) if _lives(process)}


def _lives(process: psutil.Process) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return not any(helper in argument for argument in process.cmdline() for helper in HELPERS)
    except psutil.NoSuchProcess:
        return False


def sessions_of_ray(files: list[str]) -> set[str]:
    """The logs of the sessions of Ray that this process has been in; Ray may close one when the next begins."""
    return {file for file in files if "python-core-driver" in file}


def open_files() -> list[str]:
    """What our descriptors lead to (Linux)."""
    found: list[str] = []
    if sys.platform != "linux":
        return found
    gc.collect()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except FileNotFoundError:  # the one that lists them
            continue
    return found


class Watch:
    """Compares what there is with what there was when it was made; libraries may keep so many descriptors."""

    def __init__(self, libraries: int = LIBRARIES) -> None:
        self._libraries = libraries
        self._processes = descendants()
        self._files = open_files()
        self._sessions = sessions_of_ray(self._files)

    def left(self) -> str:
        """What has come and not gone, in words; "" if nothing has."""
        if not until(lambda: not descendants() - self._processes):
            return f"left running: {descendants() - self._processes}"
        if not until(lambda: len(open_files()) <= len(self._files) + self._libraries + self._rays(), 5.0):
            more = Counter(open_files()) - Counter(self._files)
            return f"still open, {len(open_files())} instead of {len(self._files)}: {dict(more)}"
        return ""

    def _rays(self) -> int:
        new = len(sessions_of_ray(open_files()) - self._sessions)
        return RAYS_NEXT * new + (RAYS_FIRST if new and not self._sessions else 0)
