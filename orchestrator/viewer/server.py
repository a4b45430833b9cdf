"""The viewer's server: one page, its data as JSON, news as server-sent events. Reads only, but for `control`."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from ...env.world import WorldError
from ..errors import ConfigError, StartError
from ..journal.log import JournalError
from ..printing import one_line
from .access import guarded, may_control
from .control import Control
from .live import OpenRun
from .reader import RunReader
from .studies import REPORT, figures_in, find_episode, overview

SINGLE = "run"
"""The name of the one run of a server that was not given a study."""
OPEN_RUNS = 8
"""How many runs of a study are kept open at once."""
MAX_LISTENERS = 32
"""How many pages may wait for news of a run at once; browsers open one each."""
HEARTBEAT_S = 1.0
"""How often a page hears of a run that goes on, even if no step ends: whom it waits for changes."""

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_STATIC = Path(__file__).parent / "static"


class Viewer:
    """Serves one run or one study.

    Args:
        folder: of the run or the study.
        study: which of the two it is.
        control: the handle on the run, if it is run by this process.
    """

    def __init__(self, folder: Path, *, study: bool = False, control: Control | None = None) -> None:
        self._folder = folder
        self._study = study
        self._control = control
        self._runs: OrderedDict[str, OpenRun] = OrderedDict()
        # All reading is done in one thread: readers need no locks, and a page is not kept from its small files.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal-reader")
        self._runner: web.AppRunner | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns the address, with the token in its fragment if the run can be controlled.

        Raises:
            StartError: the port is taken.
        """
        # A page that scrubs takes its questions back: what nobody waits for any more is not answered.
        self._runner = runner = web.AppRunner(
            self._app(), access_log=None, handler_cancellation=True, shutdown_timeout=0.5
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            await self.close()
            raise StartError(f"cannot serve the page on port {port}: {error.strerror or error}") from None
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        return address + (f"#token={self._control.token}" if self._control else "")

    async def close(self) -> None:
        """Stop serving."""
        for run in self._runs.values():
            await run.close()
        self._runs.clear()
        if self._runner is not None:
            await self._runner.cleanup()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _app(self) -> web.Application:
        app = web.Application(middlewares=[guarded])
        run = "/api/runs/{run}"
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/episode/{run}", self._page),
                web.get("/static/{name}", self._static),
                web.get("/api", self._about),
                web.get("/api/figures/{name}", self._figure),
                web.get(run, self._head),
                web.get(run + "/summary", self._asking(lambda reader, _: reader.summary())),
                web.get(run + "/track", self._asking(lambda reader, q: reader.track(_number(q, "first")))),
                web.get(run + "/steps/{step}", self._asking(lambda reader, q: reader.step(_number(q, "step")))),
                web.get(
                    run + "/steps/{step}/agents/{agent}",
                    self._asking(lambda reader, q: reader.agent(_number(q, "step"), q["agent"])),
                ),
                web.get(
                    run + "/steps/{step}/text",
                    self._asking(
                        lambda reader, q: reader.text(
                            _number(q, "step"), q.get("agent", ""), q["field"], _number(q, "start")
                        )
                    ),
                ),
                web.get(
                    run + "/messages",
                    self._asking(lambda reader, q: reader.messages(_number(q, "until"), q.get("agent"))),
                ),
                web.get(run + "/plans", self._asking(lambda reader, q: reader.plans(_number(q, "until"), q["agent"]))),
                web.get(run + "/steps/{step}/map", self._map),
                web.get(run + "/events", self._events),
                web.post(run + "/control", self._work),
            ]
        )
        return app

    # -- files --------------------------------------------------------------------------------

    async def _page(self, request: web.Request) -> web.Response:
        return _file("index.html")

    async def _static(self, request: web.Request) -> web.Response:
        return _file(request.match_info["name"])

    # -- data ---------------------------------------------------------------------------------

    async def _about(self, request: web.Request) -> web.Response:
        if not self._study:
            return web.json_response({"kind": "run", "run": SINGLE})
        return web.json_response({"kind": "study", **await self._in_thread(overview, self._folder)})

    async def _figure(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if not self._study or name not in figures_in(self._folder):
            raise web.HTTPNotFound(text="no such figure")
        return web.FileResponse(self._folder / REPORT / name)

    async def _head(self, request: web.Request) -> web.Response:
        run = self._run(request)
        head = await _answer(run.ask(lambda reader: reader.head()))
        return web.json_response({**head, "control": self._control.state() if self._control else None})

    def _asking(self, question: Callable[[RunReader, dict[str, str]], Any]) -> Callable[..., Any]:
        """A handler that puts a question to a run's reader; the path's parts and the query are its parameters."""

        async def handler(request: web.Request) -> web.Response:
            parameters = {**request.query, **request.match_info}
            answer = await _answer(self._run(request).ask(lambda reader: question(reader, parameters)))
            return web.json_response(answer)

        return handler

    async def _map(self, request: web.Request) -> web.Response:
        step = _number(request.match_info, "step")
        theme = "dark" if request.query.get("theme") == "dark" else "light"
        try:
            drawn = await _answer(self._run(request).map(step, theme, request.query.get("agent")))
        except WorldError as error:
            return web.Response(status=204, headers={"X-Scene-Note": _header(str(error))})
        notes = {"X-Scene-Behind": str(drawn.behind), "X-Scene-Note": _header(drawn.note)}
        return web.Response(text=drawn.svg, content_type="image/svg+xml", headers=notes)

    # -- a run that goes on -------------------------------------------------------------------

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Tells how far the run is, at once and whenever that changes."""
        run = self._run(request)
        await _answer(run.reader())
        if run.listeners >= MAX_LISTENERS:
            raise web.HTTPServiceUnavailable(text=f"more than {MAX_LISTENERS} pages wait for news of this run")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        run.listeners += 1
        try:
            await response.prepare(request)
            last = None
            while True:
                news = await run.ask(lambda reader: reader.progress())
                news["control"] = self._control.state() if self._control else None
                if news != last:
                    await response.write(f"data: {json.dumps(news)}\n\n".encode())
                else:
                    await response.write(b": still here\n\n")  # and notice that the page has gone
                last = news
                with suppress(TimeoutError):
                    await asyncio.wait_for(run.news(), HEARTBEAT_S)
        except ConnectionError:
            return response
        finally:
            run.listeners -= 1

    async def _work(self, request: web.Request) -> web.Response:
        if self._control is None:
            raise web.HTTPForbidden(text="this run is not run by this process; it can only be looked at")
        if not may_control(request, self._control.token):
            raise web.HTTPForbidden(text="open the address with the token that was printed when the run began")
        if not self._control.do(request.query.get("do", "")):
            raise web.HTTPBadRequest(
                text="there is nothing to do but pause, resume, step or stop while the run goes on"
            )
        run = self._run(request)
        await run.tell()
        return web.json_response(self._control.state())

    def _run(self, request: web.Request) -> OpenRun:
        name = request.match_info["run"]
        if name in self._runs:
            self._runs.move_to_end(name)
            return self._runs[name]
        try:
            folder = find_episode(self._folder, name) if self._study else self._folder
        except ConfigError as error:
            raise web.HTTPNotFound(text=str(error)) from None
        if not self._study and name != SINGLE:
            raise web.HTTPNotFound(text="no such run")
        run = self._runs[name] = OpenRun(folder, self._in_thread)
        for old, other in list(self._runs.items())[:-OPEN_RUNS]:
            if not other.listeners:
                del self._runs[old]
                task = asyncio.create_task(other.close())
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)
        return run

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)


def _file(name: str) -> web.Response:
    """A file of the page."""
    path = _STATIC / name
    suffix = Path(name).suffix
    if suffix not in _TYPES or not path.is_file():
        raise web.HTTPNotFound(text="no such file")
    return web.Response(body=path.read_bytes(), content_type=_TYPES[suffix], charset="utf-8")


async def _answer(question: Any) -> Any:
    """The answer to a question, or the error as a status and one line."""
    try:
        return await question
    except (IndexError, KeyError, ValueError) as error:
        raise web.HTTPNotFound(text=f"there is no such thing in this run: {error}") from None
    except JournalError as error:
        raise web.HTTPUnprocessableEntity(text=str(error)) from None
    except (TypeError, AttributeError) as error:
        text = f"this record of the journal is not as this version writes them ({error!r})"
        raise web.HTTPUnprocessableEntity(text=text) from None


def _header(text: str) -> str:
    """A text as the value of a header."""
    return one_line(text, 300).encode("ascii", "replace").decode()


def _number(parameters: Any, name: str) -> int:
    """A whole number from the path or the query, 0 if it is not there."""
    text = parameters.get(name, "0")
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise web.HTTPBadRequest(text=f"{name} is a number")
    return int(text)
