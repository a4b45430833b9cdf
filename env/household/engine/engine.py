"""What primitive actions need and do, and the joint step of any number of people.

Where VirtualHome's Unity simulator has an action, its rules hold; where only its symbolic engine
evolving_graph has it, that one's; the known defects of both are put right: acting needs closeness
(nobody teleports to what they handle), what is shut is out of reach, an opened thing is not toggled by
opening it again, and nobody takes things out of others' hands. Nothing is ever lost or used up. Who is
CLOSE to what follows from geometry at any time, so it is current after every step.

The verbs by family: `moving`, `hands`, `switches`, `seats`, `doing`; what they share: `acting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from ..scene.graph import SceneGraph
from . import doing, hands, moving, seats, switches
from .acting import GENERAL, Acting, Failure, Rule
from .script import IMPOSSIBLE, SUCCESS, Primitive, Result, parse_primitive

__all__ = ["VERBS", "Engine", "Primitive", "Result", "parse_primitive"]

_RULES: dict[str, Rule] = {**moving.RULES, **hands.RULES, **switches.RULES, **seats.RULES, **doing.RULES}

_OTHER_NAMES = {"put": "putback", "flush": "switchon"}

_PUT_INTO = frozenset({"dishwasher", "fridge", "cabinet"})
"""VirtualHome: what is put back onto one of these is put in."""

_RENAMED = frozenset({"putback", *_OTHER_NAMES})

VERBS: Mapping[str, int] = {
    **{verb: rule.objects for verb, rule in _RULES.items()},
    **{name: _RULES[verb].objects for name, verb in _OTHER_NAMES.items()},
}
"""Every verb, with the number of objects that it needs (`special` takes any)."""


class Engine:
    """Applies primitive actions to a scene graph.

    Args:
        graph: the scene; the engine changes it.
        seed: decides by lot between people who want the same thing at the same time.
        putin_closed: whether things can be put into shut containers, as in VirtualHome. With both hands full
            one could not open them, and agents made for it rely on that.

    Attributes:
        steps: how many joint steps there have been.
    """

    def __init__(self, graph: SceneGraph, seed: int | str, *, putin_closed: bool = True) -> None:
        self.graph = graph
        self.steps = 0
        self._seed = seed
        self._acting = Acting(graph, putin_closed=putin_closed)

    @property
    def touched(self) -> set[int]:
        """Everything that may have changed since the start (what a snapshot has to hold)."""
        return self._acting.touched

    @touched.setter
    def touched(self, touched: set[int]) -> None:
        self._acting.touched = touched

    @property
    def origins(self) -> dict[int, tuple[str, int]]:
        """For everything held, the relation (ON, INSIDE) and the node from which it was taken (for putobjback)."""
        return self._acting.origins

    @origins.setter
    def origins(self, origins: dict[int, tuple[str, int]]) -> None:
        self._acting.origins = origins

    def step(self, actions: Mapping[int, Primitive]) -> dict[int, Result]:
        """Carry out one primitive per character at the same time; characters left out do nothing.

        Everything happens in id order, each action judged by what the earlier ones left. Only when the turn
        comes to one of several who want what one alone can have (to grab, open, close, switch or plug the same
        thing, or to sit on the same seat), lots are drawn among all of them that could; the others fail.
        """
        plain = {who: self._plain(actions[who]) for who in sorted(actions)}
        rivals = self._rivals(plain) if len(plain) > 1 else {}
        results: dict[int, Result] = {}
        for character, action in plain.items():
            if character not in results:
                others = rivals.get(_wanted(action), ()) if rivals else ()
                if len(others) > 1 and self.check(character, action) is None:
                    self._draw_lots([who for who in others if who not in results], plain, results)
                else:
                    results[character] = self._act(character, action)
        self.steps += 1
        return {who: results[who] for who in plain} if rivals else results

    def check(self, character: int, action: Primitive) -> Failure | None:
        """Why an action is impossible right now, as report lines; None if it is possible."""
        action = self._plain(action)
        rule = _RULES.get(action.verb)
        if rule is None:
            return (f"Requested value '{action.verb.upper()}' was not found.", IMPOSSIBLE)
        me = self.graph.nodes.get(character)
        if me is None or me.category != "Characters" or me.box is None:
            return GENERAL
        if rule.hands_on and not self._acting.at_hand(character, action.target):
            return self._acting.cannot(f"{rule.process}: Not found object", action.target)
        return rule.check(self._acting, character, action)

    def _act(self, character: int, action: Primitive) -> Result:
        failure = self.check(character, action)
        if failure is not None:
            return Result(False, failure)
        _RULES[action.verb].act(self._acting, character, action)
        return SUCCESS

    def _plain(self, action: Primitive) -> Primitive:
        """The action under the name that the rules have for it (VirtualHome's renamings)."""
        if action.verb not in _RENAMED:
            return action
        verb = _OTHER_NAMES.get(action.verb, action.verb)
        if verb == "putback":
            dest = self.graph.nodes.get(action.dest)
            if dest is not None and dest.kind in _PUT_INTO:
                verb = "putin"
        return action if verb == action.verb else replace(action, verb=verb)

    def _rivals(self, actions: Mapping[int, Primitive]) -> dict[tuple[int, bool] | None, list[int]]:
        """Who wants what only some can have, in id order."""
        found: dict[tuple[int, bool] | None, list[int]] = {}
        for character, action in actions.items():
            wanted = _wanted(action)
            if wanted is not None:
                found.setdefault(wanted, []).append(character)
        return found

    def _draw_lots(self, rivals: list[int], actions: Mapping[int, Primitive], results: dict[int, Result]) -> None:
        """Judge everybody who wants the same thing: those who can get it in the order of their lots."""
        able: list[int] = []
        for who in rivals:
            failure = self.check(who, actions[who])
            if failure is None:
                able.append(who)
            else:
                results[who] = Result(False, failure)
        if len(able) > 1:
            Random(f"{self._seed}/conflict/{self.steps}/{actions[able[0]].target}").shuffle(able)
        winner = able[0]
        results[winner] = self._act(winner, actions[winner])
        for who in able[1:]:
            contest = _RULES[actions[who].verb].contest
            assert contest is not None
            if contest.shared and self.check(who, actions[who]) is None:
                results[who] = self._act(who, actions[who])
            else:
                results[who] = Result(False, (contest.loss.format(winner), IMPOSSIBLE))


def _wanted(action: Primitive) -> tuple[int, bool] | None:
    """What an action competes for: a thing, or a seat on it; None: nothing."""
    rule = _RULES.get(action.verb)
    return None if rule is None or rule.contest is None else (action.target, rule.contest.shared)
