"""Where the agents and the world of an episode live: in this process, or in Ray actors."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..actors.agent import AgentSpec
from ..actors.host import AgentHost
from ..actors.limiter.gate import Gate, Terms
from ..actors.model.chat import Endpoint
from ..actors.model.chats import Chats
from ..actors.turn import Answer, Ask, Failure
from ..env.host import WorldHost
from ..env.world import Observation, StepResult, World
from .barrier import MAX_ATTEMPTS
from .cluster.processes import Process, agent_processes, raised, world_processes
from .cluster.remote import JointAction, RemoteAgents, RemoteWorld
from .errors import RuntimeFailure, WorldLost

WORLD = "world"
"""What the world is called among the actors."""
STUCK_S = 0.75
"""Seconds an agent that owes the answer of an earlier step has, once it is asked again, before it counts as stuck."""
CHUNK_STEPS = 200
"""So many joint actions travel in one message when a world is rebuilt."""


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
        chats = Chats(deadline_s=call_deadline_s, gate=gate if terms else None, terms=terms)
        self._host = AgentHost(specs, endpoint, chats)
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


class RayRuntime:
    """Agents on Ray actors, `agents_per_actor` on each, and the world on another.

    `agents`, `worlds`: processes that other episodes use, too: for all agents of this one, and for its world. `starts`:
    what its own processes hold while they come up, if others start some, too.
    """

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
        agents: Process | None = None,
        worlds: Process | None = None,
        starts: asyncio.Semaphore | None = None,
    ) -> None:
        from ..actors.limiter.actor import RemoteGate

        limits: dict[str, Any] = {"call_deadline_s": call_deadline_s, "gate": None, "terms": None}
        if terms is not None:
            self._gate = RemoteGate()
            self._gate.start()
            limits |= {"gate": self._gate, "terms": terms._replace(run=terms.run or uuid.uuid4().hex)}
        size = len(specs) if agents else agents_per_actor
        groups = [list(specs[start : start + size]) for start in range(0, len(specs), size)]
        processes = [agents] if agents else agent_processes(len(groups), starts)
        self._groups = [
            RemoteAgents(process, group, endpoint, **limits) for process, group in zip(processes, groups, strict=True)
        ]
        self._group_of = {
            spec.name: remote for remote, group in zip(self._groups, groups, strict=True) for spec in group
        }
        process = worlds or world_processes(1, starts)[0]
        self._world = RemoteWorld(process, world, world_arguments, deadline_s=world_deadline_s)

    def actors(self) -> dict[str, Any]:
        """The Ray actor that holds each agent, and the world, as far as there is one right now."""
        actors = {WORLD: self._world.home, **{name: group.home for name, group in self._group_of.items()}}
        return {name: actor for name, actor in actors.items() if actor is not None}

    async def start(self) -> None:
        """Wait until every actor is there. A world that is lost meanwhile is made again by `reset`."""

        async def open_world() -> None:
            with contextlib.suppress(WorldLost):
                await self._world.open()

        opening = [
            asyncio.ensure_future(open_world()),
            *(asyncio.ensure_future(group.open()) for group in self._groups),
        ]
        try:
            await raised(asyncio.gather(*opening))
        finally:
            for task in opening:
                task.cancel()
            await asyncio.gather(*opening, return_exceptions=True)

    async def reset(self, seed: int) -> dict[str, Observation]:
        await self._world.open()
        return await self._world.once("reset", seed)

    async def turn(self, ask: Ask) -> Answer:
        group = self._group_of[ask.agent]
        last = ask.attempt == MAX_ATTEMPTS
        clock = asyncio.get_running_loop().time
        until = clock() + ask.deadline_s
        async with group.alone if last else contextlib.nullcontext():
            if last and clock() > until:  # its turn in the line came when the step was over
                failure = Failure(kind="late", message=f"{ask.agent} was not asked within {ask.deadline_s:g} s")
                return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=failure)
            if not await group.letters.settled(ask.agent, STUCK_S):  # it should have said so itself
                group.stuck()
            elif last:
                group.move_out()
            return await group.letters.turn(replace(ask, deadline_s=max(0.0, until - clock())))

    async def step(self, actions: JointAction) -> StepResult:
        return await self._world.step(actions)

    async def repeat(self, joint_actions: Sequence[JointAction]) -> dict[str, Observation]:
        return await self._world.once("repeat", list(joint_actions), steps=len(joint_actions))

    async def renew_world(self) -> None:
        self._world.lose()  # `reset` makes another

    async def close(self) -> None:
        await asyncio.gather(self._world.close(), *(group.close() for group in self._groups))
