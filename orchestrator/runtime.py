"""Where the agents and the world of an episode live: in this process, or in Ray actors."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from ..actors.agent import AgentSpec
from ..actors.host import AgentHost
from ..actors.limiter.gate import Gate, Terms
from ..actors.model.chat import Endpoint
from ..actors.turn import Answer, Ask, Failure
from ..env.host import WorldHost
from ..env.world import Observation, StepResult, World
from .barrier import MAX_ATTEMPTS
from .errors import RuntimeFailure, WorldLost

RESENDS = 10
"""How often a message that does not get through is sent again before its process counts as lost. Ray itself takes two
seconds over each to make sure that the process is still there."""
RESTARTS = 2
"""How often a process that dies while it comes up is made again before the run does not start."""
CLOSE_S = 0.5
"""Seconds the actors have to close what they hold before they are killed."""


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


CHUNK_STEPS = 200
"""So many joint actions travel in one message when a world is rebuilt."""

JointAction = Mapping[str, str | None]


class Runtime(Protocol):
    """What the driver of an episode needs. `turn` answers whatever happens; the world's calls raise.

    The world's calls raise WorldLost when its process is gone or stuck; `renew_world` then makes another, and
    `repeat`, after `reset`, brings it to where the lost one was.
    """

    async def start(self) -> None: ...
    async def reset(self, seed: int) -> dict[str, Observation]: ...
    async def turn(self, ask: Ask) -> Answer: ...
    async def step(self, actions: JointAction) -> StepResult: ...
    async def repeat(self, joint_actions: Sequence[JointAction]) -> dict[str, Observation]: ...
    async def renew_world(self) -> None: ...
    async def close(self) -> None: ...


class InlineRuntime:
    """Everything in this process and event loop: nothing to start, breakpoints work, same results.

    Nothing here can interrupt a world that hangs: its step has no deadline.

    `terms`: what limits the calls of models; without them nothing does. `gate`: where others' are granted, too.
    """

    def __init__(
        self,
        specs: Sequence[AgentSpec],
        endpoint: Endpoint,
        world: Callable[..., World],
        world_arguments: Mapping[str, Any],
        *,
        call_deadline_s: float,
        terms: Terms | None = None,
        gate: Gate | None = None,
    ) -> None:
        if terms is not None:
            gate, terms = gate or Gate(), terms._replace(run=uuid.uuid4().hex)
        arguments: dict[str, Any] = {"gate": gate, "terms": terms} if terms else {}
        self._host = AgentHost(specs, endpoint, call_deadline_s=call_deadline_s, **arguments)
        self._world = WorldHost(world, world_arguments)

    async def start(self) -> None:
        pass

    async def reset(self, seed: int) -> dict[str, Observation]:
        return self._world.reset(seed)

    async def turn(self, ask: Ask) -> Answer:
        return await self._host.turn(ask)

    async def step(self, actions: JointAction) -> StepResult:
        return self._world.step(actions)

    async def repeat(self, joint_actions: Sequence[JointAction]) -> dict[str, Observation]:
        return self._world.repeat(joint_actions)

    async def renew_world(self) -> None:
        raise RuntimeFailure("the world lives in this process; it cannot be lost alone")

    async def close(self) -> None:
        await self._host.close()
        self._world.close()


class _Process:
    """An actor with one or more agents: made when it is first needed, and again after it was lost.

    Attributes:
        current: the actor, if there is one.
        asked: the agents whose answers are awaited.
        alone: held by whoever is asked for the last time in a step, so that an agent that kills the process does
            not take its housemates with it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.current: Any = None
        self.asked: set[str] = set()
        self.alone = asyncio.Lock()

    def actor(self) -> Any:
        if self.current is None:
            self.current = self._make()
        return self.current

    def lose(self, actor: Any) -> None:
        """Be rid of an actor that is gone, out of reach or stuck, unless that has been done already."""
        if actor is self.current:
            self.end()

    def end(self) -> None:
        import ray

        if self.current is not None:
            ray.kill(self.current)
        self.current = None
        self.asked.clear()


