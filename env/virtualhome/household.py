"""`SimulatedHousehold`: the household over a VirtualHome simulator, which the world owns."""

from __future__ import annotations

from pathlib import Path
from random import Random

from ..household.homes import Flat, Home
from ..household.household import HouseholdWorld
from ..household.scene.graph import SceneGraph
from ..household.tasks.families import Task
from ..world import WorldError
from .process import SimulatorProcess
from .remote import RemoteSimulators
from .scene import APARTMENTS, build_apartment
from .session import Launcher, RunningSimulator, SimulatorSession


class SimulatedHousehold(HouseholdWorld):
    """The household, moved by a simulator in another process.

    A simulator of ours takes any home. One that has apartments of its own, as the Unity executable has, is asked for
    them: then the home is the simulator's apartment with that number, and the task's things are added to it.
    The simulator is started by the first `reset` or `restore`, and ended by `close`.

    Args:
        task, agents, apartment: as for `HouseholdWorld`.
        simulator: the path of an executable, or the URL of a simulator that runs.
        log_path: where the output of the executable goes.

    Raises:
        WorldError: as for `HouseholdWorld`.
    """

    def __init__(
        self, task: str | Task, agents: int = 2, apartment: str | None = None, *, simulator: str, log_path: str
    ) -> None:
        super().__init__(task, agents, apartment, simulator=lambda graph, seed: self._simulators(graph, seed))
        name = self._setting.home
        self._number = int(name) if name.isdecimal() and int(name) < APARTMENTS else None
        self._base: SceneGraph | None = None
        self._simulators = RemoteSimulators(SimulatorSession(_launcher(simulator, log_path), self._number or 0))

    def build_home(self, first_id: int, rng: Random) -> Home:
        """The home that is named, or the simulator's own apartment of that number if it has its own.

        Raises:
            SimulatorError: the simulator cannot be had.
            WorldError: there is no such home, or the simulator's apartment makes no sense.
        """
        if self._base is None:
            self._base = self._simulators.base()
        if _is_ours(self._base, self._number or 0):
            return super().build_home(first_id, rng)
        name = self._setting.home
        if self._number is None:
            raise WorldError(f"the simulator has apartments of its own, with numbers; it cannot show {name}")
        graph = self._base.copy()
        return Home(name, graph, (Flat(name, tuple(graph.rooms)),))

    def photograph(self, agent: str | None, width: int, height: int) -> bytes:
        """What a camera of the simulator sees now (PNG): an agent's eyes, or from above (None).

        Raises:
            WorldError: the episode has not begun, or the simulator is lost or makes no pictures.
        """
        self.scene()  # there is one
        return self._simulators.photograph(self._numbers[agent] if agent else 0, width, height)

    def close(self) -> None:
        self._simulators.close()


def _launcher(simulator: str, log_path: str) -> Launcher:
    if "://" in simulator:
        return RunningSimulator(simulator)
    return SimulatorProcess(Path(simulator), Path(log_path))


def _is_ours(base: SceneGraph, number: int) -> bool:
    """Whether a simulator shows the apartment that ours shows under this number."""
    ours = build_apartment(number)
    return {n: (node.kind, node.box) for n, node in base.nodes.items()} == {
        n: (node.kind, node.box) for n, node in ours.nodes.items()
    }
