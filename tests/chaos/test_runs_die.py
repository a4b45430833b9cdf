"""Whole runs are killed, cut off and run out of disk, and go on to the same end: T3, T9, T10, T11, T12, T13."""

from __future__ import annotations

import gc
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil
import pytest
from housemates.actors.model.scripted_server import scripted_server
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import StepResult, WorldError
from housemates.orchestrator import replay
from housemates.orchestrator.barrier import Barrier
from housemates.orchestrator.cluster.supervisor import processes_of
from housemates.orchestrator.config import make_config
from housemates.orchestrator.episode import Episode
from housemates.orchestrator.errors import StartError
from housemates.orchestrator.journal.log import FILE_NAME, JournalError, read_journal, whole_bytes
from housemates.orchestrator.past import read_past
from housemates.orchestrator.run import resume, run
from housemates.orchestrator.summary import Tally

from ..leftovers import until
from .conftest import LONG
from .episodes import SETTINGS
from .table import Tell
from .test_lost_messages import AGENTS, LossyRuntime

pytestmark = pytest.mark.chaos
STEPS = 14


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(
        make_config(**SETTINGS, runtime="inline", steps=STEPS), tmp_path_factory.mktemp("undisturbed") / "run"
    ).folder


def command(folder: Path, runtime: str, settings: Mapping[str, str]) -> list[str]:
    everything = SETTINGS | {"runtime": runtime, "steps": STEPS} | settings
    flags = [f"--{name}={value}" for name, value in everything.items()]
    done = ["resume", str(folder)] if (folder / FILE_NAME).exists() else ["run", *flags, "--out", str(folder)]
    return [sys.executable, "-m", "housemates.orchestrator.cli", *done]


