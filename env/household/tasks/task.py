"""What a task is before a home is known: what it asks for, of what, where, and where its things may hide."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from random import Random

from ...world import WorldError
from .goals import CLEARING, PLACING, WantKind

DEFAULT_HOME = "0"
"""The home of tasks that name none."""

HIDE_ON = ("cabinet", "coffeetable", "bench", "kitchentable")
HIDE_IN = ("fridge", "kitchencabinet", "cabinet", "microwave", "dishwasher", "stove")
"""cwah: where goal objects may be when an episode begins; never on the floor."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where: a node of a class (in a room of some class, if one is named), or the node with this id."""

    class_name: str = ""
    room: str = ""
    number: int = 0

    def __str__(self) -> str:
        if self.number:
            return f"node {self.number}"
        return f"{self.class_name} in the {self.room}" if self.room else self.class_name


@dataclass(frozen=True, slots=True)
class Ask:
    """One want before it is drawn: between `fewest` and `most` of a class at a target.

    `class_name` is empty for SWITCH_ON and SIT, which are about the target alone; HOLD has no target.
    """

    kind: WantKind
    class_name: str
    target: Target | None
    fewest: int
    most: int


@dataclass(frozen=True, slots=True)
class Hiding:
    """Where things may be at the start: classes of supports, of containers and of rooms (none named: all rooms)."""

    on: tuple[str, ...] = HIDE_ON
    inside: tuple[str, ...] = HIDE_IN
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chore:
    """Asks that are drawn together.

    Attributes:
        asks: what may be asked for, in the order in which texts name it.
        fewest, most: how much is asked for in all.
        hiding: where its things may be at the start.
        spare: how many more of each class are hidden than needed; None: none or one, by lot (cwah).
    """

    asks: tuple[Ask, ...]
    fewest: int
    most: int
    hiding: Hiding = Hiding()
    spare: int | None = None

    def draw(self, rng: Random) -> list[tuple[Ask, int]]:
        """What one episode asks for. Asks for nothing are left out."""
        counts = [ask.fewest for ask in self.asks]
        for _ in range(rng.randint(self.fewest, self.most) - sum(counts)):
            counts[rng.choice([i for i, ask in enumerate(self.asks) if counts[i] < ask.most])] += 1
        return [(ask, count) for ask, count in zip(self.asks, counts, strict=True) if count]


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of housework. `home` is the one that the task was made for, None if it goes with any."""

    name: str
    chores: tuple[Chore, ...]
    home: str | None = None
    description: str = ""

    @property
    def asks(self) -> tuple[Ask, ...]:
        """All that the task may ask for."""
        return tuple(ask for chore in self.chores for ask in chore.asks)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of things that the task may ask for, each once."""
        return tuple(dict.fromkeys(ask.class_name for ask in self.asks if ask.class_name))

    @property
    def summary(self) -> str:
        """What may be asked for, on one line: `on coffeetable: 0-2 apple, 1 wine; sit sofa: 1`."""
        parts: dict[str, list[str]] = {}
        for ask in self.asks:
            count = str(ask.most) if ask.fewest == ask.most else f"{ask.fewest}-{ask.most}"
            where = f"{ask.kind.value} {ask.target}" if ask.target else ask.kind.value
            parts.setdefault(where, []).append(f"{count} {ask.class_name}".strip())
        return "; ".join(f"{where}: {', '.join(things)}" for where, things in parts.items())

    @property
    def people(self) -> int:
        """How many people it takes: everybody holds at most one of the things to hold, and sits in one place."""
        held = sum(ask.most for ask in self.asks if ask.kind is WantKind.HOLD)
        seated = sum(ask.most for ask in self.asks if ask.kind is WantKind.SIT)
        return max(1, held, seated)


def refuse_contradictions(name: str, conditions: Iterable[tuple[WantKind, str, Hashable]]) -> None:
    """Check that no condition (kind, class, target) is there twice or undoes another one.

    Raises:
        WorldError: the first that does; `name` says whose conditions they are.
    """
    seen: set[tuple[WantKind, str, Hashable]] = set()
    opposite = {**dict(zip(PLACING, CLEARING, strict=True)), **dict(zip(CLEARING, PLACING, strict=True))}
    for kind, class_name, target in conditions:
        what = (
            f"{class_name} {kind.value} {target}" if class_name and target else f"{kind.value} {class_name or target}"
        )
        if (kind, class_name, target) in seen:
            raise WorldError(f"{name}: asks twice for: {what}")
        if kind in opposite and (opposite[kind], class_name, target) in seen:
            raise WorldError(f"{name}: asks for {what} and for its opposite, {opposite[kind].value}")
        seen.add((kind, class_name, target))
