"""The agents and the world of an episode where they live, in Ray actors that other episodes may use, too."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..actors.agent import AgentSpec
from ..actors.limiter.gate import Granting, Terms
from ..actors.model.chat import Endpoint
from ..env.world import StepResult, World
from .errors import RuntimeFailure, WorldLost
from .letterbox import Exchange, Letterbox, ProcessLost
from .processes import Process, agent_processes, in_short, raised, sent, world_process

CLOSE_S = 0.5
"""Seconds the actors have to close what they hold before they are killed."""

JointAction = Mapping[str, str | None]


class RemoteAgents:
    """Agents of one episode that share a process; those of other episodes may be there, too.

    They stay in the actor in which they were opened, and are opened anew when that is lost.

    Attributes:
        letters: how they are asked.
        alone: held by whoever is asked for the last time in a step, so that an agent that kills the process does
            not take its housemates with it.
        home: the actor that holds them, if there is one.
    """

    def __init__(
        self,
        process: Process,
        specs: Sequence[AgentSpec],
        endpoint: Endpoint,
        *,
        call_deadline_s: float,
        gate: Granting | None,
        terms: Terms | None,
    ) -> None:
        self.home: Any = None
        self.letters = Letterbox(self._reached)
        self.alone = asyncio.Lock()
        self._process = process
        self._name = uuid.uuid4().hex
        self._specs = specs
        self._endpoint = endpoint
        self._limits: dict[str, Any] = {"call_deadline_s": call_deadline_s, "gate": gate, "terms": terms}
        process.enter()

    async def open(self) -> Any:
        """Bring the agents up, if they are not there; returns their actor.

        Raises:
            RayError: the actor is gone.
            RuntimeFailure: the agents cannot be made.
        """
        from ray.exceptions import RayActorError, RayTaskError

        if self.home is None:
            home = await self._process.up()
            try:
                await sent(lambda: home.open.remote(self._name, self._specs, self._endpoint, **self._limits))
            except RayTaskError as error:
                raise RuntimeFailure(f"agents cannot be made: {in_short(error)}") from None
            except RayActorError:
                self._process.lose(home)
                raise
            self.home = home
        return self.home

    def stuck(self) -> None:
        """The actor does not answer: be rid of it, and of the others in it, one of whom may hold it up.

        One that is still coming up is waited for.
        """
        if self.home is not None:
            self._lose(self.home)
            self.move_out()

    def move_out(self) -> None:
        """Leave a process that others use for one of one's own.

        Of those that are lost together, one may be what kills or holds up their process each time.
        """
        if self._process.shared:
            self._process.leave()
            (self._process,) = agent_processes(1)
            self._process.enter()
            self._forget()

    async def close(self) -> None:
        """Close the agents within the time that there is for that."""
        home, self.home = self.home, None
        try:
            if home is not None:
                await _closed(home, self._name)
        finally:
            self._process.leave()
            await self.letters.close()

    def _lose(self, home: Any) -> None:
        self._process.lose(home)
        if home is self.home:
            self._forget()

    def _forget(self) -> None:
        self.home = None
        self.letters.forget()

    def _reached(self) -> Exchange:
        home: Any = None

        async def exchange(letter: bytes) -> bytes:
            from ray.exceptions import RayError

            nonlocal home
            try:
                home = home or await self.open()
                return await sent(lambda: home.turns.remote(self._name, letter))
            except (RayError, RuntimeFailure) as error:
                self._lose(home)
                raise ProcessLost(in_short(error)) from None

        return exchange


class RemoteWorld:
    """The world of one episode, in a process that others' worlds may share.

    It stays in the actor in which it was opened. When that is lost, calls raise WorldLost until it is opened anew.

    Attributes:
        home: that actor, if there is one.
    """

    def __init__(
        self,
        process: Process,
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
            home = await raised(self._process.up())
            try:
                await raised(sent(lambda: home.open.remote(self._name, *self._made_of)))
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
                return await raised(sent(lambda: home.once.remote(*call)))
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
            self._process = world_process()
            self._process.enter()

    async def close(self) -> None:
        """Close it within the time that there is for that."""
        home, self.home = self.home, None
        try:
            if home is not None:
                await _closed(home, self._name)
        finally:
            self._process.leave()


async def _closed(home: Any, name: str) -> None:
    with contextlib.suppress(TimeoutError, RuntimeFailure):
        async with asyncio.timeout(CLOSE_S):
            await raised(home.close.remote(name))
