"""`housemates house`: look at a home, draw it, write it as VirtualHome's JSON, and check such a file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError
from ..exit_codes import EXIT_FAULTY

if TYPE_CHECKING:
    from ...env.household.scene.graph import SceneGraph

_PNG_WIDTH = 1280
_DEFAULT_TASK, _DEFAULT_AGENTS = "put_dishwasher", 2

house_app = typer.Typer(help="Homes: look at them, draw them, write and check their files.", rich_markup_mode=None)

_Home = Annotated[
    str,
    typer.Argument(
        metavar="APARTMENT|FILE",
        help="0 to 6, generated[:seed=…,rooms=…,size=…,clutter=…], building:M, or a scene file (….json); "
        "see `housemates house list`.",
    ),
]
_Seed = Annotated[int, typer.Option("--seed", help="Draws what lies about; rooms and furniture stay.")]


@house_app.command("list")
def list_homes() -> None:
    """List the homes, one a line: what to call them, and what they are."""
    from ...env.household.homes import names

    known = names()
    width = max(map(len, known))
    for name, about in known.items():
        typer.echo(f"{name:{width}}  {about}")


@house_app.command(
    epilog="\b\nExamples:\n"
    "  housemates house show 0                                        what is where in apartment 0\n"
    "  housemates house show 0 --png plan.png                         its floor plan\n"
    "  housemates house show 0 --task read_book --agents 3 --svg a.svg  as an episode begins\n"
    "  housemates house show scene.json                               a scene exported from VirtualHome"
)
def show(
    home: _Home,
    seed: _Seed = 0,
    task: Annotated[
        str | None, typer.Option("--task", help="Show how an episode of this task begins. [default: no episode]")
    ] = None,
    agents: Annotated[
        int | None, typer.Option("--agents", min=1, help="Agents in that episode. [default: 2 with --task, else none]")
    ] = None,
    png: Annotated[Path | None, typer.Option("--png", help="Draw the floor plan into this file.")] = None,
    svg: Annotated[Path | None, typer.Option("--svg", help="The same, scalable and for browsers.")] = None,
) -> None:
    """Say what is in a home, room by room, and draw its floor plan."""
    from ..terminal.live import RunConsole
    from .summary import summary

    graph = _scene(home, seed, task, agents)
    drawn = _draw(graph, png, svg)
    console = RunConsole(file=sys.stdout)
    for table in summary(home, graph):
        console.print(table)
        console.print()
    for line in drawn or [f"draw it  housemates house show {home} --png plan.png"]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


@house_app.command(
    epilog="\b\nExamples:\n"
    "  housemates house export 0 > apartment.json\n"
    "  housemates house export building:20 --seed 5 > building.json\n"
    "  housemates house export scene.json | python -m json.tool | less"
)
def export(home: _Home, seed: _Seed = 0) -> None:
    """Write a home as VirtualHome's environment graph (JSON) to standard output. A file comes back unchanged."""
    typer.echo(json.dumps(_scene(home, seed, None, None).to_dict()))


@house_app.command(
    epilog="\b\nExample:\n"
    "  housemates house check scene.json\n"
    "Exit code 0: no faults; 1: faults, one a line; 2: the file cannot be read."
)
def check(file: Annotated[Path, typer.Argument(metavar="FILE", help="A scene in VirtualHome's JSON.")]) -> None:
    """Say whether a scene file can be used, or name each of its faults."""
    from ...env.household.homes.scene_file import read_json
    from ...env.household.scene.scene_json import scene_faults
    from ...env.world import WorldError
    from ..printing import one_line

    try:
        data = read_json(file)
    except WorldError as error:
        raise ConfigError(str(error)) from None
    faults = scene_faults(data)
    for fault in faults:
        typer.echo(one_line(fault, 1000))
    if faults:
        raise typer.Exit(EXIT_FAULTY)
    nodes: list[Any] = data["nodes"]
    rooms = sum(node.get("category") == "Rooms" for node in nodes)
    typer.echo(f"ok: {rooms} rooms, {len(nodes)} nodes, {len(data['edges'])} edges")


def _scene(home: str, seed: int, task: str | None, agents: int | None) -> SceneGraph:
    """The scene in a file, a home without people, or one in which an episode begins."""
    from ...env.household import HouseholdWorld
    from ...env.household.homes import build_home
    from ...env.household.homes.scene_file import read_json
    from ...env.household.scene.graph import FIRST_OBJECT_ID, SceneGraph
    from ...env.world import WorldError

    try:
        if task is not None or agents is not None:
            return HouseholdWorld(task or _DEFAULT_TASK, agents or _DEFAULT_AGENTS, home).scene_at_start(seed)
        if home.endswith(".json"):
            return SceneGraph.from_dict(read_json(home))
        return build_home(home, FIRST_OBJECT_ID, Random(f"{seed}/clutter")).graph
    except WorldError as error:
        raise ConfigError(str(error)) from None


def _draw(graph: SceneGraph, png: Path | None, svg: Path | None) -> list[str]:
    """Write the drawings that were asked for; returns a line about each."""
    if png is None and svg is None:
        return []
    from ...env.household.picture import MissingExtraError, Picture, to_png
    from ...env.world import WorldError

    try:
        drawing = Picture(graph, width=_PNG_WIDTH).frame()
        files = [(svg, drawing.encode())] if svg is not None else []
        if png is not None:
            files.append((png, to_png(drawing)))
    except (WorldError, MissingExtraError) as error:
        raise ConfigError(str(error)) from None
    for path, content in files:
        try:
            path.write_bytes(content)
        except OSError as error:
            raise ConfigError(f"cannot write {path}: {error.strerror or error}") from None
    return [f"drawn    {path}" for path, _ in files]
