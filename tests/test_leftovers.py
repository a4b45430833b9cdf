"""T18: what a test leaves behind is noticed; `tests/conftest.py` looks after every module."""

from __future__ import annotations

import asyncio
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray  # noqa: F401 - what it keeps is told apart where it is

from . import leftovers
from .leftovers import Watch


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = leftovers.until
    monkeypatch.setattr(leftovers, "until", lambda true, within_s=0.0: waits(true, 0.2))


def test_nothing_is_nothing() -> None:
    assert Watch().left() == ""


def test_a_process_that_runs_on_is_named() -> None:
    watch = Watch()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        assert str(process.pid) in watch.left()
        process.kill()
    assert watch.left() == ""


linux = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed in /proc")


@linux
def test_a_file_that_stays_open_is_named(tmp_path: Path) -> None:
    watch = Watch()
    with (tmp_path / "x").open("w"):
        assert str(tmp_path / "x") in watch.left()
    assert watch.left() == ""


@linux
@pytest.mark.parametrize("make", [socket.socketpair, asyncio.new_event_loop], ids=["sockets", "event loop"])
def test_sockets_and_event_loops_that_stay_open_are_named(make: Callable[[], Any]) -> None:
    watch = Watch()
    made = make()
    assert "socket:" in watch.left()
    for one in made if isinstance(made, tuple) else (made,):
        one.close()
    assert watch.left() == ""


@linux
def test_what_rays_library_keeps_for_good_is_known_by_its_kind(tmp_path: Path) -> None:
    """Which a real session leaves: tests/cluster/test_access.py and every other module with Ray."""
    watch = Watch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        theirs, _ = server.accept()
        theirs.close()
        assert "socket:" in watch.left(), "closed by the other side alone"
        ours.shutdown(socket.SHUT_RDWR)
        assert watch.left() != "", "the server is still there"
    assert watch.left() == "", "a connection that has ended on both sides"
    ours.close()
    log = tmp_path / "session_1" / "logs" / "python-core-driver-0.log"
    log.parent.mkdir(parents=True)
    with select.epoll(), log.open("w"):
        assert str(log) in watch.left(), "not of a session that has ended"
        log.unlink()
        assert watch.left() == ""
