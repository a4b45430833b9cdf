"""A process's side of the gate: its calls ask here before every request, and all that is to say goes in one message."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
import uuid
from dataclasses import dataclass, replace

from .budget import Spent
from .gate import Exchange, GateLost, News, Terms, Word
from .limiter import HEARTBEAT_S, Outcome, Ticket

GATHER_S = 0.002
"""What is to say within so many seconds goes into one message."""
LOST_S = 0.5
"""Seconds until a gate that did not answer is told everything again."""


class BudgetExceeded(Exception):
    """No further call may begin; the message names the budget."""


@dataclass(slots=True)
class _Line:
    ticket: Ticket
    granted: asyncio.Future[None]


class Permits:
    """Leave to use one account, for all tasks of one event loop.

    Args:
        exchange: the gate's.
        account: which limits apply; see `chat.Endpoint.account`.
        terms: of the run.
    """

    def __init__(self, exchange: Exchange, account: str, terms: Terms | None = None) -> None:
        self._exchange = exchange
        self._account = account
        self._terms = terms or Terms()
        self._born = time.monotonic()
        self._holder = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._lines: dict[int, _Line] = {}
        self._leases: dict[int, Ticket] = {}
        self._spent = Spent()
        self._asks: list[Ticket] = []
        self._withdrawn: list[int] = []
        self._begun: list[tuple[Ticket, float]] = []  # on an allowance, and when
        self._ends: list[tuple[int, Outcome, float]] = []
        self._full = True
        self._allowed = 0
        self._allowed_until = -math.inf
        self._allowed_since = -math.inf  # what answers anything that was said earlier allows nothing
        self._open = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, caller: str, tokens: int, *, first: bool) -> int:
        """Wait until a request may begin; returns the number to end it with.

        Args:
            caller: the agent; agents take turns.
            tokens: how many the request will probably use.
            first: of its call; a request that repeats another is not another call.

        Raises:
            BudgetExceeded: no call may begin any more.
        """
        ticket = Ticket(next(self._numbers), caller, tokens, first)
        now = time.monotonic()
        if self._allowed and not self._lines and now < self._allowed_until:
            self._allowed -= 1
            self._begun.append((ticket, now))
            self._lease(ticket)
            self._flush_in(self._allowed_until - now)
            return ticket.number
        line = _Line(ticket, asyncio.get_running_loop().create_future())
        self._lines[ticket.number] = line
        self._asks.append(ticket)
        self._flush_in(GATHER_S)
        try:
            await line.granted
        except asyncio.CancelledError:
            if self._lines.pop(ticket.number, None) is not None:
                self._withdrawn.append(ticket.number)
                self._flush_in(GATHER_S)
            elif ticket.number in self._leases:  # granted in the same moment
                self.end(ticket.number, Outcome("unused"))
            raise
        return ticket.number

    def end(self, number: int, outcome: Outcome, prompt_tokens: int = 0, completion_tokens: int = 0) -> None:
        """The request has ended, whichever way."""
        ticket = self._leases.pop(number)
        unused = outcome.kind == "unused" and ticket.first
        self._spent += Spent(calls=-unused, prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
        now = time.monotonic()
        self._ends.append((number, outcome, now))
        if outcome.kind == "rate_limit" or outcome.retry_after_s is not None:
            self._disallow(now)
        self._flush_in(max(GATHER_S, self._allowed_until - now) if outcome.kind == "ok" else GATHER_S)

    async def close(self) -> None:
        """Fall silent; the gate takes back what is held. May be called more than once."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _lease(self, ticket: Ticket) -> None:
        self._leases[ticket.number] = ticket
        self._spent += Spent(calls=ticket.first)

    def _disallow(self, now: float) -> None:
        self._allowed, self._allowed_until, self._allowed_since = 0, -math.inf, now

    def _flush_in(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer_at <= loop.time() + seconds:
                return
            self._timer.cancel()
        self._timer_at = loop.time() + seconds
        self._timer = loop.call_later(seconds, self._flush)

    def _flush(self) -> None:
        self._timer = None
        now = time.monotonic()
        self._allowed, self._allowed_since = 0, now  # the gate takes what is said for all that began
        task = asyncio.get_running_loop().create_task(self._say(self._news(now), now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _news(self, now: float) -> News:
        full, self._full = self._full, False
        asks = (line.ticket for line in self._lines.values()) if full else self._asks
        news = News(
            account=self._account,
            holder=self._holder,
            asks=tuple(asks),
            withdrawn=tuple(self._withdrawn),
            begun=() if full else tuple((ticket, now - at) for ticket, at in self._begun),
            ends=tuple((number, outcome, now - at) for number, outcome, at in self._ends),
            terms=self._terms,
            spent=replace(self._spent, seconds=now - self._born),
            leases=tuple(self._leases.values()) if full else (),
            full=full,
        )
        self._asks, self._withdrawn, self._begun, self._ends = [], [], [], []
        return news

    async def _say(self, news: News, said_at: float) -> None:
        self._open += 1
        try:
            word = await self._exchange(news)
        except GateLost:
            self._full = True
            self._flush_in(LOST_S)
            return
        finally:
            self._open -= 1
        self._hear(word, said_at)

    def _hear(self, word: Word, said_at: float) -> None:
        for number in word.granted:
            line = self._lines.pop(number, None)
            if line is None:  # withdrawn meanwhile
                self._ends.append((number, Outcome("unused"), time.monotonic()))
                self._flush_in(GATHER_S)
                continue
            self._lease(line.ticket)
            if not line.granted.done():  # else it is being cancelled, and `begin` gives it back
                line.granted.set_result(None)
        for number in word.refused:
            line = self._lines.pop(number, None)
            if line is not None and not line.granted.done():
                line.granted.set_exception(BudgetExceeded(word.reason))
        if word.allowance and said_at >= self._allowed_since:
            self._allowed, self._allowed_until = word.allowance, said_at + HEARTBEAT_S
        elif not word.allowance:
            self._disallow(time.monotonic())
            if self._begun or self._ends:  # what was not told at once has to be now
                self._flush_in(GATHER_S)
        if word.tell_all:
            self._full = True
            self._flush_in(0.0)
        elif self._open == 0 and self._lines:
            self._flush_in(0.0)
        elif self._leases:
            self._flush_in(HEARTBEAT_S)
