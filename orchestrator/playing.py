"""One episode over whatever is up: its agents, its world, its barrier, from the first step or from where it stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from housemates import __version__

from ..actors.agent import AgentSpec, Learning
from ..actors.cassette import Cassette, Reel
from ..actors.feedback import find_feedback
from ..actors.limiter.budget import Spent
from ..actors.limiter.gate import Gate, Terms
from ..actors.model.chat import Endpoint
from ..actors.model.server_process import ServerProcess
from ..actors.reply_limits import limits_of
from ..env.household.household import HouseholdWorld
from ..env.own_world import make_world
from ..env.world import World
from .barrier import Barrier
from .cluster.joined import head_loss
from .cluster.machines import cores
from .cluster.own import own_loss
from .cluster.placing import Placing
from .cluster.processes import Process
from .config import ModelChoice, RunConfig, split_mask
from .episode import Episode
from .errors import RuntimeFailure
from .journal.log import SCHEMA
from .metrics import metered
from .past import Past, joint_actions
from .protocol import End
from .recorder import Recorder
from .run_folder import SIMULATOR_LOG_NAME
from .runtime import InlineRuntime, RayRuntime, Runtime
from .sizing import agents_per_actor
from .taping import Taping

Done = TypeVar("Done")

SERVER_POLL_S = 0.25
"""How often we look whether the model server is still there."""


class Purse(NamedTuple):
    """A budget that several episodes spend together: its name, and what earlier parts of all of them spent."""

    run: str
    spent: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What an episode shares with others that are played at the same time.

    Attributes:
        gate: where the calls of all in this process are granted; with Ray there is one for the cluster anyway.
        purse: the budget of all together; None: each has its own.
        agents: the process that holds its agents and others'; None: processes of its own. Only with Ray.
        worlds: the process that holds its world and others'; None: one of its own. Only with Ray.
        agents_per_actor: how agents with processes of their own are packed; 0: as its configuration says.
        starts: held while it starts, so that not all do at once; None: nobody else starts.
        process_starts: held while a process of its own comes up, likewise.
    """

    gate: Gate | None = None
    purse: Purse | None = None
    agents: Process | None = None
    worlds: Process | None = None
    agents_per_actor: int = 0
    starts: asyncio.Semaphore | None = None
    process_starts: asyncio.Semaphore | None = None


async def play(
    config: RunConfig,
    folder: Path,
    endpoint: Endpoint,
    specs: Sequence[AgentSpec],
    recorder: Recorder,
    taping: Taping,
    past: Past | None = None,
    shared: Shared | None = None,
) -> End:
    """Play an episode to its end, or the rest of one.

    Args:
        config: of the run.
        folder: of the run; its journal is read again if the world has to be rebuilt.
        endpoint: of the model that agents without one of their own use.
        specs: of the agents.
        recorder: takes the records.
        taping: sees them first.
        past: what is done already; None: a new episode.
        shared: what it shares with episodes that are played at the same time.

    Raises:
        WorldError, RuntimeFailure: the world cannot begin or continue.
    """
    runtime = make_runtime(config, specs, endpoint, folder, past.spent if past else None, shared)
    try:
        recorder.starting(f"starting {len(specs)} agents")
        async with (shared and shared.starts) or nullcontext():
            await runtime.start()
        feedback = find_feedback(config.feedback)
        barrier = Barrier([spec.name for spec in specs], config.steps, config.step_deadline_s, feedback)
        history = partial(joint_actions, folder)
        placing = Placing(runtime.actors, recorder.starting, taping.record) if isinstance(runtime, RayRuntime) else None

        async def ready() -> None:
            await recorder.ready()
            if placing is not None:
                await placing.note()

        commit = metered(taping.record, folder.name) if config.runtime == "ray" else taping.record
        episode = Episode(barrier, runtime, config.seed, commit, history, recorder.set_aside, ready)
        recorder.started(config, endpoint.model, lambda: episode.waiting_for)
        if past is not None:
            return await episode.resume(past)
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


