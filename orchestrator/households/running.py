"""A run with many households: from start to summary, and going on with one that was interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import randrange
from typing import Any

from ...actors.limiter.budget import Spent
from ...actors.model.chat import Endpoint
from ..cluster.joined import ray_at
from ..cluster.machines import cores
from ..config import FILE_NAME as CONFIG_NAME
from ..config import ModelChoice, RunConfig, changed
from ..endpoint import serving
from ..errors import ConfigError, StartError
from ..folder_lock import locked
from ..journal.log import FILE_NAME as JOURNAL_NAME
from ..journal.log import JournalError
from ..past import read_past
from ..playing import Purse, watched
from ..run import EXPECTED, OVER_BUDGET, check_endpoints
from ..run_folder import read_summary, write_summary
from ..sizing import agents_per_actor, conductors, worlds_per_actor
from .books import Ended, News, Summary, outcome, spent_by, summarize
from .conducting import conduct
from .conductor import Conductor, Shape
from .folder import (
    Household,
    create_folder,
    give_back_folder,
    households_of,
    read_settings,
    summaries,
)


class HouseholdsObserver:
    """Is told how a run with many households goes. The command line shows it; the default shows nothing."""

    def starting(self, what: str) -> None:
        """Something slow begins."""

    def planned(self, config: RunConfig, folder: Path, finished: int, shape: Shape) -> None:
        """All is up; so many households are finished already."""

    def news(self, news: News) -> None:
        """Told a few times a second."""


@dataclass(slots=True)
class HouseholdsResult:
    """How a run with many households stands: its folder and what is in its `summary.json`."""

    folder: Path
    summary: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def status(self) -> str:
        """`completed`, `interrupted`, `failed` (some households) or `budget_exceeded`."""
        return self.summary["status"]


def run_households(
    config: RunConfig, out: Path | None = None, observer: HouseholdsObserver | None = None, address: str = ""
) -> HouseholdsResult:
    """Run many households to their ends, each with a world, a barrier, a seed and a run folder of its own.

    Household i has the seed of the configuration plus i, and does what a run of its own with that seed does. One that
    fails is told of in the summary and does not stop the others. Call it from the main thread. Ctrl-C ends all
    households early; `resume_households` goes on with them.

    Args:
        config: with `households` above 1.
        out: the run's folder, new or empty; None: a new one under `runs/`.
        observer: is told how it goes.
        address: of a Ray cluster to join; "": a Ray of the run's own.

    Raises:
        ConfigError: the configuration cannot be run here.
        StartError: the endpoint or Ray cannot be reached, or was lost.
    """
    folder = create_folder(out, config)
    try:
        with locked(folder):
            return _Run(config, folder, observer or HouseholdsObserver()).conduct(address, Spent())
    finally:
        give_back_folder(folder)


def resume_households(
    folder: Path,
    observer: HouseholdsObserver | None = None,
    budget: Mapping[str, Any] | None = None,
    address: str = "",
) -> HouseholdsResult:
    """Go on with all households of a run that are not complete, each where its last step ended.

    Args:
        folder: of the run.
        observer: is told how it goes.
        budget: settings among `config.BUDGET` that are given anew; what all households have spent so far counts.
        address: as for `run_households`.

    Raises:
        ConfigError: the run is complete, goes on right now, or its budget is used up; there is none.
        StartError: as for `run_households`.
    """
    config = changed(read_settings(folder), dict(budget or {}))
    with locked(folder):
        if budget:
            config.write(folder / CONFIG_NAME)
        going_on = _Run(config, folder, observer or HouseholdsObserver())
        if not going_on.left:
            whole = read_summary(folder)
            if whole is not None and whole["status"] == "completed":
                raise ConfigError(f"{folder}: the run is complete, there is nothing to resume")
            return going_on.finish(interrupted=False)
        before = _spent_before(config, households_of(config, folder))
        used_up = config.budget.used_up(before)
        if used_up:
            raise ConfigError(f"{folder}: {used_up}")
        return going_on.conduct(address, before)


class _Run:
    """The households of a run, and what is known of them."""

    def __init__(self, config: RunConfig, folder: Path, observer: HouseholdsObserver) -> None:
        self._config = config
        self._folder = folder.absolute()  # conductors stand elsewhere
        self._shown = folder
        self._observer = observer
        self._all = households_of(config, self._folder)
        complete = {name for name, found in summaries(self._all).items() if found["status"] == "completed"}
        self.left = [household for household in self._all if household.name not in complete]
        self._ended: dict[str, Ended] = {}

    def conduct(self, address: str, before: Spent) -> HouseholdsResult:
        """Bring everything up, play what is left, and take everything down."""
        config, fault, interrupted = self._config, "", False
        on_sigint = signal.getsignal(signal.SIGINT)
        say = self._observer.starting
        try:
            with ExitStack() as stack:
                try:
                    say(f"starting the model {config.llm}")
                    everybody = config.agents * len(self.left)
                    served = stack.enter_context(serving(config.models, everybody, self._folder, say))
                    asyncio.run(check_endpoints(served.endpoints.values()))
                    with_ray = config.runtime == "ray"
                    if with_ray:
                        say(f"joining Ray at {address}" if address else "starting Ray")
                        stack.enter_context(ray_at(address, served.endpoints.values()))
                    shape = shape_of(config, len(self.left), cores() if with_ray else 1)
                    self._observer.planned(config, self._shown, len(self._all) - len(self.left), shape)
                    work = self._play(served.endpoints, Purse(uuid.uuid4().hex, before), shape)
                    asyncio.run(watched(work, served.servers))
                except KeyboardInterrupt:
                    if not self._begun:
                        raise
                    interrupted = True
                except EXPECTED as error:
                    fault = str(error)
                finally:
                    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
                    result = self.finish(interrupted=interrupted, fault=fault) if self._begun else None
        finally:
            signal.signal(signal.SIGINT, on_sigint)
        if result is None:
            raise StartError(fault or next((end.error for end in self._ended.values() if end.error), "nothing began"))
        if fault:
            where = f"what was done until then is in {self._shown}; go on with: housemates resume {self._shown}"
            raise StartError(f"{fault} ({where})")
        return result

    async def _play(self, endpoints: Mapping[ModelChoice, Endpoint], purse: Purse, shape: Shape) -> None:
        arguments = (self._config, endpoints, purse, shape)
        first = randrange(1000)  # another machine than other runs begin with
        turns = [range(first + number, sys.maxsize, shape.conductors) for number in range(shape.conductors)]
        if shape.conductors == 1:
            await conduct([Conductor(*arguments, *turns)], self.left, self._hear)
            return
        from .actor import RemoteConductor

        elsewhere = [RemoteConductor(*arguments, own) for own in turns]
        try:
            await conduct(elsewhere, self.left, self._hear)
        finally:
            for conductor in elsewhere:
                conductor.end()

    def _hear(self, news: News) -> None:
        self._ended |= news.ended
        self._observer.news(news)

    @property
    def _begun(self) -> bool:
        """Whether a household has a journal."""
        return any((household.folder / JOURNAL_NAME).is_file() for household in self._all)

    def finish(self, *, interrupted: bool, fault: str = "") -> HouseholdsResult:
        """Write the summary of the whole run."""
        found = summaries(self._all)
        failed = {name: end.error for name, end in self._ended.items() if end.status in ("failed", OVER_BUDGET)}
        status = "failed" if fault else outcome(self._ended, interrupted=interrupted)
        summary = summarize(self._config, found, failed, status, fault)
        write_summary(self._folder, summary)
        return HouseholdsResult(self._shown, summary)


def shape_of(config: RunConfig, households: int, cluster_cores: int) -> Shape:
    """How a run is spread; what the user has not settled follows from its size (`orchestrator.sizing`)."""
    if config.runtime == "inline":
        return Shape(config.agents, households, 1)
    worlds = 1 if config.simulator else config.worlds_per_actor or worlds_per_actor(households, cluster_cores)
    return Shape(
        config.agents_per_actor or agents_per_actor(config.agents, households, cluster_cores),
        worlds,
        min(households, config.conductors or conductors(config.agents, households, os.cpu_count() or 1)),
    )


def _spent_before(config: RunConfig, households: Sequence[Household]) -> Spent:
    """What earlier parts of the run have spent, if that matters: who was killed left it only in the journal."""
    if not config.budget.bounded:
        return Spent()
    found: dict[str, Summary] = dict(summaries(list(households)))
    for household in households:
        if found.get(household.name, {"status": ""})["status"] != "completed":
            try:
                found[household.name] = read_past(household.folder).tally.summary()
            except JournalError:  # never begun, or damaged, which is told when it is to go on
                found.pop(household.name, None)
    return spent_by(found.values())
