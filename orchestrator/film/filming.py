"""`film`: from a run's folder to films."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ...env.household import HouseholdWorld
from ...env.household.picture import THEMES
from ...env.virtualhome.household import SimulatedHousehold
from ...env.world import WorldError
from ..errors import ConfigError
from .camera import BIRD, Camera, Look, views_of
from .developing import Drawing, developed
from .footage import Footage
from .reels import Reel, reel_for
from .simulator_camera import SimulatorCamera
from .walking import Walkers

_NEEDED = ("resvg_py", "font_source_sans_pro", "PIL", "imageio_ffmpeg")
SIZES = (160, 4096)
"""The least and the most pixels a film is wide or high."""
MOST_FPS = 60


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be filmed, and how.

    Attributes:
        view: bird, an agent's name, all (a film each), or side-by-side.
        fps: frames per second.
        speed: steps per second.
        width, height: in pixels.
        theme: "light" or "dark".
        first, last: the steps, numbered as in the journal; None for `last`: to the end.
        simulator: the executable or URL of a simulator that is filmed with its cameras; "": floor plans are drawn.
    """

    view: str = BIRD
    fps: int = 15
    speed: float = 1.0
    width: int = 1280
    height: int = 720
    theme: str = "light"
    first: int = 0
    last: int | None = None
    simulator: str = ""

    def check(self) -> None:
        """Raises ConfigError if no film can be like this."""
        if not (SIZES[0] <= self.width <= SIZES[1] and SIZES[0] <= self.height <= SIZES[1]):
            raise ConfigError(f"--size: {self.width}x{self.height}: from {SIZES[0]} to {SIZES[1]} pixels each way")
        if not 1 <= self.fps <= MOST_FPS:
            raise ConfigError(f"--fps: from 1 to {MOST_FPS}, not {self.fps}")
        if not 0.01 <= self.speed <= self.fps:
            raise ConfigError(f"--speed: from 0.01 steps a second to one a frame ({self.fps}), not {self.speed:g}")
        if self.theme not in THEMES:
            raise ConfigError(f"--theme: {' or '.join(THEMES)}, not {self.theme!r}")

    @property
    def look(self) -> Look:
        """How its pictures look."""
        return Look(self.width, self.height, max(1, round(self.fps / self.speed)), self.theme)


@dataclass(frozen=True, slots=True)
class Film:
    """A film that was made."""

    path: Path
    frames: int
    seconds: float


def film(
    footage: Footage, out: Path, wish: Wish, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Film]:
    """Film a run; an interrupt or an error leaves no film behind.

    A film shows the scene before the first step, every step, and, if it comes to the end of the run, how it ended,
    each for 1/speed seconds.

    Args:
        footage: of the run.
        out: a file (.mp4, .gif) or a folder for PNG files; several films get the names of their views added.
        wish: what is to be filmed.
        progress: is told how many frames of how many are done.

    Raises:
        ConfigError: the wish cannot be met, a package is missing, or the run cannot be filmed.
        StartError, OSError: a process is gone, or the disk is full.
    """
    wish.check()
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f"a film needs more packages: pip install 'housemates[report]' (no {', '.join(missing)})")
    last = footage.steps - 1 if wish.last is None else wish.last
    if not 0 <= wish.first <= last < footage.steps:
        to = f" --to {wish.last}" if wish.last is not None else ""
        raise ConfigError(
            f"--from {wish.first}{to}: there are no such steps; the run has {footage.steps}, numbered from 0"
        )
    views = views_of(wish.view, footage.agents)
    paths = [out] if len(views) == 1 else [out.with_name(f"{out.stem}-{name}{out.suffix}") for name in views]
    reels = [reel_for(path, (wish.width, wish.height), wish.fps) for path in paths]
    beats = last - wish.first + 2 + (footage.end_at(last) is not None)  # the scene before, the steps, the end
    ticks = wish.look.ticks * beats
    _expose(_drawings(footage, views, wish, last), reels, lambda done: progress(done, ticks * len(reels)))
    return [Film(path, ticks, ticks / wish.fps) for path in paths]


def _expose(drawings: Generator[Drawing], reels: Sequence[Reel], progress: Callable[[int], None]) -> None:
    done = 0
    with closing(developed(drawings, as_pixels=reels[0].wants_pixels)) as pictures, ExitStack() as stack:
        for reel in reels:
            stack.enter_context(reel)
        for number, picture, ticks in pictures:
            reels[number].add(picture, ticks)
            done += ticks
            progress(done)


def _drawings(footage: Footage, views: Mapping[str, Sequence[str | None]], wish: Wish, last: int) -> Generator[Drawing]:
    """The pictures of all films, moment by moment: the world is gone through once."""
    walkers, cameras = Walkers(), list[Camera | SimulatorCamera]()
    record = None
    for number, moment in enumerate(footage.moments(last, wish.simulator)):  # moment 1 is after step 0
        walkers.follow(moment.world.scene())
        try:
            if not cameras:
                cameras = [_camera(footage, moment.world, eyes, wish.look) for eyes in views.values()]
            if number < wish.first:
                continue
            record = moment.record if number > wish.first else None
            for index, camera in enumerate(cameras):
                for shot in camera.shoot(walkers, record):
                    yield Drawing(index, *shot)
        except WorldError as error:
            raise ConfigError(str(error)) from None
    end = footage.end_at(last)
    if end is not None:
        for index, camera in enumerate(cameras):
            yield Drawing(index, *camera.close(walkers, record, end))


def _camera(
    footage: Footage, world: HouseholdWorld, eyes: Sequence[str | None], look: Look
) -> Camera | SimulatorCamera:
    task = footage.config.task_name
    if isinstance(world, SimulatedHousehold):
        return SimulatorCamera(world, eyes, footage.agents, task, look)
    return Camera(world.scene(), eyes, footage.agents, task, look)
