"""The gate at the other end of a wire: one named Ray actor for all processes of a run."""

from __future__ import annotations

from typing import Any

import ray
from ray.exceptions import RayError

from .gate import Gate, GateLost, News, Terms, Word

MAX_RESTARTS = 10
"""Restarts of the gate's process in a run. It loses nothing: the holders tell it everything again."""

_remote: Any = ray.remote
_as_actor = _remote(num_cpus=0, max_restarts=MAX_RESTARTS, max_task_retries=0, max_concurrency=100_000)
LimiterActor: Any = _as_actor(Gate)


class RemoteGate:
    """The gate as the processes of a run see it. Can be sent to them: it is a name, so that Ray can make an actor
    again that was made with it (one that was made with a handle it cannot)."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._actor: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteGate, (self._name,)

    def start(self, terms: Terms) -> None:
        """Start the actor. It lives until `kill`, or as long as this object."""
        self._actor = LimiterActor.options(name=self._name).remote(*terms)

    async def exchange(self, news: News) -> Word:
        """See `Gate.exchange`.

        Raises:
            GateLost: the actor is gone, for a while or for good.
        """
        try:
            self._actor = self._actor or ray.get_actor(self._name)
            word: Word = await self._actor.exchange.remote(news)
        except (RayError, ValueError) as error:  # the latter: no such name (yet)
            raise GateLost(str(error)) from None
        return word

    def kill(self) -> None:
        """End the actor."""
        ray.kill(self._actor)
