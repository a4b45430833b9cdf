"""Ray actors that come and go: made when they are needed, made again after they were lost; and messages to them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ..errors import RuntimeFailure, WorldLost
from .machines import cores, in_turn, place

RESENDS = 10
"""How often a message that does not get through is sent again before its process counts as lost. Ray itself takes two
seconds over each to make sure that the process is still there."""
RESTARTS = 2
"""How often a process that dies while it comes up is made again before the run does not start."""

STARTS_PER_CORE = 2
"""So many processes for each core of the cluster come up at the same time. 64 at once took a quarter longer on two."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Process:
    """An actor that one episode uses, or several: made when it is first needed, and again after it was lost.

    Args:
        make: makes the actor, with these options of Ray's.
        starts: held while the actor comes up, so that not all start at once.
        machine: where it is made the first time; made again it goes where Ray likes, since that one may have died.

    Attributes:
        current: the actor, if there is one.
    """

    def __init__(self, make: Callable[[dict[str, Any]], Any], starts: asyncio.Semaphore, machine: str = "") -> None:
        self._make = make
        self._starts = starts
        self._machine = machine
        self._coming_up = asyncio.Lock()
        self._users = 0
        self.current: Any = None

    async def up(self) -> Any:
        """The actor, when it is there; one that is killed while it comes up is made again.

        Raises:
            RayError: it does not come up.
            RuntimeFailure: nobody uses it any more.
        """
        from ray.exceptions import RayActorError, RayError

        async with self._coming_up:  # who shares it waits here, and holds no start
            restarts = RESTARTS
            while True:
                async with self._starts if self.current is None else contextlib.nullcontext():
                    if not self._users:
                        raise RuntimeFailure("nobody uses this process any more")
                    actor = self.current = self.current or self._made()
                    try:
                        await sent(actor.ready.remote)
                        return actor
                    except RayError as error:
                        self.lose(actor)
                        by_itself = not isinstance(error, RayActorError) or error.actor_init_failed
                        if by_itself or not restarts or not self._users:  # it would do so again, or need not
                            raise
                        restarts -= 1

    def _made(self) -> Any:
        machine, self._machine = self._machine, ""
        return self._make(place(machine))

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


def some_at_a_time(sharers: int = 1) -> asyncio.Semaphore:
    """What processes hold that come up together.

    Args:
        sharers: so many make processes at the same time, each with a share of the cluster.
    """
    return asyncio.Semaphore(max(1, STARTS_PER_CORE * cores() // sharers))


def agent_processes(
    number: int, starts: asyncio.Semaphore | None = None, turns: Sequence[int] | None = None
) -> list[Process]:
    """So many processes for agents; the machines of a cluster take turns with them.

    Args:
        number: how many.
        starts: as for `Process`; None: nobody else starts any.
        turns: of the machines, where others make some at the same time.
    """
    from ...actors.actor import AgentActor

    return _processes(AgentActor, number, starts, turns)


def world_processes(
    number: int, starts: asyncio.Semaphore | None = None, turns: Sequence[int] | None = None
) -> list[Process]:
    """So many processes for worlds, likewise."""
    from ...env.actor import WorldActor

    return _processes(WorldActor, number, starts, turns)


def _processes(actor: Any, number: int, starts: asyncio.Semaphore | None, turns: Sequence[int] | None) -> list[Process]:
    def make(options: dict[str, Any]) -> Any:
        return actor.options(**options).remote()

    starts = starts or some_at_a_time()
    return [Process(make, starts, machine) for machine in in_turn(number, turns)]


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
