"""`expand_scene`: make the scene what a posted graph says.

Nodes are matched to the scene, what the posted graph lacks is removed, what the scene lacks is made and placed.
The result is a new graph: a posted graph that makes no sense changes nothing. What cannot be placed is
reported, and the rest is done all the same, as VirtualHome does it. Where both could be meant, a posted box that
differs from the scene's says where a thing is; a box that does not differ leaves that to its changed edges.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field, replace

from ..household.engine.spots import free_spot, inner_spot
from ..household.scene.catalog import CATALOG, PROPERTIES, default_states
from ..household.scene.graph import Box, Node, SceneGraph, Vec
from ..household.scene.node import OPPOSITES, STATES, class_kind
from ..household.scene.scene_json import RELATIONS
from .wire import MAX_CHARACTERS, ExpandConfig, WireGraph, WireNode

_PLACING = ("INSIDE", "ON")
MAX_SEARCHES = 1000
"""How many places one call looks for; things beyond that are not placed."""

_HAND_M = 1.1
_NEAR_MIDDLE_M = 2.0
_CHARACTER_BOX = CATALOG["character"].size
_SWITCHED = {"OPEN": "CAN_OPEN", "CLOSED": "CAN_OPEN", "ON": "HAS_SWITCH", "OFF": "HAS_SWITCH"}
_OPPOSITE = {one: other for pair in OPPOSITES for one, other in (pair, pair[::-1])}


@dataclass(slots=True)
class Complaints:
    """What could not be done, under VirtualHome's keys."""

    unplaced: list[str] = field(default_factory=list)
    missing_destinations: list[str] = field(default_factory=list)
    missing_prefabs: list[str] = field(default_factory=list)
    unaligned_ids: list[int] = field(default_factory=list)

    def to_dict(self) -> dict[str, list[str] | list[int]]:
        """Only the keys under which there is something; nothing at all means success."""
        found: dict[str, list[str] | list[int]] = {
            "unplaced": self.unplaced,
            "missing_destinations": self.missing_destinations,
            "missing_prefabs": self.missing_prefabs,
            "unaligned_ids": self.unaligned_ids,
        }
        return {key: items for key, items in found.items() if items}


def expand(scene: SceneGraph, posted: WireGraph, config: ExpandConfig, next_id: int) -> tuple[SceneGraph, Complaints]:
    """The scene as the posted graph wants it, and what of that could not be done.

    Nodes match when id and class are the same. Ids up to 10 are characters; other posted characters are ignored.
    New objects get fresh ids from `next_id`, in the order of their posted ids.

    Args:
        scene: what there is; it is not changed.
        posted: what there should be; nodes may be partial.
        config: whether posted boxes count.
        next_id: the id of the first new object.

    Raises:
        WorldError: the posted graph makes no sense.
        ValueError: likewise; both say in one line why.
    """
    return _Expansion(scene, posted, config).run(next_id)


