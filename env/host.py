"""Owns one world: a plain class, for one process (`env.hosts` holds several of them)."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .world import Observation, StepResult, World, WorldError

MAX_OBSERVATION_CHARS = 1_000_000
"""An observation with more text than this is a fault of the world, not something to ask a model about."""

Observed = TypeVar("Observed", bound=Mapping[str, Observation])
Answer = TypeVar("Answer")


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
        """Begin an episode; nothing too large is let out.

        Raises:
            WorldError: whatever the world raised.
        """
        return self._bounded(self._asked("reset", lambda: self._world.reset(seed)))

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        """Have the world take a step; raises as `reset`."""
        result = self._asked("step", lambda: self._world.step(actions))
        self._bounded(result.observations)
        self._complete("rewards", result.rewards)
        self._complete("outcomes", result.outcomes)
        return result

    def repeat(self, joint_actions: Sequence[Mapping[str, str | None]]) -> dict[str, Observation]:
        """Do again, one after the other, what is known to have been done; returns the last observations."""
        observations: dict[str, Observation] = {}
        for actions in joint_actions:
            observations = dict(self.step(actions).observations)
        return observations

    def close(self) -> None:
        """End the world and what belongs to it."""
        self._asked("close", self._world.close)

    def _asked(self, what: str, call: Callable[[], Answer]) -> Answer:
        """The world's answer. A world may be anybody's code: what it raises ends its own run, in one line.

        Raises:
            WorldError: what the world raised, and where.
        """
        try:
            return call()
        except WorldError:
            raise
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            raise WorldError(
                f"{type(self._world).__name__} failed to {what}: {type(error).__name__}: {error} "
                f"({Path(last.filename).name}, line {last.lineno})"
            ) from error

    def _complete(self, what: str, told: Mapping[str, Any]) -> None:
        """Refuse an answer without one of the agents.

        Raises:
            WorldError: one is missing.
        """
        missing = [agent for agent in self._world.agents if agent not in told]
        if missing:
            raise WorldError(f"{type(self._world).__name__}: there is nothing about {missing[0]} in its {what}")

    def _bounded(self, observations: Observed) -> Observed:
        """Refuse what is too large here, where its origin is known.

        Raises:
            WorldError: an observation has more than `MAX_OBSERVATION_CHARS`, or an agent has none.
        """
        self._complete("observations", observations)
        for agent, seen in observations.items():
            size = len(seen.text) + len(seen.key) + sum(map(len, seen.choices))
            if size > MAX_OBSERVATION_CHARS:
                raise WorldError(
                    f"{type(self._world).__name__}: the observation of {agent} has {size} characters, "
                    f"more than {MAX_OBSERVATION_CHARS}"
                )
        return observations
