"""Any number of agents with something to decide in every step, in a world that costs next to nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from housemates.env.household.household import HouseholdWorld
from housemates.env.world import Observation, Outcome, StepResult, World

SEEN_STEPS = 8


def seen(steps: int = SEEN_STEPS) -> list[Observation]:
    """What two agents of a real household saw in its first steps."""
    household = HouseholdWorld("put_dishwasher", 2)
    observations = list(household.reset(0).values())
    while len(observations) < 2 * steps:
        result = household.step(
            {agent: o.choices[0] for agent, o in zip(household.agents, observations[-2:], strict=True)}
        )
        observations += result.observations.values()
    return [dataclasses.replace(o, key=f"{number}", reflex=None) for number, o in enumerate(observations)]


class CrowdWorld(World):
    """Shows agents what two agents of a household saw, under their own names, something else in every step.

    The household itself is measured elsewhere (`benchmarks/household.py`).
    """

    def __init__(self, agents: int) -> None:
        self._agents = [f"Agent_{number}" for number in range(1, agents + 1)]
        self._seen = seen()
        self._step = 0

    @property
    def agents(self) -> Sequence[str]:
        return self._agents

    def reset(self, seed: int) -> dict[str, Observation]:
        self._step = 0
        return self._observations()

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        self._step += 1
        return StepResult(
            observations=self._observations(),
            rewards=dict.fromkeys(self._agents, 0.0),
            outcomes={agent: Outcome(ok=True, detail=actions.get(agent) or "") for agent in self._agents},
        )

    def snapshot(self) -> bytes:
        raise NotImplementedError

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        raise NotImplementedError

    def _observations(self) -> dict[str, Observation]:
        return {agent: self._observation(number, agent) for number, agent in enumerate(self._agents)}

    def _observation(self, number: int, agent: str) -> Observation:
        observation = self._seen[(number + self._step) % len(self._seen)]
        text = observation.text.replace("Agent_1", agent, 1)
        return dataclasses.replace(observation, text=text)
