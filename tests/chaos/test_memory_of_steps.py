"""T13: actors that live for thousands of steps, with learning, stay as large as they were."""

from __future__ import annotations

import gc
import os
from itertools import count

import psutil
import pytest
from housemates.actors.agent import AgentSpec, Learning

from ..actors.test_memory import BOUND, Life
from .conftest import LONG
from .table import Tell

pytestmark = [pytest.mark.chaos, pytest.mark.slow]
STEPS, EVERY = (2000, 100) if LONG else (200, 20)
WARM = 400 if LONG else 150
"""Lessons until all that is cached is cached."""


def slope(points: list[tuple[int, int]]) -> float:
    """Of the line through the points, by least squares."""
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / sum((x - mean_x) ** 2 for x, _ in points)


async def test_a_learning_agent_does_not_grow_by_a_kilobyte_a_step(record_property: Tell) -> None:
    life, process = Life(Learning()), psutil.Process(os.getpid())
    assert AgentSpec(name="Agent_1").method == "trace", "it learns"
    await life.live(WARM)
    sizes: list[tuple[int, int]] = []
    for lessons in count(0, EVERY):
        if lessons > STEPS:
            break
        await life.live(EVERY)
        gc.collect()
        sizes.append((lessons, process.memory_info().rss))
    record_property("injections", STEPS)
    record_property("survived", STEPS)
    record_property("figure", f"{slope(sizes):.0f} bytes a lesson over {STEPS} lessons")
    assert slope(sizes) < BOUND, sizes
