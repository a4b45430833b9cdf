"""Our engine behind VirtualHome's HTTP protocol, for clients that expect the Unity executable.

One request at a time; `idle` is answered at once, because it asks whether anybody is there. Whatever comes
in, something goes out: logical failures with status 200 and `success` false, the rest with the statuses of the
original. Nothing authenticates a client, as in the original, so the default is to listen on loopback only.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable

from aiohttp import web

from .actions import Simulation
from .wire import BODY_LIMIT_BYTES, DEFAULT_PORT, Request, Response, read

Answerer = Callable[[Request], Awaitable[web.Response]]

_BODY_S = 60.0
_SHUTDOWN_S = 0.2
_LONG = frozenset(["expand_scene", "camera_image", "point_cloud", "reset", "clear", "environment", "fast_reset"])
_LONG_LINES = 20
"""What may take more than a few milliseconds runs in a thread, so that `idle` is answered meanwhile."""

_log = logging.getLogger(__name__)


def application(simulation: Simulation) -> web.Application:
    """The server as an aiohttp application, for tests and for mounting elsewhere."""
    lock = asyncio.Lock()

    async def respond(request: Request) -> web.Response:
        if request.action == "idle":
            return reply(simulation.answer(request))
        async with lock:
            if request.action in _LONG or len(request.string_params) > _LONG_LINES:
                return reply(await asyncio.to_thread(simulation.answer, request))
            return reply(simulation.answer(request))

    return application_of(respond)


def application_of(respond: Answerer) -> web.Application:
    """The protocol's transport around something that answers requests."""

    async def handle(incoming: web.Request) -> web.Response:
        if incoming.method != "POST":
            return refuse(501, "Not Implemented")
        try:
            async with asyncio.timeout(_BODY_S):
                body = await incoming.read()
        except TimeoutError:
            return refuse(408, "Timeout")
        except web.HTTPRequestEntityTooLarge:
            return refuse(413, f"Request body is larger than {BODY_LIMIT_BYTES} bytes")
        if not body.strip():
            return refuse(400, "Request body is null or empty")
        try:
            request = read(Request, body)
        except ValueError as error:
            return refuse(400, f"Invalid request format ({error})")
        try:
            return await respond(request)
        except Exception as error:
            _log.exception("action %s failed", request.action[:200])
            return refuse(500, f"Unknown error ({error!r})", request.id)

    app = web.Application(client_max_size=BODY_LIMIT_BYTES)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


def reply(response: Response, status: int = 200) -> web.Response:
    """A response as the original sends it."""
    return web.Response(text=response.to_json(), status=status, content_type="application/json")


def refuse(status: int, message: str, number: str = "") -> web.Response:
    """An answer to what is no proper request, or went wrong: all five keys, and the original's status."""
    return reply(Response(id=number, success=False, message=message), status)


def serve(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    apartment: int = 0,
    on_ready: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve in the foreground until SIGINT or SIGTERM.

    Args:
        host: the address to listen on.
        port: 0 lets the system choose one.
        apartment: the one that is loaded at first.
        on_ready: called once with the URL.

    Raises:
        OSError: the port cannot be had.
    """
    asyncio.run(run_application(application(Simulation(apartment)), host, port, on_ready))


async def run_application(app: web.Application, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Run an application until the process is told to end."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not in the main thread
                asyncio.get_running_loop().add_signal_handler(number, ended.set)
        on_ready(f"http://{host}:{runner.addresses[0][1]}")
        await ended.wait()
    finally:
        await runner.cleanup()
