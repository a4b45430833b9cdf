"""Ports and simulators that have one user at a time, so that many runs on one machine never get in each other's way.

An external executable binds its port itself, so a port cannot be handed over: whoever wants one takes a lock on it
first, a file per port that the system unlocks when its owner dies, and keeps it until the simulator has ended. A
simulator that somebody else started is locked by its URL, because it has one scene.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import tempfile
from pathlib import Path

from .client import SimulatorError

FIRST_PORT, LAST_PORT = 20_000, 29_999
"""Below the range from which systems take ports for outgoing connections."""


class Lease:
    """Something that nobody else who asks here gets until `release`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back. May be called more than once."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class PortLease(Lease):
    """A leased port."""

    def __init__(self, port: int, descriptor: int) -> None:
        super().__init__(descriptor)
        self.port = port


def lease_port(after: int | None = None) -> PortLease:
    """Take the next port that is free and not leased.

    Args:
        after: where the search begins; default: a place of this process's own.

    Raises:
        SimulatorError: `unreachable`, when there is none.
    """
    count = LAST_PORT - FIRST_PORT + 1
    start = os.getpid() * 7 % count if after is None else after + 1 - FIRST_PORT
    for offset in range(count):
        port = FIRST_PORT + (start + offset) % count
        descriptor = _lock(f"port-{port}")
        if descriptor is None:
            continue
        if _is_free(port):
            return PortLease(port, descriptor)
        os.close(descriptor)
    raise SimulatorError("unreachable", f"no port between {FIRST_PORT} and {LAST_PORT} is free for a simulator")


def lease_url(url: str) -> Lease:
    """Take a simulator that runs already.

    Raises:
        SimulatorError: `refused`, when somebody on this machine uses it.
    """
    descriptor = _lock(f"url-{hashlib.sha256(url.rstrip('/').encode()).hexdigest()[:32]}")
    if descriptor is None:
        raise SimulatorError("refused", f"the simulator at {url} is used by another run; it has one scene")
    return Lease(descriptor)


def _lock(name: str) -> int | None:
    """An open file with a lock on it; None: somebody else has the lock."""
    descriptor = os.open(_runtime_folder() / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


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
