"""What primitive actions need and do, and the joint step of any number of people.

Rules after VirtualHome's Unity simulator, in its symbolic use, with its known defects put right:
acting needs closeness (nobody teleports to what they handle), what is shut is out of reach, an
opened thing is not toggled by opening it again, and nobody takes things out of others' hands.
Putting into a shut container is allowed, as in VirtualHome: with both hands full one could not
open it. Who is CLOSE to what follows from geometry at any time, so it is current after every step.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from .graph import Box, SceneGraph, Vec
from .motion import ARM_M, PERSON_M, Floorplan
from .spots import free_spot, inner_spot

_IMPOSSIBLE = "EXECUTION_GENERAL: Script is impossible to execute"
_HAND_M = 1.1
SEATS = {"couch": 4, "sofa": 4, "bed": 4, "loveseat": 2, "bench": 2, "pianobench": 2}
"""How many people sit on a thing of a class; on others one."""

_PRIMITIVE = re.compile(r"\[(\w+)\](?:\s*<([\w ]+)>\s*\((\d+)\))?(?:\s*<([\w ]+)>\s*\((\d+)\))?")


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive action; `dest` only for putin and putback (0: none)."""

    verb: str
    target: int = 0
    dest: int = 0

    def text(self, graph: SceneGraph) -> str:
        """The action as VirtualHome scripts write it, without the character."""
        parts = [f"[{self.verb}]"]
        for number in (self.target, self.dest):
            if number:
                node = graph.nodes.get(number)
                parts.append(node.label if node else f"<unknown> ({number})")
        return " ".join(parts)


def parse_primitive(text: str) -> Primitive | None:
    """Read `[verb] <name> (id) <name> (id)`; the ids count, the names do not. None: not of that form."""
    match = _PRIMITIVE.fullmatch(text.strip())
    if match is None:
        return None
    return Primitive(match[1].lower(), int(match[3] or 0), int(match[5] or 0))


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one primitive; `lines` are VirtualHome's report lines when it failed."""

    ok: bool
    lines: tuple[str, ...] = ()

    def message(self, index: int) -> str:
        """The report of the character with this index (its id - 1), spelled as VirtualHome spells it."""
        return "Success" if self.ok else f"ScriptExcutor {index}: " + "".join(f"{line}\n" for line in self.lines) + "\n"


SUCCESS = Result(True)

_Failure = tuple[str, ...]
_CONTESTED = {"grab": "grab", "open": "open", "close": "open"}
"""Verbs that only one person at a time can do to a thing, with the word of the loser's report."""


