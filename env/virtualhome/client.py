"""An asynchronous client for anything that speaks the protocol: Unity 2.2 and 2.3, their relatives, our server.

Never repeats a call by itself: a step must not happen twice. What goes wrong is a `SimulatorError` of a named kind.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from dataclasses import dataclass
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

import aiohttp

from ..world import WorldError
from .wire import (
    CharacterMove,
    ExpandConfig,
    ImageConfig,
    NewCharacter,
    Point,
    RenderConfig,
    Request,
    Response,
    WireGraph,
    read,
    write,
)

RESPONSE_LIMIT_BYTES = 64 * 2**20
"""The largest answer that is read; a graph of 350 nodes is 160 kB."""

Kind = Literal["unreachable", "timeout", "broken", "refused", "lost"]
Dialect = Literal["reset", "environment"]

_SHOWN = 300
_REPORT = re.compile(r"ScriptExcutor (\d{1,3}): ")


class SimulatorError(WorldError):
    """A call to a simulator that failed.

    Attributes:
        kind: `unreachable` (nobody answers), `timeout`, `broken` (an answer that is not of this protocol, or has
            status 408 or 500: the simulator needs a restart), `refused` (it works and says no), `lost` (it cannot
            be brought back).
    """

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind

    def __reduce__(self) -> tuple[type[SimulatorError], tuple[Kind, str]]:
        """It crosses from the world's process to the one that asked."""
        return SimulatorError, (self.kind, str(self))


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds per kind of call. A scene takes a simulator without a graphics card minutes."""

    idle: float = 2.0
    scene: float = 180.0
    graph: float = 120.0
    step: float = 60.0


@dataclass(frozen=True, slots=True)
class Expansion:
    """What became of `expand_scene`: `complaints` by VirtualHome's keys, or `text` if it could not even begin."""

    ok: bool
    complaints: dict[str, list[Any]]
    text: str = ""


@dataclass(frozen=True, slots=True)
class ScriptReport:
    """What became of a script: `failures` by character index, as report lines; who is not in it succeeded."""

    ok: bool
    failures: dict[int, tuple[str, ...]]


