"""The folders in which Rays of ours keep sockets and logs, and what becomes of those that nobody took away.

A run takes its folder away, or, if it is killed, the process beside it does. If that was killed as well, or the machine
was reset, the next run does.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from .supervisor import processes_of

PREFIX = "housemates-"
LOCK_NAME = "lock"
ABANDONED_S = 3600.0
"""A folder without a lock is an older version's, or was made again by a Ray that was dying: it must have rested for
so long."""
_NAME = re.compile(PREFIX + r"[a-z0-9_]{8}")  # as tempfile makes them


class Session:
    """A new folder, private to its user, and locked: whoever has the lock open, also by inheritance, is using it."""

    def __init__(self, parent: Path) -> None:
        hidden = Path(tempfile.mkdtemp(prefix=f".{PREFIX}", dir=parent))
        self.lock = os.open(hidden / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.folder = hidden.rename(parent / hidden.name[1:])  # from the moment that others see it, it is locked

    def release(self) -> None:
        """The folder is not used any more."""
        os.close(self.lock)


def sweep(parent: Path) -> None:
    """Take away the folders of this user's Rays whose processes are all gone."""
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another sweeper was faster
            if _NAME.fullmatch(folder.name) and folder.is_dir() and folder.stat().st_uid == os.getuid():
                _take_away_if_dead(folder)


def _take_away_if_dead(folder: Path) -> None:
    try:
        lock = os.open(folder / LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW)  # who writes there is taken for one of Ray
    except FileNotFoundError:
        if time.time() - folder.stat().st_mtime > ABANDONED_S and not processes_of(str(folder)):
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not processes_of(str(folder)):
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return  # somebody lives there
    finally:
        os.close(lock)
