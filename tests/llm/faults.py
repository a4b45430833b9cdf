"""A model server on loopback that fails as it is told to, and counts what reaches it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(text: str | None = "hello", **usage: int) -> Behaviour:
    """A proper completion."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return body(json.dumps({"choices": [choice], "usage": usage}))


def body(text: str, status: int = 200, **headers: str) -> Behaviour:
    """Any body; underscores in header names stand for dashes."""

    async def behave(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(text=text, status=status, headers=named, content_type="application/json")

    return behave


def refuse(status: int, message: str = "no", code: str | None = None, **headers: str) -> Behaviour:
    """An error in OpenAI's shape."""
    return body(
        json.dumps({"error": {"message": message, "type": "t", "param": None, "code": code}}), status, **headers
    )


async def hang(request: web.Request) -> web.StreamResponse:
    """Accept the request and never answer."""
    await asyncio.sleep(3600)
    raise AssertionError


async def trickle(request: web.Request) -> web.StreamResponse:
    """A body that never ends, so that no timeout between two reads ever fires."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


async def disconnect(request: web.Request) -> web.StreamResponse:
    """Close the connection instead of answering."""
    assert request.transport is not None
    request.transport.close()
    raise web.HTTPServiceUnavailable


class FaultServer:
    """Plays its script one behaviour a request; the last one is repeated. `requests` holds the bodies."""

    def __init__(self) -> None:
        self.script: list[Behaviour] = [answer()]
        self.models: Behaviour = body('{"data": [{"id": "m"}]}')
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.reached = asyncio.Event()
        self.left_early = asyncio.Event()
        self.url = ""

    def plays(self, *script: Behaviour) -> None:
        self.script = list(script)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(await request.json())
        self.headers.append(dict(request.headers))
        self.reached.set()
        behaviour = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        try:
            return await behaviour(request)
        except (asyncio.CancelledError, ConnectionError):
            self.left_early.set()
            raise

    async def list_models(self, request: web.Request) -> web.StreamResponse:
        return await self.models(request)

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.complete)
        app.router.add_get("/v1/models", self.list_models)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        return runner
