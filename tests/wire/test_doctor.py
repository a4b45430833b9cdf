"""The doctor says in words what is wrong with a simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from housemates.env.virtualhome.checkup import Finding, examine, look_at_file
from housemates.env.virtualhome.server import application_of, reply
from housemates.env.virtualhome.wire import Request, Response
from housemates.orchestrator.commands.serve import write_executable

from .conftest import Beside


async def findings(simulator: str) -> list[Finding]:
    return [finding async for finding in examine(simulator)]


def serving(body: bytes) -> web.Application:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    return app


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04rest", "zip archive"),
        (b"MZ\x90", "Windows"),
        (b"version https://git-lfs.github.com/spec/v1", "placeholder"),
        (b"<!DOCTYPE html>", "web page"),
        (b"\x7fELF" + bytes(14) + b"\xf3\x00", "_Data is missing"),
        (b"#!/bin/sh\n", "not marked as executable"),
    ],
)
def test_a_file_that_is_no_simulator_is_recognised(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "linux_exec.x86_64"
    path.write_bytes(content)
    found = look_at_file(path)
    assert found is not None
    assert not found.ok
    assert words in found.text


def test_a_path_without_its_ending_is_corrected(tmp_path: Path) -> None:
    (tmp_path / "linux_exec.x86_64").touch()
    found = look_at_file(tmp_path / "linux_exec")
    assert found is not None
    assert found.remedy == f"did you mean {tmp_path / 'linux_exec.x86_64'}?"
    found = look_at_file(tmp_path)
    assert found is not None
    assert "is a folder" in found.text
    assert str(tmp_path / "linux_exec.x86_64") in found.remedy


def test_a_program_for_other_processors_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "linux_exec.x86_64"
    path.write_bytes(b"\x7fELF" + bytes(14) + b"\x3e\x00")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    found = look_at_file(path)
    assert found is not None
    assert "is for x86_64 processors" in found.text


@pytest.mark.process
async def test_our_own_executable_is_in_good_health(tmp_path: Path) -> None:
    found = await findings(str(write_executable(tmp_path / "simulator")))
    assert [finding for finding in found if not finding.ok] == []
    assert any("carries out a script" in finding.text for finding in found)


@pytest.mark.process
@pytest.mark.parametrize(
    ("script", "remedy"),
    [
        ("echo 'Unable to open display'; exit 1", "no display to draw on"),
        ("echo 'x: error while loading shared libraries: libGL.so.1'; exit 127", "install the library"),
        ("exit 3", "look into the end of the log"),
    ],
)
async def test_a_simulator_that_does_not_start_is_explained(tmp_path: Path, script: str, remedy: str) -> None:
    path = tmp_path / "simulator"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    last = (await findings(str(path)))[-1]
    assert not last.ok
    assert remedy in last.remedy


async def test_a_running_simulator_is_asked_but_not_changed(served: Beside, simulation: Any) -> None:
    before = simulation.scene.graph
    found = await findings(served.url)
    assert all(finding.ok for finding in found)
    assert simulation.scene.graph is before


async def test_nobody_at_the_address_is_told_apart_from_somebody_else(free_port: int) -> None:
    last = (await findings(f"http://127.0.0.1:{free_port}"))[-1]
    assert "cannot be reached" in last.text
    assert "not running" in last.remedy
    other = Beside(serving(b"<html>It works!</html>"))
    try:
        last = (await findings(other.url))[-1]
        assert "no VirtualHome response" in last.text
        assert "something else listens" in last.remedy
    finally:
        other.stop()


async def test_dialect_and_spelling_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = [{"id": 11, "class_name": "kitchen", "category": "Rooms"}]
    things = [{"id": 12 + number, "class_name": "kitchencabinets"} for number in range(30)]

    async def unity_23(request: Request) -> web.Response:
        if request.action == "reset":
            return reply(Response(success=False, message="Unknown action reset"))
        return reply(Response(success=True, message=json.dumps({"nodes": rooms + things, "edges": []}), value=3))

    server = Beside(application_of(unity_23))
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    monkeypatch.setenv("no_proxy", "")
    try:
        texts = [finding.text for finding in await findings(server.url)]
    finally:
        server.stop()
    assert any("clear and environment, as 2.3 does" in text for text in texts)
    assert any("spells kitchencabinets" in text for text in texts)
    assert any("would ask a proxy" in text for text in texts)


def test_the_command_ends_with_the_number_of_faults_and_exit_code_3(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "housemates.orchestrator.cli", "doctor", "--simulator", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert done.returncode == 3
    assert "WRONG  there is no file" in done.stdout
    assert "1 thing is wrong" in done.stderr
