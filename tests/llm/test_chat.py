"""ChatModel against a real server that misbehaves."""

from __future__ import annotations

import asyncio
import email.utils
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest
from housemates.actors.model.chat import ChatError, ChatModel, Endpoint

from .conftest import KEY, MESSAGES, PROMPT
from .faults import Behaviour, FaultServer, answer, body, disconnect, hang, refuse, trickle

Make = Callable[..., ChatModel]


async def ask(model: ChatModel, **options: object) -> str:
    reply = await model.complete(MESSAGES, schema=None, max_tokens=10, **options)  # type: ignore[arg-type]
    return reply.text


async def failure(model: ChatModel) -> ChatError:
    with pytest.raises(ChatError) as caught:
        await ask(model)
    return caught.value


async def test_a_reply_carries_text_usage_and_the_number_of_requests(server: FaultServer, make_model: Make) -> None:
    server.plays(refuse(500), answer("yes", prompt_tokens=7, completion_tokens=3))
    reply = await make_model().complete(MESSAGES, schema=None, max_tokens=10)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("yes", 7, 3)
    assert (reply.attempts, reply.finish_reason) == (2, "stop")


async def test_the_request_carries_model_key_seed_and_temperature(server: FaultServer, make_model: Make) -> None:
    await ask(make_model(), seed=5, temperature=0.5)
    assert server.requests == [{"model": "m", "messages": MESSAGES, "max_tokens": 10, "temperature": 0.5, "seed": 5}]
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (refuse(400), "refused"),
        (refuse(400, "maximum context length is 4096 tokens", "context_length_exceeded"), "refused"),
        (refuse(422), "refused"),
        (refuse(401), "fatal"),
        (refuse(403), "fatal"),
        (refuse(404), "fatal"),
        (refuse(429, "you exceeded your quota", "insufficient_quota"), "fatal"),
    ],
)
async def test_what_cannot_work_is_asked_once(
    server: FaultServer, make_model: Make, behaviour: Behaviour, kind: str
) -> None:
    server.plays(behaviour)
    error = await failure(make_model())
    assert (error.kind, error.attempts, len(server.requests)) == (kind, 1, 1)


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (refuse(500), "transient"),
        (refuse(503), "transient"),
        (refuse(429), "rate_limit"),
        (refuse(529), "rate_limit"),
        (body("<html>gateway</html>"), "transient"),
        (body('{"choices": []}'), "transient"),
        (body('{"choices": null}'), "transient"),
        (answer(None), "transient"),
        (disconnect, "transient"),
    ],
)
async def test_what_may_work_later_is_asked_again_and_counted(
    server: FaultServer, make_model: Make, behaviour: Behaviour, kind: str
) -> None:
    server.plays(behaviour)
    error = await failure(make_model(max_attempts=3))
    assert (error.kind, error.attempts, len(server.requests)) == (kind, 3, 3)


async def test_a_server_that_recovers_gives_a_reply(server: FaultServer, make_model: Make) -> None:
    server.plays(disconnect, answer(None), refuse(429), answer("at last"))
    assert await ask(make_model()) == "at last"


@pytest.mark.parametrize("behaviour", [hang, trickle])
async def test_the_deadline_holds_for_the_whole_call(
    server: FaultServer, make_model: Make, behaviour: Behaviour
) -> None:
    server.plays(behaviour)
    began = time.monotonic()
    error = await failure(make_model(deadline_s=0.4))
    assert time.monotonic() - began < 2.0
    assert (error.kind, error.attempts) == ("timeout", 1)
    assert error.seconds >= 0.4
    await asyncio.wait_for(server.left_early.wait(), 2.0)  # the connection is not left open


async def test_cancelling_a_call_passes_through_and_closes_the_request(server: FaultServer, make_model: Make) -> None:
    server.plays(hang)
    task = asyncio.create_task(ask(make_model()))
    await asyncio.wait_for(server.reached.wait(), 5.0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.left_early.wait(), 2.0)


@pytest.mark.parametrize(
    "header",
    [
        {"Retry_After": "0.2"},
        {"retry_after_ms": "200"},
        {"Retry_After": email.utils.formatdate(time.time() - 100, usegmt=True)},
        {"Retry_After": "soon"},
    ],
)
async def test_retry_after_is_honoured_in_all_its_forms(
    server: FaultServer, make_model: Make, header: dict[str, str]
) -> None:
    server.plays(refuse(429, **header), answer("later"))
    began = time.monotonic()
    assert await ask(make_model()) == "later"
    if "200" in header.values() or "0.2" in header.values():
        assert time.monotonic() - began >= 0.2


async def test_a_date_in_retry_after_is_waited_for(server: FaultServer, make_model: Make) -> None:
    server.plays(refuse(503, Retry_After=email.utils.formatdate(time.time() + 2, usegmt=True)), answer("later"))
    began = time.monotonic()
    assert await ask(make_model()) == "later"
    assert time.monotonic() - began > 0.5  # dates have whole seconds


