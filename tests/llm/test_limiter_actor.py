"""The gate in a Ray actor: who dies gives back what it held, and the gate itself may die."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from housemates.actors.limiter.actor import RemoteGate
from housemates.actors.limiter.gate import Terms
from housemates.actors.limiter.limiter import HEARTBEAT_S, Caps, Outcome
from housemates.actors.limiter.permits import Permits
from housemates.orchestrator.cluster.own import local_ray

from ..chaos.table import Tell

TERMS = Terms(Caps(concurrency=5))
pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    import ray

    with local_ray():
        yield ray


async def test_t16_a_killed_holder_s_slots_are_free_within_two_heartbeats(cluster: Any, record_property: Tell) -> None:
    class Holder:
        async def hold(self, gate: RemoteGate, slots: int) -> int:
            self.permits = Permits(gate.exchange, "t16", TERMS)
            await asyncio.gather(*(self.permits.begin(f"agent{n}", 1, first=True) for n in range(slots)))
            return os.getpid()

    gate = RemoteGate()
    gate.start()
    holder = cluster.remote(num_cpus=0)(Holder).remote()
    pid = await holder.hold.remote(gate, 5)
    mine = Permits(gate.exchange, "t16", TERMS)
    waiting = asyncio.gather(*(mine.begin("me", 1, first=True) for _ in range(5)))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    await asyncio.wait_for(waiting, 30)
    took = time.monotonic() - killed
    record_property("figure", f"killed in Ray: {took:.1f} s")
    assert took < 2 * HEARTBEAT_S + 0.5
    await mine.close()


def gates() -> set[psutil.Process]:
    return {p for p in psutil.Process().children(recursive=True) if p.name().startswith("ray::Gate")}


async def test_a_gate_whose_process_is_killed_is_made_again_and_told_everything(cluster: Any) -> None:
    before = gates()  # that of an earlier test may not be gone yet
    gate = RemoteGate()
    gate.start()
    mine = Permits(gate.exchange, "account", TERMS)
    held = await asyncio.gather(*(mine.begin("me", 1, first=True) for _ in range(5)))
    waiting = asyncio.ensure_future(mine.begin("me", 1, first=True))
    (process,) = gates() - before
    process.kill()
    await asyncio.sleep(3.0)
    assert not waiting.done(), "the five that are held still count"
    mine.end(held[0], Outcome("ok", 1))
    await asyncio.wait_for(waiting, 60)
    await mine.close()
