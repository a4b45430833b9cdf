"""What a run has to know of a world of the user's own before it begins: who is in it, and what they are told."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..env.own_world import find_factory, make_world
from ..env.plugin import PluginError
from ..env.world import WorldError

HOUSEHOLD = "household"
"""What the household is called where worlds have names; in a configuration it is "", the default."""

HOUSEHOLD_ONLY = ("task", "apartment", "simulator")
"""Settings of the household, which mean nothing in another world."""

MAX_NAME_CHARS = 100


class WorldFacts(NamedTuple):
    """The agents of a world, what it tells their models, and the arguments it is made with."""

    agents: tuple[str, ...]
    instruction: str
    arguments: dict[str, Any]


def look_at(name: str, arguments: Mapping[str, Any], agents: Any = None) -> WorldFacts:
    """Make a world, ask it, and close it.

    Args:
        name: of the world.
        arguments: for it.
        agents: how many are asked for. A world that takes `agents` is told; any other has as many as it has.

    Raises:
        ValueError: it cannot be made, or has other agents; one line that says why.
    """
    given = dict(arguments)
    try:
        takes_agents = _takes_agents(name)
        if agents is not None and takes_agents:
            given.setdefault("agents", agents)
        world = make_world(name, **given)
        try:
            names, instruction = tuple(world.agents), world.instruction
        finally:
            world.close()
    except (PluginError, WorldError) as error:
        raise ValueError(f"world: {error}") from None
    except Exception as error:  # the world is a user's: asking it may do anything
        raise ValueError(f"world: {name} does not say who is in it: {type(error).__name__}: {error}") from error
    fit = [n for n in names if isinstance(n, str) and 0 < len(n) <= MAX_NAME_CHARS and n.isprintable()]
    if not names or len(fit) < len(names) or len(set(names)) < len(names) or not isinstance(instruction, str):
        raise ValueError(f"world: agents of {name} need different names of 1 to {MAX_NAME_CHARS} characters: {names}")
    if agents is not None and agents != len(names):
        raise ValueError(f"agents: {name} has {len(names)} agents, not {agents}")
    if takes_agents:
        given.setdefault("agents", len(names))
    return WorldFacts(names, instruction, given)


def settled(values: Mapping[str, Any]) -> tuple[dict[str, Any], WorldFacts | None]:
    """The settings of a run, and what is known of its world if that is one of the user's own (else None).

    A run in such a world has its agents, and nothing of the household.

    Raises:
        ValueError: something of the household is asked for, or the world cannot be made.
    """
    name, arguments = values.get("world"), values.get("world_args") or {}
    if name in (None, "", HOUSEHOLD):
        if arguments:
            raise ValueError("world_args: the household has settings of its own, like task and apartment")
        return dict(values) | {"world": ""}, None
    if not isinstance(name, str) or not isinstance(arguments, Mapping):
        return dict(values), None  # their types are refused with those of all settings
    for setting in HOUSEHOLD_ONLY:
        if values.get(setting):
            raise ValueError(f"{setting}: goes with the household, not with the world {name}")
    facts = look_at(name, arguments, values.get("agents"))
    return dict(values) | {"task": "", "agents": len(facts.agents)}, facts


def agent_names(values: Mapping[str, Any]) -> list[str]:
    """The agents of a run with these settings, as the world names them.

    Raises:
        ValueError: as `settled`.
    """
    settings, world = settled(values)
    if world is not None:
        return list(world.agents)
    count = settings.get("agents", 2)
    return [f"Agent_{number}" for number in range(1, count + 1 if isinstance(count, int) else 1)]


def task_name(settings: Mapping[str, Any]) -> str:
    """What the task of a configuration is called; a world of the user's own is its own task."""
    task = settings.get("world") or settings["task"]
    return task if isinstance(task, str) else str(task["name"])


def _takes_agents(name: str) -> bool:
    try:
        return "agents" in inspect.signature(find_factory(name)).parameters
    except (TypeError, ValueError):  # it is built in, and does not say
        return False
