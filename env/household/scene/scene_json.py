"""VirtualHome's JSON of a whole scene, `{"nodes": [...], "edges": [...]}`: reading it, and naming all that is wrong.

What VirtualHome leaves open is decided here:

- An edge that is given twice counts once, but is written twice again.
- Edges CLOSE may join anything. They are kept to be written again; acting follows geometry.
- Keys that VirtualHome does not know are kept, with any value of JSON up to 64-bit numbers.
- Names of properties, states and relations that it does not know are refused, as in its symbolic engine: rules
  would ignore them in silence.
- Class names are kept as written, hyphens and all, because ids decide. What scripts and prompts are marked up with
  is refused in them.
- Ids start at 1: scripts write 0 for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from reprlib import repr as shortened
from typing import Any, cast

from ...codec import pack
from .node import MAX_ID, Node, NodeReader
from .scene_rules import structure_faults

RELATIONS = ("INSIDE", "ON", "HOLDS_RH", "HOLDS_LH", "SITTING", "BETWEEN", "FACING", "UNDER")
"""VirtualHome's relations but CLOSE, which follows from where things are."""

MAX_NODES = 1_000_000
MAX_EDGES = 4_000_000
MAX_FAULTS = 1000

Edge = tuple[int, str, int]
"""Source, relation, target."""

_EDGE_KEYS = ("from_id", "relation_type", "to_id")


@dataclass(slots=True)
class Layout:
    """How a scene was written, beyond what its graph holds.

    Attributes:
        edges: in the order of the JSON, CLOSE included.
        edge_extras: an edge's further keys (packed), by its index in `edges`.
        extras: what stands beside nodes and edges (packed).
        is_sorted: whether the nodes come sorted by id.
    """

    edges: list[Edge] = field(default_factory=list[Edge])
    edge_extras: dict[int, bytes] = field(default_factory=dict[int, bytes])
    extras: bytes = pack({})
    is_sorted: bool = True


@dataclass(slots=True)
class Scene:
    """What was read. With faults, the rest of the scene; then only `faults` is of use.

    Attributes:
        nodes: by id, in the order of the JSON.
        targets: the edges but CLOSE by relation and source, without repetition.
        layout: what else it takes to write the scene as it was.
        faults: one line for each fault, at most `MAX_FAULTS`, and one more if there are others.
    """

    nodes: dict[int, Node] = field(default_factory=dict[int, Node])
    targets: dict[str, dict[int, tuple[int, ...]]] = field(default_factory=dict[str, dict[int, tuple[int, ...]]])
    layout: Layout = field(default_factory=Layout)
    faults: list[str] = field(default_factory=list[str])


def scene_faults(data: object) -> list[str]:
    """Everything that is wrong with a scene, a line each, naming node or edge and rule; empty if it can be used."""
    return read_scene(data).faults


def read_scene(data: object) -> Scene:
    """Read a scene from plain JSON values. Nothing of `data` is kept or changed; nothing is raised."""
    scene = Scene()
    if not isinstance(data, dict) or "nodes" not in data or "edges" not in data:
        scene.faults.append(f'expected {{"nodes": [...], "edges": [...]}}, not {shortened(data)}')
        return scene
    for key, limit in (("nodes", MAX_NODES), ("edges", MAX_EDGES)):
        if not isinstance(data[key], list | tuple):
            scene.faults.append(f"{key} is no list but {shortened(data[key])}")
        elif len(data[key]) > limit:
            scene.faults.append(f"there are {len(data[key])} {key}, more than {limit}")
    if not scene.faults:
        extras = {key: value for key, value in data.items() if key not in ("nodes", "edges")}
        scene.layout.extras = _packed(extras, "the scene", scene)
        _read_nodes(cast(Sequence[Any], data["nodes"]), scene)
        _read_edges(cast(Sequence[Any], data["edges"]), scene)
        if len(scene.faults) <= MAX_FAULTS:
            more = MAX_FAULTS + 1 - len(scene.faults)
            scene.faults.extend(islice(structure_faults(scene.nodes, scene.targets), more))
    if len(scene.faults) > MAX_FAULTS:
        scene.faults[MAX_FAULTS:] = [f"there are more than {MAX_FAULTS} faults; the rest is not listed"]
    return scene


