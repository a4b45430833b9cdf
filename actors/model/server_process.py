"""A model server as a child process on loopback that cannot outlive us.

The parent side is `ServerProcess`. The child side is `be_supervised`, which a server's
main function calls first: it keeps stdout for one JSON line that announces the port,
and ends the process as soon as the parent is gone, also when that was killed.
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
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Any

SUPERVISED = "--supervised"
"""Tells a server module that `ServerProcess` started it and that it must call `be_supervised`."""

LOG_BYTES = 5_000_000
"""How long a server's log gets before it begins anew."""
OLDER = ".1"
"""What the name of a log that was full ends in."""

_TERM_S = 1.0  # what a server gets to end by itself
_KILL_S = 0.5  # what the system gets to end it after that
_POLL_S = 0.5
_TAIL_LINES = 15
_TAIL_BYTES = 8192
_PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    """A model server that did not start. The message ends with the tail of its log."""


class ServerProcess:
    """A server that listens on a loopback port of its own choosing and belongs to this process.

    Usable as a context manager, which starts it if that has not been done yet.

    Args:
        module: what `python -m` runs; it must understand `--supervised`.
        arguments: its further arguments.
        environment: variables it gets unless ours has them already.
        log_path: where its stderr goes, appended; None keeps it for error messages only. See `bound_log`.
        start_timeout_s: how long the context manager waits for readiness.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str] = (),
        *,
        environment: Mapping[str, str] | None = None,
        log_path: Path | None = None,
        start_timeout_s: float = 60.0,
    ) -> None:
        self.module = module
        self.log_path = log_path
        self.start_timeout_s = start_timeout_s
        # -P: a file called openai.py in the user's folder must not shadow the installed package.
        self._command = [sys.executable, "-P", "-m", module, *arguments, SUPERVISED]
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None  # without a buffer of ours: the server writes into it, too
        self._port: int | None = None

    def __repr__(self) -> str:
        return f"ServerProcess({self.module!r}, port={self._port}, alive={self.alive})"

    @property
    def alive(self) -> bool:
        """Whether the server runs and has announced its port."""
        return self._port is not None and self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def url(self) -> str:
        """The base URL for `Endpoint`.

        Raises:
            ServerError: not started.
        """
        if self._port is None:
            raise ServerError(f"{self.module} has not been started")
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self, timeout_s: float | None = None) -> str:
        """Start the server, wait until it is ready, and return its base URL.

        Raises:
            ServerError: it ended, or was not ready in time.
        """
        if self._process is not None:
            return self.url
        began = time.monotonic()
        limit_s = self.start_timeout_s if timeout_s is None else timeout_s
        if self.log_path is None:
            self._log = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the server
        else:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            self._log = open(self.log_path, "a+b", buffering=0, opener=_private)  # noqa: SIM115 - as above
        self.bound_log()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=self._environment | os.environ,
            start_new_session=True,  # Ctrl-C in the terminal is for us; we end the server ourselves
        )
        try:
            self._port = self._announced(began + limit_s)
        except TimeoutError:
            self._fail(f"was not ready within {limit_s:g} s")
        except (ValueError, KeyError, TypeError):
            code = None
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(_TERM_S)
            self._fail("announced no port" if code is None else f"ended with exit code {code} before it was ready")
        except BaseException:
            self.stop()
            raise
        return self.url

    def bound_log(self) -> None:
        """Begin the log anew once it is longer than `LOG_BYTES`; as much of its end replaces `<name>.1`.

        The server goes on writing into the same file, so what it writes in between may be lost.
        """
        if self._log is None or os.fstat(self._log.fileno()).st_size <= LOG_BYTES:
            return
        if self.log_path is not None:
            older = self.log_path.with_name(self.log_path.name + OLDER)
            try:
                with open(older, "wb", opener=_private) as file:
                    file.write(self._last(LOG_BYTES))
            except OSError:  # the disk is full: room is worth more than an old log
                older.unlink(missing_ok=True)
        self._log.truncate(0)
        self._log.seek(0)  # the server's place in the file, too, where it does not append

    def stop(self) -> None:
        """End the server, if need be by force, within about 1.5 s. May be called more than once."""
        process, self._process, self._port = self._process, None, None
        if process is not None:
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
            process.terminate()
            try:
                process.wait(_TERM_S)
            except subprocess.TimeoutExpired:
                process.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_KILL_S)
            assert process.stdout is not None
            process.stdout.close()
        log, self._log = self._log, None
        if log is not None:
            log.close()

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _announced(self, deadline: float) -> int:
        assert self._process is not None and self._process.stdout is not None
        pipe, line = self._process.stdout.fileno(), b""
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                raise TimeoutError
            chunk = os.read(pipe, 4096)
            if not chunk:
                break
            line += chunk
        return int(json.loads(line)["port"])

    def _fail(self, what: str) -> None:
        tail = self._tail()
        self.stop()
        where = f" (log: {self.log_path})" if self.log_path else ""
        raise ServerError(f"the server {self.module} {what}{where}" + (f"\n{tail}" if tail else "")) from None

    def _tail(self) -> str:
        lines = self._last(_TAIL_BYTES).decode(errors="replace").splitlines()
        return "\n".join("  " + line for line in lines[-_TAIL_LINES:])

    def _last(self, size: int) -> bytes:
        """So many bytes of the log, or all. The server has our place in the file: reading must not go by it."""
        if self._log is None:
            return b""
        log = self._log.fileno()
        return os.pread(log, size, max(0, os.fstat(log).st_size - size))


def _private(path: str, flags: int) -> int:
    """Opens a file that only this user can read: servers may log prompts."""
    return os.open(path, flags, 0o600)


def be_supervised() -> Callable[[int], None]:
    """Tie this process to its parent; returns the function that announces the port.

    Libraries that write to stdout cannot disturb the announcement: from here on stdout is stderr.
    """
    channel = os.dup(1)
    os.dup2(2, 1)
    parent = os.getppid()

    def end_if_orphaned(_signal: int = 0, _frame: FrameType | None = None) -> Any:
        # The death signal also comes when only the thread that started us has ended.
        if os.getppid() != parent:
            os._exit(0)

    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, end_if_orphaned)
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)

    def watch() -> None:
        while True:
            # Readable means closed: the parent writes nothing.
            if select.select([0], [], [], _POLL_S)[0] and not os.read(0, 1024):
                os._exit(0)
            end_if_orphaned()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()

    def announce(port: int) -> None:
        os.write(channel, json.dumps({"port": port}).encode() + b"\n")
        os.close(channel)

    return announce
