"""After a test of this folder no actor may be left; after a module, no process and no open file."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from housemates.actors.model.chat import Endpoint
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator.cluster import local_ray

ACTORS = ("ray::AgentHost", "ray::FaultyHost", "ray::WorldHost")
LONG = os.environ.get("HOUSEMATES_CHAOS") == "long"
"""The long form of these tests: HOUSEMATES_CHAOS=long."""


def until(true: Callable[[], object], within_s: float = 15.0) -> bool:
    """Wait for something to come true; whether it did."""
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def descendants() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def actors() -> list[str]:
    found: list[str] = []
    for process in descendants():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.name() in ACTORS:
                found.append(process.name())
        except psutil.NoSuchProcess:
            continue
    return found


def open_files() -> set[str]:
    """What our descriptors lead to; numbers of pipes and sockets differ, so they only count."""
    gc.collect()
    found: set[str] = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except FileNotFoundError:  # the one that lists them
            continue
    return found


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left() -> Iterator[None]:
    before, files = descendants(), open_files()
    yield
    assert until(lambda: not descendants() - before), f"left: {descendants() - before}"
    left = open_files() - files
    assert not left, f"still open: {left}"


@pytest.fixture(autouse=True)
def no_actor_is_left() -> Iterator[None]:
    yield
    assert until(lambda: not actors()), f"left: {actors()}"


@pytest.fixture(scope="module")
def endpoint(nothing_is_left: None) -> Iterator[Endpoint]:
    with scripted_server(latency_s=0.05) as server:
        yield Endpoint(base_url=server.url, model="scripted")


@pytest.fixture(scope="module")
def ray_here(nothing_is_left: None) -> Iterator[None]:
    with local_ray():
        yield
