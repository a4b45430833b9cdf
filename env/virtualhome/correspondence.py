"""The same scene here and in a simulator that names things its own way.

New objects get ids of the simulator's choosing, other ones after every restart; some builds spell a class
differently. Whoever uses a simulator through a `Correspondence` sees the ids and names it began with, for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..household.engine.engine import Primitive
from ..household.scene.graph import Box, Node, SceneGraph
from ..household.scene.node import STATES
from .client import SimulatorError
from .script import write_line
from .wire import WireEdge, WireGraph, WireNode

FIRST_NEW_ID = 1000
"""What is not in a simulator's own scene is posted under ids from here: lower ones mean existing things."""

FOLLOWED = ("INSIDE", "ON", "HOLDS_RH", "HOLDS_LH", "SITTING", "FACING")
"""The relations that actions change, and that are read back after every step."""

_SPELLINGS = {"kitchencabinets": "kitchencabinet"}
"""Spelling of builds up to 2.2 -> spelling since."""

_NOTHING = 999_999_999
"""An id that no simulator has."""

_LABEL = re.compile(r"<[\w ]+> \(([0-9]{1,9})\)")


class Correspondence:
    """Translates between a scene graph of ours and a simulator's scene.

    Args:
        graph: our scene; its ids and names are the ones callers use.
        base: the scene the simulator has by itself, right after a reset.
    """

    def __init__(self, graph: SceneGraph, base: WireGraph) -> None:
        theirs = {node.id: node.class_name for node in base.nodes}
        spelled = set(theirs.values())
        self._spelling = {new: old for old, new in _SPELLINGS.items() if old in spelled and new not in spelled}
        self._base = frozenset(theirs)
        self._posted: dict[int, int] = {}
        following = max([FIRST_NEW_ID, *(number + 1 for number in theirs)])
        for number in sorted(graph.nodes):
            node = graph.nodes[number]
            if node.category == "Characters" or theirs.get(number) == self._spell(node.kind):
                self._posted[number] = number
            else:
                self._posted[number], following = following, following + 1
        self._theirs: dict[int, int] = {}
        self._ours: dict[int, int] = {}
        self._scene = SceneGraph()  # the simulator's names for what is ours

    def post(self, graph: SceneGraph) -> WireGraph:
        """Our scene as `expand_scene` wants it."""
        posted = read_graph(graph)
        for node in posted.nodes:
            kind = graph.nodes[node.id].kind
            node.id, node.class_name = self._posted[node.id], self._spell(kind)
        edges = [
            WireEdge(from_id=self._posted[e.from_id], to_id=self._posted[e.to_id], relation_type=e.relation_type)
            for e in posted.edges
            if e.relation_type != "CLOSE"
        ]
        return WireGraph(nodes=posted.nodes, edges=edges)

    def align(self, graph: SceneGraph, scene: WireGraph) -> None:
        """Find everything of ours in the simulator's scene, after it took what `post` gave.

        Raises:
            SimulatorError: `refused`, when something is not there.
        """
        present = {node.id: node for node in scene.nodes}
        fresh: dict[str, list[int]] = {}
        for number in sorted(present):
            if number not in self._base:
                fresh.setdefault(present[number].class_name, []).append(number)
        self._theirs = {}
        for number in sorted(self._posted, key=self._posted.__getitem__):
            name = self._spell(graph.nodes[number].kind)
            if self._posted[number] == number and number in present:
                self._theirs[number] = number
            elif self._posted[number] != number and fresh.get(name):
                self._theirs[number] = fresh[name].pop(0)
            else:
                label = graph.nodes[number].label
                raise SimulatorError("refused", f"the simulator has no {label} in its scene, although it accepted it")
        self._ours = {theirs: ours for ours, theirs in self._theirs.items()}
        self._scene = SceneGraph()
        for theirs in self._ours:
            self._scene.add(Node(theirs, present[theirs].class_name, present[theirs].category))

    def line(self, actions: Mapping[int, Primitive]) -> str:
        """One step of characters, by id, as a script line in the simulator's names."""
        theirs = {who - 1: self._translated(action) for who, action in actions.items()}
        return write_line(theirs, self._scene)

    def report(self, graph: SceneGraph, lines: Iterable[str]) -> tuple[str, ...]:
        """Report lines of the simulator, with our names for things."""

        def ours(match: re.Match[str]) -> str:
            number = self._ours.get(int(match[1]))
            return match[0] if number is None else graph.nodes[number].label

        return tuple(_LABEL.sub(ours, line) for line in lines)

    def changes(self, graph: SceneGraph, scene: WireGraph) -> Changes:
        """What is different in the simulator's scene from ours.

        Raises:
            SimulatorError: `broken`, when something of ours has vanished.
        """
        changes = Changes()
        nodes = {self._ours[node.id]: node for node in scene.nodes if node.id in self._ours}
        if len(nodes) < len(self._ours):
            gone = min(self._ours.keys() - {node.id for node in scene.nodes})
            raise SimulatorError("broken", f"{self._scene.nodes[gone].label} has vanished from the simulator's scene")
        for number, node in nodes.items():
            mine = graph.nodes[number]
            states = tuple(state for state in node.states if state in STATES)
            if sorted(states) != sorted(mine.states):
                changes.states[number] = states
            if node.bounding_box is not None:
                box = Box(node.bounding_box.center, node.bounding_box.size)
                if box != mine.box:
                    changes.boxes[number] = box
            if node.obj_transform is not None and node.obj_transform.rotation != mine.rotation:
                changes.rotations[number] = node.obj_transform.rotation
        found: dict[tuple[int, str], list[int]] = {}
        for edge in scene.edges:
            source, target = self._ours.get(edge.from_id), self._ours.get(edge.to_id)
            if source is not None and target is not None and edge.relation_type in FOLLOWED:
                found.setdefault((source, edge.relation_type), []).append(target)
        for number in nodes:
            for relation in FOLLOWED:
                targets = found.get((number, relation), [])
                if sorted(targets) != graph.targets(number, relation):
                    changes.edges[number, relation] = targets
        return changes

    def _translated(self, action: Primitive) -> Primitive:
        target, dest = (self._theirs.get(n, _NOTHING) if n else 0 for n in (action.target, action.dest))
        return replace(action, target=target, dest=dest)

    def _spell(self, name: str) -> str:
        return self._spelling.get(name, name)


