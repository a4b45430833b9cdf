"""A server of ours that runs beside the test, and the public client for it."""

from __future__ import annotations

import asyncio
import collections
import collections.abc
import socket
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from housemates.env.virtualhome.actions import Simulation
from housemates.env.virtualhome.server import application


class Beside:
    """An application that serves from a thread on a port of its own."""

    def __init__(self, app: web.Application) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._app = app
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(self._app, shutdown_timeout=0.1)
        self._loop.run_until_complete(runner.setup())
        self._loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
        self.port = runner.addresses[0][1]
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


@pytest.fixture
def simulation() -> Simulation:
    return Simulation()


@pytest.fixture
def served(simulation: Simulation) -> Iterator[Beside]:
    server = Beside(application(simulation))
    yield server
    server.stop()


@pytest.fixture
def public_client(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class `UnityCommunication` of the package `virtualhome` 2.3.0, unmodified.

    Its own `__init__` cannot be imported (it edits `sys.path` by position), so the module is taken from the folder it
    lies in. It was written for Python 3.9 and NumPy 1: what those had and today's lack is lent to it.
    """
    import numpy

    package = find_spec("virtualhome")
    assert package is not None and package.submodule_search_locations, "pip install --no-deps virtualhome==2.3.0"
    monkeypatch.syspath_prepend(str(Path(package.submodule_search_locations[0]) / "simulation"))
    monkeypatch.setattr(collections, "Iterable", collections.abc.Iterable, raising=False)
    monkeypatch.setattr(numpy, "fromstring", numpy.frombuffer)
    client = import_module("unity_simulator.comm_unity").UnityCommunication
    yield client
    for name in [name for name in sys.modules if name.partition(".")[0] == "unity_simulator"]:
        del sys.modules[name]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