@contextmanager
def started(
    folder: Path, runtime: str = "inline", settings: Mapping[str, str] = MappingProxyType({}), **more: Any
) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, new or going on."""
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command(folder, runtime, settings), **pipes | more) as process:
        yield process


def steps_in(folder: Path) -> int:
    try:
        return sum(record["kind"] == "step" for record in read_journal(folder / FILE_NAME))
    except (FileNotFoundError, JournalError):
        return 0


def kill_tree(process: subprocess.Popen[str]) -> None:
    """Kill a run, first of all, and its processes, unless it has ended by itself."""
    with suppress(psutil.NoSuchProcess):
        own = psutil.Process(process.pid)
        for victim in [own, *own.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                victim.kill()


def test_a_run_killed_at_random_moments_goes_on_to_the_same_end(
    tmp_path: Path, undisturbed: Path, record_property: Tell
) -> None:
    rng = random.Random("moments")
    kills = 0
    for number in range(17 if LONG else 1):
        folder = tmp_path / str(number)
        for share in (0.25, 0.5, 0.75):
            with started(folder, "ray" if LONG and number % 4 == 0 else "inline") as process:
                goal = round(share * STEPS)
                while steps_in(folder) < goal and process.poll() is None:
                    time.sleep(0.02)
                time.sleep(rng.uniform(0, 0.05))
                kill_tree(process)
                error = process.communicate()[1]
            if process.returncode == 0:
                break  # it was quicker than we
            assert process.returncode == -signal.SIGKILL, error
            kills += 1
        if read_past(folder).status != "completed":
            resume(folder)
        assert replay.digest(folder) == replay.digest(undisturbed)
        steps = [r["step"] for r in read_journal(folder / FILE_NAME) if r["kind"] == "step"]
        assert steps == list(range(STEPS)), "no step is there twice, and none is missing"
    record_property("injections", kills)
    record_property("survived", kills)
    assert kills >= 1


@pytest.mark.ray
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
def test_a_run_whose_driver_is_killed_leaves_no_process_and_no_session(tmp_path: Path, record_property: Tell) -> None:
    with started(tmp_path / "run", "ray") as process:
        assert until(lambda: steps_in(tmp_path / "run") >= 3, 120)
        children = psutil.Process(process.pid).children(recursive=True)
        (session,) = {
            argument
            for child in children
            if child.name() == "python" and "supervisor" in " ".join(child.cmdline())
            for argument in child.cmdline()[-1:]
        }
        assert Path(session).is_dir() and processes_of(session)
        process.kill()
        killed = time.monotonic()
    assert until(lambda: not any(map(alive, children)) and not Path(session).exists(), 20)
    record_property("figure", f"all gone after {time.monotonic() - killed:.1f} s")
    assert processes_of(session) == []


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Ray's processes have other names")
@pytest.mark.parametrize("vital", ["raylet", "gcs_server"])
def test_a_run_whose_own_ray_dies_ends_with_one_line_and_goes_on(
    tmp_path: Path, undisturbed: Path, vital: str, record_property: Tell
) -> None:
    """Ray says nothing of it to those who wait for its actors."""
    folder = tmp_path / "run"
    with scripted_server(latency_s=0.2) as server:
        with started(folder, "ray", {"llm": "openai:scripted", "base-url": server.url}) as process:
            assert until(lambda: steps_in(folder) >= 2, 120)
            (victim,) = [p for p in psutil.Process(process.pid).children(recursive=True) if p.name() == vital]
            victim.kill()
            killed = time.monotonic()
            error = process.communicate(timeout=60)[1]
        assert process.returncode == 3
        assert error.splitlines()[-1].startswith(f"housemates: this run's Ray has died: {vital} is gone")
        assert "Traceback" not in error
        assert 2 <= steps_in(folder) < STEPS
        record_property("figure", f"{vital}: ended after {time.monotonic() - killed:.1f} s, resumed")
        resume(folder)
    assert replay.digest(folder) == replay.digest(undisturbed)


def alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_a_journal_cut_anywhere_is_a_run_up_to_its_last_whole_step(
    tmp_path: Path, undisturbed: Path, record_property: Tell
) -> None:
    whole = (undisturbed / FILE_NAME).read_bytes()
    everything = list(read_journal(undisturbed / FILE_NAME))
    steps_seen: set[int] = set()
    for cut in range(0, len(whole), 64):
        (tmp_path / FILE_NAME).write_bytes(whole[:cut])
        try:
            past = read_past(tmp_path)
        except JournalError as error:
            assert "before the first step" in str(error) or "not a journal" in str(error)
            continue
        found = list(read_journal(tmp_path / FILE_NAME))
        assert found == everything[: len(found)]
        assert past.step == sum(record["kind"] == "step" for record in found)
        assert whole_bytes(tmp_path / FILE_NAME) <= cut
        assert {s.version for s in past.standings.values()} <= {past.step, past.step + past.lesson}
        steps_seen.add(past.step)
    assert steps_seen == set(range(STEPS + 1))
    for name in ("injections", "survived"):
        record_property(name, len(range(0, len(whole), 64)))


def test_a_full_disk_ends_a_run_with_its_name_and_the_run_goes_on_when_there_is_room(
    tmp_path: Path, undisturbed: Path
) -> None:
    limit = (undisturbed / FILE_NAME).stat().st_size // 2

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with started(tmp_path / "run", preexec_fn=little_room) as process:
        error = process.communicate()[1]
    assert process.returncode == 3
    assert "File too large" in error and str(tmp_path / "run") in error and "Traceback" not in error
    assert 0 < steps_in(tmp_path / "run") < STEPS
    assert resume(tmp_path / "run").summary["digest"] == replay.digest(undisturbed)


def test_when_the_world_fails_after_the_agents_answered_nobody_is_a_step_ahead(
    tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = 0
    step = HouseholdWorld.step

    def fails(self: HouseholdWorld, actions: Mapping[str, str | None]) -> StepResult:
        nonlocal taken
        taken += 1
        if taken == 6:
            raise WorldError("the roof came down")
        return step(self, actions)

    monkeypatch.setattr(HouseholdWorld, "step", fails)
    with pytest.raises(StartError, match="the roof came down"):
        run(make_config(**SETTINGS, runtime="inline", steps=STEPS), tmp_path / "run")
    past = read_past(tmp_path / "run")
    assert past.step == 5
    assert {standing.version for standing in past.standings.values()} == {5}
    assert resume(tmp_path / "run").summary["digest"] == replay.digest(undisturbed)


async def test_a_long_episode_keeps_nothing_of_its_steps() -> None:
    counted: dict[int, int] = {}
    tally = Tally()

    def commit(record: Mapping[str, Any]) -> None:
        tally.add(record)
        if record["kind"] == "step" and record["step"] in (500, 1500):
            gc.collect()
            counted[record["step"]] = len(gc.get_objects())

    runtime = LossyRuntime(None)
    runtime.taken = Nothing()
    head = {"kind": "begin", "config": {}, "model": "none", "agents": AGENTS}
    await Episode(Barrier(AGENTS, 1600), runtime, 7, commit).run(head)
    assert counted[1500] - counted[500] < 50


class Nothing(list[Any]):
    def append(self, _: Any) -> None: ...
