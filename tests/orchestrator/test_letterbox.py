"""One letter for all who are asked at once, and whatever becomes of it every ask is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from housemates.actors.letters import Letter, read_answers, read_letter, write_answers
from housemates.actors.turn import Answer, Ask, Turn
from housemates.env.world import Observation
from housemates.orchestrator.cluster.letterbox import Exchange, Letterbox, ProcessLost

AGENTS = [f"Agent_{number}" for number in range(1, 6)]


def ask(agent: str, step: int = 0) -> Ask:
    observation = Observation(text=f"{agent}\nGoal", choices=("[a]",), key="k")
    return Ask(agent=agent, step=step, attempt=1, version=0, observation=observation, feedback="")


def answer(agent: str, step: int = 0) -> Answer:
    return Answer(agent=agent, step=step, attempt=1, turn=Turn(action=agent, how="exact"))


class Process:
    """Serves letters as `serve` does, and keeps them."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.reached = 0
        self.serve: Callable[[Letter], Awaitable[list[Answer]]] = self.all_at_once

    def reach(self) -> Exchange:
        self.reached += 1
        return self.exchange

    async def exchange(self, data: bytes) -> bytes:
        self.letters.append(read_letter(data))
        answers = await self.serve(self.letters[-1])
        assert read_answers(write_answers(answers)) == answers
        return write_answers(answers)

    async def all_at_once(self, letter: Letter) -> list[Answer]:
        return [answer(ask.agent, ask.step) for ask in letter.asks]


@pytest.fixture
async def process() -> Process:
    return Process()


@pytest.fixture
async def letters(process: Process) -> AsyncIterator[Letterbox]:
    box = Letterbox(process.reach)
    yield box
    await box.close()


async def test_all_who_are_asked_at_once_are_asked_in_one_letter(letters: Letterbox, process: Process) -> None:
    for step in range(3):
        answers = await asyncio.gather(*(letters.turn(ask(agent, step)) for agent in AGENTS))
        assert answers == [answer(agent, step) for agent in AGENTS]
    assert [len(letter.asks) for letter in process.letters] == [5, 5, 5]


async def test_who_is_ready_does_not_wait_for_who_is_not(letters: Letterbox, process: Process) -> None:
    slow = asyncio.Event()

    async def some(letter: Letter) -> list[Answer]:
        if letter.owed:
            await slow.wait()
            return [answer(key.agent) for key in letter.owed]
        return [answer(ask.agent) for ask in letter.asks[:3]]

    process.serve = some
    turns = [asyncio.ensure_future(letters.turn(ask(agent))) for agent in AGENTS]
    await asyncio.gather(*turns[:3])
    assert [letters.awaits(agent) for agent in AGENTS] == [False, False, False, True, True]
    slow.set()
    assert [done.agent for done in await asyncio.gather(*turns[3:])] == AGENTS[3:]
    assert [(len(letter.asks), [key.agent for key in letter.owed]) for letter in process.letters] == [
        (5, []),
        (0, AGENTS[3:]),
    ]


async def test_of_a_process_that_is_lost_everybody_is_told_who_is_still_owed_an_answer(
    letters: Letterbox, process: Process
) -> None:
    async def dies(letter: Letter) -> list[Answer]:
        if letter.owed:
            raise ProcessLost("it fell over")
        return [answer(ask.agent) for ask in letter.asks[:1]]

    process.serve = dies
    first, *others = await asyncio.gather(*(letters.turn(ask(agent)) for agent in AGENTS))
    assert first.turn
    assert [(other.agent, other.failure and other.failure.kind) for other in others] == [
        (a, "lost") for a in AGENTS[1:]
    ]
    assert not any(map(letters.awaits, AGENTS))
    process.serve = process.all_at_once
    assert (await letters.turn(ask("Agent_2", 1))).turn
    assert process.reached == 2, "the next letter goes to the process that is there then"


async def test_who_answers_soon_after_all_is_not_taken_for_stuck_and_who_does_not_is(
    letters: Letterbox, process: Process
) -> None:
    slow = asyncio.Event()

    async def later(letter: Letter) -> list[Answer]:
        await slow.wait()
        return await process.all_at_once(letter)

    process.serve = later
    turn = asyncio.ensure_future(letters.turn(ask("Agent_1")))
    while not letters.awaits("Agent_1"):  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert not await letters.settled("Agent_1", 0.01)
    assert await letters.settled("Agent_2", 0.01), "who was not asked owes nothing"
    asyncio.get_running_loop().call_later(0.01, slow.set)
    assert await letters.settled("Agent_1", 60)
    assert (await turn).turn


async def test_a_process_that_was_ended_owes_nothing(letters: Letterbox, process: Process) -> None:
    async def never(letter: Letter) -> list[Answer]:
        await asyncio.Event().wait()
        return []

    process.serve = never
    turn = asyncio.ensure_future(letters.turn(ask("Agent_1")))
    while not letters.awaits("Agent_1"):  # noqa: ASYNC110
        await asyncio.sleep(0)
    letters.forget()
    assert not letters.awaits("Agent_1")
    turn.cancel()


async def test_a_fault_of_ours_reaches_whoever_asked(letters: Letterbox, process: Process) -> None:
    async def broken(letter: Letter) -> list[Answer]:
        raise KeyError("a fault")

    process.serve = broken
    with pytest.raises(KeyError, match="a fault"):
        await letters.turn(ask("Agent_1"))


async def test_a_closed_letterbox_leaves_nobody_waiting(process: Process) -> None:
    async def never(letter: Letter) -> list[Answer]:
        await asyncio.Event().wait()
        return []

    process.serve = never
    letters = Letterbox(process.reach)
    turn = asyncio.ensure_future(letters.turn(ask("Agent_1")))
    while not process.letters:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await letters.close()
    with pytest.raises(asyncio.CancelledError):
        await turn
