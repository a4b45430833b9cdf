"""How the body carries out a high-level action: one primitive per step, until it is finished or pointless."""

from __future__ import annotations

from ..engine.engine import Primitive
from ..scene.graph import SceneGraph
from ..tasks.goals import WantKind
from .body import MAX_HELD, Body
from .briefing import Briefing
from .options import Option, idle_things, is_wanted_at, spare_things

STUCK_STEPS = 20
"""After more than this many fruitless repetitions of one primitive the body gives up on it."""

_HANDLE = {"gocheck": "open", "gograb": "grab", "goswitch": "switchon"}
"""What is done to the object of an option once it is in reach."""


def compile_option(body: Body, option: Option, graph: SceneGraph, briefing: Briefing) -> Primitive:
    """The primitive with which one of the body's current options goes on in this step."""
    primitive = _pursue(body, option, graph, briefing)
    if primitive == body.last and body.repeats > STUCK_STEPS:
        return _give_up(body, option, briefing)
    return primitive


def _pursue(body: Body, option: Option, graph: SceneGraph, briefing: Briefing) -> Primitive:
    verb, number = option
    if verb == "goexplore":
        return Primitive("walktowards", number)
    room = _room_of(body, option)
    if room != body.room:
        return Primitive("walktowards", room)
    if not graph.is_reachable(body.number, number):
        return Primitive("walktowards", number)
    if verb == "goput":
        return _put(body, number, graph, briefing)
    if verb == "gosit":
        return Primitive("standup") if body.seat else Primitive("sit", number)
    return Primitive(_HANDLE[verb], number)


def _room_of(body: Body, option: Option) -> int:
    """Where the object of an option was last seen; of a target never seen, the first room where it may be."""
    verb, number = option
    if verb == "gocheck":
        return next(room for room, numbers in body.unchecked.items() if numbers and number in numbers)
    if verb == "gograb":
        return next(room for room, things in body.ungrabbed.items() if things and number in things)
    if number in body.target_rooms:
        return body.target_rooms[number][0]
    return next(room for room, numbers in body.surfaces.items() if number in numbers)


def _put(body: Body, place: int, graph: SceneGraph, briefing: Briefing) -> Primitive:
    """Put down what is wanted at a place, or else what nothing asks for."""
    if briefing.single:
        kind, thing = briefing.groups[0].kind, body.holding[0]
    else:
        kind, thing = _choose_thing(body, place, briefing)
    if kind is WantKind.ON:
        return Primitive("putback", thing, place)
    if graph.is_shut(place) and len(body.holding) < MAX_HELD:
        return Primitive("open", place)
    return Primitive("putin", thing, place)


def _choose_thing(body: Body, place: int, briefing: Briefing) -> tuple[WantKind, int]:
    for thing in spare_things(body, briefing):
        for index in sorted(body.open_wants):
            want = briefing.goal.wants[index]
            if want.target == place and is_wanted_at(thing, want, briefing):
                return want.kind, thing
    return WantKind.ON, idle_things(body, briefing)[0]


def _give_up(body: Body, option: Option, briefing: Briefing) -> Primitive:
    """Stop repeating what leads nowhere: mark it, do not offer it for a while, and walk away."""
    verb, number = option
    body.repeats = 0
    body.history[-1] += " but unfinished"
    if verb != "goexplore":
        body.give_up_on(number, briefing)
    maybe = [room for rooms in body.target_rooms.values() for room in rooms]
    away = [room for room in (*maybe, *briefing.rooms) if room != body.room]
    return Primitive("walktowards", away[0] if away else body.room)


def note_result(body: Body, primitive: Primitive, briefing: Briefing, *, ok: bool) -> None:
    """Draw conclusions from a put: what a shut door hides from now on, or that a place is full."""
    if briefing.single or primitive.verb not in ("putin", "putback"):
        return
    if not ok:
        body.give_up_on(primitive.dest, briefing)
    elif primitive.verb == "putin":
        body.note_put(primitive.target, primitive.dest, briefing)
