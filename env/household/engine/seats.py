"""Sitting, lying and getting up.

Somebody who sits has the edge SITTING to the seat and, as in VirtualHome, no state. Somebody who lies has
the state LYING and, as in evolving_graph, the edge ON to what they lie on. Nobody does both, and whoever
does either stays where they stood: beside the seat.
"""

from __future__ import annotations

from .acting import GENERAL, Acting, Contest, Failure, Rule, allowed, nothing
from .script import IMPOSSIBLE, Primitive

SEATS = {"couch": 4, "bed": 4, "loveseat": 2, "sofa": 4, "pianobench": 2, "bench": 2}
"""How many people may be on a thing when one more sits down included (evolving_graph's numbers); others: 1."""

BEDS = {"couch": 2, "bathtub": 2, "bed": 3, "loveseat": 2, "sofa": 2}
"""The same for lying down."""


def _check_sit(acting: Acting, character: int, action: Primitive) -> Failure | None:
    node = acting.graph.nodes[action.target]
    if "SITTABLE" not in node.properties:
        return (f"PROCESS SIT: Object {node.label} has no Properties_chair component", IMPOSSIBLE)
    if acting.graph.targets(character, "SITTING"):
        return GENERAL
    return _check_room_for(acting, character, action.target, SEATS)


def _sit(acting: Acting, character: int, action: Primitive) -> None:
    acting.stand_up(character)
    acting.graph.link(character, "SITTING", action.target)
    acting.touched.add(character)


def _check_lie(acting: Acting, character: int, action: Primitive) -> Failure | None:
    graph = acting.graph
    if "LIEABLE" not in graph.nodes[action.target].properties or "LYING" in graph.nodes[character].states:
        return GENERAL
    return _check_room_for(acting, character, action.target, BEDS)


def _lie(acting: Acting, character: int, action: Primitive) -> None:
    acting.stand_up(character)
    me = acting.graph.nodes[character]
    me.states = (*me.states, "LYING")
    acting.graph.link(character, "ON", action.target)
    acting.touched.add(character)


def _check_room_for(acting: Acting, character: int, seat: int, places: dict[str, int]) -> Failure | None:
    others = [who for who in acting.people_on(seat) if who != character]
    if len(others) >= places.get(acting.graph.nodes[seat].kind, 1):
        return GENERAL
    return GENERAL if acting.graph.carrier(seat) is not None else None


def _stand_up(acting: Acting, character: int, action: Primitive) -> None:
    acting.stand_up(character)


def _check_sleep(acting: Acting, character: int, action: Primitive) -> Failure | None:
    graph = acting.graph
    rests = graph.targets(character, "SITTING") or "LYING" in graph.nodes[character].states
    return None if rests else GENERAL


_SEATING = Contest("PROCESS SIT: Agent {} tried to sit on the object at the same time", shared=True)

RULES = {
    "sit": Rule(1, _check_sit, _sit, "SIT", hands_on=True, contest=_SEATING),
    "lie": Rule(1, _check_lie, _lie, "LIE", hands_on=True, contest=_SEATING),
    "standup": Rule(0, allowed, _stand_up),
    "sleep": Rule(0, _check_sleep, nothing),
    "wakeup": Rule(0, _check_sleep, nothing),
}
