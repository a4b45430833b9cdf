"""Faults that are put into the processes of agents: die, or hang, at a named point of a turn, so and so often."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal, NamedTuple

import ray
from housemates.actors.conversation import Conversation
from housemates.actors.host import AgentHost
from housemates.actors.hosts import AgentHosts
from housemates.actors.optimizer import PlanOptimizer
from housemates.actors.turn import Answer, Ask

Point = Literal["before", "call", "update", "after", "hang", "stall"]
"""Before the turn; while the model is asked to act; while the optimizer takes over a proposal; after the turn, before
the answer leaves; instead of a turn: hold the whole process up; and wait in place of the model's answer."""

HANG_S = 60.0


class Fault(NamedTuple):
    """At `point` of the turn of `agent` in `step` (None: in every step), `times` times."""

    agent: str
    point: Point
    step: int | None = None
    times: int = 1


class FaultyHost(AgentHost):
    """A host whose process dies as told. Files in `marks` count what happened, whatever process it happened in."""

    def __init__(self, *args: Any, faults: Sequence[Fault] = (), marks: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._faults = faults
        self._marks = Path(marks)

    async def turn(self, ask: Ask) -> Answer:
        _asked.set((self, ask))
        mark(self._marks, f"asked-{ask.agent}-{ask.step}")
        self.strike("before", ask)
        self.strike("hang", ask)
        answer = await super().turn(ask)
        self.strike("after", ask)
        return answer

    async def _take(self, seat: Any, ask: Ask, calls: Any) -> Answer:
        answer = await super()._take(seat, ask, calls)
        if answer.turn is not None:
            mark(self._marks, f"taken-{ask.agent}-{ask.step}")
        return answer

    def strike(self, point: Point, ask: Ask) -> None:
        """Let it happen, if it is to happen now."""
        if self.due(point, ask):
            if point == "hang":
                time.sleep(HANG_S)
            else:
                os.kill(os.getpid(), signal.SIGKILL)

    def due(self, point: Point, ask: Ask) -> bool:
        """Whether it is to happen now; if so it is counted."""
        for fault in self._faults:
            if (fault.agent, fault.point) == (ask.agent, point) and fault.step in (None, ask.step):
                name = f"struck-{fault.agent}-{point}-{fault.step}"
                if marks(self._marks, name) < fault.times:
                    mark(self._marks, name)
                    return True
        return False


_asked: ContextVar[tuple[FaultyHost, Ask]] = ContextVar("asked")


class FaultyHosts(AgentHosts):
    """Makes faulty hosts, in a process in which models and optimizers are faulty, too."""

    def __init__(self, faults: Sequence[Fault], marks: str) -> None:
        super().__init__()
        _wrap_calls()
        self._faults = {"faults": faults, "marks": marks}

    def _host(self, *arguments: Any) -> AgentHost:
        return FaultyHost(*arguments, **self._faults)


def _wrap_calls() -> None:
    ask_model, apply = Conversation.ask, PlanOptimizer.apply

    async def asked(self: Conversation, purpose: Any, *args: Any, **kwargs: Any) -> Any:
        host, ask = _asked.get()
        if purpose == "act" and host.due("stall", ask):
            await asyncio.sleep(HANG_S)
        if purpose == "act":
            asyncio.get_running_loop().call_later(0.02, host.strike, "call", ask)
        return await ask_model(self, purpose, *args, **kwargs)

    def applied(self: PlanOptimizer, *args: Any, **kwargs: Any) -> Any:
        host, ask = _asked.get()
        host.strike("update", ask)
        return apply(self, *args, **kwargs)

    Conversation.ask, PlanOptimizer.apply = asked, applied  # type: ignore[method-assign]


class FaultyActor:
    """Stands in for `housemates.actors.actor.AgentActor`."""

    def __init__(self, marks: Path, *faults: Fault) -> None:
        self._remote = ray.remote(max_restarts=0, max_task_retries=0, max_concurrency=10_000)(FaultyHosts)
        self._more = {"faults": list(faults), "marks": str(marks)}

    def options(self, **options: Any) -> Any:
        made, more = self._remote.options(**options), self._more

        class Made:
            def remote(self, *args: Any, **kwargs: Any) -> Any:
                return made.remote(*args, **kwargs, **more)

        return Made()


def mark(folder: Path, name: str) -> None:
    """Count one more of these; a process that is killed right afterwards has counted."""
    with (folder / name).open("ab") as file:
        file.write(b"x")


def marks(folder: Path, name: str) -> int:
    """How many of these there were."""
    path = folder / name
    return path.stat().st_size if path.exists() else 0
