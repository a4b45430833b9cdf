"""`SimulatorProcess`: a simulator executable as a child of ours, from start to end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from . import guardian
from .client import Deadlines, SimulatorClient, SimulatorError
from .ports import PortLease, lease_port

LOG_LIMIT_BYTES = 8 * 2**20
"""Of what the executable writes; one older file of this size is kept."""

MEMORY_LIMIT_BYTES = 16 * 2**30
"""A simulator that takes more than this is restarted between two steps."""

_ANNOUNCE_S = 20.0
_STOP_S = guardian.TERM_S + 3.0
_PAUSE_S = 0.1
_TAIL_LINES, _TAIL_BYTES = 15, 8192


class SimulatorProcess:
    """Owns one simulator executable: starts it, knows whether it lives, ends it with all its children.

    The executable runs under a guardian process, in a process group of its own; both end with this process, whatever
    ends it. A stopped one can be started again, and gets another port. Without a display (`DISPLAY`) it has no
    graphics.

    Args:
        path: the executable.
        log_path: where what it writes goes; Unity's own log goes beside it, to `<name>.unity`.
        ready_timeout_s: how long it may take until it answers.
        deadlines: of the calls that are made while it starts.
        memory_limit: in bytes, see `overgrown`.
        arguments: further ones for the executable.
    """

    def __init__(
        self,
        path: Path,
        log_path: Path,
        *,
        ready_timeout_s: float = 120.0,
        deadlines: Deadlines | None = None,
        memory_limit: int = MEMORY_LIMIT_BYTES,
        arguments: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.log_path = log_path
        self._ready_timeout_s = ready_timeout_s
        self._deadlines = deadlines
        self._memory_limit = memory_limit
        self._arguments = tuple(arguments)
        self._guardian: subprocess.Popen[bytes] | None = None
        self._lease: PortLease | None = None
        self._last_port: int | None = None
        self._pid: int | None = None

    def __repr__(self) -> str:
        return f"SimulatorProcess({str(self.path)!r}, pid={self._pid}, port={self._last_port})"

    @property
    def pid(self) -> int | None:
        """The executable's process id while it has been started."""
        return self._pid

    @property
    def alive(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._guardian is not None and self._guardian.poll() is None

    async def start(self) -> str:
        """Start it, wait until it answers, and return its URL.

        Raises:
            SimulatorError: it cannot be started, ended, or did not answer in time; the message shows its log's end.
        """
        await self.stop()
        self._lease = lease_port(self._last_port)
        self._last_port = port = self._lease.port
        began = time.monotonic()
        try:
            await asyncio.to_thread(self._spawn, port)
            await self._wait_until_ready(port, began + self._ready_timeout_s)
        except BaseException:
            await self.stop()
            raise
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """End it: told to, then by force, within a few seconds. May be called more than once."""
        await asyncio.shield(asyncio.to_thread(self._stop))

    def overgrown(self) -> bool:
        """Whether it takes more memory than `memory_limit`."""
        try:
            return self._pid is not None and psutil.Process(self._pid).memory_info().rss > self._memory_limit
        except psutil.Error:
            return False  # it is ending; the next call says so

    def tail(self) -> str:
        """Where its log is, and the end of it."""
        lines: list[str] = []
        for path in (self._unity_log, self.log_path):
            with contextlib.suppress(OSError), path.open("rb") as log:
                log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
                lines += log.read().decode(errors="replace").splitlines()[-_TAIL_LINES:]
        return f"log: {self.log_path}" + "".join(f"\n  {line}" for line in lines[-_TAIL_LINES:])

    # -- the process --------------------------------------------------------------------------

    @property
    def _unity_log(self) -> Path:
        return self.log_path.with_name(self.log_path.name + ".unity")

    def _command(self, port: int) -> list[str]:
        graphics = [] if os.environ.get("DISPLAY") else ["-nographics"]
        unity_log = ["-logFile", str(self._unity_log.absolute())]  # two arguments: as one, Unity overlooks them
        return [str(self.path.absolute()), "-batchmode", *graphics, f"-http-port={port}", *unity_log, *self._arguments]

    def _spawn(self, port: int) -> None:
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self._guardian = process = subprocess.Popen(
            [
                sys.executable,
                "-I",
                "-S",
                guardian.__file__,
                str(self.log_path),
                str(LOG_LIMIT_BYTES),
                *self._command(port),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            answer = json.loads(process.stdout.readline() or b'{"error": "its guardian died"}')
        finally:
            process.stdout.close()
        if "error" in answer:
            raise SimulatorError("unreachable", f"{self.path} cannot be started: {answer['error']}")
        self._pid = int(answer["pid"])

    async def _wait_until_ready(self, port: int, deadline: float) -> None:
        last: SimulatorError | None = None
        async with SimulatorClient(f"http://127.0.0.1:{port}", self._deadlines) as client:
            while time.monotonic() < deadline:
                if not self.alive:
                    code = self._guardian.wait() if self._guardian else None
                    raise SimulatorError("unreachable", f"{self.path} ended with exit code {code}\n{self.tail()}")
                try:
                    ready = await client.idle()
                except SimulatorError as error:
                    ready, last = False, error
                if ready:
                    self._insist_on_own(port)
                    return
                await asyncio.sleep(_PAUSE_S)
        why = f": {last}" if last is not None and last.kind != "unreachable" else ""
        limit = self._ready_timeout_s
        raise SimulatorError("timeout", f"{self.path} was not ready within {limit:g} s{why}\n{self.tail()}")

    def _insist_on_own(self, port: int) -> None:
        """Somebody answers. Is it ours, or one who took the port between our look and our start?"""
        try:
            listening = [
                connection.laddr.port
                for process in self._family()
                for connection in process.net_connections(kind="tcp")
                if connection.status == psutil.CONN_LISTEN
            ]
        except psutil.Error:
            return  # not allowed to look, or it has just ended, which the next call notices
        if port not in listening:
            raise SimulatorError("unreachable", f"port {port} is answered by another program than {self.path}")

    def _family(self) -> list[psutil.Process]:
        if self._pid is None:
            return []
        leader = psutil.Process(self._pid)
        return [leader, *leader.children(recursive=True)]

    def _stop(self) -> None:
        process, pid = self._guardian, self._pid
        self._guardian = self._pid = None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()  # tells the guardian
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()  # and with it, by its death signal, the executable
                process.wait()
            if pid is not None and process.returncode < 0:  # it could not tidy up
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()
