"""One film's pictures: which part of the household each shows, how they lie on the sheet, and how long they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...env.household.picture import THEMES, Picture
from ...env.household.scene.graph import SceneGraph
from ...env.world import EVERYONE
from ..errors import ConfigError
from ..observer import Record
from .captions import AGENT_LINES, bird_lines, caption_of, end_words
from .sheet import Sheet
from .walking import Walkers

BIRD, ALL, SIDE_BY_SIDE = "bird", "all", "side-by-side"
MAX_EYES = 9
"""More pictures than this side by side cannot be read, and more films at once need much memory."""
_WALK_SHARE = 0.7
"""The part of a step's time in which people walk; then they stand, so that each step is seen."""


class Look(NamedTuple):
    """How a film looks.

    Attributes:
        width, height: in pixels.
        ticks: frames for a step.
        theme: "light" or "dark".
    """

    width: int
    height: int
    ticks: int
    theme: str


class Shot(NamedTuple):
    """One picture (SVG), and for how many frames it stands."""

    svg: str
    ticks: int


def views_of(view: str, agents: Sequence[str]) -> dict[str, list[str | None]]:
    """The films that a view asks for: their names, and the eyes each shows (None: the bird's).

    Raises:
        ConfigError: there is no such view.
    """
    if view == BIRD:
        return {BIRD: [None]}
    if view in agents:
        return {view: [view]}
    if view not in (ALL, SIDE_BY_SIDE):
        few = ", ".join(agents[:3]) + (", …" if len(agents) > 3 else "")
        raise ConfigError(f"--view: there is no {view!r}; name {BIRD}, {ALL}, {SIDE_BY_SIDE}, or an agent ({few})")
    if len(agents) + 1 > MAX_EYES:
        raise ConfigError(
            f"--view {view}: {len(agents)} agents are too many (at most {MAX_EYES - 1}); name one of them"
        )
    eyes = [None, *agents]
    return {SIDE_BY_SIDE: eyes} if view == SIDE_BY_SIDE else {eye or BIRD: [eye] for eye in eyes}


class Camera:
    """Films one sheet of pictures of a scene.

    Args:
        scene: as it will change.
        eyes: whose views are on the sheet; None is the bird's.
        agents: all of them, by name; the first is number 1.
        task: its name, for the captions.
        look: of the film.

    Raises:
        WorldError: the scene cannot be drawn.
    """

    def __init__(
        self, scene: SceneGraph, eyes: Sequence[str | None], agents: Sequence[str], task: str, look: Look
    ) -> None:
        self._eyes, self._agents, self._task, self._look = eyes, agents, task, look
        self._numbers = {agent: number for number, agent in enumerate(agents, 1)}
        theme = THEMES[look.theme]
        plan = Picture(scene, width=look.width)
        self._sheet = sheet = Sheet(look.width, look.height, len(eyes), plan.width / plan.height, theme)
        self._pictures = [
            Picture(scene, theme, sheet.wide, sheet.high, AGENT_LINES if eye else bird_lines(agents)) for eye in eyes
        ]

    def shoot(self, walkers: Walkers, record: Record | None) -> Iterator[Shot]:
        """The pictures of one step (None: of the scene before the first), for `look.ticks` frames in all."""
        walking = max(1, round(_WALK_SHARE * self._look.ticks)) if walkers.moving and record else 1
        for tick in range(1, walking):
            yield Shot(self._picture(walkers, tick / walking, record), 1)
        yield Shot(self._picture(walkers, 1.0, record), self._look.ticks - walking + 1)

    def close(self, walkers: Walkers, record: Record | None, end: Record) -> Shot:
        """The last picture: how it ended."""
        return Shot(self._picture(walkers, 1.0, record, end_words(end)), self._look.ticks)

    def _picture(self, walkers: Walkers, share: float, record: Record | None, ending: str = "") -> str:
        return self._sheet.laid_out(
            [
                self._frame(eye, picture, walkers, share, record, ending)
                for eye, picture in zip(self._eyes, self._pictures, strict=True)
            ]
        )

    def _frame(
        self, eye: str | None, picture: Picture, walkers: Walkers, share: float, record: Record | None, ending: str
    ) -> str:
        people = walkers.at(share, self._speech(eye, record))
        lit = None if eye is None else walkers.seen_by(self._numbers[eye], share)
        return picture.frame(people, lit, caption_of(eye, self._task, self._agents, record, ending))

    def _speech(self, eye: str | None, record: Record | None) -> Mapping[int, str]:
        """What is said in a step, by the speaker's number; an agent's view has only what it says and hears."""
        said: dict[int, str] = {}
        for message in record["result"]["messages"] if record else ():
            sender, receiver = message["sender"], message["receiver"]
            if eye is None or eye in (sender, receiver) or receiver == EVERYONE:
                said[self._numbers[sender]] = message["text"]
        return said
