"""A run that was interrupted or killed goes on as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from housemates.orchestrator import replay
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError, StartError
from housemates.orchestrator.journal.log import FILE_NAME, Journal, JournalError, read_journal
from housemates.orchestrator.observer import Observer, Record
from housemates.orchestrator.run import resume, run
from housemates.orchestrator.run_folder import create_run_folder
from housemates.orchestrator.summary import Tally

SETTINGS: dict[str, Any] = {"llm": "scripted", "runtime": "inline", "task": "put_dishwasher", "agents": 3, "seed": 5}


class StopAfter(Observer):
    """Presses Ctrl-C when so many steps are committed."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def committed(self, record: Record, tally: Tally) -> None:
        if record["kind"] == "step" and tally.steps == self.steps:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(make_config(**SETTINGS), tmp_path_factory.mktemp("undisturbed") / "run").folder


def rewrite(source: Path, target: Path, kept: Callable[[Record], bool]) -> Path:
    """A run folder with only some records of another one."""
    target.mkdir(parents=True)
    journal = Journal(target / FILE_NAME)
    for record in read_journal(source / FILE_NAME):
        if kept(record):
            journal.append(record)
    journal.close()
    return target


def test_an_interrupted_run_goes_on_to_the_digest_of_an_undisturbed_one(tmp_path: Path, undisturbed: Path) -> None:
    interrupted = run(make_config(**SETTINGS), tmp_path / "run", StopAfter(4))
    assert interrupted.interrupted
    assert interrupted.summary["status"] == "interrupted"
    again = resume(tmp_path / "run", StopAfter(9))
    assert again.interrupted
    result = resume(tmp_path / "run")
    assert result.summary["status"] == "completed"
    assert result.summary["success"]
    assert result.summary["digest"] == replay.digest(undisturbed) == replay.digest(tmp_path / "run")
    assert result.summary["resumes"] == 2
    steps = [r["step"] for r in read_journal(tmp_path / "run" / FILE_NAME) if r["kind"] == "step"]
    assert steps == list(range(len(steps))), "no step is there twice, and none is missing"


def test_wherever_the_journal_ends_the_run_ends_the_same(tmp_path: Path, undisturbed: Path) -> None:
    whole = (undisturbed / FILE_NAME).read_bytes()
    digest = replay.digest(undisturbed)
    tried = 0
    for cut in range(len(whole) - 1, 0, -len(whole) // 12):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / FILE_NAME).write_bytes(whole[:cut])
        try:
            assert resume(folder).summary["digest"] == digest
            tried += 1
        except JournalError as error:
            assert "before the first step" in str(error) or "not a journal" in str(error)
    assert tried >= 8


@pytest.mark.parametrize("again", ["resume", "run"])
def test_a_run_that_was_killed_before_it_wrote_anything_down_begins(
    again: str, tmp_path: Path, undisturbed: Path
) -> None:
    folder, journal = create_run_folder(tmp_path / "run", make_config(**SETTINGS))
    with pytest.raises(ConfigError, match="being written"):
        resume(folder)
    journal.close()  # as a kill does
    result = resume(folder) if again == "resume" else run(make_config(**SETTINGS), folder)
    assert result.summary["digest"] == replay.digest(undisturbed)


def test_a_budget_that_is_given_anew_holds_for_a_run_that_never_began(tmp_path: Path) -> None:
    folder, journal = create_run_folder(tmp_path / "run", make_config(**SETTINGS))
    journal.close()
    result = resume(folder, budget={"max_calls": 5})
    assert result.over_budget and result.summary["llm"]["calls"] == 5


def test_when_only_the_end_is_missing_nobody_is_asked_again(tmp_path: Path, undisturbed: Path) -> None:
    folder = rewrite(undisturbed, tmp_path / "run", lambda record: record["kind"] != "end")
    result = resume(folder)
    assert result.summary["status"] == "completed"
    assert result.summary["digest"] == replay.digest(undisturbed)
    assert not any(record["kind"] == "resumed" for record in read_journal(folder / FILE_NAME))


def test_when_only_the_last_lesson_is_missing_it_is_learnt(tmp_path: Path, undisturbed: Path) -> None:
    folder = rewrite(undisturbed, tmp_path / "run", lambda record: record["kind"] in ("begin", "step"))
    assert resume(folder).summary["digest"] == replay.digest(undisturbed)


def test_a_complete_run_is_not_resumed(undisturbed: Path) -> None:
    with pytest.raises(ConfigError, match="the run is complete"):
        resume(undisturbed)


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="holds no run"):
        resume(tmp_path)


def test_a_run_that_is_going_on_is_not_resumed(tmp_path: Path, undisturbed: Path) -> None:
    folder = rewrite(undisturbed, tmp_path / "run", lambda record: record["kind"] in ("begin", "step"))
    other = Journal(folder / FILE_NAME, after=(folder / FILE_NAME).stat().st_size)
    with pytest.raises(JournalError, match="goes on already"):
        resume(folder)
    other.close()


def test_a_world_that_would_go_another_way_is_refused_and_the_record_stays(tmp_path: Path, undisturbed: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    journal = Journal(folder / FILE_NAME)
    for record in read_journal(undisturbed / FILE_NAME):
        if record["kind"] == "step" and record["step"] == 3:
            record["result"]["observations"]["Agent_2"]["text"] += " And a piano."
        if record["kind"] == "begin" or (record["kind"] == "step" and record["step"] <= 3):
            journal.append(record)
    journal.close()
    before = (folder / FILE_NAME).read_bytes()
    with pytest.raises(StartError, match="not as it was"):
        resume(folder)
    assert (folder / FILE_NAME).read_bytes() == before


class KillWorld(Observer):
    """Kills the process that owns the world, twice, right after a step was committed."""

    killed = 0

    def committed(self, record: Record, tally: Tally) -> None:
        if record["kind"] == "step" and tally.steps in (3, 7):
            for process in psutil.Process().children(recursive=True):
                if process.name().startswith("ray::WorldHost"):
                    process.kill()
                    self.killed += 1


@pytest.mark.ray
def test_a_world_whose_process_is_killed_is_made_again_and_the_trajectory_is_the_same(
    tmp_path: Path, undisturbed: Path
) -> None:
    killer = KillWorld()
    result = run(make_config(**SETTINGS | {"runtime": "ray"}), tmp_path / "run", killer)
    assert killer.killed == 2
    assert result.summary["digest"] == replay.digest(undisturbed)


@pytest.mark.ray
def test_a_run_whose_every_process_was_killed_goes_on_to_the_same_end(tmp_path: Path, undisturbed: Path) -> None:
    folder = tmp_path / "run"
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in (SETTINGS | {"runtime": "ray"}).items()]
    command = [sys.executable, "-m", "housemates.orchestrator.cli", "run", *flags, "--out", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("step 6/"):
                break
        victims = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for victim in victims:
            try:
                os.kill(victim.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    assert process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while any(victim.is_running() for victim in victims):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert sum(r["kind"] == "step" for r in read_journal(folder / FILE_NAME)) >= 6
    assert resume(folder).summary["digest"] == replay.digest(undisturbed)
