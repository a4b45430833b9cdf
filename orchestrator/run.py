"""One run: a folder, its models, a runtime and an episode, from start to summary."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from ..actors.cassette import Cassette, CassetteError, read_cassette
from ..actors.model.chat import ChatError, ChatModel, Endpoint
from ..actors.model.server_process import ServerError
from ..env.plugin import PluginError
from ..env.world import WorldError
from .cluster.joined import ray_at
from .config import FILE_NAME as CONFIG_NAME
from .config import RunConfig, changed, load_config, make_config
from .endpoint import serving
from .errors import ConfigError, RuntimeFailure, StartError
from .journal.log import FILE_NAME as JOURNAL_NAME
from .journal.log import Journal
from .observer import Observer
from .past import Past, read_past
from .playing import agent_specs, play, watched
from .protocol import End
from .recorder import Recorder
from .run_folder import create_run_folder, give_back, never_began
from .taping import Taping, check_recorded

OVER_BUDGET = "budget_exceeded"
"""The status of a run that used up its budget."""

EXPECTED = (ChatError, ServerError, WorldError, RuntimeFailure, PluginError, CassetteError, OSError)
"""What can end a run without being a fault of ours."""


class RunResult(NamedTuple):
    """Where the run is, its summary, and whether it was interrupted."""

    folder: Path
    summary: dict[str, Any]
    interrupted: bool

    @property
    def over_budget(self) -> bool:
        """Whether it ended because its budget was used up."""
        return self.summary["status"] == OVER_BUDGET


def run(
    config: RunConfig,
    out: Path | None = None,
    observer: Observer | None = None,
    record: Path | None = None,
    address: str = "",
) -> RunResult:
    """Run one episode to its end and leave its folder: configuration, journal, summary.

    With `record` all that its models were asked and answered goes into that file, a cassette. With `address` the
    actors live in the Ray cluster there (HOST:PORT or `auto`), not in a Ray of the run's own.

    Call it from the main thread: the processes it starts end with the thread that starts them. Ctrl-C
    ends the run early; what was committed is in the journal, and the summary says `interrupted`.

    Raises:
        ConfigError: the configuration cannot be run here (no key, no model file, folder taken, wrong cassette).
        StartError: the endpoint, Ray, or the world cannot be reached, or was lost; a replay went another way.
    """
    if config.households > 1:
        raise ConfigError(
            "households: several of them are run with housemates.orchestrator.households.running.run_households"
        )
    cassette = find_cassette(config)
    folder, journal = create_run_folder(out, config)
    recorder = Recorder(folder, journal, observer or Observer())
    taping: Taping | None = None
    try:
        taping = Taping(config, record, recorder.record)
        return _conduct(config, folder, recorder, taping, cassette, None, address)
    finally:
        if not recorder.begun:
            if taping is not None:
                taping.discard()
            give_back(folder, journal)


def resume(
    folder: Path,
    observer: Observer | None = None,
    budget: Mapping[str, Any] | None = None,
    address: str = "",
) -> RunResult:
    """Go on with a run that was interrupted, killed, or could not continue, where its last step ended.

    What is committed is neither repeated nor lost: the world takes the recorded actions again, the
    agents get their recorded states. With a deterministic model the run ends as if nothing had
    happened. Otherwise as `run`. A run that was killed before anything of it was written down begins
    anew. A cassette that was being recorded is not gone on with.

    Args:
        folder: of the run.
        observer: is told how it goes.
        budget: settings among `config.BUDGET` to be changed. What the run has spent so far counts.
        address: of a Ray cluster to join, as for `run`; it need not be the one the run began on.

    Raises:
        ConfigError: the run is complete, or its budget is used up.
        JournalError: there is no run in the folder, it is damaged, or it is going on right now.
        StartError: as for `run`.
    """
    if never_began(folder) and (folder / CONFIG_NAME).is_file():
        config = changed(make_config(**load_config(folder / CONFIG_NAME)), dict(budget or {}))
        return run(config, folder, observer, address=address)
    past = read_past(folder)
    if past.status == "completed":
        raise ConfigError(f"{folder}: the run is complete, there is nothing to resume; see: housemates replay {folder}")
    past.new_budget = dict(budget or {})
    past.config = changed(past.config, past.new_budget)
    used_up = past.config.budget.used_up(past.spent)
    if used_up and not past.lesson:
        raise ConfigError(f"{folder}: {used_up}")
    cassette = find_cassette(past.config)
    journal = Journal(folder / JOURNAL_NAME, after=past.whole_bytes)
    recorder = Recorder(folder, journal, observer or Observer(), past.tally)
    try:
        if past.lesson:  # all that is missing is the end
            return RunResult(folder, recorder.finish("completed", past.success, "", 0.0), False)
        taping = Taping(past.config, None, recorder.record)
        return _conduct(past.config, folder, recorder, taping, cassette, past, address)
    finally:
        journal.close()


def _conduct(
    config: RunConfig,
    folder: Path,
    recorder: Recorder,
    taping: Taping,
    cassette: Cassette | None,
    past: Past | None,
    address: str,
) -> RunResult:
    """Bring everything up, play the episode or the rest of it, and take everything down."""
    began = time.perf_counter()
    status, end, fault = "failed", End(success=False), ""
    summary: dict[str, Any] | None = None
    on_sigint = signal.getsignal(signal.SIGINT)
    try:
        with ExitStack() as stack:
            try:
                recorder.starting(f"starting the model {config.llm}")
                models = serving(config.models, config.agents, folder, recorder.starting, replayed=bool(config.replay))
                served = stack.enter_context(models)
                if cassette is None:
                    asyncio.run(check_endpoints(served.endpoints.values()))
                if config.runtime == "ray":
                    recorder.starting(f"joining Ray at {address}" if address else "starting Ray")
                    asked = () if config.replay else served.endpoints.values()
                    stack.enter_context(ray_at(address, asked))
                specs = agent_specs(config, served.endpoints, cassette, record=taping.recording)
                episode = play(config, folder, served.endpoint, specs, recorder, taping, past)
                end = asyncio.run(watched(episode, served.servers))
                if end.over_budget:
                    status = OVER_BUDGET
                else:
                    status, fault = ("failed", end.error) if end.error else ("completed", "")
            except KeyboardInterrupt:
                if not recorder.begun:
                    raise
                status = "interrupted"
            except EXPECTED as error:
                fault = str(error)
            except BaseException as error:  # a fault of ours: the record ends properly all the same
                fault = f"{type(error).__name__}: {error}"
                raise
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
                if recorder.begun:  # before the processes are stopped, which takes time and may be cut short
                    if status == "completed" and cassette is not None:
                        fault = deviation(cassette, recorder)
                        status = "failed" if fault else status
                    summary = recorder.finish(status, end.success, fault or end.error, time.perf_counter() - began)
                    taping.close(status, summary["digest"])
    finally:
        signal.signal(signal.SIGINT, on_sigint)
    if summary is None:
        raise StartError(fault)
    if fault:
        raise StartError(f"{fault} (what was done until then is in {folder}; go on with: housemates resume {folder})")
    return RunResult(folder, summary, status == "interrupted")


def find_cassette(config: RunConfig) -> Cassette | None:
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


def deviation(cassette: Cassette, recorder: Recorder) -> str:
    """What is wrong with a completed replay; "" if the same happened as in the recorded run."""
    digest = recorder.digest
    if cassette.status != "completed" or digest == cassette.digest:
        return ""
    return f"the replay went another way than the recorded run: its digest is {digest}, recorded was {cassette.digest}"


async def check_endpoints(endpoints: Iterable[Endpoint]) -> None:
    """Ask the endpoints whether they are there and know their models, before anything expensive starts."""
    for endpoint in endpoints:
        chat = ChatModel(endpoint)
        try:
            await chat.check()
        finally:
            await chat.close()
