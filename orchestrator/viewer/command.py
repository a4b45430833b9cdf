"""`housemates view`."""

from __future__ import annotations

import asyncio
import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from .server import Viewer


def view(
    folder: Annotated[Path, typer.Argument(metavar="RUN|STUDY", help="The folder of a run or of a study.")],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
) -> None:
    """Show a run or a study in the browser, recorded or going on, until Ctrl-C."""
    from ..journal.index import JournalIndex
    from .server import Viewer
    from .studies import is_study

    study = is_study(folder)
    if not study:
        JournalIndex(folder).close()  # a folder that holds no run is told here, in one line
    with suppress(KeyboardInterrupt):  # the way to end it
        asyncio.run(_serve(Viewer(folder, study=study), port, not no_browser))


async def _serve(viewer: Viewer, port: int, browser: bool) -> None:
    address = await viewer.start(port)
    try:
        typer.echo(f"{address}\nCtrl-C ends it")
        if browser:
            webbrowser.open(address)
        await asyncio.Event().wait()
    finally:
        await viewer.close()
