"""Worlds and agents a user could have written: named by import path in the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from housemates.actors.agent import AgentSpec
from housemates.actors.trace_agent import TraceAgent
from housemates.env.codec import pack, unpack
from housemates.env.wording import available_actions
from housemates.env.world import PLAN_TOKEN, Observation, Outcome, StepResult, World, WorldError

HERE = __name__


class Counting(World):
    """Everybody says yes or no; who says yes counts. The facts have the household's names, but mean something else."""

    instruction = "You count."

    def __init__(self, agents: int = 2, until: int = 3, house: str = "") -> None:
        if until < 1:
            raise WorldError(f"nobody counts to {until}")
        self._names = [f"Counter {number}" for number in range(1, agents + 1)]
        self._until = until
        self._counts: dict[str, int] = {}
        self._steps = 0

    @property
    def agents(self) -> Sequence[str]:
        return self._names

    def reset(self, seed: int) -> dict[str, Observation]:
        self._counts, self._steps = dict.fromkeys(self._names, 0), 0
        return self._observe()

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        self._steps += 1
        for name in self._names:
            self._counts[name] += actions.get(name) == "[say] yes"
        over = max(self._counts.values()) >= self._until
        return StepResult(
            observations=self._observe(),
            rewards={name: float(actions.get(name) == "[say] yes") for name in self._names},
            outcomes=dict.fromkeys(self._names, Outcome(ok=True, detail="said it")),
            done=over,
            success=over,
        )

    def snapshot(self) -> bytes:
        return pack([self._counts, self._steps])

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        self._counts, self._steps = unpack(snapshot)
        return self._observe()

    def _observe(self) -> dict[str, Observation]:
        choices = ("[say] yes", "[say] no")
        facts = {"position": "upright", "progress": 3, "holding": True, "room": ["a"], "executed": 7}
        progress = f"{self._counts} after {self._steps} steps"
        return {
            name: Observation(
                text=f"I count.\nPlan: {PLAN_TOKEN}\nProgress: {progress}\n{available_actions(choices)}",
                choices=choices,
                key=f"{self._steps}",
                info=facts,
            )
            for name in self._names
        }


class Pair(Counting):
    """Has two agents, and takes no arguments."""

    def __init__(self) -> None:
        super().__init__(agents=2)


class Faulty(Counting):
    """Breaks off in its second step, in one way or another. Takes an argument that others have a use for, too."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._fault = name

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        result = super().step(actions)
        if self._steps < 2:
            return result
        if self._fault == "raises":
            raise KeyError("no such shelf")
        return replace(result, **{self._fault: {self._names[0]: getattr(result, self._fault)[self._names[0]]}})


class Namesakes(Counting):
    @property
    def agents(self) -> Sequence[str]:
        return ["Counter", "Counter"]


def trio() -> World:
    """A function that makes a world, as good as a class."""
    return Counting(agents=3)


def nothing() -> None:
    """No world."""


class Polite(TraceAgent):
    """An agent with a prompt of its own."""

    def prompt(self, observation: Observation) -> str:
        return super().prompt(replace(observation, text=f"Be polite.\n{observation.text}"))


class Clumsy(TraceAgent):
    def __init__(self, spec: AgentSpec, *chats: object) -> None:
        raise ZeroDivisionError("no agent today")
