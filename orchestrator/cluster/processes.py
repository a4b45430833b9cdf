"""Ray actors that come and go: made when they are needed, made again after they were lost; and messages to them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from ..errors import RuntimeFailure, WorldLost
from .machines import cores, places

RESENDS = 10
"""How often a message that does not get through is sent again before its process counts as lost. Ray itself takes two
seconds over each to make sure that the process is still there."""
RESTARTS = 2
"""How often a process that dies while it comes up is made again before the run does not start."""

STARTS_PER_CORE = 2
"""So many processes for each core of the cluster come up at the same time. 64 at once took a fifth longer on two."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Process:
    """An actor that one episode uses, or several: made when it is first needed, and again after it was lost.

    Args:
        make: makes the actor.
        starts: held while the actor comes up, so that not all start at once.

    Attributes:
        current: the actor, if there is one.
    """

    def __init__(self, make: Callable[[], Any], starts: asyncio.Semaphore) -> None:
        self._make = make
        self._starts = starts
        self._users = 0
        self.current: Any = None

    async def up(self) -> Any:
        """The actor, when it is there; one that is killed while it comes up is made again.

        Raises:
            RayError: it does not come up, or nobody uses it any more.
        """
        from ray.exceptions import RayActorError, RayError

        restarts = RESTARTS
        while True:
            async with self._starts if self.current is None else contextlib.nullcontext():
                actor = self.current = self.current or self._make()
                try:
                    await sent(actor.ready.remote)
                    return actor
                except RayError as error:
                    self.lose(actor)
                    by_itself = not isinstance(error, RayActorError) or error.actor_init_failed  # it would do so again
                    if by_itself or not restarts or not self._users:
                        raise
                    restarts -= 1

    def lose(self, actor: Any) -> None:
        """Be rid of an actor that is gone, out of reach or stuck, unless that has been done already."""
        if actor is self.current:
            self.end()

    def end(self) -> None:
        """End the actor, if there is one."""
        import ray

        if self.current is not None:
            ray.kill(self.current)
        self.current = None

    def another(self) -> Process:
        """A process of the same kind, for who leaves this one."""
        return Process(self._make, self._starts)

    @property
    def shared(self) -> bool:
        """Whether more than one uses it."""
        return self._users > 1

    def enter(self) -> None:
        """Somebody is going to keep something here."""
        self._users += 1

    def leave(self) -> None:
        """Somebody's things are gone, or never came. The last one ends the actor."""
        self._users -= 1
        if not self._users:
            self.end()


def some_at_a_time() -> asyncio.Semaphore:
    """What processes hold that come up together."""
    return asyncio.Semaphore(STARTS_PER_CORE * cores())


def agent_processes(
    number: int, turns: Iterator[int] | None = None, starts: asyncio.Semaphore | None = None
) -> list[Process]:
    """So many processes for agents; the machines of a cluster take turns with them.

    Args:
        number: how many.
        turns: of the machines, where others make some at the same time.
        starts: as for `Process`, likewise.
    """
    from ...actors.actor import AgentActor

    place = places(number, turns)
    starts = starts or some_at_a_time()
    return [Process(lambda: AgentActor.options(**next(place)).remote(), starts) for _ in range(number)]


def world_processes(
    number: int, turns: Iterator[int] | None = None, starts: asyncio.Semaphore | None = None
) -> list[Process]:
    """So many processes for worlds, likewise."""
    from ...env.actor import WorldActor

    place = places(number, turns)
    starts = starts or some_at_a_time()
    return [Process(lambda: WorldActor.options(**next(place)).remote(), starts) for _ in range(number)]


async def sent(call: Callable[[], Awaitable[Any]]) -> Any:
    """The answer to a message, which is sent again if it or the answer got lost on the way.

    Whether it arrived the first time cannot be known: the hosts serve it once.
    """
    from ray.exceptions import ActorUnavailableError

    for _ in range(RESENDS):
        with contextlib.suppress(ActorUnavailableError):
            return await call()
    return await call()


async def raised(work: Awaitable[Any]) -> Any:
    """What Ray raises as what it means here."""
    from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError, RayTaskError

    try:
        return await work
    except RayTaskError as error:
        raise error.cause from None
    except (ActorDiedError, ActorUnavailableError) as error:
        raise WorldLost(in_short(error)) from None
    except RayError as error:
        raise RuntimeFailure(in_short(error)) from None


def in_short(error: Exception) -> str:
    """Ray's errors are long: the first line says what, the last one why."""
    lines = [line for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0] if len(lines) == 1 else f"{lines[0].strip()} … {lines[-1].strip()}"
