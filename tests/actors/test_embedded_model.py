"""The agents' own prompts and schemas, against the real embedded model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from housemates.actors.agent import AgentSpec
from housemates.actors.model import weights as models
from housemates.actors.model.chat import ChatModel, Endpoint
from housemates.actors.model.local import local_server, model_name
from housemates.actors.reply import action_schema, read_json
from housemates.actors.reply_limits import TIGHT_LIMITS
from housemates.actors.trace_agent import TraceAgent
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import is_message, parse_message


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    path: Path = models.find() or models.pull()
    with local_server(path, agents=1, log_path=tmp_path_factory.mktemp("log") / "log") as server:
        yield Endpoint(base_url=server.url, model=model_name(path))


@pytest.mark.model
async def test_even_a_tiny_model_acts_and_rewrites_its_plan_within_the_rules(endpoint: Endpoint) -> None:
    chat = ChatModel(endpoint, deadline_s=300)
    await chat.check()
    world = HouseholdWorld("put_dishwasher", 2)
    observation = world.reset(0)["Agent_1"]
    agent = TraceAgent(AgentSpec(name="Agent_1", limits=TIGHT_LIMITS), chat)
    first = await agent.turn(0, observation, "")
    assert first.how in ("exact", "message"), "the schema leaves nothing else"
    assert first.action in observation.choices or is_message(first.action)
    if is_message(first.action):
        assert first.action and parse_message(first.action)
    lesson = await agent.finish(1, world.step({"Agent_1": first.action}).observations["Agent_1"], "Task Return: 0.0")
    assert lesson.update and lesson.update.verdict == "accepted", lesson.update
    assert 0 < len(lesson.plan) <= TIGHT_LIMITS.plan_chars
    assert [call.error for call in (*first.calls, *lesson.calls)] == [None, None]
    assert all(call.prompt_tokens > 500 and call.completion_tokens > 0 for call in (*first.calls, *lesson.calls))
    await chat.close()


@pytest.mark.model
async def test_the_embedded_model_can_be_made_to_speak(endpoint: Endpoint) -> None:
    chat = ChatModel(endpoint, deadline_s=300)
    choices = ("[send_message] <Agent_2> (2): text", "[send_message] <Agent_3> (3): text")
    schema = action_schema(choices, TIGHT_LIMITS)
    schema["properties"]["action"] = schema["properties"]["action"]["anyOf"][1]
    messages = [{"role": "user", "content": "Tell Agent_2 where the plates are. Answer with JSON."}]
    reply = await chat.complete(messages, schema=schema, max_tokens=200, seed=1)
    await chat.close()
    data = read_json(reply.text)
    assert data is not None
    parsed = parse_message(data["action"])
    assert parsed is not None and parsed[0] in ("Agent_2", "Agent_3") and parsed[1]
