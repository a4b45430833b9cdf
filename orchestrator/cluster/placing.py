"""On which machines of a cluster the agents and the world are: told to people, and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..observer import Record
from .machines import machines as machines_up
from .machines import machines_of


class Placing:
    """Notes where actors are when they are new: at the beginning, and after a machine or a process was lost.

    With a single machine there is nothing to note.

    Args:
        actors: the Ray actor of each agent, and of the world, at the moment.
        say: takes a line for people.
        commit: takes a journal record.
    """

    def __init__(
        self, actors: Callable[[], Mapping[str, Any]], say: Callable[[str], None], commit: Callable[[Record], None]
    ) -> None:
        self._actors = actors
        self._say = say
        self._commit = commit
        self._noted: dict[str, Any] = {}

    async def note(self) -> None:
        """Note what is new, as far as it answers."""
        new = {name: actor for name, actor in self._actors().items() if actor is not self._noted.get(name)}
        if not new:
            return
        if len(machines_up()) < 2:  # asked once, not before every step
            self._noted |= new
            return
        machines = await machines_of(new)
        self._noted |= {name: new[name] for name in machines}
        if machines:
            housed: dict[str, list[str]] = {}
            for name, machine in machines.items():
                housed.setdefault(machine, []).append(name)
            self._say("; ".join(f"on {machine}: {_shown(names)}" for machine, names in sorted(housed.items())))
            self._commit({"kind": "placed", "machines": housed})


SHOWN_NAMES = 4
"""The names of more on one machine than this are not shown."""


def _shown(names: list[str]) -> str:
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {len(names) - SHOWN_NAMES} more" if names[SHOWN_NAMES:] else "")
