"""Conductors as Ray actors, for runs that are too much for one process.

They live on the machine of the run's process, because they write into its folder: so the journals are in one place,
wherever agents and worlds are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ...env.collecting import collect_seldom
from ..errors import RuntimeFailure
from .books import News
from .conductor import Conductor
from .folder import Household

_remote: Any = ray.remote
_as_actor = _remote(num_cpus=0, max_restarts=0, max_task_retries=0, max_concurrency=10)


class ConductorProcess(Conductor):
    """A conductor with a process of its own."""

    def __init__(self, *arguments: Any) -> None:
        collect_seldom()
        super().__init__(*arguments)


ConductorActor: Any = _as_actor(ConductorProcess)


class RemoteConductor:
    """A `Conductor` in an actor, which ends with `end`."""

    def __init__(self, *arguments: Any) -> None:
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._actor = ConductorActor.options(scheduling_strategy=here).remote(*arguments)

    async def play(self, households: Sequence[Household]) -> None:
        await _answer(self._actor.play.remote(list(households)))

    async def news(self) -> News:
        return await _answer(self._actor.news.remote())

    async def stop(self) -> None:
        await _answer(self._actor.stop.remote())

    def end(self) -> None:
        """End its process."""
        ray.kill(self._actor)


async def _answer(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except RayTaskError as error:
        raise error.cause from None
    except RayError as error:
        raise RuntimeFailure(str(error).splitlines()[0]) from None
