"""An agent's memory does not grow, however long it lives and learns."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from itertools import count
from typing import Any

import psutil
import pytest
from housemates.actors.agent import AgentSpec, Learning
from housemates.actors.host import pack_state
from housemates.actors.model import scripted
from housemates.actors.model.chat import ChatModel, Endpoint, Reply
from housemates.actors.trace_agent import TraceAgent
from housemates.env.household.household import HouseholdWorld
from opto.trace.nodes import GRAPH, USED_NODES

BOUND = 1024
"""Bytes a learning step may leave behind."""


class ScriptedModel(ChatModel):
    """The scripted model without a server between: the agent's memory alone is measured."""

    def __init__(self) -> None:
        super().__init__(Endpoint(base_url="http://127.0.0.1:9/v1", model="scripted"))

    async def complete(self, messages: list[dict[str, str]], **_: Any) -> Reply:
        text = scripted.reply(messages)
        return Reply(text=text, prompt_tokens=1, completion_tokens=1, seconds=0, attempts=1, finish_reason="stop")


class Life:
    """One agent in household after household; every step of it is a lesson and a thought."""

    def __init__(self, learning: Learning) -> None:
        self.agent = TraceAgent(AgentSpec(name="Agent_1", learning=learning), ScriptedModel())
        self.steps = count()
        self.lessons = 0
        self._world = HouseholdWorld("put_dishwasher", 1)
        self._worlds = self._observations()

    def _observations(self) -> Iterator[Any]:
        for seed in count():
            seen, done = self._world.reset(seed % 3), False
            while not done:
                action = yield seen["Agent_1"]
                result = self._world.step({"Agent_1": action})
                seen, done = result.observations, result.done

    async def live(self, lessons: int) -> None:
        """Live until as many lessons have been learned; what the body does by itself is none."""
        until = self.lessons + lessons
        observation = next(self._worlds)
        while self.lessons < until:
            turn = await self.agent.turn(next(self.steps), observation, "Task Return: 2.0")
            self.lessons += turn.update is not None
            observation = self._worlds.send(turn.action)


def graph_size() -> int:
    """How many nodes Trace's process-wide registry holds."""
    return sum(map(len, GRAPH._nodes.values()))


@pytest.mark.parametrize(
    "learning", [Learning(), Learning(credit_steps=4, memory_size=5, optimize="plan+role")], ids=["tutorial", "all"]
)
async def test_a_few_hundred_lessons_leave_nothing_behind(learning: Learning) -> None:
    life = Life(learning)
    await life.live(50)
    gc.collect()
    tracemalloc.start()
    try:
        await life.live(20)
        gc.collect()
        before, objects, nodes = tracemalloc.get_traced_memory()[0], len(gc.get_objects()), graph_size()
        await life.live(150)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown / 150 < BOUND
    assert len(gc.get_objects()) - objects < 150
    assert (graph_size(), len(USED_NODES)) == (nodes, 0)
    assert len(pack_state(life.agent)) < 64 * 1024


@pytest.mark.slow
async def test_two_thousand_lessons_leave_the_process_as_large_as_it_was() -> None:
    life, process = Life(Learning()), psutil.Process()
    await life.live(400)
    sizes: list[tuple[int, int]] = []
    for lesson in range(0, 2000, 100):
        await life.live(100)
        gc.collect()
        sizes.append((lesson, process.memory_info().rss))
    mean_x, mean_y = (sum(values) / len(sizes) for values in zip(*sizes, strict=True))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in sizes) / sum((x - mean_x) ** 2 for x, _ in sizes)
    assert slope < BOUND, sizes
