"""Our turn against the tutorial's loop: the same world, the same replies, the same prompts and the same plans.

The loop is the tutorial's: one process, `opto` alone with its process-wide graph, agents one after another, an
agent whose `act` and a world whose `step` are methods, `.detach()` after every lesson, and stock OptoPrime with
its own `step`. It is fed the replies that a run of ours got, from that run's cassette.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from housemates.actors.agent import MAX_REPEATS
from housemates.actors.cassette import read_cassette
from housemates.actors.trace_import import GRAPH, Node, OptoPrime, trace
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import is_message
from housemates.orchestrator.config import RunConfig, make_config
from housemates.orchestrator.journal.log import read_journal
from housemates.orchestrator.run import run

WORDING = {
    "[Agent.act] Call the LLM to produce the next action for the agent.": (
        "[act] Ask the language model for the next action of the agent."
    ),
    "[Env.step] Take action in the environment and return the next observation.": (
        "[step] Act in the world, at the same time as the others; return what the agent sees next."
    ),
}
"""The two operations are described in our own words."""

SELF = [r"\((?:Env|ModelWrapper)\) \w+=<.*>\n", r"self=\w+, "]
"""Agent and world are no inputs of ours: their addresses would make every process's prompts different."""

ROLES = re.compile(
    r"(?P<replace0>\w+) = replace\(x=(?P<observation0>[\w.]+), old=(?P<str0>\w+), new=(?P<plan0>\w+), "
    r"count=(?P<count0>\w+)\)\n(?P<act0>[\w.]+) = Agent\.act\(obs=.*\)\n(?P<step0>[\w.]+) = Env\.step\(action=.*\)"
)
"""A node is called after its part, and counted from 0 in every thought: each agent has a registry of its own."""

OPERATIONS = {"Agent.act(obs=": "act(prompt=", "Env.step(": "step("}
"""Operations are functions of a module, not methods."""


def mended(prompt: str) -> str:
    """A prompt of the tutorial's loop with what we do differently: all of it is listed above."""
    for pattern in SELF:
        prompt = re.sub(pattern, "", prompt)
    roles = ROLES.search(prompt)
    assert roles
    new_name = {old: new for new, old in roles.groupdict().items()}
    names = "|".join(map(re.escape, new_name))
    prompt = re.sub(rf"(?<![\w.])(?:{names})(?![\w(])", lambda found: new_name[found[0]], prompt)
    for old, new in (WORDING | OPERATIONS).items():
        prompt = prompt.replace(old, new)
    return prompt


class Replies:
    """The replies of a recorded run to one agent, in order, with what was asked in that run."""

    def __init__(self, cassette: Path, agent: str) -> None:
        reel = read_cassette(cassette).reels[agent]
        self._left = [exchange for step in sorted(reel.exchanges) for exchange in reel.exchanges[step]]

    def next(self) -> tuple[list[str], str]:
        exchange = self._left.pop(0)
        assert exchange.reply is not None
        return [message["content"] for message in exchange.request["messages"]], exchange.reply

    @property
    def used_up(self) -> bool:
        return not self._left


@trace.model
class Agent:
    def __init__(self, replies: Replies) -> None:
        self.replies = replies
        self.plan: Any = trace.node("", trainable=True, description="This represents the current plan of the agent.")

    def __call__(self, obs: Node[str]) -> Any:
        return self.act(obs.replace("$PLAN$", self.plan))

    @trace.bundle()
    def act(self, obs: str) -> str:
        """Call the LLM to produce the next action for the agent"""
        (_, asked), reply = self.replies.next()
        assert asked == obs, "the prompt to act is the same to the letter"
        return json.loads(reply)["action"]


class Env:
    def __init__(self) -> None:
        self.text = ""

    @trace.bundle()
    def step(self, action: str) -> str:
        """Take action in the environment and return the next observation"""
        return self.text


