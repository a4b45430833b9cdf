"""`SimulatorSession`: a scene in a simulator that may die at any time, and steps that happen once.

The committed scene is kept here. A step is committed when its report and the scene after it have both been
read. If the simulator fails before that, nobody can say whether the step happened there, and nobody has to: it
is ended, another one gets the committed scene from before the step, and the step is carried out in that one.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Mapping
from typing import Protocol

from ..household.engine.engine import Primitive, Result
from ..household.scene.graph import SceneGraph
from .client import Deadlines, SimulatorClient, SimulatorError
from .correspondence import Correspondence
from .ports import Lease, lease_url
from .wire import MAX_CHARACTERS, Point, WireGraph

MAX_FAILURES = 3
"""A simulator that fails this often in one step, or while it is being brought up, is given up."""

EYES = "FIRST_PERSON"
"""The camera of a character that sees what it sees."""

PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_SEED = 2**31 - 1
_NEAR_M = 0.1
_PAUSE_S = 0.2


class Launcher(Protocol):
    """Where simulators come from: `SimulatorProcess`, or `RunningSimulator` for one that somebody else started."""

    async def start(self) -> str:
        """A simulator that answers, instead of the one before; its URL."""
        ...

    async def stop(self) -> None: ...

    def overgrown(self) -> bool:
        """Whether it should be replaced although it works."""
        ...

    def tail(self) -> str:
        """Where to read more about a failure."""
        ...


class RunningSimulator:
    """A simulator that somebody else started and will end. It has one user at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lease: Lease | None = None

    async def start(self) -> str:
        if self._lease is None:
            self._lease = lease_url(self._url)
        return self._url

    async def stop(self) -> None:
        """Leaves it running."""
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    def overgrown(self) -> bool:
        return False

    def tail(self) -> str:
        return f"the simulator at {self._url} was not started by us, so its log is elsewhere"