class SimulatorClient:
    """Talks to one simulator. Use it as an asynchronous context manager, in one event loop.

    Args:
        url: where it answers, `http://HOST:PORT`.
        deadlines: how long each kind of call may take, all in all.

    Raises:
        ValueError: `url` is no such URL.
    """

    def __init__(self, url: str, deadlines: Deadlines | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"a simulator's URL is http://HOST:PORT, not {url!r}")
        self.url = url
        self.dialect: Dialect | None = None
        self._deadlines = deadlines or Deadlines()
        self._numbers = itertools.count(1)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> SimulatorClient:
        # trust_env stays False: a proxy for the outside world has no business on the way to a simulator.
        connector = aiohttp.TCPConnector(force_close=True)  # as the public client: a fresh connection per call
        self._session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop the connection. May be called more than once."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    # -- calls --------------------------------------------------------------------------------

    async def idle(self) -> bool:
        """Whether it is ready."""
        return (await self._call("idle", self._deadlines.idle)).success

    async def reset(self, apartment: int | None = None) -> None:
        """Load an apartment anew; without one, the present. Finds out the dialect on the way.

        Raises:
            SimulatorError: also `refused`, when there is no such apartment.
        """
        numbers = [] if apartment is None else [apartment]
        if self.dialect != "environment":
            answer = await self._call("reset", self._deadlines.scene, numbers)
            if answer.success or not _is_unknown(answer, "reset"):
                self.dialect = "reset"
                self._insist(answer, f"reset to apartment {apartment}")
                return
        self.dialect = "environment"
        await self._call("clear", self._deadlines.scene, numbers)  # answered with success false, yet done
        answer = await self._call("environment", self._deadlines.scene, numbers)
        self._insist(answer, f"environment {apartment}")

    async def detect_dialect(self) -> Dialect:
        """Which way of resetting it knows, found out without resetting: there is no apartment -1."""
        if self.dialect is None:
            answer = await self._call("reset", self._deadlines.scene, [-1])
            self.dialect = "environment" if _is_unknown(answer, "reset") else "reset"
        return self.dialect

    async def environment_graph(self) -> WireGraph:
        """The scene, everything included."""
        answer = await self._call("environment_graph", self._deadlines.graph)
        self._insist(answer, "environment_graph")
        try:
            return read(WireGraph, answer.message or "")
        except ValueError as error:
            self._fail("broken", f"sent a graph that makes no sense ({error})")

    async def expand_scene(self, graph: WireGraph, seed: int = -1) -> Expansion:
        """Make the scene what the graph says; `seed` decides what chance decides."""
        config = ExpandConfig(
            randomize=False, random_seed=seed, animate_character=False, ignore_obstacles=False, transfer_transform=True
        )
        answer = await self._call("expand_scene", self._deadlines.scene, texts=[write(config), write(graph)])
        text = answer.message or ""
        try:
            complaints = json.loads(text)
        except ValueError:
            return Expansion(False, {}, text or "no reason given")
        if not isinstance(complaints, dict):
            self._fail("broken", f"answered expand_scene with {text[:_SHOWN]!r}")
        return Expansion(answer.success, {str(key): list(items) for key, items in complaints.items() if items})

    async def add_character(self, resource: str, position: Point | None = None, room: str = "") -> bool:
        """Add a person at a position, in a room, or somewhere; False when that cannot be done."""
        mode = "fix_position" if position else "fix_room" if room else "random"
        wanted = NewCharacter(
            character_resource=resource,
            mode=mode,
            character_position=position or Point(x=0, y=0, z=0),
            initial_room=room,
        )
        return (await self._call("add_character", self._deadlines.scene, texts=[write(wanted)])).success

    async def move_character(self, index: int, position: Point) -> bool:
        """Set a person down elsewhere; False when there is no such person or place."""
        wanted = CharacterMove(char_index=index, character_position=position)
        return (await self._call("move_character", self._deadlines.scene, texts=[write(wanted)])).success

    async def render_script(self, lines: list[str], seed: int = -1) -> ScriptReport:
        """Carry out a script, one line a step; actions that fail are reported, not raised.

        Raises:
            SimulatorError: also `refused`, when the script could not be read or nobody is there to act.
        """
        config = RenderConfig(
            find_solution=False,
            skip_animation=True,
            skip_execution=False,
            recording=False,
            image_synthesis=[],
            random_seed=seed,
        )
        answer = await self._call("render_script", self._deadlines.step, texts=[write(config), *lines])
        return self._report(answer)

    async def camera_count(self) -> int:
        """How many cameras there are."""
        return (await self._call("camera_count", self._deadlines.graph)).value

    async def character_cameras(self) -> list[str]:
        """The names of the cameras that every character has, in the order of their indices."""
        answer = await self._call("character_cameras", self._deadlines.graph)
        self._insist(answer, "character_cameras")
        try:
            return [str(name) for name in json.loads(answer.message or "")]
        except (ValueError, TypeError):
            self._fail("broken", f"answered character_cameras with {(answer.message or '')[:_SHOWN]!r}")

    async def camera_image(self, index: int, width: int = 320, height: int = 240) -> str | None:
        """One picture in base64 (PNG), or None when the simulator makes none."""
        config = ImageConfig(mode="normal", image_width=width, image_height=height)
        answer = await self._call("camera_image", self._deadlines.step, [index], [write(config)])
        return answer.message_list[0] if answer.success and answer.message_list else None

    # -- the wire -----------------------------------------------------------------------------

    async def _call(
        self, action: str, deadline_s: float, numbers: list[int] | None = None, texts: list[str] | None = None
    ) -> Response:
        if self._session is None:
            self._fail("unreachable", "is not connected: the client has been closed")
        request = Request(
            id=str(next(self._numbers)), action=action, int_params=numbers or [], string_params=texts or []
        )
        try:
            async with asyncio.timeout(deadline_s), self._session.post(self.url, json=request.to_dict()) as incoming:
                body = bytearray()
                async for piece in incoming.content.iter_chunked(2**16):
                    body += piece
                    if len(body) > RESPONSE_LIMIT_BYTES:
                        self._fail("broken", f"answered {action} with more than {RESPONSE_LIMIT_BYTES >> 20} MiB")
                status = incoming.status
        except TimeoutError:
            self._fail("timeout", f"did not answer {action} within {deadline_s:g} s")
        except aiohttp.ClientConnectorError as error:
            self._fail("unreachable", f"cannot be reached ({error.strerror})")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self._fail("broken", f"broke off while answering {action} ({error!r})")
        try:
            response = read(Response, bytes(body))
        except ValueError:
            shown = body[:80].decode(errors="replace")
            self._fail("broken", f"answered {action} with status {status} and no VirtualHome response: {shown!r}")
        if status != 200:
            self._fail("broken", f"answered {action} with status {status}: {(response.message or '')[:_SHOWN]}")
        return response

    def _report(self, answer: Response) -> ScriptReport:
        text = answer.message or ""
        try:
            reports = json.loads(text)
        except ValueError:
            return self._plain_report(answer.success, text)
        try:
            messages = {int(index): str(report["message"]) for index, report in reports.items()}
        except (TypeError, ValueError, KeyError, AttributeError):
            self._fail("broken", f"answered render_script with {text[:_SHOWN]!r}")
        failures = {index: _lines(message) for index, message in messages.items() if message != "Success"}
        return ScriptReport(answer.success, failures)

    def _plain_report(self, success: bool, text: str) -> ScriptReport:
        """Builds up to 2.2 concatenate the reports of those who failed, as plain text."""
        pieces = _REPORT.split(text)
        if len(pieces) == 1:
            if success or not text:
                return ScriptReport(success, {})
            self._fail("refused", f"refused the script: {text[:_SHOWN]}")
        failures = {int(pieces[i]): _lines(pieces[i + 1]) for i in range(1, len(pieces), 2)}
        return ScriptReport(False, failures)

    def _insist(self, answer: Response, what: str) -> None:
        if not answer.success:
            self._fail("refused", f"refused {what}: {(answer.message or 'no reason given')[:_SHOWN]}")

    def _fail(self, kind: Kind, what: str) -> NoReturn:
        raise SimulatorError(kind, f"the simulator at {self.url} {what}") from None


def _is_unknown(answer: Response, action: str) -> bool:
    return not answer.success and (answer.message or "").startswith(f"Unknown action {action}")


def _lines(message: str) -> tuple[str, ...]:
    """The report lines of one character's message."""
    return tuple(line for line in _REPORT.sub("", message, count=1).split("\n") if line)
