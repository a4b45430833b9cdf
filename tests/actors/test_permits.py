"""What a holder says to the gate, and when: at once where somebody may wait for it, else with what it says next."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from housemates.actors.limiter import limiter
from housemates.actors.limiter import permits as module
from housemates.actors.limiter.budget import Budget
from housemates.actors.limiter.gate import Gate, News, Terms, Word
from housemates.actors.limiter.limiter import ALLOWANCE, Caps, Limiter, Outcome
from housemates.actors.limiter.permits import Permits

FREE = Terms()


class Listened:
    """Leave for one holder, with all that it said."""

    def __init__(self, terms: Terms, gate: Gate | None = None) -> None:
        self.gate = gate or Gate()
        self.said: list[News] = []
        self.permits = Permits(self.exchange, "account", terms)

    async def exchange(self, news: News) -> Word:
        self.said.append(news)
        return await self.gate.exchange(news)

    @property
    def limiter(self) -> Limiter:
        (limiter,) = self.gate._limiters.values()
        return limiter

    async def begin(self) -> int:
        return await self.permits.begin("me", 10, first=True)

    async def asks(self) -> bool:
        """Whether the next request has to be asked for."""
        beginning = asyncio.ensure_future(self.begin())
        await asyncio.sleep(0)
        asked = not beginning.done()
        beginning.cancel()
        return asked

    async def heard(self, words: int) -> None:
        """Until so many messages have been answered."""
        async with asyncio.timeout(20):
            while len(self.said) < words or self.permits._open:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def call(self, outcome: str = "ok") -> None:
        number = await self.begin()
        self.permits.end(number, Outcome(outcome), 8, 2)  # type: ignore[arg-type]

    async def ends(self) -> list[int]:
        """How many ends each message told of, once all have been told."""
        async with asyncio.timeout(20):
            while sum(len(news.ends) for news in self.said) < self.permits._spent.calls:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return [len(news.ends) for news in self.said]


@pytest.fixture
async def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listened]:
    monkeypatch.setattr(module, "HEARTBEAT_S", 3600)
    monkeypatch.setattr(limiter, "LEASE_S", 3600)  # nobody is dead because the machine is busy
    listened = Listened(request.param)
    yield listened
    await listened.permits.close()


@pytest.fixture
async def other(held: Listened) -> AsyncIterator[Listened]:
    """Another holder at the same gate."""
    listened = Listened(FREE, held.gate)
    yield listened
    await listened.permits.close()


free = pytest.mark.parametrize("held", [FREE], indirect=True)


@free
async def test_where_nothing_is_limited_only_so_many_calls_later_the_gate_is_asked_again(held: Listened) -> None:
    for _ in range(2 * (ALLOWANCE + 1)):
        await held.call()
    assert [(len(news.asks), len(news.begun), len(news.ends)) for news in held.said] == [
        (1, 0, 0),
        (1, ALLOWANCE, ALLOWANCE + 1),
    ]
    assert held.gate.spent().calls == 2 * (ALLOWANCE + 1) - ALLOWANCE, "the last ones are yet to be told"


async def test_what_began_on_an_allowance_is_told_before_a_heartbeat_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.2)
    held = Listened(FREE)
    await held.call()
    number = await held.begin()
    assert held.limiter.in_use == 1, "the gate knows of the first only"
    await held.heard(2)
    assert [ticket.number for ticket, _ in held.said[-1].begun] == [number]
    assert held.limiter.in_use == 1
    await held.permits.close()


async def test_an_allowance_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.2)
    held = Listened(FREE)
    await held.call()
    assert not await held.asks()
    await held.heard(2)  # what began is told
    held.permits._leases.clear()  # so that no heartbeat brings another one
    await asyncio.sleep(0.5)
    assert await held.asks()
    await held.permits.close()


@free
async def test_a_refusal_ends_the_allowance_of_who_sees_it_at_once_and_that_of_others_with_the_next_word(
    held: Listened, other: Listened
) -> None:
    number, others = await held.begin(), await other.begin()
    assert not await held.asks()
    held.permits.end(number, Outcome("rate_limit"))
    assert await held.asks()
    await held.heard(2)
    assert not await other.asks()
    other.permits.end(others, Outcome("fault"))
    await other.heard(2)
    assert await other.asks()


@free
async def test_who_is_asked_to_wait_has_no_allowance_while_it_waits(held: Listened) -> None:
    number = await held.begin()
    held.permits.end(number, Outcome("fault", retry_after_s=60))
    assert await held.asks()
    await held.heard(2)
    assert await held.asks()


@free
async def test_a_cut_counts_what_had_begun_and_ended_and_was_not_known_yet(held: Listened, other: Listened) -> None:
    """Ten are in flight when one is refused; the gate knows of two of them, and of one that has ended."""
    mine = [await held.begin() for _ in range(2)]
    theirs = [await other.begin() for _ in range(1 + ALLOWANCE)]
    other.permits.end(theirs.pop(0), Outcome("ok"))
    await asyncio.sleep(0.001)
    held.permits.end(mine.pop(), Outcome("rate_limit"))
    await held.heard(2)
    assert held.limiter.limit == pytest.approx(0.7 * 3)
    other.permits.end(theirs.pop(), Outcome("fault"))  # is told at once, and all else with it
    await other.heard(2)
    assert held.limiter.limit == pytest.approx(0.7 * (2 + ALLOWANCE))
    assert held.limiter.in_use == len(mine) + len(theirs)


@free
async def test_after_a_cut_nothing_is_granted_while_others_may_begin_unasked(held: Listened, other: Listened) -> None:
    number = await held.begin()
    others = await other.begin()
    held.permits.end(number, Outcome("rate_limit"))
    asking = asyncio.ensure_future(held.begin())
    await asyncio.sleep(0.1)
    assert not asking.done()
    other.permits.end(others, Outcome("fault"))
    async with asyncio.timeout(20):
        await asking


@free
async def test_what_is_refused_after_the_cut_but_began_on_an_allowance_is_no_episode_of_its_own(
    held: Listened, other: Listened
) -> None:
    number = await held.begin()
    first = [await other.begin() for _ in range(4)]
    await asyncio.sleep(0.1)  # ages are told as precisely as messages are quick
    held.permits.end(number, Outcome("rate_limit"))
    await held.heard(2)
    late = [await other.begin() for _ in range(4)]
    for refused in late:
        other.permits.end(refused, Outcome("rate_limit"))
    await other.heard(2)
    assert held.limiter.limit == pytest.approx(0.7 * (1 + len(first)))


@free
async def test_a_gate_that_is_told_everything_hears_of_what_began_on_another_s_allowance(held: Listened) -> None:
    numbers = [await held.begin() for _ in range(4)]
    held.gate = Gate()
    held.permits.end(numbers.pop(), Outcome("fault"))
    await held.heard(3)
    assert held.said[-1].full
    assert held.limiter.in_use == 3
    assert held.gate.spent().calls == 4


@pytest.mark.parametrize("seed", range(3))
async def test_a_cap_holds_for_what_began_on_allowances_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.05)
    cap, rng, flying, most = 40, random.Random(seed), 0, 0
    gate, terms = Gate(), Terms(Caps(concurrency=cap))
    holders = [Listened(terms, gate) for _ in range(4)]

    async def keep_calling(holder: Listened) -> None:
        nonlocal flying, most
        for _ in range(15):
            number = await holder.begin()
            flying += 1
            most = max(most, flying)
            await asyncio.sleep(rng.uniform(0, 0.03))
            flying -= 1
            holder.permits.end(number, Outcome("ok"))
            await asyncio.sleep(rng.uniform(0, 0.03))

    for agents in (1, 30):  # far below the cap, and above it
        await asyncio.gather(*(keep_calling(holder) for holder in holders for _ in range(agents)))
    assert sum(len(news.begun) for holder in holders for news in holder.said) > 0
    assert most == cap
    for holder in holders:
        await holder.permits.close()


LIMITED = [
    Terms(Caps(concurrency=5)),
    Terms(Caps(requests_per_minute=600)),
    Terms(Caps(tokens_per_minute=60_000)),
    Terms(budget=Budget(tokens=1000)),
]


@pytest.mark.parametrize("held", LIMITED, ids=["concurrency", "requests", "tokens", "budget"], indirect=True)
async def test_where_something_is_limited_an_end_is_told_at_once(held: Listened) -> None:
    await held.call()
    assert await held.ends() == [0, 1]


@pytest.mark.parametrize("held", [FREE], indirect=True)
@pytest.mark.parametrize("outcome", ["rate_limit", "fault"])
async def test_what_the_server_refuses_is_told_at_once(held: Listened, outcome: str) -> None:
    await held.call(outcome)
    assert await held.ends() == [0, 1]


@pytest.mark.parametrize("held", [FREE], indirect=True)
async def test_after_a_refusal_nobody_is_free_any_more(held: Listened) -> None:
    await held.call("rate_limit")
    await held.call()
    assert sum(await held.ends()) == 2
