"""One run: a folder, a model, a runtime and an episode, from start to summary."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from housemates import __version__

from ..actors.agent import AgentSpec, Learning
from ..actors.cassette import Cassette, CassetteError, Reel, read_cassette
from ..actors.chat import ChatError, ChatModel, Endpoint
from ..actors.feedback import find_feedback
from ..actors.limits import limits_of
from ..actors.plugin import PluginError
from ..actors.server_process import ServerError
from ..env.household.household import HouseholdWorld
from ..env.world import WorldError
from .barrier import Barrier
from .cluster import local_ray
from .config import ModelChoice, RunConfig, split_mask
from .endpoint import Served, serving
from .episode import Episode
from .errors import ConfigError, RuntimeFailure, StartError
from .given import check_recorded
from .journal import SCHEMA
from .observer import Observer
from .protocol import End
from .recorder import Recorder
from .run_folder import create_run_folder, give_back
from .runtime import InlineRuntime, RayRuntime, Runtime
from .taping import Taping

SERVER_POLL_S = 0.25
"""How often we look whether the model server is still there."""


class RunResult(NamedTuple):
    """Where the run is, its summary, and whether it was interrupted."""

    folder: Path
    summary: dict[str, Any]
    interrupted: bool


def run(
    config: RunConfig, out: Path | None = None, observer: Observer | None = None, record: Path | None = None
) -> RunResult:
    """Run one episode to its end and leave its folder: configuration, journal, summary.

    With `record` all that its models were asked and answered goes into that file, a cassette.

    Call it from the main thread: the processes it starts end with the thread that starts them. Ctrl-C
    ends the run early; what was committed is in the journal, and the summary says `interrupted`.

    Raises:
        ConfigError: the configuration cannot be run here (no key, no model file, folder taken, wrong cassette).
        StartError: the endpoint, Ray, or the world cannot be reached, or was lost; a replay went another way.
    """
    cassette = _cassette(config)
    folder, journal = create_run_folder(out, config)
    recorder = Recorder(folder, journal, observer or Observer())
    try:
        taping = Taping(config, record, recorder.record)
    except ConfigError:
        give_back(folder, journal)
        raise
    began = time.perf_counter()
    status, end, fault = "failed", End(success=False), ""
    summary: dict[str, Any] | None = None
    on_sigint = signal.getsignal(signal.SIGINT)
    try:
        with ExitStack() as stack:
            try:
                recorder.starting(f"starting the model {config.llm}")
                served = stack.enter_context(serving(config, folder, recorder.starting))
                if cassette is None:
                    asyncio.run(_check(served.endpoints.values()))
                if config.runtime == "ray":
                    recorder.starting("starting Ray")
                    stack.enter_context(local_ray())
                specs = agent_specs(config, served.endpoints, cassette, record=record is not None)
                playing = _play(config, folder, served.endpoint, specs, recorder, taping)
                end = asyncio.run(_watched(playing, served))
                status, fault = ("failed", end.error) if end.error else ("completed", "")
            except KeyboardInterrupt:
                if not recorder.begun:
                    raise
                status = "interrupted"
            except (ChatError, ServerError, WorldError, RuntimeFailure, PluginError, CassetteError, OSError) as error:
                fault = str(error)
            except BaseException as error:  # a fault of ours: the record ends properly all the same
                fault = f"{type(error).__name__}: {error}"
                raise
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
                if recorder.begun:  # before the processes are stopped, which takes time and may be cut short
                    if status == "completed" and cassette is not None:
                        fault = _deviation(cassette, recorder)
                        status = "failed" if fault else status
                    summary = recorder.finish(status, end.success, fault, time.perf_counter() - began)
                    taping.close(status, summary["digest"])
    finally:
        signal.signal(signal.SIGINT, on_sigint)
        if not recorder.begun:
            taping.discard()
            give_back(folder, journal)
    if summary is None:
        raise StartError(fault)
    if fault:
        raise StartError(f"{fault} (what was done until then is in {folder})")
    return RunResult(folder, summary, status == "interrupted")


def _cassette(config: RunConfig) -> Cassette | None:
    """What is played back, if anything is.

    Raises:
        ConfigError: it is no cassette, or one of another run.
    """
    if not config.replay:
        return None
    try:
        cassette = read_cassette(Path(config.replay))
    except CassetteError as error:
        raise ConfigError(f"llm: {error}") from None
    check_recorded(config, cassette.config)
    return cassette


async def _watched(play: Coroutine[Any, Any, End], served: Served) -> End:
    """One episode, ended early if a model server that we started dies."""
    playing = asyncio.ensure_future(play)
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
    """Waits until a model server is gone, for ever if there is none of ours; says so in one line."""
    while all(server.alive for server in served.servers):  # noqa: ASYNC110 - a process has no event to wait for
        await asyncio.sleep(SERVER_POLL_S)
    return f"the model server ended by itself; its log is {served.log_path}"


async def _play(
    config: RunConfig,
    folder: Path,
    endpoint: Endpoint,
    specs: Sequence[AgentSpec],
    recorder: Recorder,
    taping: Taping,
) -> End:
    runtime = make_runtime(config, specs, endpoint)
    try:
        recorder.starting(f"starting {len(specs)} agents")
        await runtime.start()
        feedback = find_feedback(config.feedback)
        barrier = Barrier([spec.name for spec in specs], config.steps, config.step_deadline_s, feedback)
        episode = Episode(barrier, runtime, config.seed, taping.record)
        recorder.started(config, endpoint.model, lambda: episode.waiting_for)
        head = {
            "kind": "begin",
            "schema": SCHEMA,
            "version": __version__,
            "config": config.model_dump(exclude_none=True),
            "model": endpoint.model,
            "agents": [spec.name for spec in specs],
        }
        return await episode.run(head)
    finally:
        await runtime.close()


def agent_specs(
    config: RunConfig,
    endpoints: Mapping[ModelChoice, Endpoint] | None = None,
    cassette: Cassette | None = None,
    *,
    record: bool = False,
) -> list[AgentSpec]:
    """One spec per agent, named as the household names them.

    Args:
        config: what is the same for all, and what is not.
        endpoints: where the models are; without it everybody uses the runtime's.
        cassette: what the models' calls are played back from, if they are.
        record: keep the calls in full.
    """
    learning = Learning(
        optimize=config.optimize,
        optimizer=config.optimizer,
        objective=config.objective,
        memory_size=config.memory_size,
        credit_steps=config.credit_steps,
        learn_every=config.learn_every,
        mask=split_mask(config.mask),
    )
    where = endpoints or {}
    learn_endpoint = where.get(config.learn_model) if config.learn_model else None
    specs: list[AgentSpec] = []
    for name in config.names:
        own = config.settings(name)
        specs.append(
            AgentSpec(
                name=name,
                method=own.method or config.method,
                seed=config.seed,
                limits=limits_of(own.llm, config.learn_llm or own.llm),
                learning=learning,
                plan=own.plan or "",
                organization=own.organization or "",
                endpoint=where.get(ModelChoice(own.llm, own.base_url)),
                learn_endpoint=learn_endpoint,
                record=record,
                tape=cassette.reels.get(name, Reel()).packed() if cassette else None,
            )
        )
    return specs


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


def _deviation(cassette: Cassette, recorder: Recorder) -> str:
    """What is wrong with a completed replay; "" if the same happened as in the recorded run."""
    digest = recorder.digest
    if cassette.status != "completed" or digest == cassette.digest:
        return ""
    return f"the replay went another way than the recorded run: its digest is {digest}, recorded was {cassette.digest}"


async def _check(endpoints: Iterable[Endpoint]) -> None:
    """Ask the endpoints whether they are there and know their models, before anything expensive starts."""
    for endpoint in endpoints:
        chat = ChatModel(endpoint)
        try:
            await chat.check()
        finally:
            await chat.close()
