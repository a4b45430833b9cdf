"""Running a study: its episodes side by side over one bring-up, each with a run folder of its own."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

from ...actors.cassette import Cassette
from ...actors.limiter.gate import Gate
from ...actors.model.chat import ChatError, Endpoint
from ...actors.model.server_process import ServerError
from ..cluster import ray_at
from ..config import ModelChoice
from ..endpoint import REPLAYED_URL, Served, serving
from ..errors import ConfigError, RuntimeFailure, StartError
from ..journal.log import FILE_NAME as JOURNAL_NAME
from ..journal.log import Journal, JournalError
from ..observer import Observer, Record
from ..past import Past, read_past
from ..playing import agent_specs, play, watched
from ..private_files import make_private, write_private
from ..protocol import End
from ..recorder import Recorder
from ..run import EXPECTED, OVER_BUDGET, check_endpoints, deviation, find_cassette
from ..run_folder import create_run_folder, give_back, read_summary
from ..summary import Tally
from ..taping import Taping
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


@dataclass(frozen=True, slots=True)
class StudyBudget:
    """What a study may use in all, finished episodes of earlier parts included; None: no limit.

    Dollars need prices, in dollars per million tokens.
    """

    calls: int | None = None
    tokens: int | None = None
    dollars: float | None = None
    price_in: float = 0.0
    price_out: float = 0.0

    def used_up(self, spent: Spent) -> str:
        """Which limit is reached, in words; "" while there is something left."""
        if self.calls is not None and spent.calls >= self.calls:
            return f"{spent.calls} of {self.calls} model calls"
        if self.tokens is not None and spent.tokens >= self.tokens:
            return f"{spent.tokens} of {self.tokens} tokens"
        dollars = spent.dollars(self)
        if self.dollars is not None and dollars >= self.dollars:
            return f"{dollars:.4f} of {self.dollars:g} dollars"
        return ""


@dataclass(slots=True)
class Spent:
    """What has been used so far."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Of prompts and completions."""
        return self.prompt_tokens + self.completion_tokens

    def dollars(self, prices: StudyBudget) -> float:
        """At some prices."""
        return (self.prompt_tokens * prices.price_in + self.completion_tokens * prices.price_out) / 1e6

    def add(self, calls: Iterable[Mapping[str, Any]]) -> None:
        """Take in model calls as journal records hold them."""
        for call in calls:
            self.calls += 1
            self.prompt_tokens += call["prompt_tokens"]
            self.completion_tokens += call["completion_tokens"]


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
    budget: StudyBudget | None = None,
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
        budget: what it may use.
        observer: is told how it goes.
        record: put each episode's model traffic on a cassette in its folder; one that was interrupted begins anew.
        address: of a Ray cluster to join; "": one of the study's own.

    Raises:
        ConfigError: a setting cannot be run here.
        StartError: Ray or a model server did not come up, or was lost.
    """
    cells = cells_of(plan)
    conductor = _Conductor(folder, cells, budget or StudyBudget(), observer or StudyObserver(), record=record)
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
                asked = [cell.config for cell in left if cassettes[cell.name] is None]
                choices = list(dict.fromkeys(choice for config in asked for choice in config.models))
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


class _Conductor:
    """Keeps the books of a study while its episodes run."""

    def __init__(
        self, folder: Path, cells: Sequence[Cell], budget: StudyBudget, observer: StudyObserver, *, record: bool
    ) -> None:
        self.observer = observer
        self._record = record
        self.reasons: Mapping[ModelChoice, str] = {}
        self._cells = cells
        self._folder = folder
        self._budget = budget
        self._spent = Spent()
        self._gate = Gate()  # episodes that run at the same time share accounts
        self._stop = asyncio.Event()
        self.result = StudyResult(folder, finished_episodes(folder, cells))

    def left(self) -> list[Cell]:
        """The episodes that are still to be run; takes note of what earlier parts of the study have used."""
        for cell in self._cells:
            _count_earlier(episode_folder(self._folder, cell), self._spent)
        self.result.stopped = self._budget.used_up(self._spent)
        return [cell for cell in self._cells if cell.name not in self.result.finished]

    async def run(
        self,
        cells: Sequence[Cell],
        cassettes: Mapping[str, Cassette | None],
        endpoints: Mapping[ModelChoice, Endpoint],
        parallel: int,
    ) -> None:
        """Run episodes, so many at a time, until all are done or the budget is used up."""
        waiting = iter(cells)

        async def work() -> None:
            for cell in waiting:  # shared: each takes the next one
                if self._stop.is_set():
                    return
                await self._run_one(cell, cassettes[cell.name], endpoints)

        workers = [asyncio.ensure_future(work()) for _ in range(min(parallel, len(cells)))]
        stop = asyncio.ensure_future(self._stop.wait())
        try:
            everybody = asyncio.gather(*workers)
            await asyncio.wait({everybody, stop}, return_when=asyncio.FIRST_COMPLETED)
            if everybody.done():
                everybody.result()
        finally:
            for task in (stop, *workers):
                task.cancel()
            await asyncio.gather(stop, *workers, return_exceptions=True)

    async def _run_one(self, cell: Cell, cassette: Cassette | None, endpoints: Mapping[ModelChoice, Endpoint]) -> None:
        out = [self.reasons[choice] for choice in cell.config.models if choice in self.reasons]
        if out:
            self._failed(cell, out[0])
            return
        folder = episode_folder(self._folder, cell)
        try:
            if self._record and folder.is_dir():  # half a cassette is none
                rmtree(folder)
            past = _past(folder)
            journal = _journal(cell, folder, past)
        except (ConfigError, JournalError) as error:
            self._failed(cell, str(error))
            return
        recorder = Recorder(folder, journal, _Ear(self, cell), past.tally if past else None)
        taping = Taping(cell.config, folder / CASSETTE_NAME if self._record else None, recorder.record)
        self.observer.began(cell)
        began = time.perf_counter()
        status, end, fault = "failed", End(success=False), ""
        try:
            models = cell.config.models
            endpoint = endpoints.get(models[0]) or Endpoint(base_url=REPLAYED_URL, model=models[0].llm)
            specs = agent_specs(cell.config, endpoints, cassette, record=self._record)
            if past is None or not past.lesson:
                end = await play(cell.config, folder, endpoint, specs, recorder, taping, past, self._gate)
            else:
                end = End(success=past.success)
            status, fault = ("failed", end.error) if end.error else ("completed", "")
            if end.over_budget:
                status = OVER_BUDGET
            if status == "completed" and cassette is not None:
                fault = deviation(cassette, recorder)
                status = "failed" if fault else status
        except asyncio.CancelledError:
            status, fault = "interrupted", self.result.stopped and f"the budget is used up: {self.result.stopped}"
            raise
        except EXPECTED as error:
            fault = str(error)
        finally:
            self._close(cell, folder, journal, recorder, status, end.success, fault, began, resumed=past is not None)
            if recorder.begun:
                taping.close(status, recorder.digest)
            else:
                taping.discard()

    def _close(
        self,
        cell: Cell,
        folder: Path,
        journal: Journal,
        recorder: Recorder,
        status: str,
        success: bool,
        fault: str,
        began: float,
        *,
        resumed: bool,
    ) -> None:
        if not recorder.begun and status != "completed":  # it could not even start, or go on
            if resumed:
                journal.close()
            else:
                give_back(folder, journal)
            if status == "failed":
                self._failed(cell, fault)
            return
        summary = recorder.finish(status, success, fault, time.perf_counter() - began)
        if status == "completed":
            self.result.finished[cell.name] = summary
        elif status in ("failed", OVER_BUDGET):
            self.result.failed[cell.name] = fault
        self.observer.ended(cell, status, summary, fault)

    def _failed(self, cell: Cell, why: str) -> None:
        self.result.failed[cell.name] = why
        self.observer.ended(cell, "failed", None, why)

    def count(self, record: Record) -> None:
        """Take note of what a record cost; stops the study when the budget is used up."""
        self._spent.add(_calls_in(record))
        stopped = self._budget.used_up(self._spent)
        if stopped and not self.result.stopped:
            self.result.stopped = stopped
            self._stop.set()

    def write_failures(self) -> None:
        """Keep the reasons of failures for the report."""
        text = json.dumps(self.result.failed, indent=2, ensure_ascii=False)
        write_private(self._folder / FAILURES_NAME, (text + "\n").encode())


class _Ear(Observer):
    """Hears of the records of one episode."""

    def __init__(self, conductor: _Conductor, cell: Cell) -> None:
        self._conductor = conductor
        self._cell = cell

    def committed(self, record: Record, tally: Tally) -> None:
        self._conductor.count(record)
        self._conductor.observer.committed(self._cell, record, tally)


def _past(folder: Path) -> Past | None:
    """What an episode has behind it; None if it never began."""
    if not (folder / JOURNAL_NAME).is_file():
        return None
    try:
        return read_past(folder)
    except JournalError as error:
        if "before the first step" not in str(error):
            raise
        rmtree(folder)  # killed while it started: nothing was done
        return None


def _journal(cell: Cell, folder: Path, past: Past | None) -> Journal:
    if past is None:
        return create_run_folder(folder, cell.config)[1]
    return Journal(folder / JOURNAL_NAME, after=past.whole_bytes)


def _count_earlier(folder: Path, spent: Spent) -> None:
    """Add what an episode has used in earlier parts of the study. One that was killed left no summary: not counted."""
    summary = read_summary(folder)
    if summary:
        llm = summary["llm"]
        spent.calls += llm["calls"]
        spent.prompt_tokens += llm["prompt_tokens"]
        spent.completion_tokens += llm["completion_tokens"]


def _calls_in(record: Record) -> Iterator[Mapping[str, Any]]:
    if record["kind"] in ("step", "lesson", "abandoned"):
        for part in record["agents"].values():
            yield from part["lost_calls"]
            yield from (part["turn"] or {"calls": ()})["calls"]
