"""Walking and turning.

`walktowards` goes a metre (or as many as `:N:` says) along the way, `walk`, `goto`, `run` and `find` all
of it, as VirtualHome does without animation. Whoever walks gets up first and looks where they go. Rooms
are entered through doorways; furniture is not in the way. Before a shut door a walktowards stops, and
fails once it stands there; the others fail at once.
"""

from __future__ import annotations

from .acting import Acting, Failure, Rule, allowed
from .motion import PERSON_M, STEP_M, TURN_DEGREES, heading, turn
from .script import Primitive


def _check_target(acting: Acting, action: Primitive, process: str) -> Failure | None:
    node = acting.graph.nodes.get(action.target)
    if node is None or node.box is None or acting.graph.room_of(action.target) is None:
        more = "" if process == "FIND" else ". REASON: Unknown"
        return acting.cannot(f"{process}: Can not select object", action.target, more)
    return None


def _check_walk_towards(acting: Acting, character: int, action: Primitive) -> Failure | None:
    failure = _check_target(acting, action, "WALK")
    if failure is not None:
        return failure
    room = acting.room(character)
    goal_room = acting.goal_room(room, action.target)
    if room != goal_room and acting.floorplan.is_blocked(acting.place(character), room, goal_room):
        return acting.cannot("WALK: Can not select object", action.target, ". REASON: Path partial")
    return None


def _walk_towards(acting: Acting, character: int, action: Primitive) -> None:
    goal, here, room = acting.graph.nodes[action.target], acting.place(character), acting.room(character)
    goal_box, stop = acting.aim(goal)
    if goal.category == "Characters":
        stop = PERSON_M
    metres = STEP_M if action.metres is None else max(0, action.metres)
    goal_room = acting.goal_room(room, action.target)
    point, new_room = acting.floorplan.advance(here, room, goal_box, goal_room, stop, metres)
    acting.relocate(character, point, new_room)
    if point != here:
        acting.look_along(character, (point[0] - here[0], point[1] - here[1]))
    else:
        acting.look_at(character, goal_box)


def _check_walk(acting: Acting, character: int, action: Primitive) -> Failure | None:
    process = "FIND" if action.verb == "find" else "WALK"
    failure = _check_target(acting, action, process)
    if failure is not None:
        return failure
    acting.way_end = acting.arrival(character, acting.graph.nodes[action.target])
    if acting.way_end is None:
        more = "" if process == "FIND" else ". REASON: Path partial"
        return acting.cannot(f"{process}: Can not select object", action.target, more)
    return None


def _walk(acting: Acting, character: int, action: Primitive) -> None:
    acting.go_to(character, acting.graph.nodes[action.target], acting.way_end)


def _walk_forward(acting: Acting, character: int, action: Primitive) -> None:
    ahead = heading(acting.graph.nodes[character].rotation)
    acting.relocate(character, *acting.floorplan.ahead(acting.place(character), acting.room(character), ahead, STEP_M))


def _turn_left(acting: Acting, character: int, action: Primitive) -> None:
    _turn(acting, character, -TURN_DEGREES)


def _turn_right(acting: Acting, character: int, action: Primitive) -> None:
    _turn(acting, character, TURN_DEGREES)


def _turn(acting: Acting, character: int, degrees: float) -> None:
    me = acting.graph.nodes[character]
    me.rotation = turn(me.rotation, degrees)
    acting.touched.add(character)


_WALK = Rule(1, _check_walk, _walk)

RULES = {
    "walktowards": Rule(1, _check_walk_towards, _walk_towards),
    "walk": _WALK,
    "goto": _WALK,
    "run": _WALK,
    "find": _WALK,
    "walkforward": Rule(0, allowed, _walk_forward),
    "turnleft": Rule(0, allowed, _turn_left),
    "turnright": Rule(0, allowed, _turn_right),
}
