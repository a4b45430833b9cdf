"""The scripted model behind an OpenAI-compatible endpoint, with a latency of your choice.

Agents talk to it exactly as they talk to a real model, so a run without one exercises
every layer but the weights.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hmac
import json
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from ...env.plugin import PluginError, load
from .faults import Faults
from .scripted import reply
from .server_process import SUPERVISED, ServerProcess, be_supervised

MODEL = "scripted"
"""The model's name for `Endpoint`."""

Rules = Callable[[Sequence[Mapping[str, str]]], str]
"""Answers a chat: from its messages, each with role and content, to the text of the reply."""

HOST = "127.0.0.1"
"""Loopback, unless somebody wants it to be reached."""

BODY_LIMIT_BYTES = 4 * 2**20
_SHUTDOWN_S = 0.2


def scripted_server(
    latency_s: float = 0.0, port: int = 0, log_path: Path | None = None, faults: str = "", rules: str = ""
) -> ServerProcess:
    """The scripted model as a child process; port 0 lets the system choose one. Not started yet.

    `faults`: what it does wrong, see `actors.model.faults`. `rules`: see `find_rules`.

    Raises:
        ValueError: no such faults.
        PluginError: no such rules.
    """
    Faults(faults)
    find_rules(rules)
    arguments = ["--port", str(port), "--latency", str(latency_s), f"--faults={faults}", f"--rules={rules}"]
    return ServerProcess(__name__, arguments, log_path=log_path, start_timeout_s=30.0)


def serve(
    port: int = 0,
    latency_s: float = 0.0,
    on_ready: Callable[[str], None] | None = None,
    faults: str = "",
    host: str = HOST,
    key: str = "",
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM.

    Args:
        port: 0 lets the system choose one.
        latency_s: seconds every reply is held back.
        on_ready: called once with the base URL.
        faults: what it does wrong, see `actors.model.faults`.
        host: the address to listen on.
        key: what clients must send as theirs; "" asks for none.

    Raises:
        OSError: the port cannot be had.
        ValueError: no such faults.
    """

    def ready(at: int) -> None:
        if on_ready is not None:
            on_ready(f"http://{f'[{host}]' if ':' in host else host}:{at}/v1")

    asyncio.run(_serve(host, port, application(latency_s, Faults(faults), key=key), ready))


async def _serve(host: str, port: int, app: web.Application, on_port: Callable[[int], None]) -> None:
    # Whoever gives up is not answered any further: a handler that hangs must not outlive its connection.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            # Only the main thread may have handlers; elsewhere cancelling the task ends the server.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(number, ended.set)
        on_port(runner.addresses[0][1])
        await ended.wait()
    finally:
        await runner.cleanup()


def find_rules(path: str) -> Rules:
    """A user's rules in place of the household's: a function `module:function`; ours if there is no path.

    Raises:
        PluginError: there is no such function.
    """
    if not path:
        return reply
    rules: Rules = load(path)
    if not callable(rules):
        raise PluginError(f"{path} is not a function")
    return rules


def application(
    latency_s: float = 0.0, faults: Faults | None = None, rules: Rules = reply, key: str = ""
) -> web.Application:
    """The endpoint as an aiohttp application, for tests and for mounting elsewhere."""
    faults = faults or Faults()

    @web.middleware
    async def let_in(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Any:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if key and not hmac.compare_digest(sent.encode(errors="replace"), key.encode()):
            return _refuse(401, "the key is missing or wrong")
        return await handler(request)

    async def tally(_request: web.Request) -> web.Response:
        return web.json_response(faults.tally)

    if latency_s < 0:
        raise ValueError("the latency must not be negative")
    app = web.Application(client_max_size=BODY_LIMIT_BYTES, middlewares=[let_in])
    app.router.add_post("/v1/chat/completions", partial(_complete, latency_s, faults, rules))
    app.router.add_get("/v1/tally", tally)
    app.router.add_get("/v1/models", _models)
    return app


async def _models(_request: web.Request) -> web.Response:
    entry = {"id": MODEL, "object": "model", "created": 0, "owned_by": "housemates"}
    return web.json_response({"object": "list", "data": [entry]})


async def _complete(latency_s: float, faults: Faults, rules: Rules, request: web.Request) -> web.StreamResponse:
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _refuse(413, f"the body is larger than {BODY_LIMIT_BYTES} bytes")
    kind = faults.draw(body)
    faults.enter()
    try:
        response = await _completion(latency_s if kind in ("", "half") else 0.0, rules, body)
        return await faults.play(kind, request, (response.text or "").encode()) if kind else response
    finally:
        faults.leave()


async def _completion(latency_s: float, rules: Rules, sent: bytes) -> web.Response:
    try:
        body = json.loads(sent)
        messages = [{"role": str(m["role"]), "content": _text(m["content"])} for m in body["messages"]]
        if not messages:
            raise ValueError("no messages")
    except web.HTTPRequestEntityTooLarge:
        return _refuse(413, f"the body is larger than {BODY_LIMIT_BYTES} bytes")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return _refuse(400, "the body must be a JSON object with a list of messages, each with role and content")
    try:
        answer = rules(messages)
        if not isinstance(answer, str):
            raise TypeError(f"{type(answer).__name__} is no reply")
        text = _keep_properties(answer, body.get("response_format"))
    except Exception as error:  # the rules may be a user's
        return _refuse(400, f"the rules failed: {type(error).__name__}: {error}")
    if latency_s:
        await asyncio.sleep(latency_s)
    prompt_tokens, completion_tokens = sum(len(m["content"]) for m in messages) // 4, len(text) // 4
    return web.json_response(
        {
            "id": "chatcmpl-scripted",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": str(body.get("model") or MODEL),
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
            },
        }
    )


def _text(content: Any) -> str:
    """The text of a message, which may come as a string or as a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part.get("type") == "text")


def _keep_properties(text: str, response_format: Any) -> str:
    """Drop what a strict schema has no property for; anything odd about the format is ignored."""
    try:
        properties = response_format["json_schema"]["schema"]["properties"]
        data = json.loads(text)
        kept = {name: value for name, value in data.items() if name in properties}
    except (KeyError, TypeError, ValueError, AttributeError):
        return text
    return text if len(kept) == len(data) else json.dumps(kept)


def _refuse(status: int, message: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status)


def main() -> None:
    """Serve the scripted model until told to end; how we start it as a child process."""
    parser = argparse.ArgumentParser(prog="python -m housemates.actors.model.scripted_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on loopback; 0: any free one")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds every reply is held back")
    parser.add_argument("--faults", default="", help="what it does wrong, see actors.faults")
    parser.add_argument("--rules", default="", help="module:function, in place of the household's rules")
    parser.add_argument(SUPERVISED, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    app = application(options.latency, Faults(options.faults), find_rules(options.rules))
    announce: Callable[[int], None] = be_supervised() if options.supervised else lambda port: None
    asyncio.run(_serve(HOST, options.port, app, announce))


if __name__ == "__main__":
    main()