class Engine:
    """Applies primitive actions to a scene graph. `seed` decides ties; `steps` counts joint steps."""

    def __init__(self, graph: SceneGraph, seed: int | str) -> None:
        self.graph = graph
        self.steps = 0
        self.touched: set[int] = set()
        """Everything that may have changed since the start (what a snapshot has to hold)."""
        self._seed = seed
        self._people = frozenset(graph.characters)
        self._floorplan = Floorplan(graph)
        self._rules: dict[str, tuple[Callable[[int, Primitive], _Failure | None], Callable[[int, Primitive], None]]] = {
            "walktowards": (self._check_walk, self._walk),
            "grab": (self._check_grab, self._grab),
            "open": (self._check_open, self._open),
            "close": (self._check_close, self._close),
            "putin": (self._check_put, self._put_in),
            "putback": (self._check_put, self._put_back),
            "switchon": (self._check_switch, self._switch_on),
            "switchoff": (self._check_switch, self._switch_off),
            "sit": (self._check_sit, self._sit),
            "standup": (self._check_stand_up, self._stand_up),
        }

    def step(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
        """Carry out one primitive per character at the same time; characters left out do nothing.

        Of several who grab, open or close one thing, one wins by lot. Everything else happens in
        id order, each action judged by what the earlier ones left.
        """
        results = self._draw_lots(actions)
        for character in sorted(actions):
            if character not in results:
                results[character] = self._act(character, actions[character])
        self.steps += 1
        return {character: results[character] for character in sorted(results)}

    def check(self, character: int, action: Primitive) -> tuple[str, ...] | None:
        """Why an action is impossible right now, as report lines; None if it is possible."""
        rule = self._rules.get(action.verb)
        if rule is None or character not in self._people:
            return (_IMPOSSIBLE,)
        return rule[0](character, action)

    def _act(self, character: int, action: Primitive) -> Result:
        failure = self.check(character, action)
        if failure is not None:
            return Result(False, failure)
        self._rules[action.verb][1](character, action)
        return SUCCESS

    def _draw_lots(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
        rivals: dict[int, list[int]] = {}
        for character in sorted(actions):
            if actions[character].verb in _CONTESTED:
                rivals.setdefault(actions[character].target, []).append(character)
        losers: dict[int, Result] = {}
        lots: Random | None = None
        for target in sorted(rivals):
            able = [who for who in rivals[target] if len(rivals[target]) > 1 and self.check(who, actions[who]) is None]
            if len(able) > 1:
                lots = lots or Random(f"{self._seed}/conflict/{self.steps}")
                winner = lots.choice(able)
                for who in able:
                    if who != winner:
                        word = _CONTESTED[actions[who].verb]
                        text = f"PROCESS {word.upper()}: Agent {winner} tried to {word} the object at the same time"
                        losers[who] = Result(False, (text, _IMPOSSIBLE))
        return losers

    # -- walking ------------------------------------------------------------------------------

    def _check_walk(self, character: int, action: Primitive) -> _Failure | None:
        node = self.graph.nodes.get(action.target)
        if node is None or node.box is None or self.graph.room_of(action.target) is None:
            return self._cannot("WALK: Can not select object", action.target, ". REASON: Unknown")
        return None

    def _walk(self, character: int, action: Primitive) -> None:
        graph = self.graph
        me, goal = graph.nodes[character], graph.nodes[action.target]
        room, goal_room = graph.room_of(character), graph.room_of(action.target)
        assert me.box is not None and goal.box is not None and room is not None and goal_room is not None
        if graph.targets(character, "SITTING"):
            self._stand_up(character, action)
        if goal.category == "Rooms":
            goal_box, stop = Box(goal.box.center, (0.0, 0.0, 0.0)), 0.0
        else:
            goal_box, stop = goal.box, PERSON_M if goal.category == "Characters" else ARM_M
        (x, y, z), size = me.box
        (new_x, new_z), new_room = self._floorplan.advance((x, z), room, goal_box, goal_room, stop)
        if new_x == x and new_z == z and new_room == room:
            return
        me.box = Box((new_x, y, new_z), size)
        self.touched.add(character)
        if new_room != room:
            graph.unlink(character, "INSIDE")
            graph.link(character, "INSIDE", new_room)
        for held in graph.held_by(character):
            self._move(held, (new_x, _HAND_M, new_z), new_room)

    # -- hands --------------------------------------------------------------------------------

    def _check_grab(self, character: int, action: Primitive) -> _Failure | None:
        node = self.graph.nodes.get(action.target)
        if node is None or not self._can_touch(character, action.target):
            return self._cannot("GRAB: Not found object", action.target)
        if "GRABBABLE" not in node.properties or self.graph.holder(action.target) is not None:
            return (_IMPOSSIBLE,)
        if self.graph.sources(action.target, "SITTING"):
            return (_IMPOSSIBLE,)
        return None if self._free_hand(character) else (_IMPOSSIBLE,)

    def _grab(self, character: int, action: Primitive) -> None:
        hand = self._free_hand(character)
        room, me = self.graph.room_of(character), self.graph.nodes[character]
        assert hand is not None and room is not None and me.box is not None
        self._release(action.target)
        self._move(action.target, (me.box.center[0], _HAND_M, me.box.center[2]), room)
        self.graph.link(character, hand, action.target)
        self.touched.add(character)

    def _check_put(self, character: int, action: Primitive) -> _Failure | None:
        graph = self.graph
        if action.target not in graph.held_by(character):
            return self._cannot("PUT: Not found source object", action.target)
        dest = graph.nodes.get(action.dest)
        if dest is None or not self._can_touch(character, action.dest):
            return self._cannot("PUT: Not found destination object", action.dest)
        wanted = "CONTAINERS" if action.verb == "putin" else "SURFACES"
        if wanted not in dest.properties or graph.holder(action.dest) is not None:
            return (_IMPOSSIBLE,)
        if action.dest == action.target or action.dest in graph.load(action.target):
            return (_IMPOSSIBLE,)
        return None if self._spot(character, action) is not None else (_IMPOSSIBLE,)

    def _put_in(self, character: int, action: Primitive) -> None:
        self._put(character, action, action.dest)

    def _put_back(self, character: int, action: Primitive) -> None:
        parent = self.graph.parent(action.dest)
        assert parent is not None
        self._put(character, action, parent)
        self.graph.link(action.target, "ON", action.dest)

    def _put(self, character: int, action: Primitive, inside: int) -> None:
        spot = self._spot(character, action)
        assert spot is not None
        self._release(action.target)
        self._move(action.target, spot, inside)
        self.touched.add(character)

    def _spot(self, character: int, action: Primitive) -> Vec | None:
        me, box = self.graph.nodes[character].box, self.graph.nodes[action.target].box
        if me is None or box is None:
            return None
        near = (me.center[0], me.center[2])
        return (inner_spot if action.verb == "putin" else free_spot)(self.graph, action.dest, box.size, near)

    def _release(self, target: int) -> None:
        """Take a thing off its support and out of hands; only its INSIDE edge is left."""
        graph = self.graph
        graph.unlink(target, "ON")
        holder = graph.holder(target)
        if holder is not None:
            for hand in ("HOLDS_RH", "HOLDS_LH"):
                if target in graph.targets(holder, hand):
                    graph.unlink(holder, hand)

    def _move(self, target: int, center: Vec, inside: int) -> None:
        """Move a thing, and what is on it or in it, and say what it is now inside of."""
        graph = self.graph
        node = graph.nodes[target]
        assert node.box is not None
        before, parent = node.box.center, graph.parent(target)
        shift = tuple(new - old for new, old in zip(center, before, strict=True))
        for rider in graph.load(target):
            other = graph.nodes[rider]
            if other.box is not None:
                x, y, z = other.box.center
                other.box = Box((x + shift[0], y + shift[1], z + shift[2]), other.box.size)
            if graph.parent(rider) == parent and parent != inside:
                graph.unlink(rider, "INSIDE")
                graph.link(rider, "INSIDE", inside)
            self.touched.add(rider)
        node.box = Box(center, node.box.size)
        if parent != inside or len(graph.targets(target, "INSIDE")) > 1:
            graph.unlink(target, "INSIDE")
            graph.link(target, "INSIDE", inside)
        self.touched.add(target)

    # -- doors, switches, seats ---------------------------------------------------------------

    def _check_open(self, character: int, action: Primitive) -> _Failure | None:
        return self._check_state(character, action, "OPEN", "CAN_OPEN", "CLOSED")

    def _check_close(self, character: int, action: Primitive) -> _Failure | None:
        return self._check_state(character, action, "CLOSE", "CAN_OPEN", "OPEN")

    def _check_switch(self, character: int, action: Primitive) -> _Failure | None:
        turning_on = action.verb == "switchon"
        word, needed = ("SWITCH ON", "OFF") if turning_on else ("SWITCH OFF", "ON")
        return self._check_state(character, action, word, "HAS_SWITCH", needed)

    def _check_state(self, character: int, action: Primitive, word: str, ability: str, needed: str) -> _Failure | None:
        node = self.graph.nodes.get(action.target)
        if node is None or not self._can_touch(character, action.target):
            return self._cannot(f"{word}: Not found object", action.target)
        if ability not in node.properties or needed not in node.states:
            return (_IMPOSSIBLE,)
        return None if self._free_hand(character) else (_IMPOSSIBLE,)

    def _swap(self, target: int, old: str, new: str) -> None:
        node = self.graph.nodes[target]
        node.states = tuple(new if state == old else state for state in node.states)
        self.touched.add(target)

    def _open(self, character: int, action: Primitive) -> None:
        self._swap(action.target, "CLOSED", "OPEN")

    def _close(self, character: int, action: Primitive) -> None:
        self._swap(action.target, "OPEN", "CLOSED")

    def _switch_on(self, character: int, action: Primitive) -> None:
        self._swap(action.target, "OFF", "ON")

    def _switch_off(self, character: int, action: Primitive) -> None:
        self._swap(action.target, "ON", "OFF")

    def _check_sit(self, character: int, action: Primitive) -> _Failure | None:
        node = self.graph.nodes.get(action.target)
        if node is None or not self._can_touch(character, action.target):
            return self._cannot("SIT: Not found object", action.target)
        if "SITTABLE" not in node.properties:
            return (f"PROCESS SIT: Object {node.label} has no Properties_chair component", _IMPOSSIBLE)
        taken = len(self.graph.sources(action.target, "SITTING"))
        if taken >= SEATS.get(node.kind, 1) or self.graph.targets(character, "SITTING"):
            return (_IMPOSSIBLE,)
        return (_IMPOSSIBLE,) if self.graph.holder(action.target) is not None else None

    def _sit(self, character: int, action: Primitive) -> None:
        self.graph.link(character, "SITTING", action.target)
        self.touched.add(character)

    def _check_stand_up(self, character: int, action: Primitive) -> _Failure | None:
        return None

    def _stand_up(self, character: int, action: Primitive) -> None:
        self.graph.unlink(character, "SITTING")
        self.touched.add(character)

    # -- shared -------------------------------------------------------------------------------

    def _can_touch(self, character: int, target: int) -> bool:
        return self.graph.is_reachable(character, target) and self.graph.is_accessible(target)

    def _free_hand(self, character: int) -> str | None:
        """The hand that takes the next thing: the right one first."""
        for hand in ("HOLDS_RH", "HOLDS_LH"):
            if not self.graph.targets(character, hand):
                return hand
        return None

    def _cannot(self, process: str, target: int, more: str = "") -> _Failure:
        node = self.graph.nodes.get(target)
        name = node.class_name if node else f"({target})"
        return (f"PROCESS {process}: {name}{more}", _IMPOSSIBLE)
