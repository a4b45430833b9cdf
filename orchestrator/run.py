"""One run: a folder, a model, a runtime and an episode, from start to summary."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from housemates import __version__

from ..actors.agent import AgentSpec
from ..actors.chat import ChatError, ChatModel, Endpoint
from ..actors.server_process import ServerError
from ..env.household.household import HouseholdWorld
from ..env.world import WorldError
from .barrier import Barrier
from .cluster import local_ray
from .config import FILE_NAME as CONFIG_NAME
from .config import RunConfig
from .endpoint import serving
from .episode import Episode
from .errors import StartError
from .journal import FILE_NAME as JOURNAL_NAME
from .journal import SCHEMA, Journal
from .observer import Observer, Record
from .protocol import End
from .run_folder import create_run_folder, write_summary
from .runtime import InlineRuntime, RayRuntime, Runtime, RuntimeFailure
from .summary import Tally


class RunResult(NamedTuple):
    """Where the run is, its summary, and whether it was interrupted."""

    folder: Path
    summary: dict[str, Any]
    interrupted: bool


def run(config: RunConfig, out: Path | None = None, observer: Observer | None = None) -> RunResult:
    """Run one episode to its end and leave its folder: configuration, journal, summary.

    Call it from the main thread: the processes it starts end with the thread that starts them. Ctrl-C
    ends the run early; what was committed is in the journal, and the summary says `interrupted`.

    Raises:
        ConfigError: the configuration cannot be run here (no key, no model file, folder taken).
        StartError: the endpoint, Ray, or the world cannot be reached, or was lost.
    """
    observer = observer or Observer()
    folder = create_run_folder(out, config)
    recorder = _Recorder(folder, observer)
    began = time.perf_counter()
    status, end, fault = "failed", End(success=False), ""
    try:
        config.write(folder / CONFIG_NAME)
        with ExitStack() as stack:
            try:
                observer.starting(f"starting the model {config.llm}")
                endpoint = stack.enter_context(serving(config, folder, observer.starting))
                if config.runtime == "ray":
                    observer.starting("starting Ray")
                    stack.enter_context(local_ray())
                end = asyncio.run(_episode(config, folder, endpoint, recorder, observer))
                status, fault = ("failed", end.error) if end.error else ("completed", "")
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
    except KeyboardInterrupt:
        if not recorder.begun:
            raise
        status = "interrupted"
    except (ChatError, ServerError, WorldError, RuntimeFailure, OSError) as error:
        fault = str(error)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not recorder.begun:
        raise StartError(fault)
    summary = recorder.finish(status, end.success, fault, time.perf_counter() - began)
    if fault:
        raise StartError(f"{fault} (what was done until then is in {folder})")
    return RunResult(folder, summary, status == "interrupted")


async def _episode(config: RunConfig, folder: Path, endpoint: Endpoint, recorder: _Recorder, observer: Observer) -> End:
    await _check(endpoint)
    specs = agent_specs(config)
    runtime = make_runtime(config, specs, endpoint)
    try:
        observer.starting(f"starting {len(specs)} agents")
        await runtime.start()
        barrier = Barrier([spec.name for spec in specs], config.steps, config.step_deadline_s)
        episode = Episode(barrier, runtime, config.seed, recorder.record)
        observer.started(config, folder, endpoint.model)
        observer.watch(lambda: episode.waiting_for)
        head = {
            "kind": "begin",
            "schema": SCHEMA,
            "version": __version__,
            "config": config.model_dump(),
            "model": endpoint.model,
            "agents": [spec.name for spec in specs],
        }
        return await episode.run(head)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        await runtime.close()


def agent_specs(config: RunConfig) -> list[AgentSpec]:
    """One spec per agent, named as the household names them."""
    return [
        AgentSpec(
            name=f"Agent_{number}",
            method=config.method,
            seed=config.seed,
            limits=config.limits,
            memory_size=config.memory_size,
        )
        for number in range(1, config.agents + 1)
    ]


def make_runtime(config: RunConfig, specs: Sequence[AgentSpec], endpoint: Endpoint) -> Runtime:
    """The runtime the configuration names, with the household as its world."""
    world = {"task": config.task, "agents": config.agents}
    if config.runtime == "inline":
        return InlineRuntime(specs, endpoint, HouseholdWorld, world, call_deadline_s=config.call_deadline_s)
    return RayRuntime(
        specs,
        endpoint,
        HouseholdWorld,
        world,
        call_deadline_s=config.call_deadline_s,
        agents_per_actor=config.agents_per_actor,
    )


async def _check(endpoint: Endpoint) -> None:
    """Ask the endpoint whether it is there and knows the model, before anything expensive starts."""
    chat = ChatModel(endpoint)
    try:
        await chat.check()
    finally:
        await chat.close()


class _Recorder:
    """Writes what is committed, counts it, and tells the observer."""

    def __init__(self, folder: Path, observer: Observer) -> None:
        self._folder = folder
        self._observer = observer
        self._tally = Tally()
        self._journal: Journal | None = None

    @property
    def begun(self) -> bool:
        return self._journal is not None

    def record(self, record: Record) -> None:
        if self._journal is None:
            self._journal = Journal(self._folder / JOURNAL_NAME)
        self._journal.append(record)
        self._tally.add(record)
        self._observer.committed(record, self._tally)

    def finish(self, status: str, success: bool, error: str, wall_s: float) -> dict[str, Any]:
        """Close the journal and write the summary.

        Raises:
            StartError: the disk does not take them.
        """
        assert self._journal is not None
        end = {"kind": "end", "status": status, "success": success, "error": error, "wall_s": wall_s}
        try:
            self.record(end)
            self._journal.close()
            summary = self._tally.summary()
            write_summary(self._folder, summary)
        except OSError as fault:
            raise StartError(
                f"{error or 'the run ended'}, but {self._folder} does not take its record: {fault}"
            ) from None
        return summary
