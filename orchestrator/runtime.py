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
from ..actors.turn import Answer, Ask
from ..env.host import WorldHost
from ..env.world import Observation, StepResult, World
from .barrier import MAX_ATTEMPTS
from .cluster import places
from .errors import RuntimeFailure, WorldLost
from .letterbox import Exchange, Letterbox, ProcessLost

RESENDS = 10
"""How often a message that does not get through is sent again before its process counts as lost. Ray itself takes two
seconds over each to make sure that the process is still there."""
WORLD = "world"
"""What the world is called among the actors."""
RESTARTS = 2
"""How often a process that dies while it comes up is made again before the run does not start."""
STUCK_S = 0.75
"""Seconds an agent that owes the answer of an earlier step has, once it is asked again, before it counts as stuck."""
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
            gate, terms = gate or Gate(), terms._replace(run=terms.run or uuid.uuid4().hex)
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
    """An actor: made when it is first needed, and again after it was lost.

    Attributes:
        current: the actor, if there is one.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.current: Any = None

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


class _AgentProcess(_Process):
    """An actor with one or more agents.

    Attributes:
        letters: how they are asked.
        alone: held by whoever is asked for the last time in a step, so that an agent that kills the process does
            not take its housemates with it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__(make)
        self.letters = Letterbox(self._reached)
        self.alone = asyncio.Lock()

    def end(self) -> None:
        super().end()
        self.letters.forget()

    def _reached(self) -> Exchange:
        actor = self.actor()

        async def exchange(letter: bytes) -> bytes:
            from ray.exceptions import RayError

            try:
                return await _sent(lambda: actor.turns.remote(letter))
            except RayError as error:
                self.lose(actor)
                raise ProcessLost(_in_short(error)) from None

        return exchange


class WorldProcess(_Process):
    """An actor with the worlds of one or more episodes; it ends when the last of them leaves."""

    def __init__(self) -> None:
        from ..env.actor import WorldActor

        place = places(first=1)
        super().__init__(lambda: WorldActor.options(**next(place)).remote())
        self._episodes = 0

    def enter(self) -> None:
        """An episode is going to keep its world here."""
        self._episodes += 1

    def leave(self) -> None:
        """An episode's world is closed, or never was."""
        self._episodes -= 1
        if not self._episodes:
            self.end()


class _World:
    """The world of one episode, in a process that others' worlds may share.

    It stays in the actor in which it was opened. When that is lost, calls raise WorldLost until it is opened anew.

    Attributes:
        home: that actor, if there is one.
    """

    def __init__(
        self,
        process: WorldProcess,
        factory: Callable[..., World],
        arguments: Mapping[str, Any],
        *,
        deadline_s: float,
    ) -> None:
        self.home: Any = None
        self._losses = 0  # since its last step
        self._process = process
        self._name = uuid.uuid4().hex
        self._made_of = (factory, arguments)
        self._deadline_s = deadline_s
        self._calls = 0
        process.enter()

    async def open(self) -> None:
        """Make the world, if it is not there."""
        if self.home is None:
            home = await _raised(_up(self._process))
            try:
                await _raised(_sent(lambda: home.open.remote(self._name, *self._made_of)))
            except WorldLost:
                self._process.lose(home)
                raise
            self.home = home

    async def once(self, method: str, *arguments: Any, steps: int = 1) -> Any:
        """Have the world do something once, however often the message has to be sent.

        Raises:
            WorldLost: its process is gone, or has not answered within the deadline of so many steps.
        """
        self._calls += 1
        call = (self._name, self._calls, method, *arguments)
        home = self.home
        clock = asyncio.timeout(self._deadline_s * steps)
        try:
            async with clock:
                return await _raised(_sent(lambda: home.once.remote(*call)))
        except TimeoutError:
            if not clock.expired():  # an error of the world's own
                raise
            raise WorldLost(f"the world has not answered for {self._deadline_s * steps:g} s") from None

    async def step(self, actions: JointAction) -> StepResult:
        """As `once`."""
        result = await self.once("step", dict(actions))
        self._losses = 0
        return result

    def lose(self) -> None:
        """Be rid of it; `open` makes another.

        Of worlds that are lost together one may be what kills or holds up their process each time: from the second
        loss in a step on they are made apart, so that it cannot take the others with it.
        """
        self._process.lose(self.home)
        self.home = None
        self._losses += 1
        if self._losses > 1:
            self._process.leave()
            self._process = WorldProcess()
            self._process.enter()

    async def close(self) -> None:
        """Close it within the time that there is for that."""
        home, self.home = self.home, None
        try:
            if home is not None:
                with contextlib.suppress(TimeoutError, RuntimeFailure):
                    async with asyncio.timeout(CLOSE_S):
                        await _raised(home.close.remote(self._name))
        finally:
            self._process.leave()


