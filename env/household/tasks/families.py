"""What there is to do: the families of tasks, the fifty numbered ones, and finding a task by its name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations
from typing import Any

from ...world import WorldError
from .goals import Goal, WantKind
from .numbered import NUMBERED
from .setting_up import rehearse, set_up
from .task import Ask, Chore, Hiding, Target, Task, refuse_contradictions
from .task_file import SUFFIX, TaskFile, read_task_file

__all__ = ["FIFTY", "TASKS", "Goal", "Task", "embed_task", "find_task", "rehearse", "set_up"]

MIN_OBJECTS, MAX_OBJECTS = 3, 5
"""cwah: a family's goal asks for three to five objects in all."""

MAX_FAMILIES = 3
"""How many families a combination may join."""

REWARD_PER_OBJECT = 2.0
"""cwah: what each placed goal object is worth; so is everything else that a goal asks for."""

_SNACKS = {"cupcake": 2, "pudding": 2, "apple": 2, "juice": 1, "wine": 1}
_GROCERIES = {"cupcake": 2, "pancake": 1, "poundcake": 1, "pudding": 2, "apple": 2, "juice": 1, "wine": 1}
_COVERS = {"plate": 2, "cutleryfork": 2}
_TABLEWARE = {**_COVERS, "waterglass": 2, "wineglass": 2, "mug": 2}


def _pool(kind: WantKind, target: str, pool: Mapping[str, int]) -> Chore:
    """Three to five things of a pool, which gives the most of each class."""
    asks = tuple(Ask(kind, name, Target(target), 0, most) for name, most in pool.items())
    return Chore(asks, MIN_OBJECTS, min(MAX_OBJECTS, sum(pool.values())))


_WATCH_TV = Chore(
    (
        Ask(WantKind.SWITCH_ON, "", Target("tv"), 1, 1),
        Ask(WantKind.HOLD, "remotecontrol", None, 1, 1),
        Ask(WantKind.SIT, "", Target("sofa"), 1, 1),
    ),
    fewest=3,
    most=3,
    hiding=Hiding(on=("coffeetable", "bench", "cabinet", "desk", "nightstand", "kitchentable"), inside=("cabinet",)),
)

TASKS: dict[str, Task] = {
    name: Task(name, (chore,))
    for name, chore in {
        "read_book": _pool(WantKind.ON, "coffeetable", _SNACKS),
        "put_dishwasher": _pool(WantKind.INSIDE, "dishwasher", _COVERS),
        "prepare_food": _pool(WantKind.ON, "kitchentable", {"coffeepot": 1, **_GROCERIES}),
        "put_fridge": _pool(WantKind.INSIDE, "fridge", _GROCERIES),
        "setup_table": _pool(WantKind.ON, "kitchentable", _COVERS),
        "clean_table": _pool(WantKind.OFF, "kitchentable", _TABLEWARE),
        "unload_dishwasher": _pool(WantKind.OUT, "dishwasher", _TABLEWARE),
        "watch_tv": _WATCH_TV,
    }.items()
}
"""The families by name: the five of cwah, and three more of watch_and_help's."""

_PUBLISHED_NAMES = {f"{first}_{second}": f"{first}+{second}" for first, second in permutations(TASKS, 2)}
"""watch_and_help joins two families by an underscore."""


def find_task(task: str | Mapping[str, Any], apartment: str = "") -> Task:
    """The task of this name.

    Args:
        task: a family (`put_dishwasher`), two or three of them (`setup_table+put_fridge`), a number (`8`), the path of
            a task file (`breakfast.json`), or the content of one.
        apartment: the home to do it in, if that is not to be the task's own.

    Raises:
        WorldError: there is no such task, or the file is no good.
    """
    own = _user_task(task, apartment)
    if own is not None:
        found = own[1]
    elif not isinstance(task, str):
        raise WorldError(f"a task is a name, a number, a path or a table, not {type(task).__name__}")
    elif task in TASKS:
        found = TASKS[task]
    elif task in FIFTY:
        found = FIFTY[task]
    else:
        found = _combine(_PUBLISHED_NAMES.get(task, task))
    return replace(found, home=apartment) if apartment else found


def embed_task(task: str | Mapping[str, Any], apartment: str = "") -> str | dict[str, Any]:
    """A task as it can be written down and found again elsewhere: a path is replaced by what the file holds.

    Raises:
        WorldError: as `find_task`.
    """
    own = _user_task(task, apartment)
    if own is not None:
        return own[0].to_table()
    find_task(task, apartment)
    return str(task)


def _user_task(task: Any, apartment: str) -> tuple[TaskFile, Task] | None:
    """The content of a task file and the task it describes; None: the task is no file."""
    if isinstance(task, Mapping):
        content = TaskFile.from_table(task)
        where = content.name
    elif isinstance(task, str) and task.lower().endswith(SUFFIX):
        content, where = read_task_file(task), task
    else:
        return None
    if content.name in TASKS or content.name in _PUBLISHED_NAMES:
        raise WorldError(f"{where}: name: {content.name} is one of the tasks that are there already")
    return content, content.to_task(where, apartment)


def _combine(name: str) -> Task:
    families = name.split("+")
    if len(families) < 2 or any(family not in TASKS for family in families):
        raise WorldError(
            f"unknown task {name!r}; there are {', '.join(TASKS)}, two or three of these joined by +, "
            f"the numbers 0 to {len(FIFTY) - 1}, and task files (PATH{SUFFIX})"
        )
    if len(families) > MAX_FAMILIES or len(set(families)) < len(families):
        raise WorldError(f"task {name!r}: join two or three different families")
    found = Task(name, tuple(chore for family in families for chore in TASKS[family].chores))
    refuse_contradictions(f"task {name!r}", ((ask.kind, ask.class_name, ask.target) for ask in found.asks))
    return found


def _number(family: str, number: int, home: str, things: str) -> Task:
    (chore,) = TASKS[family].chores
    template = chore.asks[0]
    asks = tuple(Ask(template.kind, name, template.target, n, n) for name, n in Counter(things.split()).items())
    total = sum(ask.most for ask in asks)
    return Task(str(number), (Chore(asks, total, total),), home, family)


FIFTY: dict[str, Task] = {}
"""The numbered tasks by name, `0` to `49`."""

for _family, _rows in NUMBERED.items():
    for _home, _things in _rows:
        FIFTY[str(len(FIFTY))] = _number(_family, len(FIFTY), _home, _things)
