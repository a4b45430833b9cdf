"""`housemates film`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ConfigError

EPILOG = (
    "\b\nExamples:\n"
    "  housemates film RUN                                    bird's-eye view, as RUN/film.mp4\n"
    "  housemates film RUN --view all --out films/run.mp4     that and what each agent sees, a film each\n"
    "  housemates film RUN --view side-by-side --size 1920x1080\n"
    "  housemates film RUN --out run.gif --size 480x270 --fps 10 --speed 2 --to 20\n"
    "  housemates film RUN --out pictures --fps 1             a PNG file per step\n"
    "  housemates film RUN --simulator http://127.0.0.1:8080 --view Agent_1   what the simulator shows of it\n"
    "\n"
    "Any run can be filmed, also one that was interrupted; its household is played again from the journal. "
    "Exit code 0: filmed; 2: bad usage, or it cannot be filmed; 3: the disk is full or a process was lost; "
    "130: interrupted, which leaves no film."
)


def film(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A file (.mp4, .gif), or a new folder for PNG files. [default: RUN/film.mp4]"),
    ] = None,
    view: Annotated[
        str,
        typer.Option(
            "--view",
            help="bird (from above), Agent_1 (what that agent sees lit, the rest dimmed), all (bird and every agent, "
            "a film each: film-bird.mp4, …), or side-by-side (the same in one picture).",
        ),
    ] = "bird",
    fps: Annotated[int, typer.Option("--fps", help="Frames per second.")] = 15,
    speed: Annotated[float, typer.Option("--speed", help="Steps per second.")] = 1.0,
    size: Annotated[str, typer.Option("--size", help="Width and height in pixels.")] = "1280x720",
    theme: Annotated[str, typer.Option("--theme", help="light or dark.")] = "light",
    simulator: Annotated[
        str,
        typer.Option(
            "--simulator",
            help="Play the run again on a VirtualHome simulator, an executable or the URL of one that runs, and film "
            "with its cameras. [default: floor plans are drawn]",
        ),
    ] = "",
    first: Annotated[
        int, typer.Option("--from", metavar="STEP", help="The first step, numbered as `housemates replay` does.")
    ] = 0,
    last: Annotated[int | None, typer.Option("--to", metavar="STEP", help="The last step. [default: the end]")] = None,
) -> None:
    """Make a film of a run: MP4, GIF or PNG files, from above or as an agent sees it."""
    from .filming import Wish
    from .filming import film as make_film
    from .footage import Footage

    wish = Wish(view, fps, speed, *_size(size), theme, first, last, simulator)
    wish.check()
    footage = Footage(run)
    if footage.notice:
        typer.echo(f"note: {footage.notice}", err=True)
    with _progress() as progress:
        films = make_film(footage, out or run / "film.mp4", wish, progress)
    for made in films:
        typer.echo(f"filmed   {made.path}   {made.frames} frames, {made.seconds:.1f} s")


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    if match is None:
        raise ConfigError(f"--size: {text!r} is not of the form 1280x720")
    return int(match[1]), int(match[2])


@contextmanager
def _progress() -> Generator[Callable[[int, int], None]]:
    """Shows on stderr how far the film is; where that is no terminal, every tenth of it is a line."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if console.is_terminal:
        columns = TextColumn("filming"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
        return
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        if done * 10 // total > told:
            told = done * 10 // total
            print(f"{done}/{total} frames", file=sys.stderr, flush=True)  # noqa: T201 - plain lines are asked for

    yield tell
