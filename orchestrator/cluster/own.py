"""A Ray of our own on this machine, quietly, for one run alone, and gone with it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from ..errors import RuntimeFailure
from .access import check_loopback, private_access
from .connecting import connect, idle_ray
from .session import Session, sweep
from .supervisor import Supervisor

OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Turns are a few kilobytes, which Ray sends without its object store."""

SESSION_PARENT = "/tmp"
"""Where Ray's sockets and logs live for the time of a run; a socket's path must stay below 107 bytes."""

SWEEPS = 5
"""A process that is killed may just have started another one, so we look again until there is none."""

STARTS = 2
"""How often a Ray of our own is started if it does not come up."""

VITAL = ("gcs_server", "raylet")
"""The processes without which nothing new is made in a Ray, and no word comes of it."""

LOSS_POLL_S = 0.5

STOP_S = 1.0
"""Seconds all sweeps may take."""

_PR_SET_CHILD_SUBREAPER = 36

_session: str | None = None  # the folder of the Ray of ours that is up
_vital: dict[str, psutil.Process] = {}  # what it cannot be without, by name


@contextmanager
def local_ray() -> Generator[None]:
    """A Ray of our own, up for as long as the context lasts, all of its processes gone afterwards.

    Start it from the main thread: Ray's processes are bound to the life of the thread that starts them.
    One at a time in a process.
    """
    global _session
    ray = idle_ray()
    sweep(Path(SESSION_PARENT))
    session = Session(Path(SESSION_PARENT))
    _session = str(session.folder)
    supervisor = Supervisor(_session, session.lock)
    _adopt_orphans(True)
    doors = ExitStack()
    try:
        doors.enter_context(private_access(Path(_session)))
        _start_own(_session)
        check_loopback()
        _vital.update({name: process for process in _processes(_session) if (name := process.name()) in VITAL})
        yield
    finally:
        _vital.clear()
        ray.shutdown()
        end_own_ray()
        doors.close()
        supervisor.dismiss()
        session.release()
        _session = None
        _adopt_orphans(False)


def _start_own(session: str) -> None:
    """Start a Ray with all that it writes below the session's folder, and connect to it.

    Raises:
        RuntimeFailure: it does not come up.
    """
    import ray

    for left in reversed(range(STARTS)):
        try:
            connect(
                address="local",
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=f"{session}/ray",  # Ray opens it to all users of the machine
            )
            return
        except Exception as error:  # Ray raises just that when one of its processes dies or is too slow
            if not left:
                raise RuntimeFailure(f"Ray did not start: {' '.join(str(error).split())}") from None
            ray.shutdown()
            _kill_processes(session)


async def own_loss() -> str:
    """Waits until our own Ray has lost what it cannot be without, for ever if none is up; says so in one line.

    Ray itself says nothing: its actors would be asked, and waited for, until the deadlines of steps.
    """
    while not (gone := [name for name, process in _vital.items() if not _lives(process)]):  # noqa: ASYNC110 - no event
        await asyncio.sleep(LOSS_POLL_S)
    return f"this run's Ray has died: {' and '.join(gone)} is gone"


def end_own_ray() -> None:
    """End what Ray's own shutdown leaves behind, above all when it was interrupted while starting."""
    if _session is None:
        return
    _kill_processes(_session)
    _bury_adopted()
    shutil.rmtree(_session, ignore_errors=True)


def _kill_processes(session: str) -> None:
    for _ in range(SWEEPS):
        left = _processes(session)
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=STOP_S / SWEEPS)


def _processes(session: str) -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if _is_rays(child, session)]


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


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _adopt_orphans(adopt: bool) -> None:
    """Have the children of dead children become ours (Linux), so that none is lost from sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)
