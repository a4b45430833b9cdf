"""After a test of this folder no actor may be left."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psutil
import pytest
from housemates.actors.model.chat import Endpoint
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator.cluster.own import local_ray

from ..leftovers import descendants, until

ACTORS = ("ray::AgentHost", "ray::FaultyHost", "ray::WorldHost")
"""How what an actor calls itself begins; while it serves a call, the method follows."""

LONG = os.environ.get("HOUSEMATES_CHAOS") == "long"
"""The long form of these tests: HOUSEMATES_CHAOS=long."""


def actors() -> list[str]:
    found: list[str] = []
    for process in descendants():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.name().startswith(ACTORS):
                found.append(process.name())
        except psutil.NoSuchProcess:
            continue
    return found


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
