"""Outlives a run that is killed, and takes down what the run's Ray leaves behind.

A small process beside the run: it reads a pipe that only the run holds. A farewell means that the run has cleaned
up by itself. If the pipe closes without one, the run is dead: its Ray's processes are killed and the folder of
their session is removed. Runs as a script, on the standard library alone, so that it is up at once and small.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

FAREWELL = b"bye"
_SWEEPS = 50
_PAUSE_S = 0.2
"""Ray's processes start others while they die: they are looked for until none was found twice in a row."""


class Supervisor:
    """The run's end of it.

    Args:
        session: the folder in which one Ray, and nothing else, keeps its sockets and logs.
        lock: an open file that says, while any process has it open, that the folder is in use.
    """

    def __init__(self, session: str, lock: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, session],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            pass_fds=(lock,),
            start_new_session=True,  # what is meant for the run (Ctrl-C, a closed terminal) is not meant for it
        )

    def dismiss(self) -> None:
        """Send it away: all is cleaned up. May be called more than once."""
        with contextlib.suppress(BrokenPipeError):  # somebody killed it
            self._process.communicate(FAREWELL)


def processes_of(session: str) -> list[int]:
    """The processes that write to a file in the session's folder, as all of Ray's do (Linux; elsewhere none).

    Who only reads there, somebody who looks at a log say, is not one of them.
    """
    found: list[int] = []
    for entry in Path("/proc").iterdir() if sys.platform == "linux" else ():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):  # gone meanwhile, or another user's
                if any(_writes(entry, number.name, session) for number in (entry / "fd").iterdir()):
                    found.append(int(entry.name))
    return found


def _writes(process: Path, descriptor: str, session: str) -> bool:
    with contextlib.suppress(OSError):
        if str((process / "fd" / descriptor).readlink()).startswith(session + "/"):
            flags = (process / "fdinfo" / descriptor).read_text().split("flags:")[1].split()[0]
            return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
    return False


def _take_down(session: str) -> None:
    quiet = 0
    for _ in range(_SWEEPS):
        left = processes_of(session)
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        quiet = 0 if left else quiet + 1
        if quiet == 2:
            break
        time.sleep(_PAUSE_S)
    shutil.rmtree(session, ignore_errors=True)


def main() -> None:
    """Wait for the farewell on standard input; without it, take the session down."""
    session = sys.argv[1]
    if sys.stdin.buffer.read() != FAREWELL:
        _take_down(session)


if __name__ == "__main__":
    main()
