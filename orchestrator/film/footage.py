"""What there is to film: the recorded steps, done again in a world of their own.

A journal holds what the agents saw, not the scene. The world is deterministic, so a fresh one that is given the
recorded joint actions goes through the same scenes; that it does is checked after every step, by the texts.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ...env.household import HouseholdWorld
from ...env.household.tasks.families import find_task
from ...env.virtualhome.household import SimulatedHousehold
from ...env.world import Observation, WorldError
from ..config import make_config
from ..errors import ConfigError
from ..journal.log import FILE_NAME, JournalError, whole_bytes
from ..observer import Record
from ..past import begun_config
from ..replay import records
from ..run_folder import SIMULATOR_LOG_NAME


class Moment(NamedTuple):
    """The scene at the beginning, or after a step.

    Attributes:
        world: changes with the next moment.
        record: of the step that led here; None at the beginning.
    """

    world: HouseholdWorld
    record: Record | None


class Footage:
    """A recorded run, looked through once.

    Attributes:
        config: what the run was begun with.
        agents: their names; the household's number of each is its place, from 1.
        steps: how many steps are committed. They are numbered from 0, as the journal does.
        end: the record of the end; None if the journal has none.
        notice: what is missing of the journal, for people; "" if nothing is.

    Raises:
        ConfigError: the run took place in a world that cannot be drawn.
        JournalError: there is no run, or its journal cannot be read at all.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        reading = records(run)
        self._head = next(reading)
        world = self._head["config"].get("world")
        if world:  # it is not even imported
            raise ConfigError(f"{run} cannot be filmed: only the household can be drawn, not the world {world}")
        self.config = begun_config(self._head, run)
        self.agents: list[str] = list(self._head["agents"])
        self.steps = 0
        self.end: Record | None = None
        self.notice = ""
        try:
            for record in reading:
                self.steps += record["kind"] == "step"
                self.end = record if record["kind"] == "end" else None
        except JournalError as error:
            self.notice = f"{error}; what comes before is filmed: {self.steps} steps"
        else:
            if self.end is None:
                path = run / FILE_NAME
                torn = "with a torn record" if whole_bytes(path) < path.stat().st_size else "without an end"
                self.notice = f"{path} ends {torn}, after {self.steps} steps: the run was killed, or is still going on"

    def end_at(self, last: int) -> Record | None:
        """The record of the end, if step `last` is the last one and there is an end."""
        return self.end if last == self.steps - 1 else None

    def moments(self, last: int, simulator: str = "") -> Generator[Moment]:
        """The household at the beginning, then after each step up to and with `last`.

        Args:
            last: the number of the last step.
            simulator: the executable or URL of a simulator in which it all happens; "" for our own engine.

        Raises:
            ConfigError: the world does not go the way that is recorded, or cannot be made.
        """
        with ExitStack() as stack:
            try:
                world = self._world(simulator)
                stack.callback(world.close)
                yield from self._played(world, last)
            except WorldError as error:
                raise ConfigError(f"{self._run} cannot be filmed: {error}") from None

    def _world(self, simulator: str) -> HouseholdWorld:
        config = self.config
        task, apartment = find_task(config.task, config.apartment), config.apartment or None
        if not simulator:
            return HouseholdWorld(task, config.agents, apartment)
        # Of the run's own settings none but these are looked at again: they may name code.
        settings = {"task": config.task, "apartment": config.apartment, "agents": config.agents}
        checked = make_config(llm="scripted", simulator=simulator, **settings)
        log = str(self._run.absolute() / SIMULATOR_LOG_NAME)
        return SimulatedHousehold(task, config.agents, apartment, simulator=checked.simulator, log_path=log)

    def _played(self, world: HouseholdWorld, last: int) -> Generator[Moment]:
        self._compare(world.reset(self.config.seed), self._head["observations"], "at the beginning")
        yield Moment(world, None)
        for record in self._steps(last):
            result = world.step({agent: (part["turn"] or {}).get("action") for agent, part in _parts(record)})
            self._compare(result.observations, record["result"]["observations"], f"in step {record['step']}")
            yield Moment(world, record)

    def _steps(self, last: int) -> Iterator[Record]:
        for record in records(self._run):
            if record["kind"] == "step":
                yield record
                if record["step"] >= last:
                    return

    def _compare(self, seen: Mapping[str, Observation], recorded: Mapping[str, Any], when: str) -> None:
        if {agent: o.text for agent, o in seen.items()} != {agent: o["text"] for agent, o in recorded.items()}:
            raise ConfigError(
                f"{self._run} cannot be filmed: {when} the household is not as it was recorded (another version of it, "
                f"{self._head['version']}, another world, or a simulator that does things in another way)"
            )


def _parts(record: Record) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from record["agents"].items()
