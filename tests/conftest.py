"""`pytest --hypothesis-profile=thorough` tries sixteen times as many examples.

After each module of tests no process may be left that it has started, and no open file: T18.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from .chaos.table import Tell
from .leftovers import Watch

SOCKETS = 8
"""Sockets that a module may leave outside of the catalogue of chaos: of the event loop of a server that a test has in a
thread, or that pytest-asyncio has made for what comes next."""

settings.register_profile("thorough", max_examples=1600, deadline=None)


@pytest.fixture(scope="session")
def loads(record_testsuite_property: Tell) -> Iterator[list[float]]:
    """The machine's load after each module, which the table of `make chaos` tells."""
    loads: list[float] = []
    yield loads
    if loads:
        record_testsuite_property("load", f"{min(loads):.0f} to {max(loads):.0f}")


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left(request: pytest.FixtureRequest, loads: list[float]) -> Iterator[None]:
    watch = Watch(0 if "chaos" in request.path.parts else SOCKETS)
    yield
    loads.append(os.getloadavg()[0])
    assert not (left := watch.left()), left
