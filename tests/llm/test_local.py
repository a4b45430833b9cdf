"""The embedded model: settings without it, and one real call with it."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from housemates.actors.model import local
from housemates.actors.model.chat import ChatError, ChatModel, Endpoint
from housemates.actors.model.local import MAX_SLOTS, MAX_SLOTS_LARGE, local_server, model_name, slots_for
from housemates.actors.model.server_process import ServerProcess
from housemates.actors.model.weights import ModelError, find, pull


@pytest.mark.parametrize(("agents", "slots"), [(1, 2), (2, 4), (8, 16), (500, MAX_SLOTS)])
def test_every_agent_has_a_slot_to_act_and_one_to_learn_up_to_a_bound(agents: int, slots: int) -> None:
    assert slots_for(agents) == slots
    assert slots_for(agents, large=True) <= MAX_SLOTS_LARGE


def test_without_the_engine_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"housemates\[local\]"):
        local_server(tmp_path / "any.gguf")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    path = find() or pull()
    with local_server(path, agents=1, log_path=tmp_path_factory.mktemp("log") / "local.log") as running:
        yield running


def server_model() -> str:
    path = find()
    assert path is not None
    return model_name(path)


@pytest.mark.model
async def test_the_embedded_model_keeps_to_a_schema_and_repeats_itself(server: ServerProcess) -> None:
    model = ChatModel(Endpoint(base_url=server.url, model=server_model()))
    await model.check()
    schema = {
        "type": "object",
        "properties": {
            "thoughts": {"type": "string", "maxLength": 40},
            "action": {"enum": ["[goexplore] <kitchen> (11)", "[gograb] <apple> (50)", "None"]},
        },
        "required": ["thoughts", "action"],
        "additionalProperties": False,
    }
    messages = [{"role": "user", "content": "Choose the best action to find an apple, as JSON."}]
    replies = [await model.complete(messages, schema=schema, max_tokens=120, seed=1) for _ in range(2)]
    data = json.loads(replies[0].text)
    assert set(data) == {"thoughts", "action"}
    assert len(data["thoughts"]) <= 40
    assert data["action"] in schema["properties"]["action"]["enum"]  # type: ignore[index]
    assert replies[0].text == replies[1].text
    assert replies[0].prompt_tokens > 0
    await model.close()


@pytest.mark.model
async def test_a_prompt_beyond_the_context_is_refused_and_the_error_says_so(server: ServerProcess) -> None:
    model = ChatModel(Endpoint(base_url=server.url, model=server_model()))
    with pytest.raises(ChatError, match="longer than the model's context") as caught:
        await model.complete([{"role": "user", "content": "word " * 6000}], schema=None, max_tokens=10)
    assert (caught.value.kind, caught.value.attempts) == ("refused", 1)
    await model.close()


@pytest.mark.model
@pytest.mark.parametrize("path", ["/", "/slots", "/metrics"])
async def test_nothing_but_the_api_is_served(server: ServerProcess, path: str) -> None:
    def status() -> int:
        try:
            request = urllib.request.Request(server.url.removesuffix("/v1") + path, headers={"Origin": "http://evil"})
            with urllib.request.urlopen(request, timeout=10) as response:
                assert response.headers.get("Access-Control-Allow-Origin") in (None, "")
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code

    assert await asyncio.to_thread(status) >= 400
