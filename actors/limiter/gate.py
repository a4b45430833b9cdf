"""Where every request to a model is granted: the limiters of all accounts, and the budget of the run.

One `Gate` serves all runs of a process, or of a Ray cluster (`actors.limiter.actor`); the other end is
`actors.limiter.permits` either way. A holder tells what is new, and hears what it may do; while it has tickets in line
its message is kept until there is something to say, or for a heartbeat. The gate holds nothing that it could not be
told again: totals are totals, terms come with every message, and a holder that it does not know (it was silent for
too long, or the gate's process is a new one) is asked to tell everything.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from .budget import Budget, Spent
from .limiter import HEARTBEAT_S, Caps, Limiter, Outcome, Ticket


class GateLost(Exception):
    """The gate did not answer; it may be there again later."""


class Terms(NamedTuple):
    """On what a run asks: the caps of each account, the run's budget, what it had spent before, and its name."""

    caps: Caps = Caps()
    budget: Budget = Budget()
    before: Spent = Spent()
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a holder has to say about one account.

    Attributes:
        account, holder: which, and who.
        terms: on which its run asks.
        asks: new tickets; with `full` all that are in line.
        withdrawn: tickets that are no longer wanted.
        begun: the requests that began on an allowance, and how many seconds ago.
        ends: the requests that ended, and how many seconds ago.
        spent: by this holder, since it began.
        leases: with `full`, the requests in flight.
        full: the message says everything, the gate need not know the holder.
    """

    account: str
    holder: str
    terms: Terms
    asks: tuple[Ticket, ...] = ()
    withdrawn: tuple[int, ...] = ()
    begun: tuple[tuple[Ticket, float], ...] = ()
    ends: tuple[tuple[int, Outcome, float], ...] = ()
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
        allowance: so many requests may begin without being asked for, until the holder says something, and for a
            heartbeat since it said what this answers; for so long what ends well need not be told. 0 where something
            limits the account, or somebody counts what it costs.
    """

    granted: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    reason: str = ""
    tell_all: bool = False
    allowance: int = 0


Exchange = Callable[[News], Awaitable[Word]]
"""Tell the news, hear the word. Raises GateLost."""


@dataclass(slots=True)
class _Purse:
    """What a run has spent, as far as it is known here."""

    budget: Budget
    total: Spent

    @property
    def reason(self) -> str:
        return self.budget.used_up(self.total) if self.budget.bounded else ""


class Granting(Protocol):
    """A `Gate`, here or elsewhere."""

    async def exchange(self, news: News) -> Word: ...


Address = tuple[str, str]  # account, holder


class Gate:
    """The limiters of all accounts, each with the caps of whom it first heard of it, and the budgets of all runs."""

    def __init__(self) -> None:
        self._limiters: dict[str, Limiter] = {}
        self._purses: dict[str, _Purse] = {}
        self._purse_of: dict[Address, _Purse] = {}
        self._told: dict[Address, Spent] = {}
        self._begun: dict[Address, int] = {}  # calls granted, of which the holder may not have told yet
        self._words: dict[Address, list[int]] = {}
        self._parked: dict[Address, asyncio.Future[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def exchange(self, news: News) -> Word:
        """Take in what a holder says; answers at once, or when it may begin a request, or after a heartbeat."""
        address, terms = (news.account, news.holder), news.terms
        limiter = self._limiters.setdefault(news.account, Limiter(terms.caps))
        purse = self._purse_of[address] = self._purses.setdefault(terms.run, _Purse(terms.budget, terms.before))
        if news.full:
            limiter.join(news.holder, news.leases)
            self._words.pop(address, None)
            self._count_calls(address, news.spent.calls - self._begun.get(address, 0))
        elif not limiter.hear(news.holder):
            return Word(tell_all=True)
        self._count(address, news.spent, terms.before)
        for ticket, ago_s in news.begun:
            limiter.began(news.holder, ticket, ago_s)
            self._count_calls(address, ticket.first)
        for number, outcome, ago_s in news.ends:
            ticket = limiter.end(news.holder, number, outcome, ago_s)
            if ticket is not None and outcome.kind == "unused":
                self._count_calls(address, -ticket.first)
        for number in news.withdrawn:
            limiter.withdraw(news.holder, number)
        for ticket in news.asks:
            limiter.ask(news.holder, ticket)
        self._release(address)  # of a holder only the last message is kept
        self._settle(news.account)
        if not self._words.get(address) and limiter.waiting(news.holder) and not _refused(purse, limiter, news.holder):
            await self._park(address)
        refused = _refused(purse, limiter, news.holder)
        for number in refused:
            limiter.withdraw(news.holder, number)
        granted = tuple(self._words.pop(address, ()))
        allowance = 0 if purse.budget.bounded else limiter.allow(news.holder)
        return Word(granted=granted, refused=refused, reason=purse.reason if refused else "", allowance=allowance)

    def spent(self, run: str = "") -> Spent:
        """By a run, so far as it is known here."""
        return self._purses[run].total if run in self._purses else Spent()

    def _count_calls(self, address: Address, more: int) -> None:
        self._begun[address] = self._begun.get(address, 0) + more
        self._purse_of[address].total += Spent(calls=more)

    def _count(self, address: Address, spent: Spent, before: Spent) -> None:
        """Tokens are added up; the run is as old as the oldest of its holders."""
        told, purse = self._told.get(address, Spent()), self._purse_of[address]
        self._told[address] = spent
        purse.total += Spent(
            prompt_tokens=spent.prompt_tokens - told.prompt_tokens,
            completion_tokens=spent.completion_tokens - told.completion_tokens,
            seconds=max(0.0, before.seconds + spent.seconds - purse.total.seconds),
        )

    def _may_begin(self, address: Address) -> bool:
        purse = self._purse_of[address]
        if purse.reason:
            return False
        self._count_calls(address, 1)
        return True

    def _settle(self, account: str) -> None:
        """Grant what can be granted now, tell those it is for, and look again when time may have changed it."""
        limiter = self._limiters[account]
        for holder in limiter.expire():
            self._words.pop((account, holder), None)
            self._release((account, holder))
        for holder, ticket in limiter.grant(lambda holder: self._may_begin((account, holder))):
            self._words.setdefault((account, holder), []).append(ticket.number)
            self._release((account, holder))
        for address in list(self._parked):
            if self._purse_of[address].reason:  # it will hear that it is refused
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


def _refused(purse: _Purse, limiter: Limiter, holder: str) -> tuple[int, ...]:
    """The tickets in line that cannot be granted any more: a call that has begun may be brought to its end."""
    return tuple(ticket.number for ticket in limiter.waiting(holder) if ticket.first) if purse.reason else ()
