"""The gate: who pauses a run, and from where, and that the run is the same for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from housemates.orchestrator.config import make_config
from housemates.orchestrator.observer import Observer, Record
from housemates.orchestrator.pause import Gate
from housemates.orchestrator.run import run
from housemates.orchestrator.summary import Tally


async def held(gate: Gate) -> None:
    while not gate.held:  # noqa: ASYNC110 - the gate tells nobody
        await asyncio.sleep(0.001)


async def test_an_open_gate_lets_every_step_pass() -> None:
    gate = Gate()
    for _ in range(3):
        await gate.passage()
    assert not gate.paused and not gate.held


async def test_a_paused_gate_holds_the_next_step_until_it_is_let_go() -> None:
    gate = Gate()
    gate.pause()
    passing = asyncio.create_task(gate.passage())
    await held(gate)
    assert gate.paused and not passing.done()
    gate.resume()
    await passing
    assert not gate.paused and not gate.held


async def test_one_step_passes_at_a_time() -> None:
    gate = Gate()
    gate.pause()
    for _ in range(2):
        passing = asyncio.create_task(gate.passage())
        await held(gate)
        gate.step()
        await passing
        assert gate.paused


async def test_a_step_asked_for_before_the_run_comes_to_the_gate_counts_once() -> None:
    gate = Gate()
    gate.pause()
    gate.step()
    gate.step()
    await gate.passage()
    passing = asyncio.create_task(gate.passage())
    await held(gate)
    passing.cancel()


async def test_who_waits_at_the_gate_can_be_interrupted() -> None:
    gate = Gate()
    gate.pause()
    passing = asyncio.create_task(gate.passage())
    await held(gate)
    passing.cancel()
    await asyncio.gather(passing, return_exceptions=True)
    assert passing.cancelled() and not gate.held


class Paused(Observer):
    """Pauses after the first step, and has another thread do something as soon as the run stands."""

    def __init__(self, then: Callable[[Gate], None]) -> None:
        self.gate = Gate()
        self.stood_at: list[int] = []
        self._steps = 0
        self._then = then

    async def ready(self) -> None:
        if self._steps == 1 and not self.stood_at:
            self.gate.pause()
            threading.Thread(target=self._wait).start()
        await self.gate.passage()

    def committed(self, record: Record, tally: Tally) -> None:
        self._steps = tally.steps

    def _wait(self) -> None:
        while not self.gate.held:
            pass
        self.stood_at.append(self._steps)
        self._then(self.gate)


def test_a_run_that_was_paused_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    config = make_config(llm="scripted", runtime="inline", steps=5)
    watched = Paused(Gate.resume)
    paused = run(config, tmp_path / "paused", watched)
    assert watched.stood_at == [1]
    assert paused.summary["digest"] == run(config, tmp_path / "plain").summary["digest"]


def test_a_run_that_stands_at_the_gate_is_ended_by_an_interrupt(tmp_path: Path) -> None:
    import _thread

    config = make_config(llm="scripted", runtime="inline", steps=5)
    result = run(config, tmp_path / "run", Paused(lambda _: _thread.interrupt_main()))
    assert result.interrupted and result.summary["steps"] == 1
