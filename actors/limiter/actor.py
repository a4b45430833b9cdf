"""The gate at the other end of a wire: one Ray actor for all runs of a cluster."""

from __future__ import annotations

from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from .gate import Gate, GateLost, News, Word

NAME = "limiter"

_remote: Any = ray.remote
_as_actor = _remote(num_cpus=0, max_restarts=0, max_task_retries=0, max_concurrency=100_000)
LimiterActor: Any = _as_actor(Gate)


class RemoteGate:
    """The gate as any process of a cluster sees it: found by its name, or made.

    It ends with the process that made it; whoever needs it next makes another one, which is told everything again.
    Only the name is sent around: Ray cannot restart an actor that was made with a handle.
    """

    def __init__(self) -> None:
        self._actor: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteGate, ()

    def start(self) -> None:
        """Have it made by this process, if it is not there, and on its machine: it is to last as long as the run."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._actor = self._found(scheduling_strategy=here)

    def _found(self, **where: Any) -> Any:
        return LimiterActor.options(name=NAME, get_if_exists=True, **where).remote()

    async def exchange(self, news: News) -> Word:
        """See `Gate.exchange`.

        Raises:
            GateLost: the actor is gone.
        """
        try:
            self._actor = self._actor or self._found()
            word: Word = await self._actor.exchange.remote(news)
        except (RayError, ValueError) as error:  # the latter: it ended while it was being looked for
            self._actor = None
            raise GateLost(str(error)) from None
        return word
