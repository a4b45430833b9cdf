"""A port for a simulator, so that many owners on one machine never choose the same.

An external executable binds its port itself, so a port cannot be handed over: whoever wants one takes a lock on it
first, a file per port that the system unlocks when its owner dies, and keeps it until the simulator has ended.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path

from .client import SimulatorError

FIRST_PORT, LAST_PORT = 20_000, 29_999
"""Below the range from which systems take ports for outgoing connections."""


class PortLease:
    """A port that nobody else who asks here gets until `release`."""

    def __init__(self, port: int, descriptor: int) -> None:
        self.port = port
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the port back. May be called more than once."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def lease_port(after: int | None = None) -> PortLease:
    """Take the next port that is free and not leased.

    Args:
        after: where the search begins; default: a place of this process's own.

    Raises:
        SimulatorError: `unreachable`, when there is none.
    """
    folder = _runtime_folder()
    count = LAST_PORT - FIRST_PORT + 1
    start = os.getpid() * 7 % count if after is None else after + 1 - FIRST_PORT
    for offset in range(count):
        port = FIRST_PORT + (start + offset) % count
        descriptor = os.open(folder / f"port-{port}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_free(port):
                return PortLease(port, descriptor)
        except BlockingIOError:
            pass
        os.close(descriptor)
    raise SimulatorError("unreachable", f"no port between {FIRST_PORT} and {LAST_PORT} is free for a simulator")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what lingers after a close is free
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _runtime_folder() -> Path:
    """A folder of this user's alone. Locks are never deleted: a lock on a deleted file protects nothing."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    folder = base / "housemates" if base.is_dir() else Path(tempfile.gettempdir()) / f"housemates-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise SimulatorError("unreachable", f"{folder} belongs to somebody else; set XDG_RUNTIME_DIR")
    return folder