class _Expansion:
    def __init__(self, scene: SceneGraph, posted: WireGraph, config: ExpandConfig) -> None:
        self._scene = scene
        self._config = config
        self._complaints = Complaints()
        self._searched = 0
        self._graph = SceneGraph()
        self._nodes: dict[int, WireNode] = {}
        for node in sorted(posted.nodes, key=lambda node: node.id):
            if node.id in self._nodes:
                raise ValueError(f"two nodes have the id {node.id}")
            if node.category != "Characters" or node.id <= MAX_CHARACTERS:
                self._nodes[node.id] = node
        self._edges: dict[int, list[tuple[str, int]]] = {}
        for edge in posted.edges:
            if edge.relation_type in RELATIONS and edge.from_id in self._nodes:
                self._edges.setdefault(edge.from_id, []).append((edge.relation_type, edge.to_id))
        self._before: dict[int, list[tuple[str, int]]] = {}
        for source, relation, target in scene.edges():
            if relation in RELATIONS:
                self._before.setdefault(source, []).append((relation, target))
        self._ids: dict[int, int] = {}
        """Posted id -> id in the new scene, for everything that gets into it."""

    def run(self, next_id: int) -> tuple[SceneGraph, Complaints]:
        kept = self._match()
        for number in self._scene.characters:  # people nobody mentions stay
            if number not in self._nodes:
                self._nodes[number] = WireNode(id=number, class_name="character", category="Characters")
                kept.append(number)
        is_kept = frozenset(kept)
        fresh = [number for number in self._nodes if number not in is_kept]
        for number in kept:
            self._ids[number] = number
            self._graph.add(self._kept(self._scene.nodes[number], self._nodes[number]))
        for number in fresh:
            node = self._made(self._nodes[number])
            if node is not None:
                self._ids[number] = number
                if node.category != "Characters":
                    self._ids[number], next_id = next_id, next_id + 1
                self._graph.add(replace(node, id=self._ids[number]))
        for number in kept:
            self._relate_kept(number)
        for number in fresh:
            if number in self._ids:
                self._relate(number, self._edges.get(number, ()))
        for number in self._supports_first():
            self._place(number, new=number not in is_kept)
        self._drop_homeless()
        self._graph.validate()
        return self._graph, self._complaints

    def _match(self) -> list[int]:
        """Ids that stand for the same thing there and here."""
        nodes = self._scene.nodes
        return [n for n, node in self._nodes.items() if n in nodes and nodes[n].kind == class_kind(node.class_name)]

    # -- nodes --------------------------------------------------------------------------------

    def _kept(self, node: Node, posted: WireNode) -> Node:
        states = _with_states(node.states, posted.states, node.properties)
        box, rotation = node.box, node.rotation
        if self._config.transfer_transform:
            if posted.bounding_box is not None:
                box = Box(posted.bounding_box.center, posted.bounding_box.size)
            if posted.obj_transform is not None:
                rotation = posted.obj_transform.rotation
        return replace(node, states=states, box=box, rotation=rotation)

    def _made(self, posted: WireNode) -> Node | None:
        """A new node; one with a box is taken as it is, one without becomes a standard object of its class."""
        kind = CATALOG.get(posted.class_name)
        is_character = posted.id <= MAX_CHARACTERS
        if posted.bounding_box is not None:
            box = Box(posted.bounding_box.center, posted.bounding_box.size)
            properties = frozenset(posted.properties) & PROPERTIES
        elif kind is not None:
            at = posted.obj_transform.position if posted.obj_transform else None
            size = _CHARACTER_BOX if is_character else kind.size
            if at is not None and is_character:
                at = (at[0], at[1] + size[1] / 2, at[2])
            box = Box(at or (0.0, 0.0, 0.0), size)
            properties = kind.properties
        else:
            self._complaints.missing_prefabs.append(posted.class_name)
            return None
        prefab = posted.prefab_name or (posted.class_name.capitalize() if is_character else f"{posted.class_name}_1")
        transform = posted.obj_transform
        return Node(
            id=posted.id,
            class_name=posted.class_name,
            category="Characters" if is_character else "Rooms" if posted.category == "Rooms" else prefab,
            properties=properties,
            states=_with_states(default_states(posted.class_name, properties), posted.states, properties),
            box=box,
            prefab_name=prefab,
            rotation=transform.rotation if transform else (0.0, 0.0, 0.0, 1.0),
            scale=transform.scale if transform else (1.0, 1.0, 1.0),
        )

    # -- edges --------------------------------------------------------------------------------

    def _relate_kept(self, number: int) -> None:
        """Posted edges replace those of the scene, relation by relation; INSIDE and ON only together."""
        posted = self._edges.get(number, [])
        given = {relation for relation, _ in posted}
        if given & set(_PLACING):
            given |= set(_PLACING)
        if posted and number in self._scene.characters:
            given |= {"HOLDS_RH", "HOLDS_LH", "SITTING"}
        self._relate(number, posted)
        self._relate_as_before(number, set(RELATIONS) - given)

    def _relate_as_before(self, number: int, relations: Container[str]) -> None:
        for relation, target in self._before.get(number, ()):
            if relation in relations and target in self._graph.nodes:
                self._graph.link(number, relation, target)

    def _relate(self, number: int, edges: Iterable[tuple[str, int]]) -> None:
        for relation, target in edges:
            if target in self._ids:
                self._graph.link(self._ids[number], relation, self._ids[target])
            elif target not in self._nodes:
                known = self._scene.nodes.get(target)
                missing = f"{known.class_name if known else 'unknown'}.{target}"
                if missing not in self._complaints.missing_destinations:
                    self._complaints.missing_destinations.append(missing)

    # -- places -------------------------------------------------------------------------------

    def _supports_first(self) -> list[int]:
        """Posted ids in an order in which everything comes after what it is in or on (but for circles)."""
        order: list[int] = []
        seen: set[int] = set()
        for number in self._ids:
            pending = [(number, False)]
            while pending:
                current, ready = pending.pop()
                if ready:
                    order.append(current)
                elif current not in seen:
                    seen.add(current)
                    pending.append((current, True))
                    edges = self._edges.get(current, ())
                    pending += [(to, False) for relation, to in edges if relation in _PLACING and to in self._ids]
        return order

    def _place(self, number: int, *, new: bool) -> None:
        """Give a thing its place, unless the posted box already does."""
        graph, posted, mine = self._graph, self._nodes[number], self._ids[number]
        node = graph.nodes[mine]
        if node.category in ("Rooms", "Characters"):
            return
        holder = graph.holder(mine)
        if holder is not None:
            self._put_in_hand(mine, holder)
        elif new:
            if not self._config.transfer_transform or (posted.bounding_box is None and posted.obj_transform is None):
                self._place_by_edges(number, node)
        elif node.box == self._scene.nodes[mine].box and self._is_rearranged(mine):
            self._place_by_edges(number, node)

    def _place_by_edges(self, number: int, node: Node) -> None:
        self._searched += 1
        spot = self._spot(node.id) if self._searched <= MAX_SEARCHES else None
        if spot is not None and node.box is not None:
            node.box = Box(spot, node.box.size)
            return
        self._complaints.unplaced.append(f"{node.class_name}.{number}")
        for relation in _PLACING:
            self._graph.unlink(node.id, relation)
        self._relate_as_before(node.id, set(_PLACING))  # what was there stays where it was

    def _is_rearranged(self, number: int) -> bool:
        return any(
            self._graph.targets(number, relation) != self._scene.targets(number, relation) for relation in _PLACING
        )

    def _spot(self, number: int) -> Vec | None:
        """A place by edges: INSIDE a container, else ON a surface, else on some surface around a room's middle."""
        graph = self._graph
        box = graph.nodes[number].box
        if box is None:
            return None
        parents = graph.targets(number, "INSIDE")
        supports = graph.targets(number, "ON")
        for container in parents:
            if "CONTAINERS" in graph.nodes[container].properties:
                spot = inner_spot(graph, container, box.size, _middle(graph, container))
                if spot is not None:
                    return spot
        for support in supports:
            spot = self._free_spot(number, support)
            if spot is not None:
                room = graph.room_of(support)
                if room is not None and not parents:
                    graph.link(number, "INSIDE", room)
                return spot
        return None if supports else self._spot_in_room(number, parents)

    def _spot_in_room(self, number: int, parents: Iterable[int]) -> Vec | None:
        graph = self._graph
        for room in parents:
            room_box = graph.nodes[room].box
            if graph.nodes[room].category != "Rooms" or room_box is None:
                continue
            for support in graph.contents(room):
                node = graph.nodes[support]
                near = node.box is not None and node.box.distance(room_box.center[0], room_box.center[2])
                if support != number and "SURFACES" in node.properties and 0 <= near <= _NEAR_MIDDLE_M:
                    spot = self._free_spot(number, support)
                    if spot is not None:
                        graph.unlink(number, "INSIDE")
                        graph.link(number, "INSIDE", room)
                        graph.link(number, "ON", support)
                        return spot
        return None

    def _free_spot(self, number: int, support: int) -> Vec | None:
        graph = self._graph
        box, below = graph.nodes[number].box, graph.nodes[support].box
        if box is None or below is None:
            return None
        already = support in graph.targets(number, "ON")
        others = [target for target in graph.targets(number, "ON") if target != support]
        graph.unlink(number, "ON")  # a thing is not in its own way
        spot = free_spot(graph, support, box.size, _middle(graph, support))
        for target in [*others, *([support] if already else [])]:
            graph.link(number, "ON", target)
        return spot

    def _put_in_hand(self, number: int, holder: int) -> None:
        graph = self._graph
        room, person, node = graph.room_of(holder), graph.nodes[holder].box, graph.nodes[number]
        for relation in _PLACING:
            graph.unlink(number, relation)
        if room is not None:
            graph.link(number, "INSIDE", room)
        if person is not None and node.box is not None:
            node.box = Box((person.center[0], _HAND_M, person.center[2]), node.box.size)

    def _drop_homeless(self) -> None:
        """Remove what is in no room after all that, with what was in it or on it."""
        graph = self._graph
        homeless = [
            number for number, node in graph.nodes.items() if node.category != "Rooms" and graph.room_of(number) is None
        ]
        if not homeless:
            return
        posted_ids = {mine: number for number, mine in self._ids.items()}
        for number in homeless:
            label = f"{graph.nodes[number].class_name}.{posted_ids[number]}"
            if label not in self._complaints.unplaced:
                self._complaints.unplaced.append(label)
        self._graph = _without(graph, frozenset(homeless))


def _middle(graph: SceneGraph, number: int) -> tuple[float, float]:
    box = graph.nodes[number].box
    return (box.center[0], box.center[2]) if box is not None else (0.0, 0.0)


def _with_states(before: tuple[str, ...], wanted: Iterable[str], properties: frozenset[str]) -> tuple[str, ...]:
    """States after those wanted have been set. What a thing cannot be, and unknown words, are passed over."""
    states = list(before)
    for state in wanted:
        needed = _SWITCHED.get(state)
        if state not in STATES or state in states or (needed is not None and needed not in properties):
            continue
        opposite = _OPPOSITE.get(state)
        if opposite in states:
            states[states.index(opposite)] = state
        else:
            states.append(state)
    return tuple(states)


def _without(graph: SceneGraph, gone: frozenset[int]) -> SceneGraph:
    rest = SceneGraph()
    for number, node in graph.nodes.items():
        if number not in gone:
            rest.add(node)
    for source, relation, target in graph.edges():
        if relation in RELATIONS and source in rest.nodes and target in rest.nodes:
            rest.link(source, relation, target)
    return rest
