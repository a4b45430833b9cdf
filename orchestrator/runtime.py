"""Where the agents and the world of an episode live: in this process, or in Ray actors."""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from ..actors.agent import AgentSpec
from ..actors.chat import Endpoint
from ..actors.gate import Gate, Terms
from ..actors.host import AgentHost
from ..actors.turn import Answer, Ask, Failure
from ..env.host import WorldHost
from ..env.world import Observation, StepResult, World
from .errors import RuntimeFailure, WorldLost

RESTART_S = 60.0
"""Seconds a lost actor has to come back before the agents on it are given up for the step."""
RESTART_POLL_S = 0.1
CLOSE_S = 0.5
"""Seconds the actors have to close what they hold before they are killed."""


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


CHUNK_STEPS = 200
"""So many joint actions travel in one message when a world is rebuilt."""

JointAction = Mapping[str, str | None]


class Runtime(Protocol):
    """What the driver of an episode needs. `turn` answers whatever happens; the world's calls raise.

    `step` raises WorldLost when the world's process is gone; `renew_world` then makes another, and
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
        terms: Terms | None = None,
    ) -> None:
        from ..actors.actor import AgentActor
        from ..actors.limiter_actor import RemoteGate
        from ..env.actor import WorldActor

        # The actors wait for models most of the time: cores are no measure of how many fit on a node.
        self._make_world: Callable[[], Any] = lambda: WorldActor.options(num_cpus=0).remote(world, world_arguments)
        self._world = self._make_world()
        arguments: dict[str, Any] = {"call_deadline_s": call_deadline_s}
        if terms is not None:
            self._gate = RemoteGate()
            self._gate.start()
            arguments |= {"gate": self._gate, "terms": terms._replace(run=uuid.uuid4().hex)}
        self._hosts: list[Any] = []
        self._host_of: dict[str, Any] = {}
        for start in range(0, len(specs), agents_per_actor):
            group = list(specs[start : start + agents_per_actor])
            host = AgentActor.options(num_cpus=0).remote(group, endpoint, **arguments)
            self._hosts.append(host)
            self._host_of.update((spec.name, host) for spec in group)

    async def start(self) -> None:
        """Wait until every actor is there."""
        await self._of_ray(*(host.ready.remote() for host in [self._world, *self._hosts]))

    async def reset(self, seed: int) -> dict[str, Observation]:
        (observations,) = await self._of_ray(self._world.reset.remote(seed))
        return observations

    async def turn(self, ask: Ask) -> Answer:
        from ray.exceptions import RayError

        try:
            answer: Answer = await self._host_of[ask.agent].turn.remote(ask)
        except RayError as error:
            await self._back_again(self._host_of[ask.agent])
            failure = Failure(kind="lost", message=f"the process of {ask.agent} is gone: {_in_short(error)}")
            return Answer(agent=ask.agent, step=ask.step, attempt=ask.attempt, failure=failure)
        return answer

    async def step(self, actions: JointAction) -> StepResult:
        (result,) = await self._of_ray(self._world.step.remote(dict(actions)))
        return result

    async def repeat(self, joint_actions: Sequence[JointAction]) -> dict[str, Observation]:
        (observations,) = await self._of_ray(self._world.repeat.remote(list(joint_actions)))
        return observations

    async def renew_world(self) -> None:
        import ray

        ray.kill(self._world)
        self._world = self._make_world()
        await self._of_ray(self._world.ready.remote())

    async def close(self) -> None:
        import ray

        actors = [self._world, *self._hosts]
        with contextlib.suppress(TimeoutError, RuntimeFailure):
            async with asyncio.timeout(CLOSE_S):
                await self._of_ray(*(actor.close.remote() for actor in actors))
        for actor in actors:
            ray.kill(actor)

    async def _back_again(self, host: Any) -> None:
        """Wait until Ray has restarted an actor, or given it up: before, every further call is lost as well."""
        from ray.exceptions import ActorDiedError, RayError

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RESTART_S):
                while True:
                    try:
                        await host.ready.remote()
                    except ActorDiedError:
                        return
                    except RayError:
                        await asyncio.sleep(RESTART_POLL_S)
                    else:
                        return

    async def _of_ray(self, *references: Any) -> list[Any]:
        from ray.exceptions import ActorDiedError, ActorUnavailableError, RayError, RayTaskError

        try:
            return await asyncio.gather(*references)
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
