"""`housemates run --households`, and the other commands on the folder of such a run."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import ConfigError
from ..exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OVER_BUDGET
from .folder import HOUSEHOLDS, households_of, read_settings

if TYPE_CHECKING:
    from ..config import RunConfig
    from .running import HouseholdsObserver, HouseholdsResult

EXIT_CODES = {
    "completed": 0,
    "failed": EXIT_FAILED,
    "budget_exceeded": EXIT_OVER_BUDGET,
    "interrupted": EXIT_INTERRUPTED,
}


def run(
    config: RunConfig, out: Path | None, address: str, *, recorded: bool, viewed: bool, quiet: bool, as_json: bool
) -> None:
    """Run many households, and show how they go.

    Raises:
        ConfigError: as `run_households`, or something was asked for that takes one household.
    """
    from .running import run_households

    if recorded:
        raise ConfigError("--record: a cassette holds one household; leave out --households")
    if viewed:
        raise ConfigError("--view shows one household; when the run goes on, see: housemates view DIR")
    _show(lambda observer: run_households(config, out, observer, address), quiet, as_json)


def resume(folder: Path, budget: Mapping[str, Any], address: str, *, quiet: bool, as_json: bool) -> None:
    """Go on with many households, and show how they go."""
    from .running import resume_households

    _show(lambda observer: resume_households(folder, observer, budget, address), quiet, as_json)


def _show(conduct: Callable[[HouseholdsObserver], HouseholdsResult], quiet: bool, as_json: bool) -> None:
    """Show a run while it goes on, and its summary; ends with its exit code."""
    from ..cluster.own import end_own_ray
    from ..interrupt import bounded_interrupt
    from ..terminal.live import RunConsole
    from .running import HouseholdsObserver
    from .terminal import HouseholdsTerminal, closing_lines, totals_table

    console = RunConsole(file=sys.stdout)

    def last_resort() -> None:
        console.give_back()
        end_own_ray()

    try:
        with (
            redirect_stdout(sys.stderr),  # what Ray has to say of its own accord
            bounded_interrupt(last_resort),
            nullcontext(HouseholdsObserver()) if quiet or as_json else HouseholdsTerminal(console) as observer,
        ):
            result = conduct(observer)
    except KeyboardInterrupt:
        typer.echo("housemates: interrupted before the first step", err=True)
        os._exit(EXIT_INTERRUPTED)  # all is stopped; a Ray that was half started would crash at the orderly exit
    if as_json:
        typer.echo(json.dumps({"folder": str(result.folder), **result.summary}))
    else:
        console.print()
        console.print(totals_table(result.summary))
        for line in closing_lines(result):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(EXIT_CODES[result.status])


def told(folder: Path, as_json: bool, as_digest: bool) -> Iterator[str]:
    """What `replay` says of a run with many households: a line for each, as far as it came.

    Raises:
        ConfigError, JournalError: a household's files are damaged.
    """
    from ..journal.log import FILE_NAME
    from ..printing import one_line
    from ..replay import digest, records
    from ..summary import Tally

    for name, place, config in households_of(read_settings(folder), folder):
        begun = (place / FILE_NAME).is_file()
        if as_digest:
            yield f"{name} {digest(place) if begun else 'not begun'}"
            continue
        if not begun:
            where = {"household": name, "status": "not begun"}
            yield json.dumps(where) if as_json else f"household {name}, seed {config.seed}: not begun"
            continue
        tally = Tally()
        for record in records(place):
            tally.add(record)
        summary = tally.summary()
        if as_json:
            yield json.dumps({"household": name, **summary}, ensure_ascii=False)
            continue
        solved = "solved" if summary["success"] else "not solved"
        error = f": {one_line(summary['error'], 300)}" if summary["error"] else ""
        yield (
            f"household {name}, seed {config.seed}: {one_line(summary['status'], 50)}, {solved}, "
            f"{summary['steps']} steps, {summary['llm']['calls']} calls{error}"
        )
    if not as_json and not as_digest:
        yield f"one of them: housemates replay {one_line(str(folder), 500)}/{HOUSEHOLDS}/000"
