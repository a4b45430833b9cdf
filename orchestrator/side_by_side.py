"""Episodes that are played side by side in this process, each with a run folder of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

from ..actors.cassette import Cassette
from ..actors.model.chat import Endpoint
from .config import ModelChoice, RunConfig, changed
from .endpoint import replayed_endpoint
from .errors import ConfigError, StartError
from .journal.log import FILE_NAME as JOURNAL_NAME
from .journal.log import Journal, JournalError
from .observer import Observer, Record
from .past import Past, read_past
from .playing import Shared, agent_specs, play
from .protocol import End
from .recorder import Recorder
from .run import EXPECTED, OVER_BUDGET, deviation
from .run_folder import create_run_folder, give_back, never_began
from .summary import Tally
from .taping import Taping


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to be played, or to be gone on with.

    Attributes:
        name: what it is called among the others.
        folder: of its run; it need not be there.
        config: to begin it with; one that has begun goes on with its own.
        cassette: what its models' calls are played back from, if they are.
        record: a file for all that its models are asked and answered; one that was interrupted begins anew then.
        budget: settings among `config.BUDGET` that are given anew.
        shared: what it shares with others; None: what all jobs that are played together share.
    """

    name: str
    folder: Path
    config: RunConfig
    cassette: Cassette | None = None
    record: Path | None = None
    budget: Mapping[str, Any] = field(default_factory=dict[str, Any])
    shared: Shared | None = None


class Listener:
    """Is told how jobs go, by their names."""

    def began(self, name: str) -> None:
        """An episode begins, or goes on."""

    def committed(self, name: str, record: Record, tally: Tally) -> None:
        """A record is in the journal of an episode."""

    def ended(self, name: str, status: str, summary: Mapping[str, Any] | None, error: str) -> None:
        """An episode ended; without a summary if it could not begin."""


class SideBySide:
    """Plays jobs at the same time; one that fails does not stop the others.

    Args:
        endpoints: where the models are.
        listener: is told how it goes.
        shared: what the episodes share, unless a job says otherwise.
    """

    def __init__(self, endpoints: Mapping[ModelChoice, Endpoint], listener: Listener, shared: Shared) -> None:
        self._endpoints = endpoints
        self._listener = listener
        self._shared = shared
        self._stop = asyncio.Event()
        self._why = ""

    def stop(self, why: str) -> None:
        """Interrupt what is going on, begin nothing more."""
        self._why = why
        self._stop.set()

    async def run(self, jobs: Sequence[Job], parallel: int) -> None:
        """Play jobs, so many at a time, until all have ended or they are stopped."""
        waiting = iter(jobs)

        async def work() -> None:
            for job in waiting:  # shared: each takes the next one
                if self._stop.is_set():
                    return
                await self._play(job)

        workers = [asyncio.ensure_future(work()) for _ in range(min(parallel, len(jobs)))]
        everybody, stop = asyncio.gather(*workers), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({everybody, stop}, return_when=asyncio.FIRST_COMPLETED)
            if everybody.done():
                everybody.result()
        finally:
            for task in (stop, *workers):
                task.cancel()
            await asyncio.gather(stop, everybody, *workers, return_exceptions=True)

    async def _play(self, job: Job) -> None:
        folder, cassette = job.folder, job.cassette
        try:
            if job.record and folder.is_dir():  # half a cassette is none
                rmtree(folder)
            past = _past(job)
            journal = _journal(job, past)
        except (ConfigError, JournalError) as error:
            self._listener.ended(job.name, "failed", None, str(error))
            return
        config = past.config if past else job.config
        recorder = Recorder(folder, journal, _Ear(job.name, self._listener), past.tally if past else None)
        taping = Taping(config, job.record, recorder.record)
        self._listener.began(job.name)
        began = time.perf_counter()
        status, end, fault = "failed", End(success=False), ""
        try:
            endpoints = self._endpoints if cassette is None else {m: replayed_endpoint(m) for m in config.models}
            endpoint = endpoints[config.models[0]]
            specs = agent_specs(config, endpoints, cassette, record=taping.recording)
            if past is None or not past.lesson:
                shared = job.shared or self._shared
                end = await play(config, folder, endpoint, specs, recorder, taping, past, shared)
            else:
                end = End(success=past.success)
            status, fault = ("failed", end.error) if end.error else ("completed", "")
            if end.over_budget:
                status = OVER_BUDGET
            if status == "completed" and cassette is not None:
                fault = deviation(cassette, recorder)
                status = "failed" if fault else status
        except asyncio.CancelledError:
            status, fault = "interrupted", self._why
            raise
        except EXPECTED as error:
            fault = str(error)
        except Exception as error:  # a fault of ours: the record ends properly all the same
            fault = f"{type(error).__name__}: {error}"
            raise
        finally:
            status = self._close(job, journal, recorder, status, end.success, fault, began, resumed=past is not None)
            if recorder.begun:
                taping.close(status, recorder.digest)
            else:
                taping.discard()

    def _close(
        self,
        job: Job,
        journal: Journal,
        recorder: Recorder,
        status: str,
        success: bool,
        fault: str,
        began: float,
        *,
        resumed: bool,
    ) -> str:
        """End the record of an episode, and tell of it; returns the status it ended with."""
        summary: Mapping[str, Any] | None = None
        if recorder.begun or status == "completed":
            try:
                summary = recorder.finish(status, success, fault, time.perf_counter() - began)
            except StartError as error:  # the disk does not take its end; the others may have one that does
                status, fault = "failed", str(error)
                journal.close()
        elif resumed:  # it could not go on
            journal.close()
        else:  # it could not even start
            give_back(job.folder, journal)
        self._listener.ended(job.name, status, summary, fault)
        return status


class _Ear(Observer):
    """Hears of the records of one episode."""

    def __init__(self, name: str, listener: Listener) -> None:
        self._name = name
        self._listener = listener

    def committed(self, record: Record, tally: Tally) -> None:
        self._listener.committed(self._name, record, tally)


def _past(job: Job) -> Past | None:
    """What an episode has behind it; None if it never began."""
    if not (job.folder / JOURNAL_NAME).is_file() or never_began(job.folder):
        return None
    past = read_past(job.folder)
    past.new_budget = dict(job.budget)
    past.config = changed(past.config, past.new_budget)
    return past


def _journal(job: Job, past: Past | None) -> Journal:
    if past is None:
        return create_run_folder(job.folder, job.config)[1]
    return Journal(job.folder / JOURNAL_NAME, after=past.whole_bytes)
