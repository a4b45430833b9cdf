"""Processes take turns with the machines, come up a few at a time, and are made again elsewhere. No Ray is up."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import ray
from housemates.orchestrator.cluster import machines, processes
from housemates.orchestrator.cluster.machines import in_turn
from housemates.orchestrator.cluster.processes import Process
from housemates.orchestrator.errors import RuntimeFailure
from hypothesis import given
from hypothesis import strategies as st
from ray.exceptions import ActorDiedError

counts = st.integers(1, 6)


class Actor:
    """Is there when it is told to be; `ready` is what it is asked."""

    def __init__(self) -> None:
        self.there: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ready = self

    def remote(self) -> asyncio.Future[None]:
        return self.there


class Making:
    """Makes actors, and notes where."""

    def __init__(self) -> None:
        self.made: list[Actor] = []
        self.at: list[str] = []

    def __call__(self, machine: str) -> Any:
        self.at.append(machine)
        self.made.append(Actor())
        return self.made[-1]


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> Iterator[Making]:
    monkeypatch.setattr(processes, "place", lambda machine="": machine)
    monkeypatch.setattr(ray, "kill", lambda actor: None)
    yield Making()


def process(making: Making, starts: asyncio.Semaphore | None = None, machine: str = "a") -> Process:
    made = Process(making, starts or asyncio.Semaphore(9), machine)
    made.enter()
    return made


async def turns() -> None:
    """Everybody gets to do what can be done."""
    for _ in range(9):
        await asyncio.sleep(0)


@given(conductors=counts, worlds=counts, agents=counts, up=counts)
def test_whatever_conductors_make_together_each_machine_gets_its_share(
    conductors: int, worlds: int, agents: int, up: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machines, "machines", lambda: {f"node{number}": "" for number in range(up)})
        dealt: dict[str, list[str]] = {"worlds": [], "agents": []}
        for number in range(conductors):
            own = range(5 + number, sys.maxsize, conductors)
            dealt["worlds"] += in_turn(worlds, own)
            dealt["agents"] += in_turn(agents, own[worlds:])
    for kind, each in (("worlds", worlds), ("agents", agents)):
        share = Counter(dealt[kind])
        assert share.total() == each * conductors
        assert max(share.values()) - min(share.get(f"node{number}", 0) for number in range(up)) <= 1


async def test_so_many_come_up_at_a_time(making: Making) -> None:
    starts = asyncio.Semaphore(2)
    coming = [asyncio.ensure_future(process(making, starts).up()) for _ in range(5)]
    await turns()
    assert len(making.made) == 2
    making.made[0].there.set_result(None)
    await turns()
    assert len(making.made) == 3
    for number in range(1, 5):
        making.made[number].there.set_result(None)
        await turns()
    assert await asyncio.gather(*coming) == making.made


async def test_those_who_share_a_process_wait_for_it_without_holding_up_others(making: Making) -> None:
    starts = asyncio.Semaphore(2)
    shared, own = process(making, starts), process(making, starts)
    waiting = [asyncio.ensure_future(shared.up()) for _ in range(4)]
    await turns()
    another = asyncio.ensure_future(own.up())
    await turns()
    assert len(making.made) == 2
    for actor in making.made:
        actor.there.set_result(None)
    assert set(await asyncio.gather(*waiting)) == {making.made[0]}
    assert await another is making.made[1]


async def test_one_that_dies_while_it_comes_up_is_made_again_where_ray_likes(making: Making) -> None:
    coming = asyncio.ensure_future(process(making, machine="the one that dies").up())
    await turns()
    making.made[0].there.set_exception(ActorDiedError())
    await turns()
    making.made[1].there.set_result(None)
    assert await coming is making.made[1]
    assert making.at == ["the one that dies", ""]


async def test_one_that_nobody_waits_for_any_more_is_not_made(making: Making) -> None:
    starts = asyncio.Semaphore(1)
    first, second = process(making, starts), process(making, starts)
    coming = [asyncio.ensure_future(one.up()) for one in (first, second)]
    await turns()
    second.leave()
    making.made[0].there.set_result(None)
    with pytest.raises(RuntimeFailure, match="nobody uses"):
        await coming[1]
    assert await coming[0] is making.made[0]
    assert len(making.made) == 1
