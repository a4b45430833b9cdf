"""The agents that do not learn, and what users may tell all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from housemates.actors.agent import AgentSpec
from housemates.actors.fixed_agent import FixedPlanAgent
from housemates.actors.host import AgentHost, make_agent
from housemates.actors.model.chat import ChatModel, Endpoint
from housemates.actors.model.chats import Chats
from housemates.actors.react_agent import ReActAgent
from housemates.actors.trace_agent import TraceAgent
from housemates.actors.turn import Ask
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import Observation

from .conftest import RecitingServer, act, by_purpose

CHOICES = ("[goexplore] <kitchen> (11)", "[gocheck] <fridge> (12)")


def observe(key: str) -> Observation:
    text = f"I'm Agent_1.\nGoal: dishes.\nPlan: $PLAN$\nProgress: {key}\nAvailable actions:\nA. …\n"
    return Observation(text=text, choices=CHOICES, key=key)


async def test_an_agent_with_a_fixed_plan_follows_it_and_never_learns(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("B")]
    agent = FixedPlanAgent(AgentSpec(name="Agent_1", method="fixed", plan="fridge\nfirst"), chat)
    turns = [await agent.turn(step, observe(f"k{step}"), "Task Return: 0.0") for step in range(3)]
    turns.append(await agent.finish(3, observe("k3"), "Task Return: 0.0"))
    assert all("Plan: fridge\nfirst\nProgress" in prompt for prompt in server.prompts())
    assert {(turn.plan, turn.update) for turn in turns} == {("fridge\nfirst", None)}
    assert len(server.requests) == 3


async def test_a_fixed_plan_gives_the_prompt_that_a_learner_with_that_plan_has(
    chat: ChatModel, server: RecitingServer
) -> None:
    server.replies = [act("B")]
    for kind in (TraceAgent, FixedPlanAgent):
        await kind(AgentSpec(name="Agent_1", plan="costs 5$, see \\1"), chat).turn(0, observe("k0"), "")
    assert server.prompts()[0] == server.prompts()[1]


@pytest.mark.parametrize("method", ["trace", "react", "fixed"])
async def test_every_agent_is_told_how_it_is_organized(chat: ChatModel, server: RecitingServer, method: str) -> None:
    server.replies = [by_purpose()]
    spec = AgentSpec(name="Agent_1", method=method, plan="p", organization="Agent_1 leads.\nAll others obey.")  # type: ignore[arg-type]
    agent = make_agent(spec, chat)
    await agent.turn(0, observe("k0"), "")
    await agent.finish(1, observe("k1"), "Task Return: 0.0")
    line = "I'm Agent_1.\nOrganization instructions: Agent_1 leads. All others obey.\nGoal: dishes.\n"
    assert line in server.prompts()[0]
    if method == "trace":
        assert server.prompts()[1].count(line) == 3, "before, in the prompt, and in what came of it"


async def test_in_the_household_the_line_stands_below_the_opening(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A")]
    seen = HouseholdWorld("put_dishwasher", 2).reset(0)["Agent_2"]
    await ReActAgent(AgentSpec(name="Agent_2", organization="Agent_1 leads."), chat).turn(0, seen, "")
    lines = server.prompts()[0].split("\n")
    assert lines[1] == "Organization instructions: Agent_1 leads." and lines[2].startswith("Goal: ")
    assert [line for line in lines if line != lines[1] and "$PLAN$" not in line] == [
        line for line in seen.text.split("\n") if "$PLAN$" not in line
    ]


async def test_in_a_world_without_a_goal_the_line_stands_on_top(chat: ChatModel, server: RecitingServer) -> None:
    server.replies = [act("A")]
    seen = Observation(text="A field.", choices=CHOICES, key="k")
    await ReActAgent(AgentSpec(name="Agent_1", organization="Dance."), chat).turn(0, seen, "")
    assert server.prompts() == ["Organization instructions: Dance.\nA field."]


@pytest.fixture
async def host(server: RecitingServer) -> AsyncIterator[AgentHost]:
    here = Endpoint(base_url=server.url, model="everybodys")
    own, taught = Endpoint(base_url=server.url, model="own"), Endpoint(base_url=server.url, model="taught")
    specs = [
        AgentSpec(name="Agent_1"),
        AgentSpec(name="Agent_2", endpoint=own),
        AgentSpec(name="Agent_3", endpoint=own, learn_endpoint=taught),
    ]
    agents = AgentHost(specs, here, Chats(deadline_s=5))
    yield agents
    await agents.close()


async def test_agents_of_one_process_may_have_different_models(host: AgentHost, server: RecitingServer) -> None:
    server.replies = [by_purpose()]
    asked: dict[str, list[str]] = {}
    for agent in ("Agent_1", "Agent_2", "Agent_3"):
        server.requests = []
        for step in range(2):
            ask = Ask(agent=agent, step=step, attempt=1, version=step, observation=observe(f"k{step}"), feedback="f")
            assert (await host.turn(ask)).turn
        asked[agent] = [body["model"] for body in server.requests]
    assert asked == {
        "Agent_1": ["everybodys"] * 3,
        "Agent_2": ["own"] * 3,
        "Agent_3": ["own", "taught", "own"],
    }
