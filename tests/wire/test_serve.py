"""`housemates serve` is started like the Unity executable, or as a command of ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from housemates.orchestrator.commands.serve import UnityFlags, read_unity_flags, write_executable
from housemates.orchestrator.errors import ConfigError

PLAYER_LOG = Path("/x/y.log")
COMMAND = [sys.executable, "-m", "housemates.orchestrator.cli", "serve"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-batchmode", "-http-port=8085", "-logFile", "/x/y.log"],
        ["-logFile", "/x/y.log", "--http-port=8085", "-nographics", "-batchmode"],
        ["-http-port=8085", "-logFile /x/y.log"],  # one argument, as the public launcher passes it
        ["-screen-fullscreen", "0", "-logFile=/x/y.log", "-screen-quality", "4", "-http-port=8085", "-unknown"],
    ],
)
def test_flags_of_the_executable_come_in_any_order(arguments: list[str]) -> None:
    assert read_unity_flags(arguments) == UnityFlags(8085, PLAYER_LOG)


def test_without_flags_there_is_nothing() -> None:
    assert read_unity_flags([]) == UnityFlags(None, None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-http-port", "8080"], "names no port; write -http-port=8080"),
        (["-http-port=x"], "names no port"),
        (["-http-port=70000"], "names no port"),
        (["--apartmnt", "3"], "no such option: --apartmnt"),
        (["kitchen"], "unexpected argument 'kitchen'"),
        (["-batchmode", "0", "1"], "unexpected argument '1'"),
    ],
)
def test_what_is_no_flag_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_unity_flags(arguments)


def ask(port: int, action: str) -> dict[str, Any]:
    body = json.dumps({"id": "1", "action": action}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", body, timeout=10) as answer:
        return json.load(answer)


def started(command: list[str], **more: Any) -> tuple[subprocess.Popen[str], int]:
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
    assert server.stdout is not None
    return server, int(server.stdout.readline().strip().rpartition(":")[2])


@pytest.mark.process
def test_the_command_serves_until_it_is_interrupted() -> None:
    server, port = started([*COMMAND, "--port", "0", "--apartment", "4"])
    assert ask(port, "idle")["success"]
    assert server.stdout is not None
    assert server.stdout.readline().strip() == f"UnityCommunication(port='{port}')"
    server.send_signal(signal.SIGINT)
    server.communicate(timeout=10)
    assert server.returncode == 0


@pytest.mark.process
def test_the_executable_runs_anywhere_without_an_environment(tmp_path: Path, free_port: int) -> None:
    path = write_executable(tmp_path / "home")
    assert path.name == "home.x86_64"
    assert write_executable(path) == path
    log = tmp_path / "logs" / "Player.log"
    command = [str(path), "-batchmode", f"-http-port={free_port}", f"-logFile {log}"]
    server, port = started(command, env={"DISPLAY": ""}, cwd=tmp_path)
    try:
        assert port == free_port
        assert ask(port, "environment_graph")["success"]
        assert f"VirtualHome protocol at http://127.0.0.1:{port}" in log.read_text()
    finally:
        server.kill()  # reaches the server itself: the file does not stay between
        server.communicate()
    with pytest.raises(OSError):
        ask(free_port, "idle")


@pytest.mark.process
def test_a_port_that_is_taken_is_one_line_on_stderr() -> None:
    server, port = started([*COMMAND, "--port", "0"])
    try:
        second = subprocess.run([*COMMAND, f"-http-port={port}"], capture_output=True, text=True, env=os.environ)
        assert second.returncode == 3
        assert "address already in use" in second.stderr
        assert len(second.stderr.splitlines()) == 1
    finally:
        server.terminate()
        server.communicate()


def test_the_file_is_written_by_the_command(tmp_path: Path) -> None:
    command = [*COMMAND, "--make-executable", str(tmp_path / "home"), "--apartment", "2"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == f"wrote {tmp_path / 'home.x86_64'}\n"
    assert "--apartment 2" in (tmp_path / "home.x86_64").read_text()