class RayRuntime:
    """Agents on Ray actors, `agents_per_actor` on each, and the world on an actor that others' worlds may share."""

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
        worlds: WorldProcess | None = None,
    ) -> None:
        from ..actors.actor import AgentActor
        from ..actors.limiter.actor import RemoteGate

        place = places(first=-(-len(specs) // agents_per_actor))
        arguments: dict[str, Any] = {"call_deadline_s": call_deadline_s}
        if terms is not None:
            self._gate = RemoteGate()
            self._gate.start()
            arguments |= {"gate": self._gate, "terms": terms._replace(run=terms.run or uuid.uuid4().hex)}

        def process_of(group: Sequence[AgentSpec]) -> _AgentProcess:
            return _AgentProcess(lambda: AgentActor.options(**next(place)).remote(group, endpoint, **arguments))

        self._world = _World(worlds or WorldProcess(), world, world_arguments, deadline_s=world_deadline_s)
        self._process_of: dict[str, _AgentProcess] = {}
        for start in range(0, len(specs), agents_per_actor):
            group = list(specs[start : start + agents_per_actor])
            self._process_of.update(dict.fromkeys((spec.name for spec in group), process_of(group)))

    @property
    def _processes(self) -> list[_AgentProcess]:
        return list(dict.fromkeys(self._process_of.values()))

    def actors(self) -> dict[str, Any]:
        """The Ray actor that holds each agent, and the world, as far as there is one right now."""
        actors = {WORLD: self._world.home, **{name: process.current for name, process in self._process_of.items()}}
        return {name: actor for name, actor in actors.items() if actor is not None}

    async def start(self) -> None:
        """Wait until every actor is there. A world that is lost meanwhile is made again by `reset`."""

        async def open_world() -> None:
            with contextlib.suppress(WorldLost):
                await self._world.open()

        await _raised(asyncio.gather(open_world(), *(_up(process) for process in self._processes)))

    async def reset(self, seed: int) -> dict[str, Observation]:
        await self._world.open()
        return await self._world.once("reset", seed)

    async def turn(self, ask: Ask) -> Answer:
        process = self._process_of[ask.agent]
        async with process.alone if ask.attempt == MAX_ATTEMPTS else contextlib.nullcontext():
            if not await process.letters.settled(ask.agent, STUCK_S):  # it should have said so itself
                process.end()
            return await process.letters.turn(ask)

    async def step(self, actions: JointAction) -> StepResult:
        return await self._world.step(actions)

    async def repeat(self, joint_actions: Sequence[JointAction]) -> dict[str, Observation]:
        return await self._world.once("repeat", list(joint_actions), steps=len(joint_actions))

    async def renew_world(self) -> None:
        self._world.lose()  # `reset` makes another

    async def close(self) -> None:
        actors = [process.current for process in self._processes if process.current is not None]
        closing = asyncio.ensure_future(self._world.close())
        try:
            with contextlib.suppress(TimeoutError, RuntimeFailure):
                async with asyncio.timeout(CLOSE_S):
                    await _raised(asyncio.gather(*(actor.close.remote() for actor in actors)))
        finally:
            for process in self._processes:
                process.end()
                await process.letters.close()
            await closing


async def _up(process: _Process) -> Any:
    """The actor of a process, when it is there; one that is killed while it comes up is made again."""
    from ray.exceptions import RayActorError

    for _ in range(RESTARTS):
        actor = process.actor()
        try:
            await _sent(actor.ready.remote)
            return actor
        except RayActorError as error:
            if error.actor_init_failed:  # by itself, which it would do again
                raise
            process.lose(actor)
    actor = process.actor()
    await _sent(actor.ready.remote)
    return actor


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
