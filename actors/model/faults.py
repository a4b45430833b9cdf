"""Faults of a model server on command: what the scripted server does wrong, how often, and a count of it.

A specification is a list of items, separated by commas (`docs/faults.md` tells it to users):

    KIND[:SHARE]      this share of the requests, by default 1 %
    KIND@N            every request from the N-th on, counted from 1
    rate=N            429 for what exceeds N requests a second (bursts of up to one second's worth are taken)
    concurrency=N     429 for what exceeds N requests at once
    retry-after=WAIT  what a 429, 503 or 529 asks for: seconds (2), milliseconds (200ms), or a date (date:2)
    seed=TEXT         other draws

Whether a request meets a fault depends on the seed, its body, and how often that body has come before, not on
the order of arrival: the same run meets the same faults.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
import re
import time
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate

from aiohttp import web

KINDS = ("hang", "trickle", "half", "reset", "garbage", "empty", "quota", "context")
"""Faults with a name; any status from 400 to 599 is one, too."""

DEFAULT_SHARE = 0.01
MAX_BODIES = 100_000
"""So many different bodies are told apart before the count begins anew."""
_TRICKLE_S = 0.05
_ITEM = re.compile(r"(?P<kind>[a-z]+|[45]\d\d)(?::(?P<share>[0-9.eE+-]+)|@(?P<start>\d+))?")
_WAIT = re.compile(r"date:(?P<date>\d+)|(?P<ms>\d+)ms|(?P<seconds>\d+(\.\d+)?)")

_MESSAGES = {
    "context": (400, "this model's maximum context length is 4096 tokens", "context_length_exceeded"),
    "quota": (429, "you exceeded your current quota, check your plan and billing details", "insufficient_quota"),
}


@dataclass(frozen=True, slots=True)
class _Item:
    kind: str
    share: float = DEFAULT_SHARE
    start: int | None = None


class Faults:
    """What goes wrong at a server, and what has reached it.

    Args:
        spec: see above; "" for a server without fault.

    Raises:
        ValueError: the specification makes no sense.
    """

    def __init__(self, spec: str = "") -> None:
        self._items: list[_Item] = []
        self._rate = self._concurrency = math.inf
        self._retry_after = ""
        self._seed = "0"
        for text in filter(None, (part.strip() for part in spec.split(","))):
            self._add(text)
        if sum(item.share for item in self._items if item.start is None) > 1:
            raise ValueError("faults: the shares come to more than 1")
        self._level, self._level_at = max(1.0, self._rate), time.monotonic()
        self._seen: Counter[bytes] = Counter()
        self._counts: Counter[str] = Counter()
        self._in_flight = self._most_in_flight = 0

    @property
    def tally(self) -> dict[str, object]:
        """Requests so far, by what they met (`ok` for none), and the most that were answered at once."""
        return {"requests": self._counts.total(), "met": dict(self._counts), "most_at_once": self._most_in_flight}

    def draw(self, body: bytes) -> str:
        """What the next request meets: a kind, or "" for nothing."""
        kind = self._drawn(body)
        self._counts[kind or "ok"] += 1
        return kind

    def enter(self) -> None:
        """A request is being answered."""
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)

    def leave(self) -> None:
        """It has been answered."""
        self._in_flight -= 1

    async def play(self, kind: str, request: web.Request, reply: bytes) -> web.StreamResponse:
        """Answer a request in the way of a fault; `reply` is what it should have been."""
        if kind == "hang":
            await asyncio.sleep(3600)
        if kind == "reset":
            assert request.transport is not None
            request.transport.abort()
            raise ConnectionResetError
        if kind == "garbage":
            return web.Response(body=b"<html>Bad gateway</html>", content_type="text/html")
        if kind == "empty":
            return web.json_response({"choices": []})
        if kind in ("trickle", "half"):
            return await _in_pieces(kind, request, reply)
        status, message, code = _MESSAGES.get(kind, (int(kind) if kind.isdigit() else 500, f"injected {kind}", None))
        error = {"message": message, "type": "injected", "param": None, "code": code}
        headers = self._headers() if status in (429, 503, 529) else {}
        return web.json_response({"error": error}, status=status, headers=headers)

    def _add(self, text: str) -> None:
        name, _, value = text.partition("=")
        if name in ("rate", "concurrency"):
            setattr(self, f"_{name}", _positive(text, value))
        elif name == "retry-after" and _WAIT.fullmatch(value):
            self._retry_after = value
        elif name == "seed" and value:
            self._seed = value
        else:
            match = _ITEM.fullmatch(text)
            if match is None or not (match["kind"] in KINDS or match["kind"].isdigit()):
                known = ", ".join(KINDS)
                raise ValueError(
                    f"faults: {text!r} is none of KIND, KIND:SHARE, KIND@N, rate=, concurrency=, retry-after=, seed=; "
                    f"a KIND is a status from 400 to 599, or {known}"
                )
            share = DEFAULT_SHARE if match["share"] is None else _positive(text, match["share"])
            start = None if match["start"] is None else int(match["start"])
            self._items.append(_Item(match["kind"], share, start))

    def _drawn(self, body: bytes) -> str:
        number = self._counts.total() + 1
        for item in self._items:
            if item.start is not None and number >= item.start:
                return item.kind
        if self._too_much():
            return "429"
        digest = hashlib.sha256(body).digest()
        if len(self._seen) >= MAX_BODIES:
            self._seen.clear()
        self._seen[digest] += 1
        at = random.Random(f"{self._seed}/{digest.hex()}/{self._seen[digest]}").random()
        for item in self._items:
            if item.start is None:
                at -= item.share
                if at < 0:
                    return item.kind
        return ""

    def _too_much(self) -> bool:
        if self._in_flight >= self._concurrency:
            return True
        if self._rate == math.inf:
            return False
        now = time.monotonic()
        self._level = min(max(1.0, self._rate), self._level + (now - self._level_at) * self._rate)
        self._level_at = now
        if self._level < 1:
            return True
        self._level -= 1
        return False

    def _headers(self) -> dict[str, str]:
        match = _WAIT.fullmatch(self._retry_after)
        if match is None:
            return {}
        if match["date"]:
            return {"Retry-After": formatdate(time.time() + int(match["date"]), usegmt=True)}
        return {"retry-after-ms": match["ms"]} if match["ms"] else {"Retry-After": match["seconds"]}


def _positive(text: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < math.inf:
        raise ValueError(f"faults: {text!r} needs a positive number")
    return number


async def _in_pieces(kind: str, request: web.Request, reply: bytes) -> web.StreamResponse:
    """`trickle`: a body that never ends, so that no timeout between two reads fires; `half`: one that breaks off."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if kind == "half":
        response.content_length = len(reply)
    await response.prepare(request)
    if kind == "half":
        await response.write(reply[: len(reply) // 2])
        assert request.transport is not None
        request.transport.close()
        return response
    while True:
        await response.write(b" ")
        await asyncio.sleep(_TRICKLE_S)
