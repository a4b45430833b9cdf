"""`housemates view` and `housemates run --view` as a user meets them: real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from housemates.actors.model.scripted_server import scripted_server

from . import journals

COMMAND = [sys.executable, "-m", "housemates.orchestrator.cli"]
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/(?:#token=(\S+))?")


@contextmanager
def started(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A command that has printed the address of its page: the process, the address and the token."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "HOUSEMATES_"))}
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)], env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout
        for line in process.stdout:
            if found := ADDRESS.search(line):
                yield process, found[1], found[2] or ""
                return
        raise AssertionError(f"the command ended before it printed an address, with {process.wait()}")
    finally:
        process.kill()
        process.communicate()


def asked(address: str, method: str = "GET", **headers: str) -> Any:
    with urllib.request.urlopen(urllib.request.Request(address, method=method, headers=headers), timeout=10) as answer:
        return json.loads(answer.read())


def test_view_serves_a_recorded_run_until_it_is_interrupted(tmp_path: Path) -> None:
    folder = journals.long_run(tmp_path / "run", 3, 1)
    with started("view", folder, "--no-browser") as (process, address, token):
        assert asked(f"{address}/api/runs/run")["steps"] == 3
        assert token == ""
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_view_serves_a_study(tmp_path: Path) -> None:
    journals.long_run(tmp_path / "episodes" / "first", 2, 1)
    (tmp_path / "study.toml").write_text("")
    with started("view", tmp_path, "--no-browser") as (_, address, _token):
        assert [row["name"] for row in asked(f"{address}/api")["episodes"]] == ["first"]


@pytest.mark.parametrize("content", [None, b"no journal\n"])
def test_view_of_what_is_no_run_is_refused_in_one_line(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "journal.msgpack").write_bytes(content)
    done = subprocess.run([*COMMAND, "view", str(tmp_path), "--no-browser"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and "journal" in done.stderr


def test_a_run_with_a_page_is_paused_stepped_and_stopped_from_it_and_its_page_stays(tmp_path: Path) -> None:
    slowly = scripted_server(latency_s=0.05)
    arguments = ("run", "--llm", "openai:scripted", "--runtime", "inline", "--view", "--out", tmp_path / "run")
    with slowly as model, started(*arguments, "--base-url", model.url) as (process, address, token):
        control = f"{address}/api/runs/run/control?do="
        with pytest.raises(urllib.error.HTTPError, match="403"):
            asked(control + "pause", "POST")
        right = {"X-Housemates-Token": token}
        asked(control + "pause", "POST", **right)
        while not (state := asked(f"{address}/api/runs/run"))["control"]["held"]:
            assert not state["control"]["over"], "the run ended before it was paused"
        asked(control + "step", "POST", **right)
        while (after := asked(f"{address}/api/runs/run"))["steps"] == state["steps"]:
            pass
        assert after["steps"] == state["steps"] + 1
        asked(control + "stop", "POST", **right)
        while (stopped := asked(f"{address}/api/runs/run"))["status"] == "unfinished":
            pass
        assert stopped["status"] == "interrupted"
        assert process.stdout and any("the page stays until Ctrl-C" in line for line in process.stdout)
        assert asked(f"{address}/api/runs/run")["control"]["over"]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_a_run_that_is_gone_on_with_has_a_page_too(tmp_path: Path) -> None:
    slowly = scripted_server(latency_s=0.05)
    with slowly as model:
        arguments = (
            "--llm",
            "openai:scripted",
            "--base-url",
            model.url,
            "--runtime",
            "inline",
            "--out",
            tmp_path / "run",
        )
        first = subprocess.run(
            [*COMMAND, "run", *map(str, arguments), "--max-calls", "6"], capture_output=True, timeout=60
        )
        assert first.returncode == 4
        with started("resume", tmp_path / "run", "--max-calls", "1000", "--view") as (_, address, token):
            asked(f"{address}/api/runs/run/control?do=stop", "POST", **{"X-Housemates-Token": token})
            while (stopped := asked(f"{address}/api/runs/run"))["status"] != "interrupted":
                assert stopped["status"] in ("unfinished", "budget_exceeded")
    assert stopped["steps"] > 1
