"""One film's pictures as a simulator takes them with its own cameras."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...env.household.picture import THEMES, foot_of, mounted
from ...env.virtualhome.household import SimulatedHousehold
from ..observer import Record
from .camera import Look, Shot
from .captions import AGENT_LINES, bird_lines, caption_of, end_words
from .sheet import Sheet
from .walking import Walkers

_ASPECT = 4 / 3
MOST_PX = 2048
"""What simulators take pictures of at most, each way."""


class SimulatorCamera:
    """Films one sheet of pictures of a simulator: a picture a step, which stands until the next.

    Args:
        world: as it will change.
        eyes: whose views are on the sheet; None is the bird's.
        agents: all of them, by name.
        task: its name, for the captions.
        look: of the film.
    """

    def __init__(
        self, world: SimulatedHousehold, eyes: Sequence[str | None], agents: Sequence[str], task: str, look: Look
    ) -> None:
        self._world, self._eyes, self._agents, self._task, self._look = world, eyes, agents, task, look
        self._theme = THEMES[look.theme]
        self._sheet = Sheet(look.width, look.height, len(eyes), _ASPECT, self._theme)
        self._taken: dict[str | None, bytes] = {}

    def shoot(self, _walkers: Walkers, record: Record | None) -> Iterator[Shot]:
        """The picture after a step (None: before the first), for `look.ticks` frames.

        Raises:
            WorldError: the simulator is lost, or makes no pictures.
        """
        for eye in self._eyes:
            wide, high = self._sheet.wide, self._sheet.high - foot_of(self._sheet.wide, self._lines(eye))
            self._taken[eye] = self._world.photograph(eye, min(wide, MOST_PX), min(high, MOST_PX))
        yield Shot(self._picture(record), self._look.ticks)

    def close(self, _walkers: Walkers, record: Record | None, end: Record) -> Shot:
        """The last picture again: how it ended."""
        return Shot(self._picture(record, end_words(end)), self._look.ticks)

    def _picture(self, record: Record | None, ending: str = "") -> str:
        return self._sheet.laid_out([self._frame(eye, record, ending) for eye in self._eyes])

    def _frame(self, eye: str | None, record: Record | None, ending: str) -> str:
        caption = caption_of(eye, self._task, self._agents, record, ending)
        caption += [""] * (self._lines(eye) - len(caption))  # the picture stays as large as it is
        return mounted(self._taken[eye], self._sheet.wide, self._sheet.high, caption, self._theme)

    def _lines(self, eye: str | None) -> int:
        return AGENT_LINES if eye else bird_lines(self._agents)
