"""T28: who gets what several want at once depends on the seed, not on the order in which they are named."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest
from housemates.env.household.engine.engine import Engine, Primitive
from housemates.env.household.scene.graph import SceneGraph

from .home import Home, add_character

PEOPLE = (1, 2, 3, 4)


def crowd(seed: str) -> tuple[SceneGraph, int, int, Engine]:
    """Four people at the kitchen table, with an apple on it, near the fridge's door."""
    home = Home()
    add_character(home.graph, Random(4), 4, home.one("kitchen"))
    table, fridge = home.one("kitchentable"), home.one("fridge")
    apple = home.add("apple", "ON", table)
    engine = Engine(home.graph, seed)
    return home.graph, apple, fridge, engine


@pytest.mark.parametrize("number", [2, 3, 4])
@pytest.mark.parametrize("verb", ["grab", "open"])
def test_every_order_of_the_rivals_has_the_same_winner_and_the_losers_are_told_why(
    verb: str, number: int, record_property: object
) -> None:
    winners: dict[str, set[int]] = {}
    for seed in ("one", "two", "three"):
        for order in permutations(PEOPLE[:number]):
            graph, apple, fridge, engine = crowd(seed)
            target = apple if verb == "grab" else fridge
            for person in PEOPLE:
                Home.stand_at(_At(graph), person, target)  # type: ignore[arg-type]
            results = engine.step({person: Primitive(verb, target) for person in order})
            (winner,) = [person for person, result in results.items() if result.ok]
            winners.setdefault(seed, set()).add(winner)
            for person, result in results.items():
                if person != winner:
                    assert f"Agent {winner} tried to {verb} the object at the same time" in result.lines[0]
    assert all(len(found) == 1 for found in winners.values()), winners
