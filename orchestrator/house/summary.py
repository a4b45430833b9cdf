"""What is in a home, as tables for people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from ...env.household.scene.graph import SceneGraph
from ...env.household.scene.scene_json import RELATIONS
from ..printing import one_line

_NOT_PLACES = frozenset({"Rooms", "Characters", "Walls", "Ceiling", "Floor", "Doors", "Windows"})
_MAX_CELL = 2000
"""A scene file may say anything; a cell of a table is never longer than this many characters."""


def summary(home: str, graph: SceneGraph) -> Iterable[Table]:
    """The counts, the rooms, the containers with what they hold, and what lies about."""
    yield _counts(home, graph)
    yield _rooms(graph)
    containers = _table("containers", "in", "is", "holds")
    surfaces = _table("what lies about", "in", "things")
    for number in sorted(graph.nodes):
        node = graph.nodes[number]
        if node.category in _NOT_PLACES:
            continue
        if "CONTAINERS" in node.properties and not _is_carried(graph, number):
            state = "shut" if graph.is_shut(number) else "open"
            holds = _names(graph, graph.contents(number))
            _add(containers, _name(graph, number), _room(graph, number), state, holds or "nothing")
        things = [thing for thing in graph.sources(number, "ON") if "GRABBABLE" in graph.nodes[thing].properties]
        if things:
            _add(surfaces, _name(graph, number), _room(graph, number), _names(graph, things))
    yield containers
    yield surfaces


def _counts(home: str, graph: SceneGraph) -> Table:
    categories = Counter(node.category for node in graph.nodes.values())
    # CLOSE follows from where things are, and in a crowd there are millions of it.
    relations = Counter({relation: sum(len(graph.targets(n, relation)) for n in graph.nodes) for relation in RELATIONS})
    table = _table(f"home {home}", "")
    _add(table, "nodes", f"{len(graph.nodes)}: {_counted(categories)}")
    _add(table, "edges", f"{relations.total()} (without CLOSE): {_counted(+relations)}")
    return table


def _rooms(graph: SceneGraph) -> Table:
    table = _table("rooms", "metres", "leads to", "furniture", "people")
    beyond: dict[int, set[int]] = defaultdict(set)
    for number, node in graph.nodes.items():
        if node.category == "Doors":
            sides = graph.targets(number, "BETWEEN")
            for room in sides:
                beyond[room].update(side for side in sides if side != room)
    for room in graph.rooms:
        inside = graph.contents(room)
        kinds = Counter(
            graph.nodes[number].class_name
            for number in inside
            if graph.nodes[number].category not in _NOT_PLACES and not _is_carried(graph, number)
        )
        people = [_person(graph, number) for number in inside if graph.nodes[number].category == "Characters"]
        doors = _names(graph, sorted(beyond[room]))
        _add(table, _name(graph, room), _size(graph, room), doors, _counted(kinds), ", ".join(people))
    return table


def _person(graph: SceneGraph, number: int) -> str:
    held = graph.held_by(number)
    return f"{number} with {_names(graph, held)}" if held else str(number)


def _is_carried(graph: SceneGraph, number: int) -> bool:
    """Whether something is a thing to carry about (chairs can be carried too, but count as furniture)."""
    node = graph.nodes[number]
    return "GRABBABLE" in node.properties and node.category != "Furniture"


def _room(graph: SceneGraph, number: int) -> str:
    room = graph.room_of(number)
    return "nowhere" if room is None else _name(graph, room)


def _size(graph: SceneGraph, number: int) -> str:
    box = graph.nodes[number].box
    return f"{box.size[0]:.1f} × {box.size[2]:.1f}" if box else "?"


def _name(graph: SceneGraph, number: int) -> str:
    return f"{graph.nodes[number].class_name} ({number})"


def _names(graph: SceneGraph, numbers: Iterable[int]) -> str:
    return ", ".join(_name(graph, number) for number in numbers)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" if count > 1 else name for name, count in sorted(counts.items()))


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(Text(heading), overflow="fold")
    return table


def _add(table: Table, *cells: str) -> None:
    """Add a row; cells are text, whatever they look like."""
    table.add_row(*(Text(one_line(cell, _MAX_CELL)) for cell in cells))
