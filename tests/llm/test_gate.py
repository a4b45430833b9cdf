"""Calls through the gate, over real HTTP, to a scripted server that fails on command."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from housemates.actors.limiter.budget import Budget, Spent
from housemates.actors.limiter.gate import Gate, GateLost, News, Terms, Word
from housemates.actors.limiter.limiter import HEARTBEAT_S, Caps
from housemates.actors.limiter.permits import BudgetExceeded, Permits
from housemates.actors.model.chat import ChatError, ChatModel, Endpoint
from housemates.actors.model.faults import Faults
from housemates.actors.model.scripted_server import MODEL, application

from ..chaos.table import Tell
from .conftest import KEY

PROMPT = "Available actions:\nA. [goexplore] <kitchen> (11)\n"


@asynccontextmanager
async def serving(faults: str = "", latency_s: float = 0.0) -> AsyncIterator[str]:
    app = application(latency_s, Faults(faults))
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def clients(
    url: str, exchange: Callable[[News], Awaitable[Word]], terms: Terms, count: int = 1, **options: Any
) -> AsyncIterator[Any]:
    """So many processes' clients of one account."""
    endpoint = Endpoint(base_url=url, model=MODEL)
    models = [ChatModel(endpoint, permits=Permits(exchange, endpoint.account, terms), **options) for _ in range(count)]
    try:
        yield models
    finally:
        for model in models:
            await model.close()


async def ask(model: ChatModel, text: str = PROMPT, caller: str = "a", deadline_s: float | None = None) -> Any:
    messages = [{"role": "user", "content": text}]
    return await model.complete(messages, schema=None, max_tokens=9, caller=caller, deadline_s=deadline_s)


