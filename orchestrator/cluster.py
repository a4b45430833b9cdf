"""Ray: one of our own on this machine, quietly and for this run alone, or a cluster that is there already."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil

from .errors import RuntimeFailure
from .ray_access import check_loopback, private_access
from .supervisor import Supervisor

OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Turns are a few kilobytes, which Ray sends without its object store."""

SESSION_PARENT = "/tmp"
"""Where Ray's sockets and logs live for the time of a run; a socket's path must stay below 107 bytes."""

SWEEPS = 5
"""A process that is killed may just have started another one, so we look again until there is none."""

REACH_S = 5.0
"""Seconds within which a cluster must be reachable."""

STOP_S = 1.0
"""Seconds all sweeps may take."""

_PR_SET_CHILD_SUBREAPER = 36

_session: str | None = None  # the folder of the Ray of ours that is up


def ray_at(address: str = "") -> AbstractContextManager[None]:
    """A Ray of our own, or the cluster at an address (HOST:PORT, or `auto` for the one this machine belongs to)."""
    return joined_ray(address) if address else local_ray()


@contextmanager
def joined_ray(address: str) -> Generator[None]:
    """A cluster that somebody else started, joined for as long as the context lasts.

    Its machines must have the same version of this package installed, and reach the run's models.

    Raises:
        RuntimeFailure: there is none, it does not let us in, or a Ray is up in this process.
    """
    ray = _idle_ray()
    try:
        try:
            if address != "auto":  # Ray itself would try for minutes
                host, _, port = address.rpartition(":")
                socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
            _connect(address=address)
        except (OSError, RuntimeError, ValueError) as error:
            raise RuntimeFailure(f"cannot join the Ray cluster at {address}: {error}") from None
        yield
    finally:
        ray.shutdown()


@contextmanager
def local_ray() -> Generator[None]:
    """A Ray of our own, up for as long as the context lasts, all of its processes gone afterwards.

    Start it from the main thread: Ray's processes are bound to the life of the thread that starts them.
    One at a time in a process.
    """
    global _session
    ray = _idle_ray()
    _session = tempfile.mkdtemp(prefix="housemates-", dir=SESSION_PARENT)  # private to its user, which Ray's is not
    supervisor = Supervisor(_session)
    _adopt_orphans(True)
    doors = ExitStack()
    try:
        doors.enter_context(private_access(Path(_session)))
        try:
            _connect(
                address="local",
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=f"{_session}/ray",  # Ray opens it to all users of the machine
            )
        except Exception as error:  # Ray raises just that when one of its processes dies or is too slow
            raise RuntimeFailure(f"Ray did not start: {' '.join(str(error).split())}") from None
        check_loopback()
        yield
    finally:
        ray.shutdown()
        end_own_ray()
        doors.close()
        supervisor.dismiss()
        _session = None
        _adopt_orphans(False)


def _idle_ray() -> Any:
    """The module, with nothing connected.

    Raises:
        RuntimeFailure: a Ray is up in this process.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no network access nobody asked for
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of its own plans
    import ray

    if ray.is_initialized():
        raise RuntimeFailure("Ray is already running in this process; end it first (ray.shutdown())")
    return ray


def _connect(**where: Any) -> None:
    import ray

    on_sigterm = signal.getsignal(signal.SIGTERM)
    ray.init(log_to_driver=False, logging_level=logging.ERROR, namespace="housemates", **where)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own ends the process without a word


def end_own_ray() -> None:
    """End what Ray's own shutdown leaves behind, above all when it was interrupted while starting."""
    if _session is None:
        return
    _kill_processes(_session)
    _bury_adopted()
    shutil.rmtree(_session, ignore_errors=True)


def _kill_processes(session: str) -> None:
    for _ in range(SWEEPS):
        left = [child for child in psutil.Process().children(recursive=True) if _is_rays(child, session)]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=STOP_S / SWEEPS)


def _bury_adopted() -> None:
    """Reap the dead among the processes we adopted; whoever starts one of our own waits for it."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, ChildProcessError):
            if child.status() == psutil.STATUS_ZOMBIE and os.getpgid(child.pid) not in (os.getpgrp(), child.pid):
                os.waitpid(child.pid, os.WNOHANG)


def _is_rays(process: psutil.Process, session: str) -> bool:
    """Ray's processes name the session in their arguments, or call themselves `ray::…`."""
    try:
        return process.name().startswith("ray::") or any(session in argument for argument in process.cmdline())
    except psutil.Error:  # gone meanwhile, or a zombie
        return False


def _adopt_orphans(adopt: bool) -> None:
    """Have the children of dead children become ours (Linux), so that none is lost from sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)
