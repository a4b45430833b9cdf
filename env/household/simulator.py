"""What the household asks of the simulator behind it: our engine, or whatever else moves people about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from .engine.engine import Primitive, Result
from .scene.graph import SceneGraph


class Simulator(Protocol):
    """Carries out joint steps on a scene.

    Attributes:
        steps: joint steps so far; set when a snapshot is restored.
    """

    steps: int

    @property
    def touched(self) -> set[int]:
        """Ids of all that may have changed since the start, which is what a snapshot has to hold; restoring adds."""
        ...

    @property
    def graph(self) -> SceneGraph:
        """The scene as it is now."""
        ...

    def step(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
        """Carry out one primitive per character at the same time; who is left out does nothing."""
        ...


SimulatorFactory = Callable[[SceneGraph, int], Simulator]
"""Makes the simulator of one episode from its furnished scene, people included, and its seed.

A restored episode begins from the scene as it was at the snapshot.
"""
