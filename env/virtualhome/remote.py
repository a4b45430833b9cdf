"""Simulators in another process, used like the embedded engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from ..household.engine.engine import Primitive, Result
from ..household.scene.graph import SceneGraph
from .session import SimulatorSession

_Value = TypeVar("_Value")


class RemoteSimulators:
    """Makes the simulator of each episode (a `household.simulator.SimulatorFactory`), all on one session.

    The session runs in a thread of its own, so this works whether or not the caller has an event loop.

    Args:
        session: where the steps happen; it belongs to this object from here on.
    """

    def __init__(self, session: SimulatorSession) -> None:
        self._session = session
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="simulator")
        self._thread.start()

    def __call__(self, graph: SceneGraph, seed: int) -> RemoteSimulator:
        """Set a scene up in the simulator. `graph` is kept, and changed by every step.

        Raises:
            SimulatorError: it cannot be set up.
        """
        return RemoteSimulator(self, graph, seed)

    @property
    def restarts(self) -> int:
        """How often the simulator had to be replaced."""
        return self._session.restarts

    def base(self) -> SceneGraph:
        """The simulator's own apartment without people: what to lay a scene out in.

        Raises:
            SimulatorError: the simulator cannot be had.
            WorldError: its graph makes no sense.
        """
        return SceneGraph.from_dict(self._wait(self._session.base()).model_dump())

    def begin(self, graph: SceneGraph, seed: int) -> set[int]:
        """`SimulatorSession.begin`, waited for."""
        return self._wait(self._session.begin(graph, seed))

    def step(
        self, graph: SceneGraph, seed: int, actions: Mapping[int, Primitive], number: int
    ) -> tuple[dict[int, Result], set[int]]:
        """`SimulatorSession.step` in a scene, which is set up again if another one was meanwhile."""
        if self._session.graph is not graph:
            self.begin(graph, seed)
        return self._wait(self._session.step(actions, number))

    def photograph(self, person: int, width: int, height: int) -> bytes:
        """`SimulatorSession.photograph`, waited for."""
        return self._wait(self._session.photograph(person, width, height))

    def close(self) -> None:
        """End the session and its simulator. May be called more than once."""
        if self._thread.is_alive():
            self._wait(self._session.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _Value]) -> _Value:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # the caller was interrupted
            raise


class RemoteSimulator:
    """The simulator of one episode (a `household.simulator.Simulator`); made by `RemoteSimulators`.

    `graph` stays the same object with the same ids, whatever the simulator calls things and however often it is
    restarted.
    """

    def __init__(self, simulators: RemoteSimulators, graph: SceneGraph, seed: int) -> None:
        self.steps = 0
        self.touched = simulators.begin(graph, seed)
        self._simulators = simulators
        self._graph = graph
        self._seed = seed

    @property
    def graph(self) -> SceneGraph:
        return self._graph

    def step(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
        """Carry out one primitive per character at the same time; characters left out do nothing.

        Raises:
            SimulatorError: the simulator is lost, or refused the script. The step did not happen.
        """
        results: dict[int, Result] = {}
        if actions:
            results, changed = self._simulators.step(self._graph, self._seed, actions, self.steps)
            self.touched |= changed
        self.steps += 1
        return results
