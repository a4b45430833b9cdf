"""T32: keys are in the environment, in requests, and nowhere else, also when a server throws them back at us."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from housemates.actors.cassette import MAGIC
from housemates.actors.model.chat import ChatModel
from housemates.orchestrator.cluster import own
from housemates.orchestrator.config import RunConfig, make_config
from housemates.orchestrator.endpoint import openai_endpoint
from housemates.orchestrator.journal.log import read_journal
from housemates.orchestrator.playing import agent_specs
from housemates.orchestrator.run import run

from ..chaos.table import Tell
from .thread_server import ThreadServer

ACT, LEARN, OPENAI = "sk-SENTINEL-act-0123456789", "sk-SENTINEL-learn-98765", "sk-SENTINEL-openai-5555"
KEYS = {"ACT_KEY": ACT, "LEARN_KEY": LEARN, "OPENAI_API_KEY": OPENAI}
NEEDLE = b"SENTINEL"


class Babbler(ThreadServer):
    """A model server that repeats the key it was sent in every error, and errs in every other reply."""

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self._count = 0
        super().__init__(self._babble)

    async def _babble(self, request: web.Request) -> web.Response:
        key = request.headers["Authorization"].removeprefix("Bearer ")
        self.heard.add(key)
        self._count += 1
        if self._count % 2:
            text = json.dumps({"thoughts": "t", "action": "A", "suggestion": {"plan0": f"plan {self._count}"}})
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
            return web.json_response({"choices": [choice]})
        said = f"Incorrect API key provided: {key}. Bearer {key}"
        code = "insufficient_quota" if self._count % 7 == 0 else None
        status = (400, 422, 500, 413)[self._count // 2 % 4]
        error = {"message": said, "type": key, "param": key, "code": code and f"{code} {key}"}
        return web.json_response({"error": error}, status=status, headers={"x-key": key})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Babbler]:
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    babbler = Babbler()
    yield babbler
    babbler.stop()


def config_of(server: Babbler, runtime: str) -> RunConfig:
    return make_config(
        llm="openai:m",
        base_url=server.url,
        key_env="ACT_KEY",
        learn_llm="openai:n",
        learn_base_url=server.url,
        learn_key_env="LEARN_KEY",
        runtime=runtime,
        steps=5,
        agents=2,
    )


def told(folder: Path) -> list[str]:
    """The files below a folder that hold a part of a key, also where they are compressed."""
    found: list[str] = []
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if path.name == "journal.msgpack":
                content += repr(list(read_journal(path))).encode()
            if content.startswith(MAGIC):
                content += zlib.decompress(content[len(MAGIC) :])
            if NEEDLE in content:
                found.append(str(path))
    return found


def test_nothing_that_an_inline_run_leaves_or_says_has_a_key(server: Babbler, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "housemates.orchestrator.cli", "run", "--runtime", "inline", "--steps", "5"]
    command += ["--llm", "openai:m", "--base-url", server.url, "--key-env", "ACT_KEY", "--record", str(tmp_path / "c")]
    command += ["--learn-llm", "openai:n", "--learn-base-url", server.url, "--learn-key-env", "LEARN_KEY"]
    done = subprocess.run([*command, "--out", str(tmp_path / "run")], cwd=tmp_path, capture_output=True)
    assert server.heard == {ACT, LEARN}, done.stderr
    assert (tmp_path / "run" / "journal.msgpack").is_file() and (tmp_path / "c").is_file()
    assert told(tmp_path) == []
    assert NEEDLE not in done.stdout + done.stderr


@pytest.mark.ray
def test_neither_has_a_run_on_ray_nor_ray_s_own_logs_and_tables(
    server: Babbler,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    record_property: Tell,
) -> None:
    seen: dict[str, Any] = {}

    def look() -> None:
        """Just before what Ray leaves is removed."""
        if own._session is not None:
            seen["files"] = sum(path.is_file() for path in Path(own._session).rglob("*"))
            seen["told"] = told(Path(own._session))
        end_own_ray()

    end_own_ray = own.end_own_ray
    monkeypatch.setattr(own, "end_own_ray", look)
    stop = own.check_loopback

    def and_ask_ray() -> None:
        stop()
        import ray
        from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_list

        original = ray.shutdown

        def shutdown() -> None:
            if ray.is_initialized():
                tables = [ray._private.state.actors(), ray._private.state.jobs(), ray.nodes()]
                stored = {
                    space: [
                        (key, _internal_kv_get(key, namespace=space)) for key in _internal_kv_list(b"", namespace=space)
                    ]
                    for space in (None, b"fun", b"session", b"tracing", b"runtime_env", b"serve")
                }
                seen["tables"] = repr((tables, stored)).encode()
            original()

        monkeypatch.setattr(ray, "shutdown", shutdown)

    monkeypatch.setattr(own, "check_loopback", and_ask_ray)
    run(config_of(server, "ray"), tmp_path / "run", record=tmp_path / "c")
    assert server.heard == {ACT, LEARN}
    record_property("figure", f"{seen['files']} files and the tables of Ray, the run's own, and all output")
    assert seen["files"] > 10 and seen["told"] == []
    assert b"AgentHost" in seen["tables"] and NEEDLE not in seen["tables"]
    assert told(tmp_path) == []
    output = capfd.readouterr()
    assert NEEDLE.decode() not in output.out + output.err


async def test_no_object_shows_its_key(server: Babbler) -> None:
    config = config_of(server, "inline")
    endpoints = {choice: openai_endpoint(choice) for choice in config.models}
    specs = agent_specs(config, endpoints)
    chats = [ChatModel(endpoint) for endpoint in endpoints.values()]
    for chat in chats:
        chat._connected()  # from here on it has the key
    shown = repr((config, endpoints, specs, chats)) + str(config.model_dump())
    assert os.environ["ACT_KEY"] == ACT and "ACT_KEY" in shown
    assert NEEDLE.decode() not in shown
    assert NEEDLE not in pickle.dumps((config, endpoints, specs))  # as Ray sends them to the actors
    for chat in chats:
        await chat.close()