class SimulatorSession:
    """One scene in whatever simulator the launcher brings. In one event loop, one call at a time.

    Args:
        launcher: starts and ends simulators.
        apartment: the simulator's apartment that the scene is made from.
        deadlines: per kind of call.

    Attributes:
        graph: the committed scene.
        restarts: how often a simulator had to be replaced.
    """

    def __init__(self, launcher: Launcher, apartment: int = 0, deadlines: Deadlines | None = None) -> None:
        self.restarts = 0
        self._launcher = launcher
        self._apartment = apartment
        self._deadlines = deadlines or Deadlines()
        self._client: SimulatorClient | None = None
        self.graph = SceneGraph()
        self._seed = -1
        self._correspondence: Correspondence | None = None

    async def base(self) -> WireGraph:
        """The apartment as the simulator has it, without people.

        Raises:
            SimulatorError: there is none.
        """
        for failures in range(1, MAX_FAILURES + 1):
            try:
                client = await self._connect()
                await client.reset(self._apartment)
                return await client.environment_graph()
            except SimulatorError as error:
                await self._retire(error, failures)
        raise AssertionError("the last failure is raised")

    async def begin(self, graph: SceneGraph, seed: int) -> set[int]:
        """Make a scene the committed one and set it up; the simulator's view of it is written into `graph`.

        Args:
            graph: kept, and changed by every step. Its people are numbered from 1.
            seed: decides ties, if the simulator is ours and the seed is not above 2^31 - 1.

        Returns:
            the ids of what the simulator changed.

        Raises:
            SimulatorError: it cannot be set up.
        """
        if graph.characters != list(range(1, len(graph.characters) + 1)) or len(graph.characters) > MAX_CHARACTERS:
            raise SimulatorError("refused", f"a simulator has people 1 to {MAX_CHARACTERS}, not {graph.characters}")
        self.graph = graph
        self._seed = seed if 0 <= seed <= _LARGEST_SEED else -1
        self._correspondence = None
        for failures in range(1, MAX_FAILURES + 1):
            try:
                correspondence, scene = await self._set_up(await self._connect())
                changed = correspondence.changes(graph, scene).apply(graph)
                self._correspondence = correspondence
                return changed
            except SimulatorError as error:
                await self._retire(error, failures)
        raise AssertionError("the last failure is raised")

    async def step(self, actions: Mapping[int, Primitive], number: int) -> tuple[dict[int, Result], set[int]]:
        """Carry out one joint step and commit what came of it.

        Args:
            actions: by character id, at least one.
            number: of the step; the same step has the same ties, however often it is tried.

        Returns:
            the result of every acting character, and the ids of what changed.

        Raises:
            SimulatorError: the simulator is lost, or refused the script. The step did not happen.
        """
        for failures in range(1, MAX_FAILURES + 1):
            try:
                client, correspondence = await self._ready()
                report = await client.render_script([correspondence.line(actions)], number)
                scene = await client.environment_graph()
                changes = correspondence.changes(self.graph, scene)
            except SimulatorError as error:
                await self._retire(error, failures)
                continue
            except asyncio.CancelledError:
                self._correspondence = None  # nobody knows how far it got: the next step restores the scene first
                raise
            changed = changes.apply(self.graph)
            results: dict[int, Result] = {}
            for who in sorted(actions):
                lines = report.failures.get(who - 1)
                results[who] = Result(lines is None, correspondence.report(self.graph, lines or ()))
            return results, changed
        raise AssertionError("the last failure is raised")

    async def photograph(self, person: int, width: int, height: int) -> bytes:
        """A picture (PNG) of the committed scene.

        Args:
            person: with whose eyes; 0: from above, the whole apartment.
            width, height: in pixels; a simulator may make it as it likes.

        Raises:
            SimulatorError: the simulator is lost, or makes no pictures.
        """
        for failures in range(1, MAX_FAILURES + 1):
            try:
                client, _ = await self._ready()
                index = await self._camera(client, person)
                return _png(await client.camera_image(index, width, height), client.url)
            except SimulatorError as error:
                await self._retire(error, failures)
        raise AssertionError("the last failure is raised")

    async def _camera(self, client: SimulatorClient, person: int) -> int:
        """The index of a camera: the fixed ones come first, the apartment's last of them, then those of each person."""
        names = await client.character_cameras()
        if EYES not in names:
            raise SimulatorError("refused", f"the simulator at {client.url} has no camera {EYES}")
        first = await client.camera_count() - len(names) * len(self.graph.characters)
        return first + (person - 1) * len(names) + names.index(EYES) if person else first - 1

    async def close(self) -> None:
        """End what was started. May be called more than once."""
        client, self._client = self._client, None
        self._correspondence = None
        if client is not None:
            await client.close()
        await self._launcher.stop()

    # -- simulators come and go ---------------------------------------------------------------

    async def _connect(self) -> SimulatorClient:
        if self._client is None:
            url = await self._launcher.start()
            self._client = await SimulatorClient(url, self._deadlines).__aenter__()
        return self._client

    async def _ready(self) -> tuple[SimulatorClient, Correspondence]:
        """A simulator with the committed scene in it."""
        if self._client is not None and self._launcher.overgrown():
            self.restarts += 1
            await self.close()
        client = await self._connect()
        if self._correspondence is None:
            correspondence, scene = await self._set_up(client)
            differences = correspondence.changes(self.graph, scene).essential(self.graph)
            if differences:
                raise SimulatorError("broken", f"the scene could not be brought back: {'; '.join(differences[:5])}")
            self._correspondence = correspondence
        return client, self._correspondence

    async def _set_up(self, client: SimulatorClient) -> tuple[Correspondence, WireGraph]:
        """Make the simulator's scene the committed one: apartment, things, people, what they hold."""
        graph = self.graph
        await client.reset(self._apartment)
        correspondence = Correspondence(graph, await client.environment_graph())
        expansion = await client.expand_scene(correspondence.post(graph), self._seed)
        if not expansion.ok:
            why = expansion.text or "; ".join(f"{key}: {items[:5]}" for key, items in expansion.complaints.items())
            raise SimulatorError("refused", f"the simulator at {client.url} cannot set up the scene: {why}")
        scene = await client.environment_graph()
        if await self._place_people(client, scene):
            scene = await client.environment_graph()
        correspondence.align(graph, scene)
        return correspondence, scene

    async def _place_people(self, client: SimulatorClient, scene: WireGraph) -> bool:
        """Add people whom the expansion did not bring, and set down those who stand elsewhere; True if any."""
        boxes = {node.id: node.bounding_box for node in scene.nodes}
        placed = False
        for number in self.graph.characters:
            node = self.graph.nodes[number]
            if node.box is None:
                continue
            (x, _, z), there = node.box.center, boxes.get(number)
            at = Point(x=x, y=node.box.bottom, z=z)
            if number not in boxes:
                placed = True
                if not await client.add_character(f"Chars/{node.prefab_name or 'Male1'}", at):
                    raise SimulatorError("refused", f"the simulator cannot add character {number} at {x:g}, {z:g}")
            elif there is None or abs(there.center[0] - x) > _NEAR_M or abs(there.center[2] - z) > _NEAR_M:
                placed = True
                if not await client.move_character(number - 1, at):
                    raise SimulatorError("refused", f"the simulator cannot put character {number} at {x:g}, {z:g}")
        return placed

    async def _retire(self, error: SimulatorError, failures: int) -> None:
        """End a simulator that failed; raises when there is no use in another.

        One that works and says no would say no again.
        """
        if error.kind == "refused":
            raise error
        await self.close()
        if failures >= MAX_FAILURES:
            more = "" if "log: " in str(error) else f"\n{self._launcher.tail()}"
            raise SimulatorError("lost", f"the simulator failed {failures} times, last: {error}{more}") from error
        self.restarts += 1
        await asyncio.sleep(_PAUSE_S * failures)


def _png(text: str | None, url: str) -> bytes:
    try:
        picture = b64decode(text or "", validate=True)
    except ValueError:
        picture = b""
    if not picture.startswith(PNG):
        raise SimulatorError("refused", f"the simulator at {url} makes no pictures (it needs a graphics device)")
    return picture
