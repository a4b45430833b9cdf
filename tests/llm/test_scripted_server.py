"""The scripted model over HTTP."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from housemates.actors.model.chat import ChatModel, Endpoint
from housemates.actors.model.scripted_server import BODY_LIMIT_BYTES, MODEL, application, scripted_server, serve
from housemates.orchestrator.cli import main

MESSAGES = [{"role": "user", "content": "Available actions:\nA. [goexplore] <kitchen> (11)\n"}]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    runner = web.AppRunner(application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


async def post(url: str, body: bytes) -> tuple[int, dict[str, object]]:
    async with aiohttp.ClientSession() as session, session.post(f"{url}/chat/completions", data=body) as response:
        data: dict[str, object] = await response.json()
        return response.status, data


async def test_a_server_with_a_key_answers_nobody_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = web.AppRunner(application(key="k-1"), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        assert (await post(url, json.dumps({"messages": MESSAGES}).encode()))[0] == 401
        monkeypatch.setenv("THE_KEY", "k-1")
        chat = ChatModel(Endpoint(base_url=url, model=MODEL, key_env="THE_KEY"))
        await chat.check()
        await chat.close()
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("more", [[], ["--key-env", "NOT_SET"]])
def test_a_server_that_others_reach_needs_a_key(
    more: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["housemates", "llm", "--host", "0.0.0.0", *more])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "--key-env" in capsys.readouterr().err


async def test_the_client_and_the_child_process_work_together() -> None:
    with scripted_server() as server:
        model = ChatModel(Endpoint(base_url=server.url, model=MODEL))
        await model.check()
        reply = await model.complete(MESSAGES, schema=None, max_tokens=100)
        await model.close()
    assert json.loads(reply.text)["action"] == "None"  # a prompt without a goal asks for nothing
    assert reply.prompt_tokens == len(MESSAGES[0]["content"]) // 4
    assert reply.completion_tokens == len(reply.text) // 4


async def test_a_strict_schema_gets_only_its_own_properties(url: str) -> None:
    model = ChatModel(Endpoint(base_url=url, model=MODEL))
    schema = {"type": "object", "properties": {"action": {"type": "string"}}}
    reply = await model.complete(MESSAGES, schema=schema, max_tokens=100)
    await model.close()
    assert set(json.loads(reply.text)) == {"action"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"messages": []}',
        b'{"messages": 5}',
        b'{"messages": [5]}',
        b'{"messages": [{"role": "user"}]}',
        b'{"messages": [{"role": "user", "content": 5}]}',
        b"[" * 100_000,
    ],
)
async def test_a_malformed_body_is_refused_in_openais_shape(url: str, body: bytes) -> None:
    status, data = await post(url, body)
    assert status == 400
    assert isinstance(data["error"], dict)
    assert data["error"]["type"] == "invalid_request_error"


async def test_odd_response_formats_are_ignored(url: str) -> None:
    for form in (None, 5, "json", {"type": "json_schema"}, {"json_schema": {"schema": {"properties": 7}}}):
        status, _ = await post(url, json.dumps({"messages": MESSAGES, "response_format": form}).encode())
        assert status == 200


async def test_a_body_over_the_limit_is_refused(url: str) -> None:
    status, data = await post(url, b" " * (BODY_LIMIT_BYTES + 1))
    assert status == 413
    assert "error" in data


async def test_calls_wait_for_the_latency_side_by_side() -> None:
    with scripted_server(0.3) as server:
        model = ChatModel(Endpoint(base_url=server.url, model=MODEL))
        began = time.monotonic()
        await asyncio.gather(*[model.complete(MESSAGES, schema=None, max_tokens=9) for _ in range(20)])
        assert 0.3 <= time.monotonic() - began < 4.0
        await model.close()


def test_serving_in_the_foreground_tells_the_url_and_a_taken_port() -> None:
    ready: list[str] = []
    told = threading.Event()

    def on_ready(url: str) -> None:
        ready.append(url)
        told.set()

    threading.Thread(target=serve, args=(0, 0.0, on_ready), daemon=True).start()
    assert told.wait(10)
    port = int(ready[0].removesuffix("/v1").rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        serve(port)
