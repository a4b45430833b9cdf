"""What there is to do: the tasks, and the goal one seed draws from a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ..world import WorldError
from .apartments import Place, find_places, scatter
from .goals import Goal, Want, WantKind
from .graph import SceneGraph

MIN_OBJECTS, MAX_OBJECTS = 3, 5
"""cwah: a goal asks for three to five objects in all."""

REWARD_PER_OBJECT = 2.0
"""cwah: what each placed goal object is worth."""

_HIDE_IN = ["fridge", "kitchencabinet", "cabinet", "microwave", "dishwasher", "stove"]
_HIDE_ON = ["cabinet", "coffeetable", "bench", "kitchentable"]


@dataclass(frozen=True, slots=True)
class Task:
    """A kind of housework: bring things of some classes ON or INSIDE one target.

    `pool` gives the classes, each with the most that a goal may ask for.
    """

    name: str
    relation: str
    target_class: str
    pool: tuple[tuple[str, int], ...]
    home: str | None = None


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "read_book",
            "ON",
            "coffeetable",
            (("cupcake", 2), ("pudding", 2), ("apple", 2), ("juice", 1), ("wine", 1)),
        ),
        Task("put_dishwasher", "INSIDE", "dishwasher", (("plate", 2), ("cutleryfork", 2))),
        Task(
            "prepare_food",
            "ON",
            "kitchentable",
            (
                ("coffeepot", 1),
                ("cupcake", 2),
                ("pancake", 1),
                ("poundcake", 1),
                ("pudding", 2),
                ("apple", 2),
                ("juice", 1),
                ("wine", 1),
            ),
        ),
    )
}


def find_task(name: str) -> Task:
    """Look a task up.

    Raises:
        WorldError: there is no such task; the message lists those there are.
    """
    task = TASKS.get(name)
    if task is None:
        raise WorldError(f"unknown task {name!r}; the tasks are {', '.join(TASKS)}")
    return task


def set_up(task: Task, graph: SceneGraph, rng: Random, rooms: Sequence[int] | None = None) -> Goal:
    """Draw a goal and hide its objects, at least as many as it needs, none of them at the target."""
    mine = set(graph.rooms if rooms is None else rooms)
    target = next(
        number
        for number in sorted(graph.nodes)
        if graph.nodes[number].class_name == task.target_class and graph.room_of(number) in mine
    )
    limits = dict(task.pool)
    wanted = dict.fromkeys(limits, 0)
    for _ in range(rng.randint(MIN_OBJECTS, min(MAX_OBJECTS, sum(limits.values())))):
        name = rng.choice([name for name, limit in limits.items() if wanted[name] < limit])
        wanted[name] += 1
    needs = [(name, count) for name, count in wanted.items() if count]
    found = find_places(graph, _HIDE_ON, _HIDE_IN)
    places = [place for place in found if place[1] != target and graph.room_of(place[1]) in mine]
    for name, count in needs:
        for _ in range(count + rng.randint(0, 1)):
            _hide(graph, rng, name, places)
    kind = WantKind.ON if task.relation == "ON" else WantKind.INSIDE
    return Goal(task.name, tuple(Want(kind, name, count, target) for name, count in needs))


def _hide(graph: SceneGraph, rng: Random, class_name: str, places: list[Place]) -> None:
    if scatter(graph, rng, class_name, places) is None:
        raise WorldError(f"no room left in the apartment for a {class_name}")
