"""Running a study: its episodes side by side over one bring-up, each with a run folder of its own."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...actors.cassette import Cassette
from ...actors.limiter.budget import Budget, Spent
from ...actors.limiter.gate import Gate
from ...actors.model.chat import ChatError, Endpoint
from ...actors.model.server_process import ServerError
from ..cluster.joined import ray_at
from ..cluster.processes import some_at_a_time
from ..config import ModelChoice
from ..endpoint import Served, serving
from ..errors import ConfigError, RuntimeFailure, StartError
from ..folder_lock import locked
from ..journal.log import JournalError
from ..observer import Record
from ..past import read_past
from ..playing import Shared, watched
from ..private_files import make_private, write_private
from ..run import OVER_BUDGET, check_endpoints, find_cassette
from ..run_folder import read_summary
from ..side_by_side import Job, Listener, SideBySide
from ..summary import Tally
from .plan import (
    EPISODES,
    FAILURES_NAME,
    FILE_NAME,
    Cell,
    StudyPlan,
    cells_of,
    episode_folder,
    load_study,
    write_plan,
)

CASSETTE_NAME = "cassette"
"""What the model traffic of a recorded episode is called in its folder."""


class StudyObserver:
    """Is told how a study goes. The command line shows it; the default shows nothing."""

    def starting(self, what: str) -> None:
        """Something slow begins."""

    def planned(self, cells: Sequence[Cell], finished: Mapping[str, Mapping[str, Any]]) -> None:
        """All is up. `finished` has the summaries of episodes that are not run again."""

    def began(self, cell: Cell) -> None:
        """An episode begins, or goes on."""

    def committed(self, cell: Cell, record: Record, tally: Tally) -> None:
        """A step of an episode is in its journal."""

    def ended(self, cell: Cell, status: str, summary: Mapping[str, Any] | None, error: str) -> None:
        """An episode ended; without a summary if it could not begin."""


@dataclass(slots=True)
class StudyResult:
    """How a study stands.

    Attributes:
        finished: the summaries of completed episodes, by name.
        failed: why episodes failed, by name.
        stopped: which budget is used up, in words, if one is.
        interrupted: it was ended from outside.
    """

    folder: Path
    finished: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    failed: dict[str, str] = field(default_factory=dict[str, str])
    stopped: str = ""
    interrupted: bool = False


def open_study(plan: StudyPlan | None, folder: Path) -> StudyPlan:
    """Make the folder of a study, or find the study that is in it.

    Args:
        plan: what to run; None: what the folder's study says.
        folder: new or empty, or that of a study with the same plan.

    Raises:
        ConfigError: the folder holds another study, something else, or, without a plan, none.
    """
    if (folder / FILE_NAME).is_file():
        there = load_study(folder)
        if plan is not None and plan != there:
            raise ConfigError(f"{folder} holds a study with another plan; name another folder, or give only --out")
        return there
    if plan is None:
        raise ConfigError(f"nothing to vary: name a study file, --tasks, --methods, … (and {folder} holds no study)")
    try:
        make_private(folder, exist_ok=True)
        if any(folder.iterdir()):
            raise ConfigError(f"--out {folder} is not empty; name a new folder")
        write_plan(plan, folder)
    except OSError as error:
        raise ConfigError(f"--out: cannot make the study's folder: {error}") from None
    return plan


def finished_episodes(folder: Path, cells: Sequence[Cell]) -> dict[str, Mapping[str, Any]]:
    """The summaries of the completed episodes of a study."""
    found: dict[str, Mapping[str, Any]] = {}
    for cell in cells:
        summary = read_summary(episode_folder(folder, cell))
        if summary and summary["status"] == "completed":
            found[cell.name] = summary
    return found


def run_study(
    plan: StudyPlan,
    folder: Path,
    *,
    parallel: int,
    budget: Budget | None = None,
    observer: StudyObserver | None = None,
    record: bool = False,
    address: str = "",
) -> StudyResult:
    """Run what is not finished of a study. Call it from the main thread.

    Finished episodes are not repeated, interrupted ones go on where they stopped, and one that fails does not
    stop the others. Ctrl-C and a used-up budget end it so that the same call goes on later.

    Args:
        plan: of the study, which `open_study` has put into the folder.
        folder: of the study.
        parallel: episodes at the same time, at least 1.
        budget: what it may use in all, finished episodes of earlier parts included. Episodes are stopped between
            steps, so a step of each may be overshot. Seconds are not counted.
        observer: is told how it goes.
        record: put each episode's model traffic on a cassette in its folder; one that was interrupted begins anew.
        address: of a Ray cluster to join; "": one of the study's own.

    Raises:
        ConfigError: a setting cannot be run here, or another process runs the study.
        StartError: Ray or a model server did not come up, or was lost.
    """
    with locked(folder):
        cells = cells_of(plan)
        conductor = _Conductor(folder, cells, budget or Budget(), observer or StudyObserver(), record=record)
        return _run(conductor, cells, folder, parallel, address)


def _run(conductor: _Conductor, cells: list[Cell], folder: Path, parallel: int, address: str) -> StudyResult:
    left = conductor.left()
    if not left or conductor.result.stopped:
        conductor.observer.planned(cells, conductor.result.finished)
        return conductor.result
    make_private(folder / EPISODES, exist_ok=True)
    cassettes = {cell.name: find_cassette(cell.config) for cell in left}
    on_sigint = signal.getsignal(signal.SIGINT)
    try:
        with ExitStack() as stack:
            try:
                played = [cell.config for cell in left if cassettes[cell.name] is None]
                choices = list(dict.fromkeys(choice for config in played for choice in config.models))
                agents = max(cell.config.agents for cell in left) * parallel
                served: Served | None = None
                if choices:
                    conductor.observer.starting(f"starting {', '.join(choice.llm for choice in choices)}")
                    served = stack.enter_context(serving(choices, agents, folder, conductor.observer.starting))
                    conductor.reasons = asyncio.run(_unreachable(served.endpoints))
                if any(cell.config.runtime == "ray" for cell in left):
                    conductor.observer.starting(f"joining Ray at {address}" if address else "starting Ray")
                    asked = served.endpoints.values() if served else ()
                    stack.enter_context(ray_at(address, asked))
                conductor.observer.planned(cells, conductor.result.finished)
                work = conductor.run(left, cassettes, served.endpoints if served else {}, parallel)
                asyncio.run(watched(work, served.servers if served else ()))
            except KeyboardInterrupt:
                conductor.result.interrupted = True
            except (ServerError, RuntimeFailure, OSError) as error:
                raise StartError(
                    f"{error} (what was done until then is in {folder}; the same command goes on)"
                ) from None
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
                conductor.write_failures()
    finally:
        signal.signal(signal.SIGINT, on_sigint)
    return conductor.result


async def _unreachable(endpoints: Mapping[ModelChoice, Endpoint]) -> dict[ModelChoice, str]:
    """Why some models cannot be asked."""
    reasons: dict[ModelChoice, str] = {}
    for choice, endpoint in endpoints.items():
        try:
            await check_endpoints([endpoint])
        except ChatError as error:
            reasons[choice] = str(error)
    return reasons


class _Conductor(Listener):
    """Keeps the books of a study while its episodes run."""

    def __init__(
        self, folder: Path, cells: Sequence[Cell], budget: Budget, observer: StudyObserver, *, record: bool
    ) -> None:
        self.observer = observer
        self._record = record
        self.reasons: Mapping[ModelChoice, str] = {}
        self._cells = {cell.name: cell for cell in cells}
        self._folder = folder
        self._budget = budget
        self._spent = Spent()
        self._playing: SideBySide | None = None
        self.result = StudyResult(folder, finished_episodes(folder, cells))

    def left(self) -> list[Cell]:
        """The episodes that are still to be run; takes note of what earlier parts of the study have used."""
        for cell in self._cells.values():
            self._spent += _spent_earlier(episode_folder(self._folder, cell))
        self.result.stopped = self._budget.used_up(self._spent)
        return [cell for cell in self._cells.values() if cell.name not in self.result.finished]

    async def run(
        self,
        cells: Sequence[Cell],
        cassettes: Mapping[str, Cassette | None],
        endpoints: Mapping[ModelChoice, Endpoint],
        parallel: int,
    ) -> None:
        """Run episodes, so many at a time, until all are done or the budget is used up."""
        jobs: list[Job] = []
        for cell in cells:
            out = [self.reasons[choice] for choice in cell.config.models if choice in self.reasons]
            if out:
                self.ended(cell.name, "failed", None, out[0])
                continue
            folder = episode_folder(self._folder, cell)
            tape = folder / CASSETTE_NAME if self._record else None
            jobs.append(Job(cell.name, folder, cell.config, cassettes[cell.name], tape))
        # Episodes that run at the same time share accounts, and the cores that their processes start on.
        starts = some_at_a_time() if any(cell.config.runtime == "ray" for cell in cells) else None
        self._playing = SideBySide(endpoints, self, Shared(gate=Gate(), process_starts=starts))
        await self._playing.run(jobs, parallel)

    def began(self, name: str) -> None:
        self.observer.began(self._cells[name])

    def committed(self, name: str, record: Record, tally: Tally) -> None:
        self.count(record)
        self.observer.committed(self._cells[name], record, tally)

    def ended(self, name: str, status: str, summary: Mapping[str, Any] | None, error: str) -> None:
        if status == "completed" and summary is not None:
            self.result.finished[name] = summary
        elif status in ("failed", OVER_BUDGET):
            self.result.failed[name] = error
        if summary is not None or status == "failed":  # an episode that was stopped before it began is none
            self.observer.ended(self._cells[name], status, summary, error)

    def count(self, record: Record) -> None:
        """Take note of what a record cost; stops the study when the budget is used up."""
        self._spent += _spent_on(record)
        stopped = self._budget.used_up(self._spent)
        if stopped and not self.result.stopped:
            self.result.stopped = stopped
            if self._playing is not None:
                self._playing.stop(stopped)

    def write_failures(self) -> None:
        """Keep the reasons of failures for the report."""
        text = json.dumps(self.result.failed, indent=2, ensure_ascii=False)
        write_private(self._folder / FAILURES_NAME, (text + "\n").encode())


def _spent_earlier(folder: Path) -> Spent:
    """What an episode has used in earlier parts of the study; one that was killed left it only in its journal."""
    summary = read_summary(folder)
    if summary is None or summary["status"] != "completed":
        try:
            summary = read_past(folder).tally.summary()
        except JournalError:  # never begun, or damaged, which is told when it is to go on
            return Spent()
    return Spent(**{name: summary["llm"][name] for name in ("calls", "prompt_tokens", "completion_tokens")})


def _spent_on(record: Record) -> Spent:
    calls = list(_calls_in(record))
    return Spent(
        calls=len(calls),
        prompt_tokens=sum(call["prompt_tokens"] for call in calls),
        completion_tokens=sum(call["completion_tokens"] for call in calls),
    )


def _calls_in(record: Record) -> Iterator[Mapping[str, Any]]:
    if record["kind"] in ("step", "lesson", "abandoned"):
        for part in record["agents"].values():
            yield from part["lost_calls"]
            yield from (part["turn"] or {"calls": ()})["calls"]
