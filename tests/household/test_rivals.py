"""T28: who gets what several want at once depends on the seed, not on the order in which they are named."""

from __future__ import annotations

from copy import deepcopy
from itertools import permutations
from math import factorial
from random import Random

import pytest
from housemates.env.household.engine.engine import Engine, Primitive

from ..chaos.table import Tell
from .home import Home, add_character

PEOPLE = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def furnished() -> Home:
    """Four people in the kitchen, and an apple on the table."""
    home = Home()
    add_character(home.graph, Random(4), 4, home.one("kitchen"))
    home.add("apple", "ON", home.one("kitchentable"))
    return home


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize(("verb", "thing"), [("grab", "apple"), ("open", "fridge")])
def test_every_order_of_the_rivals_has_the_same_winner_and_the_losers_are_told_who(
    verb: str, thing: str, number: int, furnished: Home, record_property: Tell
) -> None:
    target = furnished.one(thing)
    winners: set[int] = set()
    for order in permutations(PEOPLE[:number]):
        home = deepcopy(furnished)
        for person in PEOPLE:
            home.stand_at(person, target)
        results = Engine(home.graph, "rivals").step({person: Primitive(verb, target) for person in order})
        (winner,) = [person for person, result in results.items() if result.ok]
        winners.add(winner)
        for person in order:
            told = f"Agent {winner} tried to {verb} the object at the same time"
            assert person == winner or told in results[person].lines[0]
    assert len(winners) == 1, winners
    for name in ("injections", "survived"):
        record_property(name, factorial(number))
