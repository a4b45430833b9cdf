"""Episodes played by the scripted model, without HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping

from housemates.actors.model.scripted import make_plan, reply
from housemates.actors.model.scripted_reading import read_scene
from housemates.env.world import PLAN_TOKEN, Observation, World, is_message

STICKY_STEPS, LIMIT = 10, 400


def play(world: World, observations: Mapping[str, Observation]) -> tuple[bool, dict[str, int]]:
    """Play an episode to its end as the agents do, without HTTP; returns success and the messages each agent sent."""
    last: dict[str, tuple[str, str | None, int]] = {}
    sent = dict.fromkeys(world.agents, 0)
    for _ in range(LIMIT):
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
    return False, sent
