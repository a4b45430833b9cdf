"""The machines of the Ray that is up, and which of them an actor comes to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from itertools import count, islice
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


def places(first: int, turns: Iterator[int] | None = None) -> Iterator[dict[str, Any]]:
    """Options for one actor after another: with the first ones the machines take turns, later ones go where Ray likes.

    Args:
        first: so many take turns.
        turns: the numbers of theirs; None: they begin with another machine than those before.

    Ray's SPREAD and soft affinity leave machines out when there are few actors. Affinity that is strict cannot be had
    for actors that are made again: their machine may be the one that died.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # The actors wait for models most of the time: cores are no measure of how many fit on a machine.
    up = sorted(machines())
    for turn in islice(turns or count(next(_turns)), first):
        strategy = NodeAffinitySchedulingStrategy(up[turn % len(up)], soft=False)
        yield {"num_cpus": 0, "scheduling_strategy": strategy}
    while True:
        yield {"num_cpus": 0, "scheduling_strategy": "SPREAD"}


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
