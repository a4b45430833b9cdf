"""What tests leave behind: processes below this one, and what its descriptors lead to."""

from __future__ import annotations

import gc
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import resource_tracker
from pathlib import Path

import psutil

HELPERS = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""Processes that Python keeps for good once it has started others."""

INODE_COLUMN = {"tcp": 9, "tcp6": 9, "udp": 9, "udp6": 9, "unix": 6, "netlink": 9}
"""Where the system's tables of sockets, by kind, have the number by which a descriptor names one."""

KEPT_BY_RAY = re.compile(r"/session_[^/]*/logs/.* \(deleted\)|anon_inode:\[(eventfd|eventpoll|timerfd)\]")
"""What Ray's library keeps for good in a process that has had to do with a session: the logs of the last one, which are
deleted with it, and what the event loops of its threads wait with. An event loop of Python that is not closed does not
hide behind these: it has a pair of sockets, too. Of Ray's sockets only such remain as lead nowhere any more."""

KEPT_BY_MATPLOTLIB = re.compile(r"/matplotlib/.*\.(ttf|afm)")
"""Fonts, which it keeps open once it has drawn with them."""


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


def open_files() -> Counter[str]:
    """What our descriptors lead to (Linux), and how many lead there."""
    found: Counter[str] = Counter()
    if sys.platform != "linux":
        return found
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[str(entry.readlink())] += 1
        except FileNotFoundError:  # the one that lists them
            continue
    return found


def sockets() -> dict[str, str]:
    """Where the system's sockets lead to, by what descriptors name them."""
    found: dict[str, str] = {}
    for table, column in INODE_COLUMN.items():
        path = Path("/proc/self/net") / table
        for row in path.read_text().splitlines()[1:] if path.exists() else ():
            found[f"socket:[{row.split()[column]}]"] = f"{table} {' '.join(row.split()[:column])}"
    return found


def kept_by_python() -> set[str]:
    """The pipe to the process that tracks shared resources (one of the `HELPERS`)."""
    pipe = resource_tracker._resource_tracker._fd
    return set() if pipe is None else {str(Path(f"/proc/self/fd/{pipe}").readlink())}


class Watch:
    """Compares what there is with what there was when it was made.

    Args:
        sockets: so many may come and not go.
    """

    def __init__(self, sockets: int = 0) -> None:
        self._sockets = sockets
        self._processes = descendants()
        gc.collect()  # or garbage of before hides what comes and stays
        self._files = open_files()

    def left(self) -> str:
        """What has come and not gone, in words; "" if nothing has."""
        if not until(lambda: not descendants() - self._processes):
            return f"left running: {descendants() - self._processes}"
        if not until(self._all_closed, 5.0):
            known = sockets()
            return "still open: " + ", ".join(f"{file} {known.get(file, '')}".strip() for file in self._still_open())
        return ""

    def _all_closed(self) -> bool:
        if not self._still_open():
            return True
        gc.collect()  # it may be garbage that nobody has looked for yet; to look takes long, and is seldom needed
        return not self._still_open()

    def _still_open(self) -> Counter[str]:
        more = open_files() - self._files
        kept = {file for file in more if KEPT_BY_MATPLOTLIB.search(file)} | (kept_by_python() if more else set())
        if "ray" in sys.modules:
            # A socket that the system does not know any more is one whose connection has ended on both sides.
            kept |= {file for file in more if KEPT_BY_RAY.search(file) or file.startswith("socket:[")} - {*sockets()}
        left = Counter({file: number for file, number in more.items() if file not in kept})
        if left.total() <= self._sockets and all(file.startswith("socket:[") for file in left):
            return Counter()
        return left