class Pupil:
    """One agent of the loop, with its optimizer and what the loop keeps of it."""

    def __init__(self, replies: Replies, env: Env, observation: str) -> None:
        self.replies, self.env = replies, env
        self.agent = Agent(replies)
        self.optimizer = OptoPrime([self.agent.plan], llm=self._llm)
        self.observation: Any = trace.node(observation)
        self.thought: Any = None
        self.action: str | None = None
        self.key: str | None = None
        self.repeats = 0
        self.asked: list[tuple[list[str], list[str]]] = []
        self.plans: list[str] = []

    def _llm(self, messages: list[dict[str, str]], **_: Any) -> Any:
        ours, reply = self.replies.next()
        self.asked.append(([message["content"] for message in messages], ours))
        text = reply.replace('"plan0"', f'"{self.agent.plan.py_name}"')
        return SimpleNamespace(choices=[SimpleNamespace(message=SimpleNamespace(content=text))])

    def act(self, seen: Any) -> str | None:
        """The action is repeated while nothing changes. The example behind the tutorial does so for both agents at
        once, within the world's step; here it is for each of them, as in our household. A reflex needs no thought.
        """
        if seen.reflex is not None:
            self.key = None
            return seen.reflex
        if not self.must_think(seen):
            self.repeats += 1
            return self.action
        self.thought = self.agent(self.observation)
        said = self.thought.data
        self.key, self.repeats, self.action = seen.key, 0, None if said == "None" else said
        return self.action

    def must_think(self, seen: Any) -> bool:
        return seen.reflex is None and not (
            seen.key == self.key and self.repeats < MAX_REPEATS and not is_message(self.action)
        )

    def learn(self, text: str, feedback: str) -> None:
        if self.thought is None:
            self.observation = trace.node(text)
            return
        self.env.text = text
        following = self.env.step(self.thought)
        self.optimizer.zero_feedback()
        self.optimizer.backward(following, feedback)
        self.optimizer.step(verbose=False)
        self.plans.append(self.agent.plan.data)
        self.observation = following.detach()
        self.thought = None


def tutorials_loop(config: RunConfig, cassette: Path) -> Mapping[str, Pupil]:
    world = HouseholdWorld(config.task, config.agents)
    seen = world.reset(config.seed)
    pupils = {agent: Pupil(Replies(cassette, agent), Env(), seen[agent].text) for agent in world.agents}
    returns = dict.fromkeys(world.agents, 0.0)
    for step in range(config.steps):
        actions: dict[str, str | None] = {}
        for agent, pupil in pupils.items():
            if step and pupil.must_think(seen[agent]):
                pupil.learn(seen[agent].text, f"Task Return: {returns[agent]}")
            actions[agent] = pupil.act(seen[agent])
        result = world.step(actions)
        seen = result.observations
        for agent in world.agents:
            returns[agent] += result.rewards[agent]
        if result.done:
            break
    for agent, pupil in pupils.items():
        pupil.learn(seen[agent].text, f"Task Return: {returns[agent]}")
    return pupils


@pytest.fixture
def clean_graph() -> Iterator[None]:
    yield
    GRAPH.clear()


@pytest.mark.parametrize(
    ("task", "agents", "seed"), [("put_dishwasher", 2, 1), ("prepare_food", 3, 0), ("read_book", 1, 2)]
)
@pytest.mark.usefixtures("clean_graph")
def test_the_optimizer_is_asked_the_same_and_the_plans_are_the_same(
    task: str, agents: int, seed: int, tmp_path: Path
) -> None:
    config = make_config(llm="scripted", runtime="inline", task=task, agents=agents, seed=seed, steps=16)
    run(config, tmp_path / "run", record=tmp_path / "c")
    pupils = tutorials_loop(config, tmp_path / "c")
    for agent, pupil in pupils.items():
        assert pupil.replies.used_up and len(pupil.asked) >= 3
        for (system, user), (our_system, our_user) in pupil.asked:
            assert system == our_system
            assert mended(user) == our_user
        assert pupil.plans == learned_plans(tmp_path / "run", agent)


def learned_plans(folder: Path, agent: str) -> list[str]:
    """An agent's plan after each of its lessons."""
    turns = [
        record["agents"][agent]["turn"]
        for record in read_journal(folder / "journal.msgpack")
        if record["kind"] in ("step", "lesson")
    ]
    return [turn["plan"] for turn in turns if turn["update"] is not None]
