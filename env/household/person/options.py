"""What a body could do next: its options, in the order in which texts list them."""

from __future__ import annotations

from ..tasks.goals import PLACING, Want, WantKind
from .body import MAX_HELD, Body
from .briefing import Briefing

MAX_RESTING_PLACES = 4
"""How many places to put something to rest are offered at once."""

Option = tuple[str, int]
"""A high-level action: `goexplore`, `gocheck`, `gograb`, `goput`, `goswitch` or `gosit`, and the id of its object."""


def list_options(body: Body, briefing: Briefing) -> list[Option]:
    """The high-level actions open to a body."""
    unchecked, is_offered = body.unchecked, body.is_offered
    options: list[Option] = [("goexplore", room) for room in briefing.rooms if unchecked[room] is None]
    if len(body.holding) < MAX_HELD:
        for room in briefing.rooms:
            options += [("gocheck", number) for number in unchecked[room] or () if is_offered(number)]
        useful = body.open_wants if briefing.single else _worth_a_hand(body, briefing)
        for room in briefing.rooms:
            options += [
                ("gograb", number)
                for number, uses in (body.ungrabbed[room] or {}).items()
                if not useful.isdisjoint(uses) and is_offered(number)
            ]
    if briefing.single:
        return [*options, ("goput", briefing.targets[0])] if body.holding else options
    options += [("goput", number) for number in _places_to_put(body, briefing)]
    options += _switches_and_seats(body, briefing)
    # Things put to rest by others are where nobody saw them: who knows of nothing to do looks around again.
    return options or [("goexplore", room) for room in briefing.rooms if room != body.room]


def find_reflex(body: Body, briefing: Briefing) -> Option | None:
    """Where to bring what both hands hold, if all of it belongs to one place; not after a failure."""
    if len(body.holding) < MAX_HELD or body.has_failed:
        return None
    if briefing.single:
        return ("goput", briefing.targets[0])
    things, wants = spare_things(body, briefing), _open_wants(body, briefing)
    places = [{want.target for want in wants if is_wanted_at(thing, want, briefing)} for thing in things]
    if len(things) < MAX_HELD or len(places[0]) != 1 or any(place != places[0] for place in places):
        return None
    return ("goput", min(places[0]))


def is_wanted_at(number: int, want: Want, briefing: Briefing) -> bool:
    """Whether a thing can be brought to a want's target to meet it."""
    return want.kind in PLACING and briefing.classes[number] == want.class_name


def spare_things(body: Body, briefing: Briefing) -> list[int]:
    """What one holds and may put down: all but as many things as are to be held."""
    keep = {want.class_name: want.count for want in briefing.goal.wants if want.kind is WantKind.HOLD}
    spare: list[int] = []
    for number in body.holding:
        name = briefing.classes[number]
        if keep.get(name, 0) > 0:
            keep[name] -= 1
        else:
            spare.append(number)
    return spare


def idle_things(body: Body, briefing: Briefing) -> list[int]:
    """What one may put down and nothing asks for elsewhere."""
    wants = _open_wants(body, briefing)
    spare = spare_things(body, briefing)
    return [number for number in spare if not any(is_wanted_at(number, want, briefing) for want in wants)]


def _open_wants(body: Body, briefing: Briefing) -> list[Want]:
    return [briefing.goal.wants[index] for index in sorted(body.open_wants)]


def _worth_a_hand(body: Body, briefing: Briefing) -> frozenset[int]:
    """The wants for which to take something now.

    Who holds a thing for good keeps the other hand free for the rest of the work.
    """
    wants, open_wants = briefing.goal.wants, body.open_wants
    to_hold = {index for index in open_wants if wants[index].kind is WantKind.HOLD}
    work = {index for index in open_wants - to_hold if wants[index].kind is not WantKind.SIT}
    return open_wants - to_hold if work and len(spare_things(body, briefing)) < len(body.holding) else open_wants


def _places_to_put(body: Body, briefing: Briefing) -> list[int]:
    """Where something held belongs, then where things with no use can be put to rest, the nearest first."""
    spare = spare_things(body, briefing)
    wants = _open_wants(body, briefing)
    places = [want.target for want in wants if any(is_wanted_at(number, want, briefing) for number in spare)]
    if idle_things(body, briefing):
        rooms = sorted(body.surfaces, key=lambda room: (room != body.room, room))
        near = [number for room in rooms for number in body.surfaces[room] if body.is_offered(number)]
        places += near[:MAX_RESTING_PLACES]
    return list(dict.fromkeys(places))


def _switches_and_seats(body: Body, briefing: Briefing) -> list[Option]:
    """What is not known to be on, with a hand free for it, and seats that somebody should take."""
    options: list[Option] = []
    wants = _open_wants(body, briefing)
    if len(body.holding) < MAX_HELD:
        options += [("goswitch", want.target) for want in wants if want.kind is WantKind.SWITCH_ON]
    seats = [want.target for want in wants if want.kind is WantKind.SIT and want.target != body.seat]
    options += [("gosit", seat) for seat in seats]
    return [option for option in options if body.is_offered(option[1])]
