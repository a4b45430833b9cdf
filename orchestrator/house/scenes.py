"""The household as it was after any step of a recorded run: the world is played again from the recorded actions."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...env.world import WorldError
from ..journal.index import JournalIndex
from ..journal.log import JournalError

if TYPE_CHECKING:
    from ...env.household.household import HouseholdWorld

SNAPSHOT_STEPS = 32
"""How far snapshots are apart at first."""
SNAPSHOT_BYTES = 64 * 1024 * 1024
"""When they take more memory than this, every other one is given up."""


class Scenes:
    """A world that is moved to and fro in time.

    Attributes:
        world: the household.
        step: how many steps it has taken.
        right_steps: how many it can be taken; infinite unless it came to something that does not fit.
        fault: why it cannot be taken further, in one line; "" if it can.
    """

    def __init__(self, index: JournalIndex) -> None:
        """Set the household of a run up as it began.

        Raises:
            WorldError: this version cannot set up such a household, or sets up another one.
        """
        config = index.head["config"]
        self._index = index
        self._agents: list[str] = index.head["agents"]
        self.world = household_of(config)
        self.step = 0
        self.right_steps = math.inf
        self.fault = ""
        if self._elsewhere(self.world.reset(config["seed"]), index.head["observations"]):
            raise WorldError("this version builds another household from these settings than the run took place in")
        self._every = SNAPSHOT_STEPS
        self._snapshots: dict[int, bytes] = {0: self.world.snapshot()}

    def advance(self, step: int, seconds: float) -> bool:
        """Take the household towards where it was after this many steps, for at most so long; returns whether it is.

        If it cannot be taken there, it stays where it last was right, and `fault` says why.
        """
        until = time.perf_counter() + seconds
        self._go_back(step)
        while self.step < min(step, self.right_steps) and time.perf_counter() < until:
            self._take_step()
        return self.step == step

    def _go_back(self, step: int) -> None:
        """To the nearest snapshot, if that is nearer to a step than where the household is."""
        marks = sorted(self._snapshots)
        nearest = marks[bisect_right(marks, step) - 1]
        if step < self.step or nearest > self.step:
            self.world.restore(self._snapshots[nearest])
            self.step = nearest

    def _take_step(self) -> None:
        try:
            record = self._index.step(self.step)
            if record["result"] is None:
                raise WorldError(f"step {self.step} did not take place")
            actions = {agent: (part["turn"] or {}).get("action") for agent, part in record["agents"].items()}
            if self._elsewhere(self.world.step(actions).observations, record["result"]["observations"]):
                raise WorldError(
                    f"from step {self.step} on this version of the household goes another way than the run did"
                )
        except (JournalError, WorldError) as error:
            self.fault, self.right_steps = str(error), self.step
            self.step += 1  # wherever it is now, it is not there
            self._go_back(self.right_steps)
            return
        self.step += 1
        if self.step % self._every == 0 and self.step not in self._snapshots:
            self._keep()

    def _keep(self) -> None:
        self._snapshots[self.step] = self.world.snapshot()
        if sum(map(len, self._snapshots.values())) > SNAPSHOT_BYTES:
            self._every *= 2
            self._snapshots = {step: kept for step, kept in self._snapshots.items() if step % self._every == 0}

    def _elsewhere(self, seen: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool:
        """Whether somebody is not where the journal says. Exact enough, and cheap: a body's place sums up its past."""
        return any(seen[agent].info["position"] != recorded[agent]["info"]["position"] for agent in self._agents)


def household_of(config: Mapping[str, Any]) -> HouseholdWorld:
    """The world of a run's configuration, not yet reset.

    Raises:
        WorldError: it is none that this version can set up.
    """
    from ...env.household.household import HouseholdWorld

    return HouseholdWorld(config["task"], config["agents"], config.get("apartment") or None)