async def tally(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/tally") as response:
        return await response.json()


async def test_the_cap_on_concurrency_holds_at_the_server_whoever_asks() -> None:
    gate, terms = Gate(), Terms(Caps(concurrency=3))
    async with serving(latency_s=0.05) as url, clients(url, gate.exchange, terms, 5) as models:
        await asyncio.gather(*(ask(model) for model in models for _ in range(6)))
        assert await tally(url) == {"requests": 30, "met": {"ok": 30}, "most_at_once": 3}


async def test_waiting_for_leave_is_told_apart_from_the_call() -> None:
    gate, terms = Gate(), Terms(Caps(concurrency=1))
    async with serving(latency_s=0.2) as url, clients(url, gate.exchange, terms, deadline_s=5) as (model,):
        first, second = await asyncio.gather(ask(model), ask(model))
    assert second.queued_s - first.queued_s > 0.1


async def test_who_gets_no_leave_in_time_is_told_so_and_gets_out_of_line() -> None:
    gate, terms = Gate(), Terms(Caps(concurrency=1))
    async with serving(latency_s=1.0) as url, clients(url, gate.exchange, terms, 2) as (one, other):
        running = asyncio.create_task(ask(one))
        await asyncio.sleep(0.1)
        with pytest.raises(ChatError, match="no leave to ask") as caught:
            await ask(other, deadline_s=0.2)
        assert (caught.value.kind, caught.value.attempts) == ("timeout", 0)
        await running
        assert (await ask(other)).attempts == 1
        assert (await tally(url))["requests"] == 2


async def test_a_wait_in_line_does_not_shorten_the_call_s_own_time() -> None:
    gate, terms = Gate(), Terms(Caps(concurrency=1))
    async with serving(latency_s=0.4) as url, clients(url, gate.exchange, terms, deadline_s=0.6) as (model,):
        replies = await asyncio.gather(*(ask(model, deadline_s=10) for _ in range(3)))
    assert len(replies) == 3


async def test_t16_what_a_process_that_is_gone_held_is_free_within_two_heartbeats(record_property: Tell) -> None:
    gate, terms = Gate(), Terms(Caps(concurrency=5))
    alive = True

    async def until_killed(news: News) -> Word:
        if not alive:
            await asyncio.sleep(3600)
        return await gate.exchange(news)

    async with serving() as url, clients(url, gate.exchange, terms) as (survivor,):
        account = survivor.endpoint.account
        dying = Permits(until_killed, account, terms)
        await asyncio.gather(*(dying.begin("a", 1, first=True) for _ in range(5)))
        alive = False
        began = time.monotonic()
        await asyncio.gather(*(ask(survivor, deadline_s=30) for _ in range(5)))
        took = time.monotonic() - began
        assert took < 2 * HEARTBEAT_S + 0.5
        record_property("figure", f"5 slots free again after {took:.1f} s")
        await dying.close()


async def test_a_gate_that_was_made_again_is_told_what_is_going_on() -> None:
    gates, terms = [Gate()], Terms(Caps(concurrency=2), Budget(calls=100))
    lost = False

    async def exchange(news: News) -> Word:
        if lost:
            raise GateLost("gone")
        return await gates[-1].exchange(news)

    async with serving(latency_s=1.0) as url, clients(url, exchange, terms, 2) as models:
        running = [asyncio.create_task(ask(model, deadline_s=30)) for model in models for _ in range(2)]
        await asyncio.sleep(0.3)
        lost = True
        await asyncio.sleep(0.1)
        gates.append(Gate())
        lost = False
        await asyncio.gather(*running)
        assert (await tally(url))["most_at_once"] == 2
    assert gates[-1].spent().calls == 4


@pytest.mark.parametrize("wait", ["0.3", "300ms", "date:1"])
async def test_retry_after_keeps_the_whole_account_waiting(wait: str) -> None:
    gate, terms = Gate(), Terms(Caps())
    faults = Faults(f"429@1,retry-after={wait}")
    app = application(0.0, faults)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    async with clients(url, gate.exchange, terms, 2, max_attempts=1) as (told, other):
        with pytest.raises(ChatError, match="429"):
            await ask(told)
        faults._items.clear()
        assert (await ask(other)).queued_s > (0.0 if "date" in wait else 0.25)
    await runner.cleanup()


async def test_t20_many_processes_on_a_server_that_takes_so_many_a_second(record_property: Tell) -> None:
    gate, terms = Gate(), Terms(Caps())
    served: Counter[int] = Counter()
    async with (
        serving("rate=40", latency_s=0.05) as url,
        clients(url, gate.exchange, terms, 32, max_attempts=99) as models,
    ):

        async def keep_asking(number: int) -> None:
            while True:
                await ask(models[number], deadline_s=60)
                served[number] += 1

        asking = [asyncio.create_task(keep_asking(number)) for number in range(32)]
        await asyncio.sleep(10)  # until it has found the pace
        before, _ = await tally(url), served.clear()
        await asyncio.sleep(5)
        after, met = await tally(url), served.copy()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    requests = after["requests"] - before["requests"]
    refused = after["met"].get("429", 0) - before["met"].get("429", 0)
    goodput, fairness = met.total() / 5 / 40, min(met[number] for number in range(32)) / max(met.values())
    record_property(
        "figure", f"real time: waste {refused / requests:.1%}, goodput {goodput:.0%}, fairness {fairness:.2f}"
    )
    assert refused / requests < 0.05
    assert goodput >= 0.7, "the long form, in virtual time, is in test_limiter.py"
    assert fairness > 0.5


async def test_t21_in_flight_comes_down_to_what_the_server_takes() -> None:
    gate, terms = Gate(), Terms(Caps())
    async with (
        serving("concurrency=4", latency_s=0.1) as url,
        clients(url, gate.exchange, terms, 8, max_attempts=99) as models,
    ):
        replies = await asyncio.gather(*(ask(m, f"{PROMPT}{n}", deadline_s=60) for m in models for n in range(4)))
        assert len(replies) == 32
        (limiter,) = gate._limiters.values()
        assert limiter.limit <= 16


@pytest.mark.parametrize("kind", ["hang", "trickle"])
async def test_t22_a_body_that_never_ends_is_cut_at_the_deadline_and_closed(kind: str, record_property: Tell) -> None:
    gate, terms = Gate(), Terms(Caps(concurrency=1))
    async with serving(f"{kind}:1") as url, clients(url, gate.exchange, terms, deadline_s=0.5) as (model,):
        began = time.monotonic()
        with pytest.raises(ChatError) as caught:
            await ask(model)
        assert (caught.value.kind, caught.value.attempts) == ("timeout", 1)
        took = time.monotonic() - began
        record_property("figure", f"{kind}: {took:.2f} s with a deadline of 0.5 s")
        assert took < 0.5 + 1.5  # 0.2 s, were the machine ours alone
        with pytest.raises(ChatError):  # the slot is free again
            await ask(model)
        assert (await tally(url))["most_at_once"] == 1, "the server was left"


@pytest.mark.parametrize("spec", ["500:1", "429:1", "reset:1", "garbage:1", "empty:1", "half:1", "500:0.5,429:0.4"])
@pytest.mark.parametrize("limited", [True, False])
async def test_t23_no_call_makes_more_requests_than_it_has_attempts(
    spec: str, limited: bool, record_property: Tell
) -> None:
    gate, terms = Gate(), Terms(Caps())
    async with serving(spec) as url, clients(url, gate.exchange, terms, max_attempts=3) as (metered,):
        model = metered if limited else ChatModel(Endpoint(base_url=url, model=MODEL), max_attempts=3)
        counted = 0
        for number in range(4):
            before = (await tally(url))["requests"]
            try:
                attempts = (await ask(model, f"{PROMPT}{number}")).attempts
            except ChatError as error:
                attempts = error.attempts
            counted += attempts
            assert attempts == (await tally(url))["requests"] - before <= 3
        assert counted == (12 if spec.endswith(":1") else counted)
        await model.close()
    for name in ("injections", "survived"):
        record_property(name, 4)  # calls
    record_property("figure", "at most 3 requests a call, with 3 attempts")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("400", "refused"),
        ("401", "fatal"),
        ("403", "fatal"),
        ("404", "fatal"),
        ("context", "refused"),
        ("quota", "fatal"),
    ],
)
async def test_t24_what_cannot_work_is_asked_exactly_once(kind: str, error: str) -> None:
    gate, terms = Gate(), Terms(Caps())
    async with serving(f"{kind}@1") as url, clients(url, gate.exchange, terms) as (model,):
        with pytest.raises(ChatError) as caught:
            await ask(model)
        assert caught.value.kind == error
        assert (await tally(url))["requests"] == 1
        if kind == "quota":
            assert "no quota left" in str(caught.value)


