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
from .config import RunConfig
from .endpoint import Served, serving
from .episode import Episode
from .errors import ConfigError, RuntimeFailure, StartError
from .journal import FILE_NAME as JOURNAL_NAME
from .journal import SCHEMA, Journal
from .observer import Observer
from .past import Past, joint_actions, read_past
from .protocol import End
from .recorder import Recorder
from .run_folder import create_run_folder, give_back
from .runtime import InlineRuntime, RayRuntime, Runtime

SERVER_POLL_S = 0.25
"""How often we look whether the model server is still there."""


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
    folder, journal = create_run_folder(out, config)
    recorder = Recorder(folder, journal, observer or Observer())
    try:
        return _conduct(config, folder, recorder, None)
    finally:
        if not recorder.begun:
            give_back(folder, journal)


def resume(folder: Path, observer: Observer | None = None) -> RunResult:
    """Go on with a run that was interrupted, killed, or could not continue, where its last step ended.

    What is committed is neither repeated nor lost: the world takes the recorded actions again, the
    agents get their recorded states. With a deterministic model the run ends as if nothing had
    happened. Otherwise as `run`.

    Raises:
        ConfigError: the run is complete.
        JournalError: there is no run in the folder, it is damaged, or it is going on right now.
        StartError: as for `run`.
    """
    past = read_past(folder)
    if past.status == "completed":
        raise ConfigError(f"{folder}: the run is complete, there is nothing to resume; see: housemates replay {folder}")
    journal = Journal(folder / JOURNAL_NAME, after=past.whole_bytes)
    recorder = Recorder(folder, journal, observer or Observer(), past.tally)
    try:
        if past.lesson:  # all that is missing is the end
            return RunResult(folder, recorder.finish("completed", past.success, "", 0.0), False)
        return _conduct(past.config, folder, recorder, past)
    finally:
        journal.close()


def _conduct(config: RunConfig, folder: Path, recorder: Recorder, past: Past | None) -> RunResult:
    """Bring everything up, run the episode or the rest of it, and take everything down."""
    began = time.perf_counter()
    status, end, fault = "failed", End(success=False), ""
    summary: dict[str, Any] | None = None
    on_sigint = signal.getsignal(signal.SIGINT)
    try:
        with ExitStack() as stack:
            try:
                recorder.starting(f"starting the model {config.llm}")
                served = stack.enter_context(serving(config, folder, recorder.starting))
                asyncio.run(_check(served.endpoint))
                if config.runtime == "ray":
                    recorder.starting("starting Ray")
                    stack.enter_context(local_ray())
                end = asyncio.run(_episode(config, folder, served, recorder, past))
                status, fault = ("failed", end.error) if end.error else ("completed", "")
            except KeyboardInterrupt:
                if not recorder.begun:
                    raise
                status = "interrupted"
            except (ChatError, ServerError, WorldError, RuntimeFailure, OSError) as error:
                fault = str(error)
            except BaseException as error:  # a fault of ours: the record ends properly all the same
                fault = f"{type(error).__name__}: {error}"
                raise
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
                if recorder.begun:  # before the processes are stopped, which takes time and may be cut short
                    summary = recorder.finish(status, end.success, fault, time.perf_counter() - began)
    finally:
        signal.signal(signal.SIGINT, on_sigint)
    if summary is None:
        raise StartError(fault)
    if fault:
        raise StartError(f"{fault} (what was done until then is in {folder}; go on with: housemates resume {folder})")
    return RunResult(folder, summary, status == "interrupted")


async def _episode(config: RunConfig, folder: Path, served: Served, recorder: Recorder, past: Past | None) -> End:
    """One episode, ended early if the model server that we started dies."""
    playing = asyncio.ensure_future(_play(config, folder, served.endpoint, recorder, past))
    watching = asyncio.ensure_future(_death_of(served))
    try:
        await asyncio.wait({playing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            raise RuntimeFailure(await watching)
        return await playing
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        watching.cancel()
        playing.cancel()
        await asyncio.gather(playing, watching, return_exceptions=True)


async def _death_of(served: Served) -> str:
    """Waits until the model server is gone, for ever if there is none of ours; says so in one line."""
    while served.server is None or served.server.alive:  # noqa: ASYNC110 - a process has no event to wait for
        await asyncio.sleep(SERVER_POLL_S)
    return f"the model server ended by itself; its log is {served.log_path}"


async def _play(config: RunConfig, folder: Path, endpoint: Endpoint, recorder: Recorder, past: Past | None) -> End:
    specs = agent_specs(config)
    runtime = make_runtime(config, specs, endpoint)
    try:
        recorder.starting(f"starting {len(specs)} agents")
        await runtime.start()
        barrier = Barrier([spec.name for spec in specs], config.steps, config.step_deadline_s)
        episode = Episode(barrier, runtime, config.seed, recorder.record, lambda: joint_actions(folder), recorder.ready)
        recorder.started(config, endpoint.model, lambda: episode.waiting_for)
        if past is not None:
            return await episode.resume(past)
        head = {
            "kind": "begin",
            "schema": SCHEMA,
            "version": __version__,
            "config": config.model_dump(),
            "model": endpoint.model,
            "agents": [spec.name for spec in specs],
        }
        return await episode.run(head)
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
