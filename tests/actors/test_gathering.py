"""Answers leave together if they are ready together; nobody waits long for anybody."""

from __future__ import annotations

import asyncio

import pytest
from housemates.actors import gathering
from housemates.actors.gathering import Gathering
from housemates.actors.turn import Answer, Failure, FailureKind, Turn


async def after(event: asyncio.Event | None, agent: str, failure: FailureKind | None = None) -> Answer:
    if event is not None:
        await event.wait()
    if failure is not None:
        return Answer(agent=agent, step=0, attempt=1, failure=Failure(kind=failure, message=""))
    return Answer(agent=agent, step=0, attempt=1, turn=Turn(action=agent, how="exact"))


def tasks(*turns: object) -> list[asyncio.Task[Answer]]:
    return [asyncio.ensure_future(turn) for turn in turns]  # type: ignore[arg-type]


async def agents_of(turns: list[asyncio.Task[Answer]]) -> list[str]:
    async with asyncio.timeout(10):
        return [answer.agent for answer in await Gathering(turns).ready()]


async def test_turns_that_end_within_a_moment_leave_together() -> None:
    soon = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, soon.set)
    assert await agents_of(tasks(after(None, "a"), after(soon, "b"), after(None, "c"))) == ["a", "b", "c"]


async def test_who_is_ready_leaves_when_the_others_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "HOLD_S", 0.01)
    never = asyncio.Event()
    turns = tasks(after(None, "a"), after(never, "b"), after(None, "c"))
    assert await agents_of(turns) == ["a", "c"]
    never.set()
    assert (await turns[1]).agent == "b", "and the turn goes on"


async def test_a_failure_is_told_at_once_with_those_that_come_of_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "HOLD_S", 3600)
    never = asyncio.Event()
    turns = tasks(after(None, "a"), after(never, "b"), after(None, "c", "stale"), after(None, "d", "stale"))
    assert await agents_of(turns) == ["a", "c", "d"]
    turns[1].cancel()


async def test_a_turn_that_was_overtaken_has_no_answer() -> None:
    never = asyncio.Event()
    turns = tasks(after(None, "a"), after(never, "b"))
    turns[1].cancel()
    assert await agents_of(turns) == ["a"]


async def test_nobody_asked_is_nobody_waited_for() -> None:
    assert await agents_of([]) == []