@pytest.mark.parametrize(
    ("budget", "most"),
    [
        (Budget(calls=10), 10),
        (Budget(tokens=150, price_in=0), None),
        (Budget(dollars=0.001, price_in=10.0, price_out=10.0), None),
    ],
)
async def test_t25_a_budget_is_overshot_by_at_most_what_is_in_flight(
    budget: Budget, most: int | None, record_property: Tell
) -> None:
    gate, terms, callers = Gate(), Terms(Caps(), budget), 6
    spent: list[Spent] = []

    async def spend(model: ChatModel, caller: str) -> None:
        while True:
            before = gate.spent()
            try:
                await ask(model, caller=caller, deadline_s=30)
            except ChatError as error:
                assert error.kind == "budget" and "--max-" in str(error)
                return
            spent.append(before)

    async with serving() as url, clients(url, gate.exchange, terms, 2) as models:
        await asyncio.gather(*(spend(models[n % 2], f"agent{n}") for n in range(callers)))
        requests = (await tally(url))["requests"]
    assert budget.used_up(gate.spent())
    assert gate.spent().calls == requests == (most or requests)
    one = (gate.spent().prompt_tokens + gate.spent().completion_tokens) / requests
    unit = next(name for name in ("calls", "tokens", "dollars") if getattr(budget, name) is not None)
    used = {"calls": requests, "tokens": one * requests, "dollars": budget.cost(gate.spent())}[unit]
    record_property("figure", f"{used:.4g} {unit} of {getattr(budget, unit):g}, {callers} callers")
    if budget.tokens:
        assert one * requests <= budget.tokens + callers * one
    if budget.dollars:
        assert budget.cost(gate.spent()) <= budget.dollars + callers * one * 10.0 / 1e6


async def test_time_is_a_budget_too_and_what_waits_is_told() -> None:
    gate, terms = Gate(), Terms(Caps(concurrency=1), Budget(seconds=0.3))
    async with serving(latency_s=0.5) as url, clients(url, gate.exchange, terms, 1) as (model,):
        done = await asyncio.gather(ask(model), ask(model), return_exceptions=True)
    assert [getattr(one, "kind", "ok") for one in done] == ["ok", "budget"]


async def test_what_earlier_parts_of_a_run_spent_counts() -> None:
    gate, terms = Gate(), Terms(Caps(), Budget(calls=5), Spent(calls=5))
    permits = Permits(gate.exchange, "account", terms)
    with pytest.raises(BudgetExceeded, match="5 model calls"):
        await permits.begin("a", 1, first=True)


async def test_a_call_that_has_begun_may_use_its_attempts() -> None:
    gate, terms = Gate(), Terms(Caps(), Budget(calls=1))
    async with serving("500:1") as url, clients(url, gate.exchange, terms, max_attempts=3) as (model,):
        with pytest.raises(ChatError, match="500"):
            await ask(model)
        assert (await tally(url))["requests"] == 3
        assert gate.spent().calls == 1


def test_an_account_is_a_server_and_a_key_and_tells_nothing_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_A", KEY)
    monkeypatch.setenv("KEY_B", KEY + "b")
    accounts = [
        Endpoint(base_url=url, model=model, key_env=key).account
        for url, model, key in [
            ("https://api.example.com/v1", "small", "KEY_A"),
            ("https://api.example.com/v1", "large", "KEY_A"),
            ("https://api.example.com/v1", "small", "KEY_B"),
            ("https://other.example.com/v1", "small", "KEY_A"),
            ("https://api.example.com/v1", "small", None),
        ]
    ]
    assert accounts[0] == accounts[1] and len(set(accounts)) == 4
    assert not any(KEY[n : n + 5] in account for account in accounts for n in range(len(KEY) - 5))
