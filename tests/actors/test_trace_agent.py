"""The agent with a trainable plan, with the real Trace and a real HTTP model that recites."""

from __future__ import annotations

import asyncio
import gc
import json
import subprocess
import sys
from typing import Any

import msgpack
import pytest
from housemates.actors.agent import MAX_REPEATS, AgentSpec, Learning, ReplyLimits
from housemates.actors.model.chat import ChatError, ChatModel
from housemates.actors.policy import Policy
from housemates.actors.react_agent import ReActAgent
from housemates.actors.trace_agent import TraceAgent
from housemates.actors.trace_import import Node as TracedNode
from housemates.actors.trace_import import trace
from housemates.actors.turn import Turn
from housemates.env.world import Observation
from opto.trace.nodes import GRAPH, USED_NODES, Node

from .conftest import RecitingServer, act, by_purpose, learn

CHOICES = ("[goexplore] <kitchen> (11)", "[gocheck] <fridge> (12)", "[send_message] <Agent_2> (2): text")


def observe(key: str, **more: Any) -> Observation:
    text = f"I'm Agent_1.\nGoal: dishes.\nPlan: $PLAN$\nProgress: {key}\nAvailable actions:\nA. …\n"
    return Observation(text=text, choices=CHOICES, key=key, **more)


@pytest.fixture
def agent(chat: ChatModel) -> TraceAgent:
    return TraceAgent(AgentSpec(name="Agent_1", seed=3), chat)


async def test_the_plan_takes_its_place_in_the_prompt(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("kitchen first"), act("B")]
    await agent.turn(0, observe("k0"), "")
    turn = await agent.turn(1, observe("k1"), "Task Return: 0.0")
    assert "Plan: \n" in server.prompts()[0]
    assert "Plan: kitchen first\n" in server.prompts()[2]
    assert turn.plan == "kitchen first" and turn.update and turn.update.verdict == "accepted"
    assert (turn.action, turn.how) == (CHOICES[1], "letter")


async def test_the_optimizer_sees_what_the_action_led_to(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("x"), act("B")]
    await agent.turn(0, observe("k0"), "")
    await agent.turn(1, observe("k1"), "Task Return: 2.0")
    system, user = (m["content"] for m in server.requests[1]["messages"])
    assert "suggestion" in system
    assert "act0 = act(prompt=replace0)" in user
    assert "step0 = step(action=act0)" in user
    assert "(str) plan0=" in user
    assert "Progress: k0" in user and "Progress: k1" in user
    assert "[goexplore] <kitchen> (11)" in user
    assert "#Feedback\nTask Return: 2.0" in user


