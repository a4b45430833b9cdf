"""The gate at the other end of a wire: one named Ray actor for all processes of a run."""

from __future__ import annotations

from typing import Any

import ray
from ray.exceptions import RayError

from .budget import Budget, Spent
from .gate import Gate, GateLost, News, Word
from .limiter import Caps

MAX_RESTARTS = 10
"""Restarts of the gate's process in a run. It loses nothing: the holders tell it everything again."""

_remote: Any = ray.remote
_as_actor = _remote(num_cpus=0, max_restarts=MAX_RESTARTS, max_task_retries=0, max_concurrency=100_000)
LimiterActor: Any = _as_actor(Gate)


class RemoteGate:
    """The gate as the processes of a run see it. Can be sent to them."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    @classmethod
    def start(cls, name: str, caps: Caps, budget: Budget, before: Spent) -> RemoteGate:
        """Start the actor under a name of its own."""
        return cls(LimiterActor.options(name=name).remote(caps, budget, before))

    async def exchange(self, news: News) -> Word:
        """See `Gate.exchange`.

        Raises:
            GateLost: the actor is gone, for a while or for good.
        """
        try:
            word: Word = await self._actor.exchange.remote(news)
        except RayError as error:
            raise GateLost(str(error)) from None
        return word

    def kill(self) -> None:
        """End the actor."""
        ray.kill(self._actor)
