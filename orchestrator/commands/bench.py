"""`housemates bench`: the short forms of the benchmarks, as one table to compare machines and versions by."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import psutil
import typer

from housemates import __version__

from ...benchmarks import LeftOut, Row, measure, names
from ..errors import ConfigError, StartError

PACKAGES = ("ray", "trace-opt", "openai", "aiohttp", "msgpack")
"""Whose versions the figures depend on."""

EPILOG = (
    "Everything runs on this machine, without any account: models are the scripted one, over real HTTP. A ratio "
    "compares two things measured in the same run, so it says more than the figure beside it when other work shares "
    "the machine. docs/performance.md explains the figures and has those of a machine with two cores. The benchmarks "
    "are programs: python -m housemates.benchmarks.NAME --help tells what each can measure in full."
)


def bench(
    only: Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="This one (repeatable).")] = None,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table.")] = False,
) -> None:
    """Measure this installation on this machine: some four minutes, and one table."""
    from ..cluster.own import end_own_ray
    from ..interrupt import EXIT_INTERRUPTED, bounded_interrupt

    chosen = only or names()
    unknown = [name for name in chosen if name not in names()]
    if unknown:
        raise ConfigError(f"--only {unknown[0]}: there is no such benchmark; there are {', '.join(names())}")
    try:
        with bounded_interrupt(end_own_ray):
            rows, left, failed = _measured(chosen, only=bool(only))
    except KeyboardInterrupt:
        typer.echo("housemates: interrupted", err=True)
        os._exit(EXIT_INTERRUPTED)  # all is stopped; a Ray that was half started would crash at the orderly exit
    machine = _machine()
    if json_:
        found = [{"benchmark": name, **row._asdict()} for name, group in rows.items() for row in group]
        typer.echo(json.dumps({"machine": machine, "rows": found, "left_out": left}))
    else:
        _show(machine, rows, left)
    if failed:
        raise StartError("a benchmark failed; the table says which")


def _measured(chosen: list[str], *, only: bool) -> tuple[dict[str, list[Row]], dict[str, str], bool]:
    """The rows by benchmark, why others have none, and whether one of them failed."""
    rows: dict[str, list[Row]] = {}
    left: dict[str, str] = {}
    failed = False
    for name in chosen:
        print(f"measuring {name} …", file=sys.stderr, flush=True)  # noqa: T201
        try:
            with redirect_stdout(sys.stderr):  # where what Ray prints belongs
                rows[name] = measure(name)
        except LeftOut as why:
            if only or str(why) != "has no short form":
                left[name] = str(why)
        except Exception as error:  # the others are worth having all the same
            left[name], failed = f"failed: {type(error).__name__}: {error}", True
    return rows, left, failed


def _machine() -> dict[str, Any]:
    return {
        "housemates": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load": round(os.getloadavg()[0], 1),
        "date": time.strftime("%Y-%m-%d"),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _show(machine: dict[str, Any], rows: dict[str, list[Row]], left: dict[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    typer.echo(
        f"housemates {machine['housemates']}, Python {machine['python']}, {machine['system']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, load {machine['load']}, {machine['date']}\n{packages}"
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("benchmark", "what", "figure", "", "ratio"):
        table.add_column(heading, justify="right" if heading == "figure" else "left")
    for name, group in rows.items():
        for number, row in enumerate(group):
            ratio = "" if row.ratio is None else f"{row.ratio:.3g} × {row.reference}"
            table.add_row("" if number else name, row.what, f"{row.value:,.4g}", row.unit, ratio)
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    for name, why in left.items():
        typer.echo(f"left out: {name} ({why})")