async def test_there_is_nothing_to_learn_in_the_first_turn(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [act("A")]
    turn = await agent.turn(0, observe("k0"), "")
    assert turn.update is None and [c.purpose for c in turn.calls] == ["act"]


async def test_an_unchanged_key_repeats_the_action_without_the_model(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("x"), act("B")]
    first = await agent.turn(0, observe("same"), "")
    for step in range(1, MAX_REPEATS + 1):
        turn = await agent.turn(step, observe("same"), "Task Return: 0.0")
        assert (turn.action, turn.how, turn.calls, turn.update) == (first.action, "sticky", (), None)
    turn = await agent.turn(MAX_REPEATS + 1, observe("same"), "Task Return: 0.0")
    assert turn.how == "letter" and len(server.requests) == 3, "at most ten in a row"


async def test_a_message_is_never_repeated(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [act("[send_message] <Agent_2> (2): hi"), learn("x"), act("A")]
    assert (await agent.turn(0, observe("same"), "")).how == "message"
    assert (await agent.turn(1, observe("same"), "")).how == "letter"


async def test_a_reflex_asks_no_model_and_what_was_thought_before_is_learned_later(
    agent: TraceAgent, server: RecitingServer
) -> None:
    server.replies = [act("A"), learn("x"), act("B")]
    await agent.turn(0, observe("k0"), "")
    turn = await agent.turn(1, observe("k1", reflex="[goput] <x> (1)"), "")
    assert (turn.action, turn.how, turn.calls) == ("[goput] <x> (1)", "reflex", ())
    await agent.turn(2, observe("k2"), "Task Return: 2.0")
    learning = server.prompts()[1]
    assert "Progress: k0" in learning and "Progress: k2" in learning and "Progress: k1" not in learning


async def test_finishing_learns_and_does_not_act(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [act("A"), learn("the last lesson")]
    await agent.turn(0, observe("k0"), "")
    turn = await agent.finish(1, observe("k1"), "Task Return: 2.0")
    assert (turn.action, turn.plan) == (None, "the last lesson")
    assert len(server.requests) == 2


async def test_a_failed_call_is_fed_to_the_optimizer_as_an_execution_error(
    agent: TraceAgent, server: RecitingServer
) -> None:
    server.replies = [500, learn("try again"), act("A")]
    failed = await agent.turn(0, observe("k0"), "")
    assert (failed.action, failed.how) == (None, "error") and failed.error
    assert failed.calls[0].error == "transient"
    turn = await agent.turn(1, observe("k0"), "Task Return: 0.0")
    learning = server.prompts()[1]
    assert "exception_act0" in learning and "(RuntimeError)" in learning
    assert (turn.action, turn.plan) == (CHOICES[0], "try again"), "an error is no reason to repeat it"


async def test_a_failed_learning_call_leaves_the_plan_and_the_agent_acts(
    agent: TraceAgent, server: RecitingServer
) -> None:
    server.replies = [act("A"), 500, act("B")]
    await agent.turn(0, observe("k0"), "")
    turn = await agent.turn(1, observe("k1"), "Task Return: 0.0")
    assert turn.update and (turn.update.verdict, turn.update.reason) == ("rejected", "no reply: transient")
    assert (turn.action, turn.plan) == (CHOICES[1], "")
    assert len(server.requests) == 3, "an error doubles no call"


async def test_a_fatal_error_is_raised(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [401]
    with pytest.raises(ChatError) as caught:
        await agent.turn(0, observe("k0"), "")
    assert caught.value.kind == "fatal"


DEF = "I will definitely check the default cabinet; defrost the salmon, def()"


@pytest.mark.parametrize(
    ("reply", "plan", "verdict", "reason"),
    [
        (learn("go"), "go", "accepted", ""),
        (learn("  go  "), "go", "accepted", ""),
        (learn("old"), "old", "unchanged", ""),
        (learn(DEF), DEF, "accepted", ""),
        (learn("Do not TERMINATE yet"), "Do not TERMINATE yet", "accepted", ""),
        ('{"suggestion": {"plan": "go"}}', "go", "accepted", ""),
        ("```json\n" + learn("go") + "\n```", "go", "accepted", ""),
        ('{"suggestion": {"plan0": "one\ntwo"}}', "one\ntwo", "accepted", ""),
        ("TERMINATE", "old", "unchanged", ""),
        ("", "old", "rejected", "no suggestion"),
        ("I have no idea", "old", "rejected", "no suggestion"),
        ('{"reasoning": "x"}', "old", "rejected", "no suggestion"),
        ('{"suggestion": {}}', "old", "rejected", "no suggestion"),
        ('{"suggestion": {"(str) pl": "go"}}', "old", "rejected", "unknown variable"),
        (learn(5), "old", "rejected", "not text"),
        (learn(None), "old", "rejected", "not text"),
        (learn(["go"]), "old", "rejected", "not text"),
        (learn({"a": "b"}), "old", "rejected", "not text"),
        (learn(""), "old", "rejected", "empty"),
        (learn("x" * 50_000), "old", "rejected", "too long"),
    ],
)
async def test_every_proposal_is_accepted_unchanged_or_rejected_with_a_reason(
    agent: TraceAgent, server: RecitingServer, reply: str, plan: str, verdict: str, reason: str
) -> None:
    server.replies = [act("A"), learn("old"), act("A"), reply or " ", act("B")]
    await agent.turn(0, observe("k0"), "")
    await agent.turn(1, observe("k1"), "f")
    turn = await agent.turn(2, observe("k2"), "f")
    assert turn.update is not None
    assert (turn.plan, turn.update.verdict, turn.update.reason) == (plan, verdict, reason)


async def test_a_restored_agent_goes_on_exactly_like_the_one_that_was_never_stopped(
    chat: ChatModel, server: RecitingServer
) -> None:
    replies = [
        act("A"),
        learn("p1"),
        act("B"),
        500,
        act("A"),
        learn("p2"),
        500,
        learn("p3"),
        "nonsense",
        learn("p4"),
        act("B"),
    ]

    async def live(restart: bool) -> tuple[list[Turn], list[str]]:
        server.replies, server.requests = [*replies], []
        spec = AgentSpec(name="Agent_1", seed=3, learning=Learning(memory_size=2))
        agent, turns = TraceAgent(spec, chat), []
        for step in range(6):
            if restart:
                state = msgpack.unpackb(msgpack.packb(agent.state()))
                agent = TraceAgent(spec, chat)
                agent.load(state)
            turns.append(await agent.turn(step, observe(f"k{step}"), f"Task Return: {step}"))
        return turns, server.prompts()

    (turns, prompts), (again, prompts_again) = await live(False), await live(True)
    assert prompts == prompts_again
    assert [(t.action, t.how, t.plan) for t in turns] == [(t.action, t.how, t.plan) for t in again]


async def test_nothing_of_trace_grows_over_a_long_life(agent: TraceAgent, server: RecitingServer) -> None:
    server.replies = [
        lambda body: learn(f"plan {len(body)}") if "#Feedback" in body["messages"][-1]["content"] else act("A")
    ]

    async def live(steps: range) -> int:
        for step in steps:
            await agent.turn(step, observe(f"k{step}"), "Task Return: 0.0")
        gc.collect()
        return sum(isinstance(o, Node) for o in gc.get_objects())

    after_20, after_220 = await live(range(20)), await live(range(20, 220))
    assert after_220 == after_20
    assert not USED_NODES
    assert agent._recording.policy.plan not in [n for nodes in GRAPH._nodes.values() for n in nodes]


async def test_agents_that_share_a_process_do_not_see_each_others_graphs(
    chat: ChatModel, server: RecitingServer
) -> None:
    server.replies = [by_purpose()]
    alone = TraceAgent(AgentSpec(name="Agent_1"), chat)
    for step in range(3):
        await alone.turn(step, observe(f"k{step}"), "f")
    expected = server.prompts()
    server.requests = []
    crowd = [TraceAgent(AgentSpec(name=f"Agent_{i}"), chat) for i in range(1, 21)]
    for step in range(3):
        await asyncio.gather(*(a.turn(step, observe(f"k{step}"), "f") for a in crowd))
    assert sorted(server.prompts()) == sorted(expected * 20)


async def test_the_baseline_has_no_plan_and_does_not_learn(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A"), act("B")]
    agent = ReActAgent(AgentSpec(name="Agent_1", method="react"), chat)
    await agent.turn(0, observe("k0"), "")
    turn = await agent.turn(1, observe("k1"), "Task Return: 0.0")
    assert (turn.plan, turn.update) == ("", None)
    assert "Plan:" not in server.prompts()[0] and "$PLAN$" not in server.prompts()[1]
    assert "Goal: dishes.\nProgress: k0" in server.prompts()[0]


async def test_an_overlong_reply_is_bounded_in_the_record(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A", thoughts="x" * 50_000)]
    agent = TraceAgent(AgentSpec(name="Agent_1", limits=ReplyLimits(thoughts_chars=50)), chat)
    turn = await agent.turn(0, observe("k0"), "")
    assert len(turn.thoughts) == 50 and len(turn.reply) <= 4000


def test_trace_is_imported_silently_and_without_litellm_openai_or_ray() -> None:
    code = (
        "import sys, housemates.actors.trace_agent; "
        "print(sorted(m for m in ('litellm', 'openai', 'ray', 'opto.utils.llm') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


class Promises(Policy):
    def __init__(self, plan: str = "") -> None:
        super().__init__(plan)
        self.promise = trace.node("I share.", name="promise", trainable=True)

    def text(self) -> TracedNode[str]:
        return self.plan + " Promise: " + self.promise


class Promiser(TraceAgent):
    policy = Promises


async def test_a_subclass_may_bring_what_it_learns(chat: ChatModel, server: RecitingServer) -> None:
    suggestion = {"plan0": "go", "promise0": "I give."}
    server.replies = [act("A"), json.dumps({"reasoning": "", "suggestion": suggestion}), act("B")]
    agent = Promiser(AgentSpec(name="Agent_1"), chat)
    await agent.turn(0, observe("k0"), "")
    await agent.turn(1, observe("k1"), "Task Return: 0.0")
    assert "Plan:  Promise: I share.\n" in server.prompts()[0]
    assert agent.plan == "go Promise: I give."


async def test_a_policy_that_is_named_goes_before_a_subclass_s_own(chat: ChatModel) -> None:
    agent = Promiser(AgentSpec(name="Agent_1", learning=Learning(optimize="plan+role")), chat)
    assert agent.plan == "\nRole: "