class RayRuntime:
    """Agents on Ray actors, `agents_per_actor` on each, and the world on an actor of its own."""

    def __init__(
        self,
        specs: Sequence[AgentSpec],
        endpoint: Endpoint,
        world: Callable[..., World],
        world_arguments: Mapping[str, Any],
        *,
        call_deadline_s: float,
        agents_per_actor: int,
        world_deadline_s: float = 900.0,
        terms: Terms | None = None,
    ) -> None:
        from ..actors.actor import AgentActor
        from ..actors.limiter.actor import RemoteGate
        from ..env.actor import WorldActor

        # The actors wait for models most of the time: cores are no measure of how many fit on a node.
        where = {"num_cpus": 0, "scheduling_strategy": "SPREAD"}
        arguments: dict[str, Any] = {"call_deadline_s": call_deadline_s}
        if terms is not None:
            self._gate = RemoteGate()
            self._gate.start()
            arguments |= {"gate": self._gate, "terms": terms._replace(run=uuid.uuid4().hex)}

        def process_of(group: Sequence[AgentSpec]) -> _Process:
            return _Process(lambda: AgentActor.options(**where).remote(group, endpoint, **arguments))

        self._world = _Process(lambda: WorldActor.options(**where).remote(world, world_arguments))
        self._world_calls = 0
        self._world_deadline_s = world_deadline_s
        self._process_of: dict[str, _Process] = {}
        for start in range(0, len(specs), agents_per_actor):
            group = list(specs[start : start + agents_per_actor])
            self._process_of.update(dict.fromkeys((spec.name for spec in group), process_of(group)))

    @property
    def _processes(self) -> list[_Process]:
        return [self._world, *dict.fromkeys(self._process_of.values())]

    async def start(self) -> None:
        """Wait until every actor is there."""
        await _raised(asyncio.gather(*(_up(process) for process in self._processes)))

    async def reset(self, seed: int) -> dict[str, Observation]:
        return await self._of_world("reset", seed)

    async def turn(self, ask: Ask) -> Answer:
        process = self._process_of[ask.agent]
        async with process.alone if ask.attempt == MAX_ATTEMPTS else contextlib.nullcontext():
            return await self._ask(process, ask)

    async def _ask(self, process: _Process, ask: Ask) -> Answer:
        from ray.exceptions import RayError

        if ask.agent in process.asked:  # its time was over long ago, which it should have said by itself
            process.end()
        actor = process.actor()
        process.asked.add(ask.agent)
        try:
            answer: Answer = await _sent(lambda: actor.turn.remote(ask))
        except RayError as error:
            process.lose(actor)
            failure = Failure(kind="lost", message=f"the process of {ask.agent} is gone: {_in_short(error)}")
            return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=failure)
        process.asked.discard(ask.agent)
        return answer

    async def step(self, actions: JointAction) -> StepResult:
        return await self._of_world("step", dict(actions))

    async def repeat(self, joint_actions: Sequence[JointAction]) -> dict[str, Observation]:
        return await self._of_world("repeat", list(joint_actions), steps=len(joint_actions))

    async def renew_world(self) -> None:
        self._world.end()
        await _raised(_up(self._world))

    async def close(self) -> None:
        actors = [process.current for process in self._processes if process.current is not None]
        with contextlib.suppress(TimeoutError, RuntimeFailure):
            async with asyncio.timeout(CLOSE_S):
                await _raised(asyncio.gather(*(actor.close.remote() for actor in actors)))
        for process in self._processes:
            process.end()

    async def _of_world(self, method: str, *arguments: Any, steps: int = 1) -> Any:
        """Have the world do something once, however often the message has to be sent.

        Raises:
            WorldLost: its process is gone, or has not answered within the deadline of so many steps.
        """
        self._world_calls += 1
        call = (self._world_calls, method, *arguments)
        actor = self._world.actor()
        clock = asyncio.timeout(self._world_deadline_s * steps)
        try:
            async with clock:
                return await _raised(_sent(lambda: actor.once.remote(*call)))
        except TimeoutError:
            if not clock.expired():  # an error of the world's own
                raise
            raise WorldLost(f"the world has not answered for {self._world_deadline_s * steps:g} s") from None


async def _up(process: _Process) -> None:
    """Wait until a process is there; one that is killed while it comes up is made again."""
    from ray.exceptions import RayActorError

    for _ in range(RESTARTS):
        actor = process.actor()
        try:
            await _sent(actor.ready.remote)
            return
        except RayActorError as error:
            if error.actor_init_failed:  # by itself, which it would do again
                raise
            process.lose(actor)
    await _sent(process.actor().ready.remote)


async def _sent(call: Callable[[], Awaitable[Any]]) -> Any:
    """The answer to a message, which is sent again if it or the answer got lost on the way.

    Whether it arrived the first time cannot be known: the hosts serve it once.
    """
    from ray.exceptions import ActorUnavailableError

    for _ in range(RESENDS):
        with contextlib.suppress(ActorUnavailableError):
            return await call()
    return await call()


async def _raised(work: Awaitable[Any]) -> Any:
    """What Ray raises as what it means here."""
    from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError, RayTaskError

    try:
        return await work
    except RayTaskError as error:
        raise error.cause from None
    except (ActorDiedError, ActorUnavailableError) as error:
        raise WorldLost(_in_short(error)) from None
    except RayError as error:
        raise RuntimeFailure(_in_short(error)) from None


def _in_short(error: Exception) -> str:
    """Ray's errors are long: the first line says what, the last one why."""
    lines = [line for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0] if len(lines) == 1 else f"{lines[0].strip()} … {lines[-1].strip()}"
