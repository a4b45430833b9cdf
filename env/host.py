"""Owns one world: a plain class, for one process (`env.hosts` holds several of them)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from .world import Observation, StepResult, World, WorldError

MAX_OBSERVATION_CHARS = 1_000_000
"""An observation with more text than this is a fault of the world, not something to ask a model about."""

Observed = TypeVar("Observed", bound=Mapping[str, Observation])


class WorldHost:
    """Makes the world where it lives, so that no world ever travels."""

    def __init__(self, factory: Callable[..., World], arguments: Mapping[str, Any]) -> None:
        self._world = factory(**arguments)
        self._last = 0  # the number of the newest call that came through `once`
        self._answer: Any = None

    def once(self, number: int, method: str, *arguments: Any) -> Any:
        """Call a method of this host, but only once for each number, however often the message arrives.

        Args:
            number: of the call, counted from 1; a repeated one gets the answer of the first again.
            method: its name.
            arguments: for it.

        Raises:
            WorldError: the call failed when it arrived first, or is older than the newest one.
        """
        if number > self._last:
            self._last, self._answer = number, None
            self._answer = (getattr(self, method)(*arguments),)
        if number < self._last or self._answer is None:
            raise WorldError(f"{type(self._world).__name__}: call {number} ({method}) cannot be repeated")
        return self._answer[0]

    def reset(self, seed: int) -> dict[str, Observation]:
        """Begin an episode; nothing too large is let out."""
        return self._bounded(self._world.reset(seed))

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        result = self._world.step(actions)
        self._bounded(result.observations)
        return result

    def repeat(self, joint_actions: Sequence[Mapping[str, str | None]]) -> dict[str, Observation]:
        """Do again, one after the other, what is known to have been done; returns the last observations."""
        observations: dict[str, Observation] = {}
        for actions in joint_actions:
            observations = dict(self._world.step(actions).observations)
        return observations

    def close(self) -> None:
        """End the world and what belongs to it."""
        self._world.close()

    def _bounded(self, observations: Observed) -> Observed:
        """Refuse what is too large here, where its origin is known.

        Raises:
            WorldError: an observation has more than `MAX_OBSERVATION_CHARS`.
        """
        for agent, seen in observations.items():
            size = len(seen.text) + len(seen.key) + sum(map(len, seen.choices))
            if size > MAX_OBSERVATION_CHARS:
                raise WorldError(
                    f"{type(self._world).__name__}: the observation of {agent} has {size} characters, "
                    f"more than {MAX_OBSERVATION_CHARS}"
                )
        return observations
