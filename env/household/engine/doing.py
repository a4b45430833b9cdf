"""What people do with and to things and each other that changes nothing in the scene.

Nothing is used up: eating, drinking and pouring leave everything where it is, as in both originals.
Drinking and phoning take the thing into the hand first, as in VirtualHome. `read` is evolving_graph's
(something readable in the hand); VirtualHome, which has no reading, turns it into `text` for books. The rest
is VirtualHome's where it has the verb, evolving_graph's where it has not.
"""

from __future__ import annotations

from .acting import GENERAL, Acting, Failure, Rule, allowed, nothing
from .hands import GRABBING, check_grab
from .script import IMPOSSIBLE, Primitive

_LOOK_M, _LOOK_SEATED_M = 3.0, 6.0
"""VirtualHome: how far one sees a thing well enough to look at it, standing and seated."""

_MOVED_CLASSES = frozenset({"chair", "curtain"})
"""Movable whatever their properties say (evolving_graph)."""

_SQUEEZED = """
    cleaningsolution toothpaste shampoo foodpeanutbutter dishsoap soap towel rag paper sponge foodlemon check
    barsoap dishwashingliquid washingsponge
"""
_SQUEEZED_CLASSES = frozenset(_SQUEEZED.split())
"""Besides clothes: evolving_graph's list, and our names for what is in it."""


# -- in the hand ------------------------------------------------------------------------------


def _check_drink(acting: Acting, character: int, action: Primitive) -> Failure | None:
    if not acting.graph.nodes[action.target].properties & {"DRINKABLE", "RECIPIENT"}:
        return GENERAL
    return _check_takes(acting, character, action)


def _check_phone(acting: Acting, character: int, action: Primitive) -> Failure | None:
    if "phone" not in acting.graph.nodes[action.target].kind:
        return GENERAL
    return _check_takes(acting, character, action)


def _check_takes(acting: Acting, character: int, action: Primitive) -> Failure | None:
    if action.target in acting.graph.held_by(character):
        return None
    return check_grab(acting, character, action)


def _take(acting: Acting, character: int, action: Primitive) -> None:
    if action.target not in acting.graph.held_by(character):
        acting.take(character, action.target)


def _check_read(acting: Acting, character: int, action: Primitive) -> Failure | None:
    graph = acting.graph
    is_held = action.target in graph.held_by(character)
    return None if is_held and "READABLE" in graph.nodes[action.target].properties else GENERAL


def _check_pour(acting: Acting, character: int, action: Primitive) -> Failure | None:
    graph = acting.graph
    if action.target not in graph.held_by(character):
        return GENERAL
    if not graph.nodes[action.target].properties & {"POURABLE", "DRINKABLE"}:
        return GENERAL
    if not acting.at_hand(character, action.dest):
        return acting.cannot("POUR: Not found destination object", action.dest)
    return None if "RECIPIENT" in graph.nodes[action.dest].properties else GENERAL


# -- within reach -----------------------------------------------------------------------------


def _check_eat(acting: Acting, character: int, action: Primitive) -> Failure | None:
    graph = acting.graph
    meal = (action.target, *graph.sources(action.target, "ON"))
    return None if any("EATABLE" in graph.nodes[number].properties for number in meal) else GENERAL


def _check_cut(acting: Acting, character: int, action: Primitive) -> Failure | None:
    nodes = acting.graph.nodes
    if not nodes[action.target].properties >= {"EATABLE", "CUTTABLE"} or acting.free_hand(character) is None:
        return GENERAL
    has_knife = any("knife" in nodes[held].kind for held in acting.graph.held_by(character))
    return None if has_knife else GENERAL


def _check_type(acting: Acting, character: int, action: Primitive) -> Failure | None:
    node = acting.graph.nodes[action.target]
    return None if node.kind == "keyboard" or "HAS_SWITCH" in node.properties else GENERAL


def _check_move(acting: Acting, character: int, action: Primitive) -> Failure | None:
    node = acting.graph.nodes[action.target]
    is_button = action.verb == "push" and node.kind == "button"
    if "MOVABLE" not in node.properties and node.kind not in _MOVED_CLASSES and not is_button:
        return GENERAL
    return None if acting.free_hand(character) else GENERAL


def _check_squeeze(acting: Acting, character: int, action: Primitive) -> Failure | None:
    node = acting.graph.nodes[action.target]
    if "CLOTHES" not in node.properties and node.kind not in _SQUEEZED_CLASSES:
        return GENERAL
    return None if acting.free_hand(character) else GENERAL


# -- in sight ---------------------------------------------------------------------------------


def _check_look(acting: Acting, character: int, action: Primitive) -> Failure | None:
    graph, target = acting.graph, action.target
    node = graph.nodes.get(target)
    process = action.verb.partition("_")[0].upper()
    if node is not None and node.box is not None and target != character and graph.is_accessible(target):
        seated = bool(graph.targets(character, "SITTING"))
        if graph.shares_room(character, target):
            if node.box.distance(*acting.place(character)) <= (_LOOK_SEATED_M if seated else _LOOK_M):
                return None
            if seated:
                return (f"PROCESS {process}: Object {node.class_name} is not visible from sitting position", IMPOSSIBLE)
    return acting.cannot(f"{process}: Can not select object to watch", target)


def _look(acting: Acting, character: int, action: Primitive) -> None:
    box = acting.graph.nodes[action.target].box
    assert box is not None
    acting.look_at(character, box)


def _check_greet(acting: Acting, character: int, action: Primitive) -> Failure | None:
    graph = acting.graph
    node = graph.nodes.get(action.target)
    if node is None or action.target == character or graph.room_of(character) != graph.room_of(action.target):
        return acting.cannot("GREET: Not found object", action.target)
    return None if node.category == "Characters" or "PERSON" in node.properties else GENERAL


_MOVE, _LOOK = Rule(1, _check_move, nothing, "MOVE", hands_on=True), Rule(1, _check_look, _look)

RULES = {
    "drink": Rule(1, _check_drink, _take, "DRINK", hands_on=True, contest=GRABBING),
    "talk": Rule(1, _check_phone, _take, "TALK", hands_on=True, contest=GRABBING),
    "text": Rule(1, _check_phone, _take, "TEXT", hands_on=True, contest=GRABBING),
    "read": Rule(1, _check_read, nothing),
    "pour": Rule(2, _check_pour, nothing),
    "eat": Rule(1, _check_eat, nothing, "EAT", hands_on=True),
    "cut": Rule(1, _check_cut, nothing, "CUT", hands_on=True),
    "type": Rule(1, _check_type, nothing, "TYPE", hands_on=True),
    "touch": Rule(1, allowed, nothing, "TOUCH", hands_on=True),
    "push": _MOVE,
    "pull": _MOVE,
    "move": _MOVE,
    "squeeze": Rule(1, _check_squeeze, nothing, "SQUEEZE", hands_on=True),
    "watch": _LOOK,
    "lookat": _LOOK,
    "lookat_short": _LOOK,
    "lookat_medium": _LOOK,
    "lookat_long": _LOOK,
    "turnto": _LOOK,
    "pointat": _LOOK,
    "greet": Rule(1, _check_greet, nothing),
    "special": Rule(0, allowed, nothing),
}
