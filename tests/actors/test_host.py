"""The host of agents: a turn is all or nothing, and only from the state the barrier expects."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgpack
import pytest
from housemates.actors import gathering
from housemates.actors.agent import AgentSpec
from housemates.actors.host import AgentHost
from housemates.actors.letters import Key, Letter, read_answers, write_letter
from housemates.actors.model.chat import Endpoint
from housemates.actors.model.chats import Chats
from housemates.actors.turn import Answer, Ask

from .conftest import RecitingServer, act, by_purpose, learn
from .test_trace_agent import observe


@pytest.fixture
async def host(server: RecitingServer) -> AsyncIterator[AgentHost]:
    specs = [AgentSpec(name=f"Agent_{i}") for i in (1, 2)]
    host = AgentHost(specs, Endpoint(base_url=server.url, model="recited"), Chats(deadline_s=5))
    yield host
    await host.close()


def ask(step: int, **more: Any) -> Ask:
    values: dict[str, Any] = {"agent": "Agent_1", "attempt": 1, "version": step, "feedback": "Task Return: 0.0"}
    return Ask(step=step, observation=observe(f"k{step}"), **values | more)


async def test_a_turn_comes_back_with_the_state_after_it(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("go"), act("B")]
    await host.turn(ask(0))
    answer = await host.turn(ask(1))
    assert (answer.agent, answer.step, answer.attempt) == ("Agent_1", 1, 1)
    assert answer.turn and answer.turn.plan == "go"
    assert answer.state and msgpack.unpackb(answer.state)["parameters"] == {"plan0": "go"}


async def test_an_agent_at_another_version_does_not_serve(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A")]
    answer = await host.turn(ask(3))
    assert answer.failure and answer.failure.kind == "stale"
    assert server.requests == []


async def test_a_restored_agent_goes_on_from_the_given_state(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("go"), act("B"), learn("went"), act("A")]
    await host.turn(ask(0))
    committed = (await host.turn(ask(1))).state
    other = AgentHost([AgentSpec(name="Agent_1")], Endpoint(base_url=server.url, model="recited"))
    answer = await other.turn(ask(2, restore=True, state=committed))
    assert answer.turn and answer.turn.plan == "went"
    assert "(str) plan0=go" in server.prompts()[3]
    await other.close()


async def test_restoring_without_a_state_starts_afresh(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("go"), act("B"), act("A")]
    await host.turn(ask(0))
    await host.turn(ask(1))
    answer = await host.turn(ask(2, version=0, restore=True, state=None))
    assert answer.turn and (answer.turn.plan, answer.turn.update) == ("", None)


async def test_a_turn_out_of_time_is_late_and_leaves_the_agent_as_it_was(
    host: AgentHost, server: RecitingServer
) -> None:
    server.replies = [by_purpose()]
    await host.turn(ask(0))
    late = await host.turn(ask(1, deadline_s=0.0))
    assert late.failure and late.failure.kind == "late"
    again = await host.turn(ask(1, attempt=2))
    assert again.turn and again.turn.how == "letter"


async def test_a_cancelled_turn_leaves_the_agent_as_it_was(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [by_purpose()]
    await host.turn(ask(0))
    running = asyncio.ensure_future(host.turn(ask(1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    answer = await host.turn(ask(1, attempt=2))
    assert answer.turn and answer.turn.plan == "go"


async def test_an_exception_in_an_agent_is_an_answer_that_names_it(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A")]
    broken = Ask(
        agent="Agent_1",
        step=0,
        attempt=1,
        version=0,
        observation=None,
        feedback="",  # type: ignore[arg-type]
    )
    answer = await host.turn(broken)
    assert answer.failure and answer.failure.kind == "error" and "AttributeError" in answer.failure.message
    assert (await host.turn(ask(0, attempt=2))).turn, "and the agent serves on"


async def test_a_refused_key_is_fatal(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [401]
    answer = await host.turn(ask(0))
    assert answer.failure and answer.failure.kind == "fatal"


async def test_turns_of_different_agents_overlap(host: AgentHost, server: RecitingServer) -> None:
    both_in, waiting = asyncio.Event(), 0

    async def meet(request: Any) -> Any:
        nonlocal waiting
        waiting += 1
        if waiting == 2:
            both_in.set()
        await asyncio.wait_for(both_in.wait(), 5)
        return await original(request)

    original, server.answer = server.answer, meet  # type: ignore[method-assign]
    server.replies = [act("A")]
    answers: list[Answer] = await asyncio.gather(host.turn(ask(0)), host.turn(ask(0, agent="Agent_2")))
    assert all(answer.turn for answer in answers)


async def test_a_lesson_that_fails_does_not_keep_the_agent_from_acting(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A"), '{"suggestion": ' + "[" * 50_000, act("B")]
    await host.turn(ask(0))
    answer = await host.turn(ask(1))
    assert answer.turn and answer.turn.how == "letter"
    assert answer.turn.update and answer.turn.update.verdict == "rejected"


async def test_what_was_learned_is_kept_when_no_time_is_left_to_act(host: AgentHost, server: RecitingServer) -> None:
    async def slow_to_act(request: Any) -> Any:
        if "#Feedback" not in await request.text():
            await asyncio.sleep(5)
        return await original(request)

    server.replies = [by_purpose(plan="learned in time")]
    await host.turn(ask(0))
    original, server.answer = server.answer, slow_to_act  # type: ignore[method-assign]
    answer = await host.turn(ask(1, deadline_s=1.0))
    assert answer.turn and answer.state
    assert (answer.turn.action, answer.turn.how, answer.turn.plan) == (None, "late", "learned in time")
    assert [(call.purpose, call.error) for call in answer.turn.calls] == [("learn", None), ("act", "timeout")]


async def test_the_calls_of_a_cut_turn_are_told(host: AgentHost, server: RecitingServer) -> None:
    class Broken(Exception):
        pass

    def breaks(*_: Any) -> None:
        raise Broken("while deciding")

    server.replies = [by_purpose()]
    host._seats["Agent_1"].agent.decided = breaks  # type: ignore[attr-defined]
    answer = await host.turn(ask(0))
    assert answer.failure and "Broken" in answer.failure.message
    assert [call.purpose for call in answer.failure.calls] == ["act"]


async def test_an_agent_takes_one_turn_at_a_time(host: AgentHost, server: RecitingServer) -> None:
    at_once = most = 0

    async def count(request: Any) -> Any:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        return await original(request)

    original, server.answer = server.answer, count  # type: ignore[method-assign]
    server.replies = [act("A")]
    answers = await asyncio.gather(*(host.turn(ask(0, attempt=n)) for n in (1, 2, 3)))
    assert most == 1
    assert [a.failure.kind if a.failure else "" for a in answers] == ["", "stale", "stale"]


async def test_a_restore_ends_what_the_agent_still_does_for_an_earlier_ask(
    host: AgentHost, server: RecitingServer
) -> None:
    async def hang_once(request: Any) -> Any:
        server.answer = original  # type: ignore[method-assign]
        await released.wait()
        return await original(request)

    released = asyncio.Event()
    original, server.answer = server.answer, hang_once  # type: ignore[method-assign]
    server.replies = [act("A")]
    earlier = asyncio.ensure_future(host.turn(ask(0)))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        answer = await host.turn(ask(0, attempt=2, restore=True))
    assert answer.turn and answer.turn.how == "letter"
    assert earlier.cancelled()
    released.set()


async def test_an_ask_that_arrives_twice_is_served_once(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A"), act("B")]
    at_once = await asyncio.gather(host.turn(ask(0)), host.turn(ask(0)))
    afterwards = await host.turn(ask(0))
    assert at_once == [afterwards, afterwards]
    assert len(server.requests) == 1


async def test_an_ask_that_arrives_after_a_newer_one_is_not_served(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A"), act("B")]
    newer = await host.turn(ask(0, attempt=2, restore=True))
    overtaken = await host.turn(ask(0, attempt=1, restore=True))
    assert newer.turn and overtaken.failure and overtaken.failure.kind == "stale"
    assert len(server.requests) == 1, "and the agent is still the one whose turn counts"


async def answers_to(host: AgentHost, letter: Letter) -> list[Answer]:
    return read_answers(await host.turns(write_letter(letter)))


async def test_a_letter_is_answered_for_all_its_agents(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A")]
    answers = await answers_to(host, Letter([ask(0), ask(0, agent="Agent_2")]))
    assert [(answer.agent, answer.turn and answer.turn.how) for answer in answers] == [
        ("Agent_1", "letter"),
        ("Agent_2", "letter"),
    ]


async def test_an_answer_that_was_not_ready_is_had_by_asking_for_it(
    host: AgentHost, server: RecitingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived: list[Any] = []

    async def second_waits(request: Any) -> Any:
        arrived.append(request)
        if len(arrived) == 2:
            await released.wait()
        return await original(request)

    monkeypatch.setattr(gathering, "HOLD_S", 0.01)
    released, (original, server.answer) = asyncio.Event(), (server.answer, second_waits)  # type: ignore[method-assign]
    server.replies = [act("A")]
    (ready,) = await answers_to(host, Letter([ask(0), ask(0, agent="Agent_2")]))
    owed = next(key for key in (Key("Agent_1", 0, 1), Key("Agent_2", 0, 1)) if key.agent != ready.agent)
    released.set()
    (rest,) = await answers_to(host, Letter(owed=[owed]))
    assert (rest.agent, rest.turn and rest.turn.how) == (owed.agent, "letter")
    assert await answers_to(host, Letter(owed=[owed])) == [rest], "however often it is asked for"


async def test_an_answer_that_is_owed_no_more_is_stale(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [act("A")]
    await host.turn(ask(0, attempt=2))
    (answer,) = await answers_to(host, Letter(owed=[Key("Agent_1", 0, 1)]))
    assert answer.failure and answer.failure.kind == "stale"
