"""A model server on loopback that recites given replies and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web
from housemates.actors.model.chat import ChatModel, Endpoint

Reply = str | int | Callable[[dict[str, Any]], str]


class RecitingServer:
    """Replies in turn with texts, HTTP statuses, or what a function makes of the request body."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[dict[str, Any]] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        return await self.answer(request)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.requests.append(body)
        reply: Reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, int):
            return web.json_response({"error": {"message": "recited"}}, status=reply)
        text = reply(body) if callable(reply) else reply
        message = {"role": "assistant", "content": text}
        return web.json_response(
            {
                "id": "r",
                "object": "chat.completion",
                "created": 0,
                "model": "recited",
                "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
                "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
            }
        )

    def prompts(self) -> list[str]:
        """The last message of every request."""
        return [body["messages"][-1]["content"] for body in self.requests]


@pytest.fixture
async def server() -> AsyncIterator[RecitingServer]:
    reciting = RecitingServer()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", reciting.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reciting.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield reciting
    await runner.cleanup()


@pytest.fixture
async def chat(server: RecitingServer) -> AsyncIterator[ChatModel]:
    model = ChatModel(Endpoint(base_url=server.url, model="recited"), deadline_s=5, max_attempts=1)
    yield model
    await model.close()


def by_purpose(plan: str = "go", action: str = "A") -> Callable[[dict[str, Any]], str]:
    """Recites a plan when asked to learn and an action when asked to act, in whatever order that happens."""
    return lambda body: learn(plan) if "#Feedback" in str(body) else act(action)


def act(action: str | None, thoughts: str = "hm") -> str:
    return json.dumps({"thoughts": thoughts, "action": action})


def learn(plan: Any) -> str:
    return json.dumps({"reasoning": "because", "answer": "", "suggestion": {"plan0": plan}})
