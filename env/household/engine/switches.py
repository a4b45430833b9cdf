"""Opening, switching, plugging, cleaning: actions that turn one state of a thing into another.

As in VirtualHome all but cleaning need a free hand. Ours differ in that nothing is opened, switched or
plugged twice. As in evolving_graph what is unplugged cannot be switched on, and what is on cannot be
unplugged. A thing with a plug of which nothing is said is plugged in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .acting import GENERAL, Acting, Contest, Failure, Rule
from .script import Primitive

_OPENING = Contest("PROCESS OPEN: Agent {} tried to open the object at the same time")
_SWITCHING = Contest("PROCESS SWITCH: Agent {} tried to switch the object at the same time")
_PLUGGING = Contest("PROCESS PLUG: Agent {} tried to plug the object at the same time")


@dataclass(frozen=True, slots=True)
class _Swap:
    """A thing with `ability` goes from the state `old` to `new`, unless it is in the state `unless`."""

    ability: str
    old: str
    new: str
    unless: str = ""

    def check(self, acting: Acting, character: int, action: Primitive) -> Failure | None:
        node = acting.graph.nodes[action.target]
        states = node.states
        if self.ability not in node.properties or self.unless in states:
            return GENERAL
        if self.old not in states and (self.old != "PLUGGED_IN" or self.new in states):
            return GENERAL
        return None if acting.free_hand(character) else GENERAL

    def act(self, acting: Acting, character: int, action: Primitive) -> None:
        acting.set_state(action.target, self.new, self.old)
        if acting.graph.targets(action.target, "BETWEEN"):
            acting.floorplan.forget()


def _check_clean(acting: Acting, character: int, action: Primitive) -> Failure | None:
    return GENERAL if acting.graph.nodes[action.target].category == "Characters" else None


def check_wipe(acting: Acting, character: int, action: Primitive) -> Failure | None:
    """Wiping is done with something: with whatever is in a hand, as in evolving_graph."""
    if not acting.graph.held_by(character):
        return GENERAL
    return _check_clean(acting, character, action)


def _clean(acting: Acting, character: int, action: Primitive) -> None:
    acting.set_state(action.target, "CLEAN", "DIRTY")


def _swapping(process: str, swap: _Swap, contest: Contest) -> Rule:
    return Rule(1, swap.check, swap.act, process, hands_on=True, contest=contest)


def _cleaning(process: str, check: Callable[[Acting, int, Primitive], Failure | None] = _check_clean) -> Rule:
    return Rule(1, check, _clean, process, hands_on=True)


RULES = {
    "open": _swapping("OPEN", _Swap("CAN_OPEN", "CLOSED", "OPEN"), _OPENING),
    "close": _swapping("CLOSE", _Swap("CAN_OPEN", "OPEN", "CLOSED"), _OPENING),
    "switchon": _swapping("SWITCH ON", _Swap("HAS_SWITCH", "OFF", "ON", unless="PLUGGED_OUT"), _SWITCHING),
    "switchoff": _swapping("SWITCH OFF", _Swap("HAS_SWITCH", "ON", "OFF"), _SWITCHING),
    "plugin": _swapping("PLUG IN", _Swap("HAS_PLUG", "PLUGGED_OUT", "PLUGGED_IN"), _PLUGGING),
    "plugout": _swapping("PLUG OUT", _Swap("HAS_PLUG", "PLUGGED_IN", "PLUGGED_OUT", unless="ON"), _PLUGGING),
    "wash": _cleaning("WASH"),
    "rinse": _cleaning("RINSE"),
    "scrub": _cleaning("SCRUB"),
    "wipe": _cleaning("WIPE", check_wipe),
}