@dataclass(slots=True)
class Changes:
    """Differences of a simulator's scene from ours, by our ids.

    `edges` has the new targets of a node by one relation; the rest replaces what the node had.
    """

    states: dict[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    boxes: dict[int, Box] = field(default_factory=dict[int, Box])
    rotations: dict[int, tuple[float, ...]] = field(default_factory=dict[int, tuple[float, ...]])
    edges: dict[tuple[int, str], list[int]] = field(default_factory=dict[tuple[int, str], list[int]])

    def apply(self, graph: SceneGraph) -> set[int]:
        """Make our scene the same; returns the ids of what changed."""
        for number, states in self.states.items():
            graph.nodes[number].states = states
        for number, box in self.boxes.items():
            graph.nodes[number].box = box
        for number, rotation in self.rotations.items():
            graph.nodes[number].rotation = rotation
        for (number, relation), targets in self.edges.items():
            graph.unlink(number, relation)
            for target in targets:
                graph.link(number, relation, target)
        return {*self.states, *self.boxes, *self.rotations, *(number for number, _ in self.edges)}

    def essential(self, graph: SceneGraph) -> list[str]:
        """Those that a restored scene must not have, in words: who holds what, and what is where and how."""
        words: list[str] = []
        for number, states in sorted(self.states.items()):
            words.append(f"{graph.nodes[number].label} is {', '.join(states) or 'without states'}")
        for (number, relation), targets in sorted(self.edges.items()):
            if relation != "FACING":
                labels = ", ".join(graph.nodes[target].label for target in targets) or "nothing"
                words.append(f"{graph.nodes[number].label} {relation} {labels}")
        return words


def read_graph(graph: SceneGraph) -> WireGraph:
    """A scene graph of ours in the protocol's form."""
    data = graph.to_dict()
    nodes = [WireNode.model_validate(node) for node in data["nodes"]]
    return WireGraph(nodes=nodes, edges=[WireEdge.model_validate(edge) for edge in data["edges"]])
