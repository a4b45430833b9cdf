"""The map: the household after a step, drawn with everybody where the journal has them. The one file that draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ...env.world import WorldError
from ..house.scenes import Scenes
from ..journal.index import JournalIndex

if TYPE_CHECKING:
    from ...env.household.picture import Figure, Picture
    from ...env.household.scene.graph import SceneGraph

WIDTH = 960
SLICE_S = 0.15
"""How long playing the world to a step may take before the map is drawn as far as it has got."""
TRAIL_STEPS = 12
SPEECH_CHARS = 300
TRAILS = 50
"""With more agents than this nobody has a trail: there would be nothing else to see."""


class Map(NamedTuple):
    """An SVG, how many steps the things in it are behind the people, and why that will not change."""

    svg: str
    behind: int
    note: str


class MapMaker:
    """Draws the map of a run at any step."""

    def __init__(self, index: JournalIndex) -> None:
        """Set up the household of a run.

        Raises:
            WorldError: the run's world is no household, or none that this version can set up.
        """
        config = index.head["config"]
        seen = next(iter(index.head["observations"].values()))["info"]
        if config.get("world") or "position" not in seen or "task" not in config:
            raise WorldError("this world has no map")
        self._index = index
        self._scenes = Scenes(index)
        self._numbers = {agent: number for number, agent in enumerate(index.head["agents"], 1)}
        self._drawn: SceneGraph | None = None
        self._pictures: dict[str, Picture] = {}
        self._places: dict[int, dict[str, tuple[float, float]]] = {}

    def draw(self, step: int, theme: str, agent: str | None) -> Map:
        """The household after a step, dimmed where `agent` does not see it.

        Raises:
            IndexError, JournalError: there is no such step, or it is damaged.
        """
        from ...env.household.picture import figures_of

        record = self._index.step(step)
        target = step + 1 if record["result"] else step
        self._scenes.advance(target, SLICE_S)
        places = self._at(step)
        held = {figure.number: figure.holding for figure in figures_of(self._scenes.world.scene())}
        said = {m["sender"]: m["text"] for m in (record["result"] or {"messages": ()})["messages"]}
        people = [
            self._figure(name, step, places[name], held.get(number, ()), said.get(name, ""))
            for name, number in self._numbers.items()
            if name in places
        ]
        lit = self._lit(places[agent]) if agent in places else None
        svg = self._picture(theme).frame(people, lit)
        note = self._scenes.fault if target > self._scenes.right_steps else ""
        return Map(svg, target - self._scenes.step, note)

    def _picture(self, theme: str) -> Picture:
        from ...env.household.picture import THEMES, Picture

        graph = self._scenes.world.scene()
        if graph is not self._drawn:  # a household that went back in time is another one
            self._drawn, self._pictures = graph, {}
        if theme not in self._pictures:
            self._pictures[theme] = Picture(graph, THEMES[theme], WIDTH)
        return self._pictures[theme]

    def _figure(self, agent: str, step: int, place: tuple[float, float], holding: tuple[str, ...], said: str) -> Figure:
        from ...env.household.picture import Figure

        (x, z), before = place, self._at(step - 1).get(agent, place)
        trail: tuple[tuple[float, float], ...] = ()
        if len(self._numbers) <= TRAILS:
            path = [self._at(earlier).get(agent) for earlier in range(max(-1, step - TRAIL_STEPS), step)]
            trail = tuple(point for point in path if point is not None)
        heading = math.atan2(x - before[0], z - before[1]) if before != place else None
        return Figure(self._numbers[agent], x, z, heading, holding, said[:SPEECH_CHARS], trail)

    def _at(self, step: int) -> dict[str, tuple[float, float]]:
        """Where everybody is after a step, as the journal has it; -1 is the beginning."""
        if step not in self._places:
            if len(self._places) > 4 * TRAIL_STEPS:
                self._places.clear()
            record = self._index.head if step < 0 else (self._index.step(step)["result"] or {"observations": {}})
            self._places[step] = {
                agent: (float(seen["info"]["position"][0]), float(seen["info"]["position"][1]))
                for agent, seen in record["observations"].items()
            }
        return self._places[step] or (self._at(step - 1) if step >= 0 else {})

    def _lit(self, place: tuple[float, float]) -> set[int]:
        graph = self._scenes.world.scene()
        return {n for n in graph.rooms if (box := graph.nodes[n].box) is not None and box.distance(*place) == 0.0}