def _read_nodes(entries: Sequence[Any], scene: Scene) -> None:
    reader = NodeReader()
    reader.faults = scene.faults
    nodes = scene.nodes
    places: dict[int, int] = {}
    last = 0
    for index, entry in enumerate(entries):
        node = reader.read(entry, f"nodes[{index}]")
        if node is not None:
            if node.id in nodes:
                scene.faults.append(f"two nodes have the id {node.id}: nodes[{places[node.id]}] and nodes[{index}]")
            else:
                nodes[node.id] = node
                places[node.id] = index
                scene.layout.is_sorted = scene.layout.is_sorted and node.id > last
                last = node.id
        if len(scene.faults) > MAX_FAULTS:
            return


def _read_edges(entries: Sequence[Any], scene: Scene) -> None:
    """Read the edges whose ends are there; ids and names are shared with the nodes and `RELATIONS`."""
    nodes, layout = scene.nodes, scene.layout
    names = {name: name for name in (*RELATIONS, "CLOSE")}
    targets: dict[str, dict[int, list[int]]] = {name: {} for name in names}
    for index, entry in enumerate(entries):
        try:
            source, relation, target = entry["from_id"], names[entry["relation_type"]], entry["to_id"]
            if type(source) is not int or type(target) is not int:
                raise TypeError
            source, target = nodes[source].id, nodes[target].id
        except (LookupError, TypeError):
            scene.faults.append(_edge_fault(entry, index, scene))
            if len(scene.faults) > MAX_FAULTS:
                return
            continue
        if len(entry) > len(_EDGE_KEYS):
            further = {key: value for key, value in entry.items() if key not in _EDGE_KEYS}
            layout.edge_extras[len(layout.edges)] = _packed(further, f"edges[{index}]", scene)
        layout.edges.append((source, relation, target))
        targets[relation].setdefault(source, []).append(target)
    shared: dict[tuple[int, ...], tuple[int, ...]] = {}  # all that stands in one room points to the same
    for name in RELATIONS:
        scene.targets[name] = {source: _once(ends, shared) for source, ends in targets[name].items()}


def _once(ends: list[int], shared: dict[tuple[int, ...], tuple[int, ...]]) -> tuple[int, ...]:
    found = tuple(dict.fromkeys(ends))
    return shared.setdefault(found, found)


def _edge_fault(entry: Any, index: int, scene: Scene) -> str:
    """Why an edge cannot be read."""
    if not isinstance(entry, dict):
        return f"edges[{index}] is no object but {shortened(entry)}"
    here = f"edges[{index}] {shortened(entry)}"
    for key in _EDGE_KEYS:
        if key not in entry:
            return f"{here} has no {key}"
    for key in ("from_id", "to_id"):
        number = entry[key]
        if type(number) is not int or not 0 < number <= MAX_ID:
            return f"{here}: its {key} is no whole number from 1 to {MAX_ID}, but {shortened(number)}"
    source, relation, target = (entry[key] for key in _EDGE_KEYS)
    if relation not in (*RELATIONS, "CLOSE"):
        return f"edges[{index}] has the unknown relation {shortened(relation)} ({source} to {target})"
    missing = source if source not in scene.nodes else target
    return f"edges[{index}] ({source} {relation} {target}) names node {missing}, a node that is not there"


def _packed(values: dict[Any, Any], where: str, scene: Scene) -> bytes:
    try:
        return pack(values)
    except (TypeError, ValueError, OverflowError) as error:
        scene.faults.append(f"{where} holds what cannot be written again: {error}")
        return b""
