"""The agents and the world of an episode where they live, in Ray actors that other episodes may use, too."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from ...actors.agent import AgentSpec
from ...actors.limiter.gate import Granting, Terms
from ...actors.model.chat import Endpoint
from ...env.world import StepResult, World
from ..errors import RuntimeFailure, WorldLost
from .letterbox import Exchange, Letterbox, ProcessLost
from .processes import Process, in_short, raised, sent

CLOSE_S = 0.5
"""Seconds the actors have to close what they hold before they are killed."""

JointAction = Mapping[str, str | None]


class _Resident(ABC):
    """What an episode keeps in a process, where others may keep something, too.

    It stays in the actor in which it was opened, and is opened anew when that is lost.

    Attributes:
        home: that actor, if there is one.
    """

    def __init__(self, process: Process) -> None:
        self.home: Any = None
        self._process = process
        self._name = uuid.uuid4().hex
        process.enter()

    @abstractmethod
    def _opened(self, home: Any) -> Awaitable[None]:
        """Have an actor make it, unless it is there."""

    async def open(self) -> Any:
        """Make it, if it is not there; returns the actor.

        Raises:
            RayError: the actor is gone, or cannot make it.
        """
        from ray.exceptions import RayActorError

        while self.home is None:
            process = self._process
            home = await process.up()
            try:
                await sent(lambda: self._opened(home))  # noqa: B023 - it is awaited here
            except RayActorError:
                process.lose(home)
                if not process.shared:
                    raise
                if process is self._process:  # what died may not have been for this one's sake
                    self.move_out()
                continue
            if process is self._process:
                self.home = home
        return self.home

    def lose(self) -> None:
        """Its actor is gone or does not answer: be rid of it."""
        if self.home is not None:
            self._process.lose(self.home)
            self.forget()

    def move_out(self) -> None:
        """Leave a process that others use for one of one's own.

        Of those that are lost together, one may be what kills or holds up their process each time.
        """
        if self._process.shared:
            self._process.leave()
            self._process = self._process.another()
            self._process.enter()
            self.forget()

    def forget(self) -> None:
        """It is to be opened anew."""
        self.home = None

    async def close(self) -> None:
        """Close it within the time that there is for that."""
        home, self.home = self.home or self._process.current, None
        try:
            if home is not None:
                with contextlib.suppress(TimeoutError, RuntimeFailure):
                    async with asyncio.timeout(CLOSE_S):
                        await raised(home.close.remote(self._name))
        finally:
            self._process.leave()


class RemoteAgents(_Resident):
    """Agents of one episode that share a process.

    Attributes:
        letters: how they are asked.
        alone: held by whoever is asked for the last time in a step, so that an agent that kills the process does
            not take its housemates with it.
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
        super().__init__(process)
        self.letters = Letterbox(self._reached)
        self.alone = asyncio.Lock()
        self._specs = specs
        self._endpoint = endpoint
        self._limits: dict[str, Any] = {"call_deadline_s": call_deadline_s, "gate": gate, "terms": terms}

    def _opened(self, home: Any) -> Awaitable[None]:
        return home.open.remote(self._name, self._specs, self._endpoint, **self._limits)

    async def open(self) -> Any:
        """As of any resident.

        Raises:
            RayError: the actor is gone.
            RuntimeFailure: the agents cannot be made.
        """
        from ray.exceptions import RayTaskError

        try:
            return await super().open()
        except RayTaskError as error:
            raise RuntimeFailure(f"agents cannot be made: {type(error.cause).__name__}: {error.cause}") from None

    def stuck(self) -> None:
        """The actor does not answer: be rid of it, and of the others in it, one of whom may hold it up.

        One that is still coming up is waited for.
        """
        if self.home is not None:
            self.lose()
            self.move_out()

    def forget(self) -> None:
        super().forget()
        self.letters.forget()

    async def close(self) -> None:
        try:
            await super().close()
        finally:
            await self.letters.close()

    def _reached(self) -> Exchange:
        home: Any = None

        async def exchange(letter: bytes) -> bytes:
            from ray.exceptions import RayActorError, RayError

            nonlocal home
            try:
                home = home or await self.open()
                return await sent(lambda: home.turns.remote(self._name, letter))
            except (RayError, RuntimeFailure) as error:
                if home is not None and home is self.home:
                    self.lose() if isinstance(error, RayActorError) else self.forget()
                raise ProcessLost(in_short(error)) from None

        return exchange


class RemoteWorld(_Resident):
    """The world of one episode. When its actor is lost, calls raise WorldLost until it is opened anew."""

    def __init__(
        self,
        process: Process,
        factory: Callable[..., World],
        arguments: Mapping[str, Any],
        *,
        deadline_s: float,
    ) -> None:
        super().__init__(process)
        self._losses = 0  # since its last step
        self._made_of = (factory, arguments)
        self._deadline_s = deadline_s
        self._calls = 0

    def _opened(self, home: Any) -> Awaitable[None]:
        return home.open.remote(self._name, *self._made_of)

    async def open(self) -> None:
        """Make the world, if it is not there.

        Raises:
            WorldLost: its process is gone.
            WorldError: it cannot be made.
        """
        await raised(super().open())

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
        """Be rid of it; `open` makes another, from the second loss in a step on in a process of its own."""
        super().lose()
        self._losses += 1
        if self._losses > 1:
            self.move_out()
