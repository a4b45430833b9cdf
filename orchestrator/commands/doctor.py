"""`housemates doctor`: what is wrong with a simulator, in words."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from ..errors import StartError


def doctor(
    simulator: Annotated[
        str,
        typer.Option(
            "--simulator",
            metavar="PATH|URL",
            help="A VirtualHome executable, which is started and tried out, or the URL of a simulator that runs, "
            "which is only asked.",
        ),
    ],
) -> None:
    """Check a VirtualHome simulator and say what is wrong. Exit code 0: nothing; 3: something."""
    from ...env.virtualhome.checkup import examine

    async def run() -> int:
        wrong = 0
        async for finding in examine(simulator):
            wrong += not finding.ok
            typer.echo(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.text}")
            if finding.remedy:
                typer.echo(f"       -> {finding.remedy}")
        return wrong

    wrong = asyncio.run(run())
    if wrong:
        raise StartError(f"{wrong} thing{'s are' if wrong > 1 else ' is'} wrong with the simulator {simulator}")
