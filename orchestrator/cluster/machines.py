"""The machines of the Ray that is up, and which of them an actor comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count
from random import randrange
from typing import Any

LOCATE_S = 2.0
"""Seconds an actor has to say where it is."""

_turns = count(randrange(1000))  # which machine comes first: another one for each run, and in each process of a run


def machines() -> dict[str, str]:
    """The name of each machine that is up, by its id in Ray. A name that several have is told apart."""
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    names = [node["NodeName"] for node in nodes]
    return {
        node["NodeID"]: name if names.count(name) == 1 else f"{name}#{node['NodeID'][:6]}"
        for node, name in zip(nodes, names, strict=True)
    }


def in_turn(number: int, turns: Sequence[int] | None = None) -> list[str]:
    """The machines of so many actors, by id: they take turns.

    The actors wait for models most of the time, so cores are no measure of how many fit on a machine. Ray's SPREAD
    and soft affinity leave machines out when there are few actors.

    Args:
        number: of actors.
        turns: their numbers among those of others who are made at the same time; None: they begin with another
            machine than those before.
    """
    up = sorted(machines())
    first = next(_turns)
    return [up[turn % len(up)] for turn in (turns or range(first, first + number))[:number]]


def place(machine: str = "") -> dict[str, Any]:
    """Ray's options for an actor on a machine, as long as that is up; without one it goes where Ray likes."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = machine in machines()
    strategy = NodeAffinitySchedulingStrategy(machine, soft=False) if there else "SPREAD"
    return {"num_cpus": 0, "scheduling_strategy": strategy}


async def machines_of(actors: Mapping[str, Any]) -> dict[str, str]:
    """The machine of each Ray actor by the actors' names.

    Actors that are gone, or that do not answer within `LOCATE_S`, are left out.
    """
    names = machines()
    own = {id(actor): actor for actor in actors.values()}
    asked = {key: asyncio.ensure_future(_machine_of(actor)) for key, actor in own.items()}
    await asyncio.wait(asked.values(), timeout=LOCATE_S)
    at: dict[int, str] = {}
    for key, answer in asked.items():
        if answer.done() and answer.result() in names:
            at[key] = names[answer.result()]
        answer.cancel()
    return {name: at[id(actor)] for name, actor in actors.items() if id(actor) in at}


async def _machine_of(actor: Any) -> str:
    """The id of an actor's machine; "" if it is gone."""
    import ray
    from ray.exceptions import RayError

    def here(_: object) -> str:
        return ray.get_runtime_context().get_node_id()

    try:
        return await actor.__ray_call__.remote(here)
    except RayError:
        return ""


def cores() -> int:
    """Of all machines of the Ray that is up, as far as Ray may use them; at least one."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))
