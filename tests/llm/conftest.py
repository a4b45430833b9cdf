from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from housemates.actors.model import chat
from housemates.actors.model.chat import ChatModel, Endpoint

from .faults import FaultServer

KEY = "sk-SENTINEL-0123456789abcdef"
PROMPT = "the secret recipe of grandmother's apple pudding"
MESSAGES = [{"role": "user", "content": PROMPT}]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "BACKOFF_S", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    faults = FaultServer()
    runner = await faults.start()
    yield faults
    await runner.cleanup()


@pytest.fixture
async def make_model(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., ChatModel]]:
    monkeypatch.setenv("TEST_KEY", KEY)
    made: list[ChatModel] = []

    def make(url: str | None = None, model: str = "m", **options: float) -> ChatModel:
        endpoint = Endpoint(base_url=url or server.url, model=model, key_env="TEST_KEY")
        made.append(ChatModel(endpoint, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        await one.close()
