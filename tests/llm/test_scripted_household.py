"""The scripted model finishes the household's tasks, alone and together."""

from __future__ import annotations

import json

import pytest
from housemates.actors.scripted import make_plan, reply
from housemates.actors.scripted_reading import read_scene
from housemates.env.household.household import HouseholdWorld
from housemates.env.world import PLAN_TOKEN, is_message

STICKY_STEPS = 10


def play(task: str, agents: int, seed: int) -> tuple[bool, dict[str, int]]:
    """Play an episode as the agents do, without HTTP; returns success and the messages each agent sent."""
    world = HouseholdWorld(task, agents)
    observations = world.reset(seed)
    last: dict[str, tuple[str, str | None, int]] = {}
    sent = dict.fromkeys(world.agents, 0)
    while True:
        actions: dict[str, str | None] = {}
        for agent, observation in observations.items():
            key, action, repeats = last.get(agent, ("", None, STICKY_STEPS))
            if observation.reflex is not None:
                action = observation.reflex
            elif key != observation.key or repeats >= STICKY_STEPS or is_message(action):
                text = observation.text.replace(PLAN_TOKEN, make_plan(read_scene(observation.text)))
                chosen = json.loads(reply([{"role": "user", "content": text}]))["action"]
                action, repeats = None if chosen == "None" else chosen, 0
            last[agent] = (observation.key, action, repeats + 1)
            actions[agent] = action
            sent[agent] += is_message(action)
        result = world.step(actions)
        if result.done:
            world.close()
            return result.success, sent
        observations = result.observations


@pytest.mark.parametrize("agents", [1, 2, 4])
@pytest.mark.parametrize("task", ["read_book", "put_dishwasher", "prepare_food"])
def test_every_task_is_solved_and_nobody_chatters(task: str, agents: int) -> None:
    for seed in range(10):
        success, sent = play(task, agents, seed)
        assert success, f"seed {seed}"
        assert max(sent.values()) <= 1, f"seed {seed}"
