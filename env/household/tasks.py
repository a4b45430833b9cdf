"""What there is to do: the tasks, and the goal one seed draws from a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from ..world import WorldError
from .graph import SceneGraph
from .homes import Place, find_places, scatter

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


@dataclass(frozen=True, slots=True)
class Goal:
    """What one episode asks for: so many of each class ON or INSIDE the target."""

    task: str
    relation: str
    target: int
    target_class: str
    needs: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """How many objects are asked for."""
        return sum(count for _, count in self.needs)

    def count(self, graph: SceneGraph) -> dict[str, int]:
        """How many of each class are in place, at most as many as are asked for."""
        found = dict.fromkeys((name for name, _ in self.needs), 0)
        for number in graph.sources(self.target, self.relation):
            name = graph.nodes[number].class_name
            if name in found:
                found[name] += 1
        return {name: min(found[name], count) for name, count in self.needs}

    def pick(self, graph: SceneGraph, placed: Sequence[int]) -> tuple[int, ...]:
        """Those of the things at the target that count: per class at most what is asked for, lowest ids first."""
        left = dict(self.needs)
        picked: list[int] = []
        for number in placed:
            name = graph.nodes[number].class_name
            if left.get(name, 0) > 0:
                left[name] -= 1
                picked.append(number)
        return tuple(picked)


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


def set_up(task: Task, graph: SceneGraph, rng: Random) -> Goal:
    """Draw a goal and hide its objects, at least as many as it needs, none of them at the target."""
    target = next(number for number in sorted(graph.nodes) if graph.nodes[number].class_name == task.target_class)
    limits = dict(task.pool)
    wanted = dict.fromkeys(limits, 0)
    for _ in range(rng.randint(MIN_OBJECTS, min(MAX_OBJECTS, sum(limits.values())))):
        name = rng.choice([name for name, limit in limits.items() if wanted[name] < limit])
        wanted[name] += 1
    needs = tuple((name, count) for name, count in wanted.items() if count)
    places = [place for place in find_places(graph, _HIDE_ON, _HIDE_IN) if place[1] != target]
    for name, count in needs:
        for _ in range(count + rng.randint(0, 1)):
            _hide(graph, rng, name, places)
    return Goal(task.name, task.relation, target, task.target_class, needs)


def _hide(graph: SceneGraph, rng: Random, class_name: str, places: list[Place]) -> None:
    if scatter(graph, rng, class_name, places) is None:
        raise WorldError(f"no room left in the apartment for a {class_name}")
