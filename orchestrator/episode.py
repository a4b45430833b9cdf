"""One episode: the driver that carries out what the barrier commands, and writes down what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from housemates import __version__

from ..actors.turn import Answer, Ask
from ..env.world import Observation, StepResult
from .barrier import Barrier
from .errors import RuntimeFailure, WorldLost
from .observer import Record
from .past import Past
from .protocol import Began, Commit, DeadlinePassed, End, Event, SetAside, StartClock, Stepped, StepWorld
from .runtime import CHUNK_STEPS, JointAction, Runtime
from .step_clock import StepClock

Done = TypeVar("Done")

GRACE_S = 0.25
"""The agents keep the deadline themselves, and say what they were doing; this much later the barrier closes without
them. A step with a stuck agent closes within half a second of its deadline."""

MAX_WORLD_LOSSES = 3
"""How often in a row a run makes its world again before it gives up."""


class Episode:
    """Runs a barrier over a runtime until it ends.

    Args:
        barrier: a new one.
        runtime: started; the caller closes it.
        seed: of the world.
        commit: takes each record (see `orchestrator.journal.log`) before the episode goes on.
        history: the joint actions of all committed steps, to make a world again that was lost.
        set_aside: takes what an agent's process died of.
        ready: awaited before each step; whoever lets it wait pauses the episode.
    """

    def __init__(
        self,
        barrier: Barrier,
        runtime: Runtime,
        seed: int,
        commit: Callable[[Record], None],
        history: Callable[[], Iterable[JointAction]] = tuple,
        set_aside: Callable[[SetAside], None] = lambda _: None,
        ready: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._barrier = barrier
        self._runtime = runtime
        self._seed = seed
        self._commit = commit
        self._history = history
        self._set_aside = set_aside
        self._ready = ready
        self._begun_step = -1
        # Bounded by what was asked: one event each.
        self._events: asyncio.Queue[Event | _Fault] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._clock = StepClock()

    async def run(self, head: Record) -> End:
        """Run to the end; `head` is the begin record, to which the first observations are added.

        Raises:
            WorldError, RuntimeFailure: the world cannot begin or continue.
        """
        observations = await self._with_world(lambda _: self._runtime.reset(self._seed))
        self._commit({**head, "observations": {agent: o.to_dict() for agent, o in observations.items()}})
        return await self._go_on(Began(observations))

    async def resume(self, past: Past) -> End:
        """Go on after the last committed step of an interrupted episode.

        Raises:
            WorldError, RuntimeFailure: the world cannot be brought to where it was, or cannot continue.
        """
        observations = await self._with_world(lambda _: self._rebuild_world())
        if {agent: o.text for agent, o in observations.items()} != past.texts:
            raise RuntimeFailure(
                f"after the same {past.step} steps the world is not as it was: the run was made with another version "
                "of it, and cannot go on with this one"
            )
        resumed: Record = {"kind": "resumed", "step": past.step, "version": __version__, "budget": past.new_budget}
        self._commit(resumed)
        began = Began(
            observations=observations,
            step=past.step,
            standings=past.standings,
            done=past.done,
            success=past.success,
            decided=past.decided,
        )
        return await self._go_on(began)

    async def _rebuild_world(self) -> dict[str, Observation]:
        """Bring a new world to where the committed steps lead; returns the present observations."""
        observations = await self._runtime.reset(self._seed)
        for chunk in batched(self._history(), CHUNK_STEPS):
            observations = await self._runtime.repeat(chunk)
        return observations

    async def _go_on(self, event: Event) -> End:
        self._clock.begin()
        try:
            while True:
                for command in self._barrier.handle(event):
                    if isinstance(command, End):
                        return command
                    if isinstance(command, Ask | StepWorld) and command.step > self._begun_step:
                        await self._begin_step(command.step)
                    self._carry_out(command)
                event = await self._next_event()
        except BaseException:  # broken off: what the agents did in this step is told, though it does not count
            commit = self._barrier.abandoned()
            if commit is not None:
                self._carry_out(commit)
            raise
        finally:
            await self._cancel()

    async def _begin_step(self, step: int) -> None:
        self._begun_step = step
        if self._ready is not None:
            await self._ready()
            self._clock.begin()

    @property
    def waiting_for(self) -> list[str]:
        """The agents that think right now."""
        return self._barrier.waiting_for()

    def _carry_out(self, command: Ask | StartClock | StepWorld | Commit | SetAside) -> None:
        if isinstance(command, Ask):
            if command.attempt > 1:
                command = replace(command, deadline_s=self._left_s())
            self._clock.asked(command)
            self._start(self._turn(command))
        elif isinstance(command, StepWorld):
            self._clock.closed()
            self._start(self._world_step(command))
        elif isinstance(command, StartClock):
            self._set_alarm(command.step)
        elif isinstance(command, SetAside):
            self._set_aside(command)
        else:
            self._clock.commit(command.record, self._commit)

    async def _turn(self, ask: Ask) -> None:
        answer: Answer = await self._runtime.turn(ask)
        self._clock.answered(answer)
        self._events.put_nowait(answer)

    async def _world_step(self, command: StepWorld) -> None:
        async def step(new: bool) -> StepResult:
            if new:  # whether the lost world took the step or not: this one has not
                await self._rebuild_world()
            return await self._runtime.step(command.actions)

        result = await self._with_world(step)
        self._clock.stepped()
        self._events.put_nowait(Stepped(command.step, result))

    async def _with_world(self, work: Callable[[bool], Awaitable[Done]]) -> Done:
        """Do something with the world, and again with a new one (`work` is told) if it is lost meanwhile.

        Raises:
            WorldLost: it was lost again and again.
        """
        losses = 0
        while True:
            try:
                if losses:
                    await self._runtime.renew_world()
                return await work(losses > 0)
            except WorldLost:
                losses += 1
                if losses > MAX_WORLD_LOSSES:
                    raise

    def _set_alarm(self, step: int) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        delay = self._barrier.deadline_s + GRACE_S
        self._alarm = loop.call_later(delay, self._events.put_nowait, DeadlinePassed(step))

    def _left_s(self) -> float:
        """What is left of the running step's time: whoever is asked again in it has no more than that."""
        assert self._alarm is not None, "asked again before the first time"
        return max(0.0, self._alarm.when() - asyncio.get_running_loop().time() - GRACE_S)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._events.put_nowait(_Fault(error))

    async def _next_event(self) -> Event:
        event = await self._events.get()
        if isinstance(event, _Fault):
            raise event.error
        return event

    async def _cancel(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def batched(items: Iterable[JointAction], size: int) -> Iterator[list[JointAction]]:
    """The items in lists of at most `size` (`itertools.batched` needs Python 3.12)."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


class _Fault:
    """A task of the driver failed: the episode cannot go on."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
