"""Taking, carrying, putting and wearing.

Nobody takes what another one holds or wears, or what stands or lies on it. What is on a thing or in it
comes along. Putting into a shut container is allowed if the engine's `putin_closed` says so.
"""

from __future__ import annotations

from ..scene.graph import Vec
from .acting import GENERAL, Acting, Contest, Failure, Rule
from .motion import Point
from .script import IMPOSSIBLE, Primitive, turned
from .spots import free_spot, inner_spot, is_free

GRABBING = Contest("PROCESS GRAB: Agent {} tried to grab the object at the same time")


def check_grab(acting: Acting, character: int, action: Primitive) -> Failure | None:
    """Why a thing cannot be grabbed: it is no such thing, not there, or no hand is free."""
    graph, target = acting.graph, action.target
    if "GRABBABLE" not in graph.nodes[target].properties or graph.holder(target) is not None:
        return GENERAL
    if graph.carrier(target) not in (None, character) or acting.free_hand(character) is None:
        return GENERAL
    return GENERAL if any(acting.people_on(thing) for thing in (target, *graph.load(target))) else None


def _grab(acting: Acting, character: int, action: Primitive) -> None:
    acting.take(character, action.target)


def check_held(acting: Acting, character: int, action: Primitive) -> Failure | None:
    """What is done with a thing in the hand needs nothing else."""
    return None if action.target in acting.graph.held_by(character) else GENERAL


# -- putting ----------------------------------------------------------------------------------


def _check_put(acting: Acting, character: int, action: Primitive) -> Failure | None:
    if action.target not in acting.graph.held_by(character):
        return acting.cannot("PUT: Not found source object", action.target)
    return _check_place(acting, character, action)


def _check_place(acting: Acting, character: int, action: Primitive, *, as_before: bool = False) -> Failure | None:
    """Whether what is in the hand can be put there. `as_before`: there it was, so it is a place for things."""
    if not acting.at_hand(character, action.dest):
        return acting.cannot("PUT: Not found destination object", action.dest)
    acting.spot = _spot(acting, action, acting.place(character), as_before)
    return None if acting.spot is not None else GENERAL


def _spot(acting: Acting, action: Primitive, point: Point, as_before: bool) -> Vec | None:
    """Where a put leaves the thing, as near as possible to where one stands; None if it cannot be put there."""
    graph, dest = acting.graph, acting.graph.nodes[action.dest]
    box = graph.nodes[action.target].box
    if box is None or graph.carrier(action.dest) is not None:  # also rules out the thing itself, and what is on it
        return None
    if action.verb == "putin":
        if not (as_before or "CONTAINERS" in dest.properties):
            return None
        if not acting.putin_closed and graph.is_shut(action.dest):
            return None
        return inner_spot(graph, action.dest, box.size, action.pos or point)
    if not (as_before or "SURFACES" in dest.properties):
        return None
    if action.pos is not None:
        return is_free(graph, action.dest, box.size, action.pos)
    return free_spot(graph, action.dest, box.size, point)


def _put(acting: Acting, character: int, action: Primitive) -> None:
    graph = acting.graph
    spot = acting.spot
    assert spot is not None
    if action.verb == "putin":
        acting.leave(character, action.target, spot, action.dest)
    else:
        room = graph.parent(action.dest)
        assert room is not None
        acting.leave(character, action.target, spot, room)
        graph.link(action.target, "ON", action.dest)
    if action.rot is not None:
        graph.nodes[action.target].rotation = turned(action.rot)


def put_back_action(acting: Acting, action: Primitive) -> Primitive:
    """The put that brings a held thing to where it was taken from; `drop` if that was the floor of a room."""
    relation, origin = acting.origins.get(action.target, ("", 0))
    if relation == "ON":
        return Primitive("putback", action.target, origin)
    if relation == "INSIDE" and acting.graph.nodes[origin].category != "Rooms":
        return Primitive("putin", action.target, origin)
    return Primitive("drop", action.target, origin)


def _check_put_object_back(acting: Acting, character: int, action: Primitive) -> Failure | None:
    if action.target not in acting.graph.held_by(character):
        node = acting.graph.nodes.get(action.target)
        name = node.class_name if node else f"({action.target})"
        return (f"PROCESS PUTBACK: Object {name} not grabbed", IMPOSSIBLE)
    put_action = put_back_action(acting, action)
    if put_action.verb != "drop":
        return _check_place(acting, character, put_action, as_before=True)
    return None if put_action.dest in (0, acting.room(character)) else GENERAL


def _put_object_back(acting: Acting, character: int, action: Primitive) -> None:
    put_action = put_back_action(acting, action)
    (drop if put_action.verb == "drop" else _put)(acting, character, put_action)


def drop(acting: Acting, character: int, action: Primitive) -> None:
    """The thing comes to lie on the floor at one's feet."""
    box = acting.graph.nodes[action.target].box
    floor = acting.graph.nodes[character].box
    assert box is not None and floor is not None
    x, z = acting.place(character)
    acting.leave(character, action.target, (x, floor.bottom + box.size[1] / 2, z), acting.room(character))


# -- wearing ----------------------------------------------------------------------------------


def _check_put_on(acting: Acting, character: int, action: Primitive) -> Failure | None:
    return check_held(acting, character, action) or (
        None if "CLOTHES" in acting.graph.nodes[action.target].properties else GENERAL
    )


def _put_on(acting: Acting, character: int, action: Primitive) -> None:
    me = acting.graph.nodes[character].box
    assert me is not None
    acting.leave(character, action.target, me.center, acting.room(character))
    acting.graph.link(action.target, "ON", character)


def check_put_off(acting: Acting, character: int, action: Primitive) -> Failure | None:
    """What is taken off is in the hand, so that it is somewhere; that hand must be free."""
    if acting.graph.support(action.target) != character or acting.free_hand(character) is None:
        return GENERAL
    return None


RULES = {
    "grab": Rule(1, check_grab, _grab, "GRAB", hands_on=True, contest=GRABBING),
    "putback": Rule(2, _check_put, _put),
    "putin": Rule(2, _check_put, _put),
    "putobjback": Rule(1, _check_put_object_back, _put_object_back),
    "drop": Rule(1, check_held, drop),
    "release": Rule(1, check_held, drop),
    "puton": Rule(1, _check_put_on, _put_on),
    "putoff": Rule(1, check_put_off, _grab),
}
