"""What one episode asks for: a goal is a list of wants, each with its own target and relation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..scene.graph import SceneGraph


class WantKind(StrEnum):
    """The predicates of cwah goals: `on`, `inside`, `offOn`, `offInside`, `holds`, `turnOn`, `sit`."""

    ON = "on"
    INSIDE = "inside"
    OFF = "off"
    OUT = "out"
    HOLD = "hold"
    SWITCH_ON = "switch_on"
    SIT = "sit"


PLACING = (WantKind.ON, WantKind.INSIDE)
"""Wants that are met by bringing things to the target."""

CLEARING = (WantKind.OFF, WantKind.OUT)
"""Wants that are met by taking things away from the target."""


@dataclass(frozen=True, slots=True)
class Want:
    """One condition of a goal.

    Attributes:
        kind: what must be the case.
        class_name: of the things to bring, take away or hold; the target's own class for SWITCH_ON and SIT.
        count: how many things (people, for SIT); 1 for SWITCH_ON.
        target: the id of the support, container, switch or seat; 0 for HOLD, which has none.
        start: for OFF and OUT how many of the things were at the target when the episode began.
    """

    kind: WantKind
    class_name: str
    count: int
    target: int = 0
    start: int = 0

    @property
    def relation(self) -> str:
        """The relation between thing and target that a placing or clearing want is about."""
        return "INSIDE" if self.kind in (WantKind.INSIDE, WantKind.OUT) else "ON"

    def met_by(self, graph: SceneGraph, people: Sequence[int] | None = None) -> tuple[int, ...]:
        """What meets the want right now, at most `count` ids, lowest first.

        `people`: whose hands count for HOLD; None: everybody's.

        Things for ON, INSIDE and HOLD; people for SIT; the switch for SWITCH_ON. OFF and OUT are met by
        absence, so there are no ids to give: use `done`.
        """
        found: Sequence[int] = ()
        if self.kind in PLACING:
            found = [n for n in graph.sources(self.target, self.relation) if self.is_meant(graph, n)]
        elif self.kind is WantKind.HOLD:
            held = [thing for person in people or graph.characters for thing in graph.held_by(person)]
            found = sorted(thing for thing in held if self.is_meant(graph, thing))
        elif self.kind is WantKind.SIT:
            found = graph.sources(self.target, "SITTING")
        elif self.kind is WantKind.SWITCH_ON:
            found = [self.target] if "ON" in graph.nodes[self.target].states else []
        return tuple(found[: self.count])

    def done(self, graph: SceneGraph, people: Sequence[int] | None = None) -> int:
        """How much of the want is met, 0 to `count`; `people` as in `met_by`."""
        if self.kind in CLEARING:
            left = sum(self.is_meant(graph, n) for n in graph.sources(self.target, self.relation))
            return max(0, min(self.count, self.start - left))
        return len(self.met_by(graph, people))

    def is_meant(self, graph: SceneGraph, number: int) -> bool:
        """Whether a thing is of the class the want names."""
        return graph.nodes[number].kind == self.class_name


@dataclass(frozen=True, slots=True)
class Goal:
    """All that one team is asked for. The order of the wants is the order in which texts name them."""

    task: str
    wants: tuple[Want, ...]

    @property
    def total(self) -> int:
        """How many things, people and switches are asked for."""
        return sum(want.count for want in self.wants)

    def done(self, graph: SceneGraph, people: Sequence[int] | None = None) -> tuple[int, ...]:
        """How much of each want is met; `people`: the team, whose hands count (None: everybody)."""
        return tuple(want.done(graph, people) for want in self.wants)
