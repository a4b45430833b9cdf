"""Finding out what an endpoint understands, and checking it before a run."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from housemates.actors.model.chat import ChatError, ChatModel

from .conftest import MESSAGES
from .faults import Behaviour, FaultServer, answer, body, hang, refuse

Make = Callable[..., ChatModel]
SCHEMA = {"type": "object", "properties": {"action": {"type": "string"}}}


async def ask(model: ChatModel) -> int:
    reply = await model.complete(MESSAGES, schema=SCHEMA, max_tokens=10, seed=1)
    return reply.attempts


def accepting(*formats: str) -> Behaviour:
    """A server that knows these response formats and no others."""

    async def behave(request: web.Request) -> web.StreamResponse:
        sent: dict[str, Any] = await request.json()
        kind = sent.get("response_format", {}).get("type", "none")
        answers = answer() if kind in formats else refuse(400, f"response_format.type {kind} is not supported")
        return await answers(request)

    return behave


@pytest.mark.parametrize(("formats", "requests"), [(("json_schema",), 1), (("json_object",), 2), (("none",), 3)])
async def test_the_best_format_a_server_takes_is_found_once_and_remembered(
    server: FaultServer, make_model: Make, formats: tuple[str, ...], requests: int
) -> None:
    server.plays(accepting(*formats))
    model = make_model()
    assert [await ask(model), await ask(model)] == [requests, 1]
    assert len(server.requests) == requests + 1


async def test_the_schema_is_sent_strict(server: FaultServer, make_model: Make) -> None:
    await ask(make_model())
    form = server.requests[0]["response_format"]["json_schema"]
    assert (form["strict"], form["schema"]) == (True, SCHEMA)


async def test_another_models_limit_parameter_is_found_once(server: FaultServer, make_model: Make) -> None:
    message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    server.plays(refuse(400, message), answer())
    model = make_model()
    assert [await ask(model), await ask(model)] == [2, 1]
    assert "max_tokens" not in server.requests[2]
    assert server.requests[2]["max_completion_tokens"] == 10


async def test_temperature_and_seed_are_left_out_where_they_are_not_supported(
    server: FaultServer, make_model: Make
) -> None:
    server.plays(
        refuse(400, "'temperature' does not support 0 with this model"), refuse(400, "unknown field: seed"), answer()
    )
    model = make_model()
    assert [await ask(model), await ask(model)] == [3, 1]
    assert not {"temperature", "seed"} & server.requests[3].keys()
    assert "response_format" in server.requests[3]


async def test_negotiation_ends_when_everything_has_been_given_up(server: FaultServer, make_model: Make) -> None:
    names = "response_format, max_tokens, max_completion_tokens, temperature, seed"
    server.plays(refuse(400, f"not supported: {names}"))
    with pytest.raises(ChatError) as caught:
        await ask(make_model())
    assert caught.value.kind == "refused"
    assert len(server.requests) == 6


async def test_a_prompt_that_is_too_long_gives_nothing_up(server: FaultServer, make_model: Make) -> None:
    server.plays(refuse(400, "maximum context length exceeded, reduce max_tokens (not supported)"), answer())
    model = make_model()
    with pytest.raises(ChatError):
        await ask(model)
    assert await ask(model) == 1
    assert "max_tokens" in server.requests[1]


async def test_concurrent_calls_learn_from_each_other(server: FaultServer, make_model: Make) -> None:
    server.plays(accepting("none"))
    model = make_model()
    await asyncio.gather(*[ask(model) for _ in range(20)])
    assert await ask(model) == 1


async def test_a_good_endpoint_passes_the_check(server: FaultServer, make_model: Make) -> None:
    await make_model().check()


@pytest.mark.parametrize("listed", ["models/m", "m:latest", "m"])
async def test_the_check_knows_the_ways_to_write_a_models_name(
    server: FaultServer, make_model: Make, listed: str
) -> None:
    server.models = body(json.dumps({"data": [{"id": listed}]}))
    await make_model().check()


async def test_the_check_tolerates_servers_without_a_list(server: FaultServer, make_model: Make) -> None:
    server.models = refuse(404)
    await make_model().check()


@pytest.mark.parametrize(
    ("models", "words"),
    [
        (body('{"data": [{"id": "a"}, {"id": "b"}]}'), "it offers a, b"),
        (refuse(401), "TEST_KEY"),
        (refuse(503), "503"),
        (body("<html></html>"), "/v1"),
        (body("[]"), "/v1"),
        (hang, "cannot be reached"),
    ],
)
async def test_the_check_says_in_one_line_what_is_wrong(
    server: FaultServer, make_model: Make, monkeypatch: pytest.MonkeyPatch, models: Behaviour, words: str
) -> None:
    monkeypatch.setattr("housemates.actors.model.chat.CHECK_S", 0.5)
    server.models = models
    with pytest.raises(ChatError) as caught:
        await make_model().check()
    assert caught.value.kind == "fatal"
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_the_check_says_when_nothing_listens(make_model: Make) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        with pytest.raises(ChatError, match="cannot be reached"):
            await make_model(url).check()
