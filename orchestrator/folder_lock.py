"""One runner at a time for a folder with many runs in it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from .errors import ConfigError


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Be the only one who runs what is in a folder; the lock ends with the process at the latest.

    Raises:
        ConfigError: another process does.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{folder}: it is being run already, by another process") from None
        yield
    finally:
        os.close(descriptor)
