"""Optimizers that ask their model by themselves: every one of Trace, and what users write."""

from __future__ import annotations

from typing import Any

import pytest
from housemates.actors.agent import AgentSpec, Learning
from housemates.actors.model.chat import ChatModel
from housemates.actors.questions import MOST_QUESTIONS
from housemates.actors.testing import check_agent
from housemates.actors.trace_agent import TraceAgent

from .conftest import RecitingServer, act
from .test_learning import OWN, live, spec_of


def criticising(body: dict[str, Any]) -> str:
    """Acts, criticises what led to something, and improves a variable, as TextGrad asks for."""
    system = body["messages"][0]["content"]
    if "IMPROVED_VARIABLE" in system:
        return "<IMPROVED_VARIABLE>def kitchen: first</IMPROVED_VARIABLE>"
    return "Be quicker." if "feedback" in system else act("A")


async def test_textgrad_criticises_step_by_step_and_then_rewrites_the_plan(
    chat: ChatModel, server: RecitingServer
) -> None:
    server.replies = [criticising]
    turns = await live(TraceAgent(spec_of(optimizer="textgrad"), chat), 2)
    update = turns[1].update
    assert update and (update.verdict, turns[1].plan) == ("accepted", "def kitchen: first")
    purposes = [call.purpose for call in turns[1].calls]
    assert purposes.count("learn") > 3 and purposes[-1] == "act", "a question for each node, and one more"
    asked = [body for body in server.requests if "IMPROVED_VARIABLE" in str(body)]
    assert len(asked) == 1 and "Be quicker." in str(asked) and "response_format" not in asked[0]


async def test_a_reply_without_a_new_value_is_a_rejected_lesson(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A")]
    turns = await live(TraceAgent(spec_of(plan="sing", optimizer="textgrad"), chat), 2)
    assert turns[1].update and (turns[1].update.verdict, turns[1].update.reason) == ("rejected", "no suggestion")
    assert turns[1].plan == "sing" and turns[1].action


async def test_an_optimizer_need_not_ask_at_all(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A")]
    turns = await live(TraceAgent(spec_of(plan="sing", optimizer=OWN + "CountingOptimizer"), chat), 3)
    assert [turn.plan for turn in turns] == ["sing", "4", "1"]
    assert [len(turn.calls) for turn in turns] == [1, 1, 1]


async def test_one_that_never_stops_asking_is_stopped(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A")]
    turns = await live(TraceAgent(spec_of(optimizer=OWN + "CuriousOptimizer"), chat), 2)
    assert turns[1].update and (turns[1].update.verdict, turns[1].update.reason) == ("rejected", "RuntimeError")
    assert len(turns[1].calls) == MOST_QUESTIONS + 2


@pytest.mark.parametrize("optimizer", ["textgrad", "opto.optimizers:OptoPrimeMulti"])
def test_an_agent_that_learns_with_it_keeps_the_contract(optimizer: str) -> None:
    check_agent(TraceAgent, spec=AgentSpec(name="", learning=Learning(optimizer=optimizer)), steps=4)
