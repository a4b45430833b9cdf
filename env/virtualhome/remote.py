"""`RemoteSimulator`: a simulator in another process, used like the embedded engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from ..household.engine import Primitive, Result
from ..household.graph import SceneGraph
from .session import SimulatorSession

_Value = TypeVar("_Value")


class RemoteSimulator:
    """A `household.simulator.Simulator` on top of a session, for callers that do not know of event loops.

    The session runs in a thread of its own, so this works whether or not the caller has a loop. `graph` stays the
    same object with the same ids, whatever the simulator calls things and however often it is restarted.

    Args:
        session: where the steps happen; it belongs to this object from here on.
    """

    def __init__(self, session: SimulatorSession) -> None:
        self.steps = 0
        self.touched: set[int] = set()
        self._graph = SceneGraph()
        self._session = session
        self._seed = -1
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="simulator")
        self._thread.start()

    @property
    def graph(self) -> SceneGraph:
        return self._graph

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

    def begin(self, graph: SceneGraph, seed: int) -> None:
        """Set a scene up; `graph` is kept and becomes `self.graph`.

        Raises:
            SimulatorError: it cannot be set up.
        """
        self._graph, self._seed, self.steps = graph, seed, 0
        self.touched = self._wait(self._session.begin(graph, seed))

    def push(self) -> None:
        """Make the simulator's scene what `graph` says, after the caller has changed it.

        Raises:
            SimulatorError: it cannot be set up.
        """
        self.touched |= self._wait(self._session.begin(self._graph, self._seed))

    def step(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
        """Carry out one primitive per character at the same time; see `Simulator.step`."""
        results: dict[int, Result] = {}
        if actions:
            results, changed = self._wait(self._session.step(actions, self.steps))
            self.touched |= changed
        self.steps += 1
        return results

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
