"""The household over a simulator that has apartments of its own, as the Unity executable has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from random import Random

import pytest
from housemates.env.household import homes
from housemates.env.household.homes import Flat, Home
from housemates.env.household.household import HouseholdWorld
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.testing import check_world
from housemates.env.virtualhome import scene
from housemates.env.virtualhome.actions import Simulation
from housemates.env.virtualhome.client import SimulatorError
from housemates.env.virtualhome.household import SimulatedHousehold
from housemates.env.virtualhome.server import application
from housemates.env.world import WorldError

from .conftest import Beside


def foreign_apartment(number: int) -> SceneGraph:
    """An apartment as another program shows it: other ids, an old spelling, things that have no box or place."""
    data = homes.build_home(str(number % 7), 11, Random("foreign")).graph.to_dict()
    for node in data["nodes"]:
        node["id"] += 100
        node["class_name"] = node["class_name"].replace("_", "")
        if node["class_name"] == "kitchencabinet":
            node["class_name"] = "kitchencabinets"
    for edge in data["edges"]:
        edge["from_id"] += 100
        edge["to_id"] += 100
    kitchen = next(node["id"] for node in data["nodes"] if node["class_name"] == "kitchen")
    data["nodes"].append({"id": 5000, "class_name": "ceiling", "category": "Ceiling", "bounding_box": None})
    data["edges"].append({"from_id": 5000, "to_id": kitchen, "relation_type": "INSIDE"})
    for node in data["nodes"]:  # Unity lists room and container
        parents = [e["to_id"] for e in data["edges"] if (e["from_id"], e["relation_type"]) == (node["id"], "INSIDE")]
        rooms = [n["id"] for n in data["nodes"] if n["category"] == "Rooms"]
        if parents and parents[0] not in rooms:
            outer = next(e["to_id"] for e in data["edges"] if e["from_id"] == parents[0] and e["to_id"] in rooms)
            data["edges"].append({"from_id": node["id"], "to_id": outer, "relation_type": "INSIDE"})
    return SceneGraph.from_dict(data)


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    with monkeypatch.context() as patch:
        patch.setattr(scene, "build_apartment", foreign_apartment)
        server = Beside(application(Simulation()))
        yield server
        server.stop()


def household(server: Beside, task: str = "put_dishwasher", apartment: str = "3") -> SimulatedHousehold:
    return SimulatedHousehold(task, 2, apartment, simulator=server.url, log_path="unused")


class InTheirApartment(HouseholdWorld):
    """The same apartment with the embedded engine."""

    def build_home(self, first_id: int, rng: Random) -> Home:
        graph = foreign_apartment(3)
        return Home("3", graph, (Flat("3", tuple(graph.rooms)),))


def test_its_own_apartment_is_the_home_and_the_task_is_laid_out_in_it(foreign: Beside) -> None:
    world, embedded = household(foreign), InTheirApartment("put_dishwasher", 2, "3")
    try:
        rng = Random(1)
        observations = world.reset(7)
        assert observations == embedded.reset(7)
        assert any(node.class_name == "kitchencabinets" for node in world.scene().nodes.values())
        for _ in range(25):
            actions = {name: rng.choice(o.choices[:-2]) for name, o in sorted(observations.items())}
            result = world.step(actions)
            assert result == embedded.step(actions)
            observations = dict(result.observations)
    finally:
        world.close()


def test_a_home_that_is_not_its_own_is_refused(foreign: Beside) -> None:
    world = household(foreign, apartment="generated:seed=1")
    try:
        with pytest.raises(WorldError, match=r"apartments of its own.*cannot show generated:seed=1"):
            world.reset(0)
    finally:
        world.close()


@pytest.mark.parametrize("apartment", ["3", "generated:seed=1", "building:2"])
def test_a_simulator_of_ours_takes_any_home(served: Beside, apartment: str) -> None:
    world, embedded = household(served, apartment=apartment), HouseholdWorld("put_dishwasher", 2, apartment)
    try:
        assert world.reset(3) == embedded.reset(3)
        assert world.scene().to_dict() == embedded.scene().to_dict()
    finally:
        world.close()


@pytest.mark.slow
def test_it_keeps_the_contract_of_worlds() -> None:
    with ExitStack() as stack:

        def make() -> SimulatedHousehold:
            server = Beside(application(Simulation()))  # a simulator has one scene, so each world gets its own
            stack.callback(server.stop)
            world = household(server, "read_book")
            stack.callback(world.close)
            return world

        check_world(make)


def test_a_simulator_that_somebody_uses_is_refused(served: Beside) -> None:
    first, second = household(served), household(served)
    try:
        first.reset(0)
        with pytest.raises(SimulatorError, match="is used by another run") as caught:
            second.reset(0)
        assert caught.value.kind == "refused"
        first.close()
        second.reset(0)
    finally:
        first.close()
        second.close()