async def watched(work: Coroutine[Any, Any, Done], servers: Sequence[ServerProcess]) -> Done:
    """Do some work, and end it early if a model server or a Ray that we started dies, or the head of a joined cluster.

    Raises:
        KeyboardInterrupt: it was cancelled from outside.
        RuntimeFailure: one of them is gone.
    """
    playing = asyncio.ensure_future(work)
    watching = [asyncio.ensure_future(watch) for watch in (_death_of(servers), head_loss(), own_loss())]
    try:
        done, _ = await asyncio.wait({playing, *watching}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            raise RuntimeFailure(await next(watch for watch in watching if watch in done))
        return await playing
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for task in (playing, *watching):
            task.cancel()
        await asyncio.gather(playing, *watching, return_exceptions=True)


async def _death_of(servers: Sequence[ServerProcess]) -> str:
    """Waits until a model server is gone, for ever if there is none of ours; says so in one line. Bounds their logs."""
    while all(server.alive for server in servers):
        for server in servers:
            with suppress(OSError):  # a log that cannot be bounded ends no run
                server.bound_log()
        await asyncio.sleep(SERVER_POLL_S)
    return f"the model server ended by itself; its log is {servers[0].log_path}"


def agent_specs(
    config: RunConfig,
    endpoints: Mapping[ModelChoice, Endpoint] | None = None,
    cassette: Cassette | None = None,
    *,
    record: bool = False,
) -> list[AgentSpec]:
    """One spec per agent, named as the world names them.

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
    instruction = (config.own_world or HouseholdWorld).instruction
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
                instruction=instruction,
                endpoint=where.get(ModelChoice(own.llm, own.base_url, own.key_env)),
                learn_endpoint=learn_endpoint,
                record=record,
                tape=cassette.reels.get(name, Reel()).packed() if cassette else None,
            )
        )
    return specs


def make_runtime(
    config: RunConfig,
    specs: Sequence[AgentSpec],
    endpoint: Endpoint,
    folder: Path,
    before: Spent | None = None,
    shared: Shared | None = None,
) -> Runtime:
    """The runtime and the world the configuration names.

    Args:
        config: of the run.
        specs: of the agents.
        endpoint: of the model that agents without one of their own use.
        folder: of the run; takes a simulator's log.
        before: what earlier parts of the run spent.
        shared: what it shares with runs at the same time.
    """
    shared = shared or Shared()
    world, arguments = _world_of(config, folder)
    endpoints = {endpoint, *(e for spec in specs for e in (spec.endpoint, spec.learn_endpoint) if e)}
    # Our own servers take what comes; they are only asked about where the user limits something.
    limited = config.limited or not all(e.ours for e in endpoints)
    terms: Terms | None = None
    if limited and not config.replay:
        run, spent = shared.purse or Purse("", before or Spent())
        terms = Terms(config.caps, config.budget, spent, run)
    if config.runtime == "inline":
        limits: dict[str, Any] = {"call_deadline_s": config.call_deadline_s, "terms": terms, "gate": shared.gate}
        return InlineRuntime(specs, endpoint, world, arguments, **limits)
    packed = shared.agents_per_actor or config.agents_per_actor or agents_per_actor(config.agents, 1, cores())
    return RayRuntime(
        specs,
        endpoint,
        world,
        arguments,
        call_deadline_s=config.call_deadline_s,
        world_deadline_s=config.world_deadline_s,
        agents_per_actor=packed,
        terms=terms,
        agents=shared.agents,
        worlds=shared.worlds,
        starts=shared.process_starts,
    )


def _world_of(config: RunConfig, folder: Path) -> tuple[Callable[..., World], dict[str, Any]]:
    """What makes the world where it is to live, and the arguments for that."""
    if config.own_world is not None:
        return partial(make_world, config.world), config.own_world.arguments
    household: dict[str, Any] = {"task": config.task, "agents": config.agents, "apartment": config.apartment or None}
    if not config.simulator:
        return HouseholdWorld, household
    from ..env.virtualhome.household import SimulatedHousehold

    log_path = str(folder.absolute() / SIMULATOR_LOG_NAME)
    return SimulatedHousehold, household | {"simulator": config.simulator, "log_path": log_path}
