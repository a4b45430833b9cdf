"""What the agents are compared with makes the requests they make themselves."""

from __future__ import annotations

import json

from aiohttp import web
from aiohttp.test_utils import TestServer
from housemates.actors.agent import AgentSpec
from housemates.actors.model.chat import ChatModel, Endpoint
from housemates.actors.react_agent import ReActAgent
from housemates.benchmarks.parts.contestants import bare_steps, bodies
from housemates.benchmarks.parts.crowd import CrowdWorld
from housemates.benchmarks.parts.stub_model import reply_to, stub_model


async def test_the_bare_client_is_given_what_the_agents_send() -> None:
    sent: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        sent.append(json.loads(body))
        return web.Response(body=reply_to(body).partition(b"\r\n\r\n")[2], content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    async with TestServer(app) as server:
        endpoint = Endpoint(base_url=str(server.make_url("/v1")), model="stub")
        model = ChatModel(endpoint)
        for name, observation in CrowdWorld(3).reset(0).items():
            turn = await ReActAgent(AgentSpec(name=name, method="react"), model).turn(0, observation, "")
            assert turn.action
        await model.close()
        assert await bodies(3, endpoint) == sent


async def test_the_bare_client_reads_an_action_from_every_reply() -> None:
    with stub_model(0.01) as (url, _):
        endpoint = Endpoint(base_url=url, model="stub")
        step_s, cpu_ms = bare_steps(await bodies(4, endpoint), 2, endpoint)
    assert step_s >= 0.01
    assert cpu_ms > 0
