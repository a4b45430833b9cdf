"""Owns one world: a plain class, which `env.actor` puts into a Ray actor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .world import Observation, StepResult, World


class WorldHost:
    """Makes the world where it lives, so that no world ever travels."""

    def __init__(self, factory: Callable[..., World], arguments: Mapping[str, Any]) -> None:
        self._world = factory(**arguments)

    def ready(self) -> None:
        """Answers when the world is there."""

    def reset(self, seed: int) -> dict[str, Observation]:
        return self._world.reset(seed)

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        return self._world.step(actions)

    def repeat(self, joint_actions: Sequence[Mapping[str, str | None]]) -> dict[str, Observation]:
        """Do again, one after the other, what is known to have been done; returns the last observations."""
        observations: dict[str, Observation] = {}
        for actions in joint_actions:
            observations = dict(self._world.step(actions).observations)
        return observations

    def close(self) -> None:
        self._world.close()
