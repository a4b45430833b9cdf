"""Conducts households of a run, in the run's process or in an actor of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from ...actors.limiter.gate import Gate
from ...actors.model.chat import Endpoint
from ..cluster.processes import Process, agent_processes, some_at_a_time, world_processes
from ..config import BUDGET, ModelChoice, RunConfig
from ..playing import Purse, Shared
from ..side_by_side import Job, SideBySide
from .books import News, Reporter
from .folder import Household

STARTS = 4
"""So many households start at the same time. Those that have started go on meanwhile: the first ones need not wait
until the agents of all are made."""


class Shape(NamedTuple):
    """How a run is spread: agents and worlds that share an actor, and the processes that conduct."""

    agents_per_actor: int
    worlds_per_actor: int
    conductors: int


class Conductor:
    """Plays households side by side and writes their journals, on the machine where the run's folder is.

    Args:
        config: of the run.
        endpoints: where its models are.
        purse: the budget that all households of the run spend together.
        shape: how it is spread.
        turns: of the machines, that are this conductor's.
    """

    def __init__(
        self,
        config: RunConfig,
        endpoints: Mapping[ModelChoice, Endpoint],
        purse: Purse,
        shape: Shape,
        turns: Sequence[int],
    ) -> None:
        self._reporter = Reporter()
        self._budget: dict[str, Any] = {name: value for name in BUDGET if (value := getattr(config, name)) is not None}
        self._with_ray = config.runtime == "ray"
        self._purse = purse
        self._gate = Gate()
        self._shape = shape
        self._turns = turns
        self._starts = asyncio.Semaphore(STARTS)
        self._playing = SideBySide(endpoints, self._reporter, Shared(gate=self._gate, purse=purse))

    async def play(self, households: Sequence[Household]) -> None:
        """Play all to their ends, or until it is told to stop."""
        agents: dict[str, Process] = {}
        starts: asyncio.Semaphore | None = None
        worlds: dict[str, Process] = {}
        if self._with_ray:
            starts = some_at_a_time(self._shape.conductors)
            make = partial(world_processes, starts=starts, turns=self._turns)
            worlds = _dealt(households, self._shape.worlds_per_actor, make)
            whole = self._shape.agents_per_actor // households[0].config.agents
            if whole > 1:  # else a process takes the agents of one household at most
                turns = self._turns[len(set(worlds.values())) :]  # not where this conductor's first world is
                agents = _dealt(households, whole, partial(agent_processes, starts=starts, turns=turns))
        jobs: list[Job] = []
        for one in households:
            shared = Shared(
                gate=self._gate,
                purse=self._purse,
                agents=agents.get(one.name),
                worlds=worlds.get(one.name),
                agents_per_actor=self._shape.agents_per_actor,
                starts=self._starts,
                process_starts=starts,
            )
            jobs.append(Job(one.name, one.folder, one.config, budget=self._budget, shared=shared))
        await self._playing.run(jobs, len(jobs))

    async def news(self) -> News:
        """What happened since this was asked last."""
        return self._reporter.take()

    async def stop(self) -> None:
        """Break off what goes on; `play` ends soon after."""
        self._playing.stop("")


def _dealt(households: Sequence[Household], together: int, make: Callable[[int], list[Process]]) -> dict[str, Process]:
    """The process of each household by its name, where so many share one."""
    processes = make(-(-len(households) // together))
    return {one.name: processes[number // together] for number, one in enumerate(households)}
