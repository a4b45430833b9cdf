"""Homes from files: scenes in VirtualHome's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from ...codec import parse_json
from ...world import WorldError
from ..scene.graph import SceneGraph

MAX_BYTES = 64 * 1024 * 1024
"""No scene is larger than this; apartments have some hundred kilobytes."""


def read_home(path: str, first_id: int) -> SceneGraph:
    """Read a scene without its people.

    What they held is put down in the room they were in. Ids below `first_id` belong to people here; where a thing
    of the file has such an id, that is moved up by a constant, the largest id of the file (or `first_id`, if that
    is larger), so all other ids stay as the file has them, and the order of the moved ones stays too.

    Raises:
        WorldError: the file is missing, too large, no JSON, or no scene; the message names it and the reason.
    """
    data = read_json(path)
    try:
        graph = SceneGraph.from_dict(data)
        if graph.characters or min(graph.nodes, default=first_id) < first_id:
            graph = SceneGraph.from_dict(_without_people(data, graph, first_id))
    except WorldError as error:
        raise WorldError(f"home {path}: {error}") from None
    if not graph.rooms:
        raise WorldError(f"home {path}: the scene has no room")
    for number in sorted(graph.nodes):
        if graph.nodes[number].box is None and number in graph.rooms:
            raise WorldError(f"home {path}: {graph.nodes[number].label} has no bounding_box")
    return graph


def read_json(path: str | Path) -> Any:
    """What a scene file holds, unchecked.

    Raises:
        WorldError: the file cannot be read, is too large, or no JSON.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise WorldError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise WorldError(f"{path} has more than {MAX_BYTES} bytes: no scene is that large")
    try:
        return parse_json(content)
    except ValueError as error:
        raise WorldError(f"{path} is no JSON ({error})") from None


def _without_people(data: Mapping[str, Any], graph: SceneGraph, first_id: int) -> dict[str, Any]:
    """The same scene in JSON form, without people and with ids from `first_id`."""
    people = set(graph.characters)
    step = max(first_id, max(graph.nodes))

    def moved(number: int) -> int:
        return number if number >= first_id else number + step

    nodes: list[dict[str, Any]] = []
    for entry in cast(list[Mapping[str, Any]], data["nodes"]):
        number = int(entry["id"])
        if number not in people:
            nodes.append(_put_down({**entry, "id": moved(number)}, graph, number))
    edges: list[dict[str, Any]] = []
    for edge in cast(list[Mapping[str, Any]], data["edges"]):
        source, target = int(edge["from_id"]), int(edge["to_id"])
        if not people & {source, target}:
            edges.append({**edge, "from_id": moved(source), "to_id": moved(target)})
    for person in graph.characters:
        room = graph.room_of(person)
        for thing in graph.held_by(person):
            if graph.parent(thing) in (None, person) and room is not None:
                edges.append({"from_id": moved(thing), "to_id": moved(room), "relation_type": "INSIDE"})
    return {**data, "nodes": nodes, "edges": edges}


def _put_down(entry: dict[str, Any], graph: SceneGraph, number: int) -> dict[str, Any]:
    """A node's entry; what somebody holds comes down to the floor of the room."""
    box, room = graph.nodes[number].box, graph.room_of(number)
    floor = graph.nodes[room].box if room is not None else None
    if graph.holder(number) is None or box is None or floor is None:
        return entry
    center = [box.center[0], floor.bottom + box.size[1] / 2, box.center[2]]
    return {**entry, "bounding_box": {"center": center, "size": list(box.size)}}
