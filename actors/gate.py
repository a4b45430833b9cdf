"""Where every request to a model is granted: the limiters of all accounts, and the budget of the run.

One `Gate` serves a whole run. In a one-process run it is called directly, otherwise it lives in a Ray actor
(`actors.limiter_actor`); the other end is `actors.permits` either way. A holder tells what is new, and hears
what it may do; while it has tickets in line its message is kept until there is something to say, or for a
heartbeat. Nothing a holder says needs to arrive but the last: totals are totals, and a holder that the gate does
not know (it was silent for too long, or the gate's process was restarted) is asked to tell everything.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .budget import Budget, Spent
from .limiter import HEARTBEAT_S, Caps, Limiter, Outcome, Ticket


class GateLost(Exception):
    """The gate did not answer; it may be there again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a holder has to say about one account.

    Attributes:
        account, holder: which, and who.
        asks: new tickets; with `full` all that are in line.
        withdrawn: tickets that are no longer wanted.
        ends: the requests that ended.
        spent: by this holder, since it began.
        leases: with `full`, the requests in flight.
        full: the message says everything, the gate need not know the holder.
    """

    account: str
    holder: str
    asks: tuple[Ticket, ...] = ()
    withdrawn: tuple[int, ...] = ()
    ends: tuple[tuple[int, Outcome], ...] = ()
    spent: Spent = field(default_factory=Spent)
    leases: tuple[Ticket, ...] = ()
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What the gate has to say.

    Attributes:
        granted: numbers of the tickets whose requests may begin.
        refused: numbers of those that will never be granted, because of `reason`.
        tell_all: the gate does not know the holder.
    """

    granted: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    reason: str = ""
    tell_all: bool = False


Exchange = Callable[[News], Awaitable[Word]]
"""Tell the news, hear the word. Raises GateLost."""


class Granting(Protocol):
    """A `Gate`, here or elsewhere."""

    async def exchange(self, news: News) -> Word: ...


class Terms(NamedTuple):
    """What a gate is made of: caps of each account, the budget of the run, and what earlier parts of the run spent."""

    caps: Caps
    budget: Budget = Budget()
    before: Spent = Spent()


Address = tuple[str, str]  # account, holder


class Gate:
    """The limiters of all accounts and the budget.

    Args:
        caps: of each account.
        budget: of the run.
        before: what earlier parts of the run spent.
    """

    def __init__(self, caps: Caps, budget: Budget | None = None, before: Spent | None = None) -> None:
        self._caps = caps
        self._budget = budget or Budget()
        self._total = before or Spent()
        self._began = time.monotonic()
        self._limiters: dict[str, Limiter] = {}
        self._told: dict[Address, Spent] = {}
        self._begun: dict[Address, int] = {}  # calls granted, of which the holder may not have told yet
        self._words: dict[Address, list[int]] = {}
        self._parked: dict[Address, asyncio.Future[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def exchange(self, news: News) -> Word:
        """Take in what a holder says; answers at once, or when it may begin a request, or after a heartbeat."""
        address = (news.account, news.holder)
        limiter = self._limiters.setdefault(news.account, Limiter(self._caps))
        if news.full:
            limiter.join(news.holder, news.leases)
            self._words.pop(address, None)
            self._count_calls(address, news.spent.calls - self._begun.get(address, 0))
        elif not limiter.hear(news.holder):
            return Word(tell_all=True)
        self._count_tokens(address, news.spent)
        for number, outcome in news.ends:
            ticket = limiter.end(news.holder, number, outcome)
            if ticket is not None and outcome.kind == "unused":
                self._count_calls(address, -ticket.first)
        for number in news.withdrawn:
            limiter.withdraw(news.holder, number)
        for ticket in news.asks:
            limiter.ask(news.holder, ticket)
        self._release(address)  # of a holder only the last message is kept
        self._settle(news.account)
        if not self._words.get(address) and limiter.waiting(news.holder) and not self._refused(limiter, news.holder):
            await self._park(address)
        return self._word(limiter, address)

    @property
    def spent(self) -> Spent:
        """By the whole run, so far as it is known here."""
        return self._total + Spent(seconds=time.monotonic() - self._began)

    def close(self) -> None:
        """Wait for nothing any more."""
        for timer in self._timers.values():
            timer.cancel()

    def _word(self, limiter: Limiter, address: Address) -> Word:
        refused = self._refused(limiter, address[1])
        for number in refused:
            limiter.withdraw(address[1], number)
        granted = tuple(self._words.pop(address, ()))
        return Word(granted=granted, refused=refused, reason=self._reason() if refused else "")

    def _refused(self, limiter: Limiter, holder: str) -> tuple[int, ...]:
        """The tickets in line that cannot be granted any more: a call that has begun may be brought to its end."""
        return tuple(ticket.number for ticket in limiter.waiting(holder) if ticket.first) if self._reason() else ()

    def _count_calls(self, address: Address, more: int) -> None:
        self._begun[address] = self._begun.get(address, 0) + more
        self._total += Spent(calls=more)

    def _count_tokens(self, address: Address, spent: Spent) -> None:
        told = self._told.get(address, Spent())
        self._told[address] = spent
        self._total += Spent(
            prompt_tokens=spent.prompt_tokens - told.prompt_tokens,
            completion_tokens=spent.completion_tokens - told.completion_tokens,
        )

    def _reason(self) -> str:
        return self._budget.used_up(self.spent) if self._budget.bounded else ""

    def _settle(self, account: str) -> None:
        """Grant what can be granted now, tell those it is for, and look again when time may have changed it."""
        limiter = self._limiters[account]
        for holder in limiter.expire():
            self._words.pop((account, holder), None)
            self._release((account, holder))
        firsts = math.inf
        if self._budget.bounded:
            spent = self.spent
            firsts = 0 if self._budget.used_up(spent) else self._budget.calls_left(spent)
        for holder, ticket in limiter.grant(firsts):
            address = (account, holder)
            self._words.setdefault(address, []).append(ticket.number)
            self._count_calls(address, ticket.first)
            self._release(address)
        if self._reason():
            for address in list(self._parked):  # they will hear that they are refused
                self._release(address)
        if account in self._timers:
            self._timers.pop(account).cancel()
        wait_s = limiter.next_s()
        if wait_s < math.inf:
            self._timers[account] = asyncio.get_running_loop().call_later(wait_s + 0.001, self._settle, account)

    async def _park(self, address: Address) -> None:
        future = self._parked[address] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await future
        except TimeoutError:
            pass
        finally:
            if self._parked.get(address) is future:
                del self._parked[address]

    def _release(self, address: Address) -> None:
        future = self._parked.pop(address, None)
        if future is not None and not future.done():
            future.set_result(None)
