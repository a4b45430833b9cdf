"""Runs one program and sees to it that nothing of it outlives its owner. Started by `process.py`, stand-alone.

    python guardian.py LOG LIMIT_BYTES PROGRAM ARGUMENTS…

The owner holds the other end of stdin; when that closes, also because the owner was killed, the program's
whole process group is ended, and so is whatever slipped out of it. What the program writes goes into
LOG, which never takes more than twice the limit. The first line on stdout is JSON: {"pid": …} or {"error": …}.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TERM_S = 2.0
"""What the program gets to end by itself."""

_POLL_S = 0.5
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class BoundedLog:
    """Appends to a file of its user's alone; when that is full it becomes `<name>.1`, in place of the one before."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path, self._limit = path, limit
        self._open()

    def write(self, data: bytes) -> None:
        """Append, and turn the page when the file is full."""
        if self._file.tell() + len(data) > self._limit:
            self._file.close()
            self._path.replace(self._path.with_name(self._path.name + ".1"))
            self._open()
        self._file.write(data[-self._limit :])

    def _open(self) -> None:
        self._file = open(self._path, "ab", buffering=0, opener=_private)  # noqa: SIM115 - closed above, or with us


def main() -> int:
    """Run the command in the arguments until it, its owner or this process is to end; its exit code."""
    log = BoundedLog(Path(sys.argv[1]), int(sys.argv[2]))
    wake_in, wake_out = os.pipe()
    os.set_blocking(wake_out, False)
    signal.set_wakeup_fd(wake_out, warn_on_full_buffer=False)
    told_to_end: list[int] = []

    def end(number: int, _frame: object) -> None:
        told_to_end.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # only to be woken
    owner, me = os.getppid(), os.getpid()
    libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is not None:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what the program leaves behind becomes our child

    def die_with_guardian() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != me:
                os._exit(1)

    try:
        program = subprocess.Popen(
            sys.argv[3:],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_guardian,
        )
    except OSError as error:
        _announce({"error": error.strerror or str(error)})
        return 127
    _announce({"pid": program.pid})
    assert program.stdout is not None
    output = program.stdout.fileno()
    os.set_blocking(output, False)
    watched = [0, wake_in, output]
    while program.poll() is None and not told_to_end and os.getppid() == owner:
        ready, _, _ = select.select(watched, [], [], _POLL_S)
        if 0 in ready and not os.read(0, 4096):
            break
        if wake_in in ready:
            os.read(wake_in, 4096)
        if output in ready and not _copy(output, log):
            watched.remove(output)  # closed by all who had it
    _copy(output, log)
    _end(program)
    _copy(output, log)
    return program.returncode if program.returncode >= 0 else 128 - program.returncode


def _announce(what: dict[str, Any]) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")
    os.close(1)


def _copy(output: int, log: BoundedLog) -> bool:
    """Copy what has been written, at most 16 MiB at once; False at the end of the stream."""
    for _ in range(256):
        try:
            data = os.read(output, 2**16)
        except BlockingIOError:
            return True
        if not data:
            return False
        log.write(data)
    return True


def _end(program: subprocess.Popen[bytes]) -> None:
    """End the program's group, and then whatever of it is still ours."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(TERM_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    for _ in range(100):  # orphans become our children one generation at a time
        adopted = _children()
        for child in adopted:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not adopted:
            return
        time.sleep(0.01)


def _children() -> list[int]:
    try:
        return [int(number) for number in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
