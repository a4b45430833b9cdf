"""What a holder says to the gate, and when: at once where somebody may wait for it, else with what it says next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from housemates.actors.limiter import permits as module
from housemates.actors.limiter.budget import Budget
from housemates.actors.limiter.gate import Gate, News, Terms, Word
from housemates.actors.limiter.limiter import Caps, Outcome
from housemates.actors.limiter.permits import Permits

FREE = Terms()


class Listened:
    """Leave for one holder, with all that it said."""

    def __init__(self, terms: Terms) -> None:
        self.gate = Gate()
        self.said: list[News] = []
        self.permits = Permits(self.exchange, "account", terms)

    async def exchange(self, news: News) -> Word:
        self.said.append(news)
        return await self.gate.exchange(news)

    async def call(self, outcome: str = "ok") -> None:
        number = await self.permits.begin("me", 10, first=True)
        self.permits.end(number, Outcome(outcome), 8, 2)  # type: ignore[arg-type]

    async def ends(self) -> list[int]:
        """How many ends each message told of, once all have been told."""
        async with asyncio.timeout(20):
            while sum(len(news.ends) for news in self.said) < self.permits._spent.calls:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return [len(news.ends) for news in self.said]


@pytest.fixture
async def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listened]:
    monkeypatch.setattr(module, "FREE_S", 3600)
    listened = Listened(request.param)
    yield listened
    await listened.permits.close()


@pytest.mark.parametrize("held", [FREE], indirect=True)
async def test_where_nothing_is_limited_an_end_is_told_with_the_next_ask(held: Listened) -> None:
    for _ in range(5):
        await held.call()
    assert [(len(news.asks), len(news.ends)) for news in held.said] == [(1, 0), *[(1, 1)] * 4]


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
