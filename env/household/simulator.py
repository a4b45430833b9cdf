"""What a household needs of whatever moves its people: the embedded engine, or a simulator in another process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .engine import Primitive, Result
from .graph import SceneGraph


class Simulator(Protocol):
    """Carries out joint steps in a scene. `Engine` is one, `env.virtualhome.remote.RemoteSimulator` another.

    Attributes:
        graph: the scene as it is now; the same object throughout, changed by every step.
        steps: how many joint steps there have been. Ties are decided by the seed and this number.
        touched: ids of everything that may have changed since the start: what a snapshot has to hold.
    """

    steps: int
    touched: set[int]

    @property
    def graph(self) -> SceneGraph: ...

    def step(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
        """Carry out one primitive per character at the same time; characters left out do nothing.

        Raises:
            WorldError: the simulator is gone and cannot be brought back. The step did not happen.
        """
        ...