async def test_a_wait_beyond_the_deadline_is_not_begun(server: FaultServer, make_model: Make) -> None:
    server.plays(refuse(429, Retry_After="3600"))
    began = time.monotonic()
    error = await failure(make_model(deadline_s=30))
    assert time.monotonic() - began < 5
    assert (error.kind, error.attempts) == ("rate_limit", 1)


async def test_many_tasks_share_one_model(server: FaultServer, make_model: Make) -> None:
    model = make_model()
    assert await asyncio.gather(*[ask(model) for _ in range(100)]) == ["hello"] * 100
    assert len(server.requests) == 100


@pytest.mark.parametrize(
    "behaviour",
    [
        refuse(401, f"Incorrect API key provided: {KEY}"),
        refuse(400, f"bad header Bearer {KEY}"),
        refuse(400, f"cannot parse: {PROMPT}"),
        refuse(500, f"crashed on {PROMPT} with {KEY}"),
        body(f"{KEY} {PROMPT}"),
    ],
)
async def test_errors_give_away_neither_key_nor_prompt(
    server: FaultServer, make_model: Make, behaviour: Behaviour
) -> None:
    server.plays(behaviour)
    model = make_model(max_attempts=1)
    error = await failure(model)
    shown = f"{error} {error!r} {model!r} {model.endpoint!r} {vars(error)}"
    assert "SENTINEL" not in shown
    assert "grandmother" not in shown


async def test_errors_name_endpoint_and_model_and_quote_a_harmless_reason(
    server: FaultServer, make_model: Make
) -> None:
    server.plays(refuse(400, "messages must alternate"))
    error = await failure(make_model())
    assert server.url in str(error)
    assert "'m'" in str(error)
    assert "messages must alternate" in str(error)


def test_errors_can_be_pickled() -> None:
    error = pickle.loads(pickle.dumps(ChatError("x", kind="timeout", attempts=2, seconds=1.5)))  # noqa: S301
    assert (str(error), error.kind, error.attempts, error.seconds) == ("x", "timeout", 2, 1.5)


async def test_a_missing_key_is_named_before_any_request(server: FaultServer) -> None:
    model = ChatModel(Endpoint(base_url=server.url, model="m", key_env="NOT_SET_ANYWHERE"))
    error = await failure(model)
    assert error.kind == "fatal"
    assert "NOT_SET_ANYWHERE" in str(error)
    assert server.requests == []


async def test_without_key_env_the_users_openai_key_is_not_sent_along(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    model = ChatModel(Endpoint(base_url=server.url, model="m"))
    await ask(model)
    await model.close()
    assert KEY not in str(server.headers)


async def test_a_proxy_of_the_environment_does_not_stand_before_loopback(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, make_model: Make
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await ask(make_model()) == "hello"


@pytest.mark.parametrize("url", ["http://user:pw@host/v1", "http://host/v1?key=x", "ftp://host", "host:80/v1"])
def test_urls_that_carry_keys_or_are_none_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        Endpoint(base_url=url, model="m")


def test_a_model_serves_several_event_loops_one_after_the_other() -> None:
    async def once(model: ChatModel) -> str:
        faults = FaultServer()
        runner = await faults.start()
        model.endpoint = Endpoint(base_url=faults.url, model="m")
        try:
            return await ask(model)
        finally:
            await runner.cleanup()

    model = ChatModel(Endpoint(base_url="http://127.0.0.1:9/v1", model="m"))
    assert [asyncio.run(once(model)) for _ in range(2)] == ["hello", "hello"]


@pytest.mark.parametrize("count", [10**30, -5, "many", None, 1.5, [3]])
async def test_nonsense_token_counts_count_as_nothing(server: FaultServer, make_model: Make, count: Any) -> None:
    server.plays(answer("ok", prompt_tokens=count, completion_tokens=4))
    reply = await make_model().complete(MESSAGES, schema=None, max_tokens=10)
    assert (reply.prompt_tokens, reply.completion_tokens) == (0, 4)


async def test_lone_surrogates_do_not_leave_the_client(server: FaultServer, make_model: Make) -> None:
    server.plays(answer("half a \ud83d pair"))
    reply = await make_model().complete(MESSAGES, schema=None, max_tokens=10)
    assert reply.text.encode()


async def test_an_absurdly_nested_body_is_no_reply(server: FaultServer, make_model: Make) -> None:
    server.plays(body("[" * 100_000))
    assert (await failure(make_model(max_attempts=1))).kind == "transient"


async def test_a_call_may_be_given_less_time_than_the_model_has(server: FaultServer, make_model: Make) -> None:
    server.plays(hang)
    began = time.monotonic()
    with pytest.raises(ChatError) as caught:
        await make_model().complete(MESSAGES, schema=None, max_tokens=10, deadline_s=0.3)
    assert caught.value.kind == "timeout" and time.monotonic() - began < 3
