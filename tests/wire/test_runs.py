"""Runs on a simulator: the same as on the embedded engine, whoever started the simulator and whatever is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from housemates.orchestrator import replay
from housemates.orchestrator.commands.serve import write_executable
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError, StartError
from housemates.orchestrator.observer import Observer, Record
from housemates.orchestrator.run import resume, run
from housemates.orchestrator.summary import Tally

from .conftest import Beside
from .test_process import gone

pytestmark = pytest.mark.process

ROOT = Path(__file__).parent.parent.parent
SETTINGS: dict[str, Any] = {
    "llm": "scripted",
    "runtime": "inline",
    "task": "put_dishwasher",
    "apartment": "2",
    "seed": 5,
}


class AfterSteps(Observer):
    """Sends a signal when so many steps are committed: to this process, or to all whose command line has a word."""

    def __init__(self, steps: int, number: int, word: str = "") -> None:
        self.steps, self.number, self.word = steps, number, word
        self.sent = 0

    def committed(self, record: Record, tally: Tally) -> None:
        if record["kind"] != "step" or tally.steps != self.steps:
            return
        if not self.word:
            signal.raise_signal(self.number)
        for process in descendants(os.getpid()):
            if self.word and self.word in command(process):
                process.send_signal(self.number)
                self.sent += 1


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def command(process: psutil.Process) -> str:
    try:
        return " ".join([process.name(), *process.cmdline()])
    except psutil.Error:
        return ""


def simulators_of(folder: Path) -> list[psutil.Process]:
    """Everything that was started for the simulator of a run: its guardian, and the server itself."""
    return [process for process in psutil.process_iter() if str(folder / "simulator.log") in command(process)]


@pytest.fixture
def executable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return str(write_executable(tmp_path / "linux_exec"))


@pytest.fixture(scope="module")
def embedded_digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(make_config(**SETTINGS), tmp_path_factory.mktemp("embedded") / "run").summary["digest"]


def test_an_executable_gives_the_same_trajectory_as_the_embedded_engine(
    tmp_path: Path, executable: str, embedded_digest: str
) -> None:
    result = run(make_config(**SETTINGS, simulator=executable), tmp_path / "run")
    assert result.summary["digest"] == embedded_digest
    assert result.summary["success"]
    assert "VirtualHome protocol at" in (tmp_path / "run" / "simulator.log.unity").read_text()
    assert simulators_of(tmp_path / "run") == []


def test_a_simulator_that_runs_already_is_used_and_left_running(
    tmp_path: Path, served: Beside, embedded_digest: str
) -> None:
    for number in range(2):
        result = run(make_config(**SETTINGS, simulator=served.url), tmp_path / str(number))
        assert result.summary["digest"] == embedded_digest


def test_an_interrupted_run_goes_on_in_a_new_simulator(tmp_path: Path, executable: str, embedded_digest: str) -> None:
    assert run(
        make_config(**SETTINGS, simulator=executable), tmp_path / "run", AfterSteps(4, signal.SIGINT)
    ).interrupted
    assert resume(tmp_path / "run").summary["digest"] == embedded_digest


@pytest.mark.slow
def test_a_simulator_that_is_killed_in_a_run_is_replaced(tmp_path: Path, executable: str, embedded_digest: str) -> None:
    killing = AfterSteps(4, signal.SIGKILL, "orchestrator.cli serve")
    result = run(make_config(**SETTINGS, simulator=executable), tmp_path / "run", killing)
    assert killing.sent
    assert result.summary["digest"] == embedded_digest


@pytest.mark.ray
def test_on_ray_too_and_when_the_actor_of_the_world_is_killed_nothing_of_it_stays(
    tmp_path: Path, executable: str, embedded_digest: str
) -> None:
    killing = AfterSteps(4, signal.SIGKILL, "ray::WorldHost")
    settings = {**SETTINGS, "runtime": "ray", "simulator": executable}
    result = run(make_config(**settings), tmp_path / "run", killing)
    assert killing.sent == 1
    assert result.summary["digest"] == embedded_digest
    assert (tmp_path / "run" / "simulator.log.unity").read_text().count("VirtualHome protocol at") == 2
    assert all(gone(process.pid) for process in simulators_of(tmp_path / "run"))


@pytest.mark.ray
@pytest.mark.slow
def test_nothing_outlives_a_run_whose_every_process_was_killed(
    tmp_path: Path, executable: str, embedded_digest: str
) -> None:
    flags = [f"--{name}={value}" for name, value in {**SETTINGS, "runtime": "ray", "simulator": executable}.items()]
    folder = tmp_path / "run"
    main = subprocess.Popen(
        [sys.executable, "-m", "housemates.orchestrator.cli", "run", f"--out={folder}", *flags],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert main.stdout is not None
    for line in main.stdout:
        if line.startswith("step 4/"):
            break
    simulators = simulators_of(folder)
    assert len(simulators) >= 2
    spared = {process.pid for process in simulators}
    victims = [process for process in descendants(main.pid) if process.pid not in spared]
    for process in [psutil.Process(main.pid), *victims]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    main.communicate()
    assert all(gone(process.pid) for process in simulators)
    assert resume(folder).summary["digest"] == embedded_digest
    assert replay.digest(folder) == embedded_digest


def test_a_simulator_that_cannot_be_brought_up_is_exit_code_3_and_named_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "linux_exec"
    path.write_text("#!/bin/sh\necho no graphics device\nexit 7\n")
    path.chmod(0o755)
    flags = [f"--{name}={value}" for name, value in {**SETTINGS, "simulator": path}.items()]
    done = subprocess.run(
        [sys.executable, "-m", "housemates.orchestrator.cli", "run", f"--out={tmp_path / 'run'}", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "failed 3 times" in done.stderr
    assert "ended with exit code 7" in done.stderr
    assert str(tmp_path / "run" / "simulator.log") in done.stderr
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["model-server.log", "simulator.log"]


@pytest.mark.ray
@pytest.mark.slow
def test_the_error_of_a_simulator_crosses_from_the_actor_of_the_world(tmp_path: Path, free_port: int) -> None:
    settings = {**SETTINGS, "runtime": "ray", "simulator": f"http://127.0.0.1:{free_port}"}
    with pytest.raises(StartError, match=f"failed 3 times.*{free_port}.*cannot be reached"):
        run(make_config(**settings), tmp_path / "run")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"simulator": "/nowhere/linux_exec"}, "simulator: there is no file /nowhere/linux_exec"),
        ({"simulator": "https://127.0.0.1:1"}, "simulator: .* is neither the path of an executable nor http://HOST"),
        ({"simulator": "http://"}, "simulator: .* is neither"),
        ({"simulator": "http://127.0.0.1:1", "agents": 11}, "simulator: VirtualHome has at most 10 people, not 11"),
    ],
)
def test_what_is_no_simulator_is_refused_at_once(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(**SETTINGS | more)
