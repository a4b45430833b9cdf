"""A simulator in another process is used like the embedded engine, and nobody can tell them apart."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from random import Random

import pytest
from housemates.env.household import homes
from housemates.env.household.engine.engine import VERBS, Engine, Primitive
from housemates.env.household.scene.graph import SceneGraph
from housemates.env.household.simulator import SimulatorFactory
from housemates.env.virtualhome.client import SimulatorError
from housemates.env.virtualhome.remote import RemoteSimulators
from housemates.env.virtualhome.session import RunningSimulator, SimulatorSession

from .conftest import Beside

OFTEN = ["grab", "open", "close", "putback", "putin", "switchon", "sit", "standup"]
OTHERS = sorted(VERBS)


def home(seed: int, people: int = 2) -> SceneGraph:
    """An apartment whose clutter differs from the server's, with people in the kitchen."""
    graph = homes.build_home("1", 11, Random(f"home/{seed}")).graph
    rng = Random(f"people/{seed}")
    for number in range(1, people + 1):
        homes.add_character(graph, rng, number, graph.rooms[0])
    return graph


def a_day(graph: SceneGraph, seed: int, steps: int) -> Iterator[dict[int, Primitive]]:
    """What people with little sense do: walk to things and try what may or may not work."""
    rng = Random(f"day/{seed}")
    goals = dict.fromkeys(graph.characters, 0)
    for _ in range(steps):
        actions: dict[int, Primitive] = {}
        for who in graph.characters:
            if not goals[who] or rng.random() < 0.15:
                goals[who] = rng.choice([n for n, node in sorted(graph.nodes.items()) if node.box is not None])
            near = [n for n in sorted(graph.nodes) if n not in (who, *graph.rooms) and graph.is_reachable(who, n)]
            if near and rng.random() < 0.6:
                target = rng.choice(near)
                verb = rng.choice(OFTEN if rng.random() < 0.6 else OTHERS)
                if VERBS[verb] == 2:
                    actions[who] = Primitive(verb, rng.choice(graph.held_by(who) or near), target)
                else:
                    actions[who] = Primitive(verb, target if VERBS[verb] else 0)
            elif rng.random() < 0.9:
                actions[who] = Primitive("walktowards", goals[who])
        yield actions


@pytest.fixture
def simulators(served: Beside) -> Iterator[RemoteSimulators]:
    factory = RemoteSimulators(SimulatorSession(RunningSimulator(served.url)))
    yield factory
    factory.close()


def test_a_remote_simulator_keeps_the_contract_of_the_engine(simulators: RemoteSimulators) -> None:
    factories: list[SimulatorFactory] = [Engine, simulators]
    for factory in factories:
        graph = home(1)
        simulator = factory(graph, 1)
        assert simulator.graph is graph
        assert (simulator.steps, simulator.touched) == (0, set())
        assert simulator.step({}) == {}
        assert simulator.step({1: Primitive("walktowards", graph.rooms[2])})[1].ok
        assert (simulator.steps, simulator.touched) == (2, {1})


@pytest.mark.parametrize(
    ("seed", "steps"), [(1, 30), *(pytest.param(seed, 150, marks=pytest.mark.slow) for seed in (2, 3, 4))]
)
def test_the_same_actions_lead_to_the_same_scene(simulators: RemoteSimulators, seed: int, steps: int) -> None:
    embedded = Engine(home(seed, people=3), seed)
    remote = simulators(home(seed, people=3), seed)
    assert remote.graph.to_dict() == embedded.graph.to_dict()
    failed = succeeded = 0
    for actions in a_day(embedded.graph, seed, steps):
        expected = embedded.step(actions)
        assert remote.step(actions) == expected
        assert remote.graph.to_dict() == embedded.graph.to_dict()
        succeeded += sum(result.ok for result in expected.values())
        failed += sum(not result.ok for result in expected.values())
    assert remote.steps == embedded.steps
    assert succeeded > steps // 4
    assert failed > steps // 4


def test_a_tie_has_the_same_winner_here_and_there(simulators: RemoteSimulators) -> None:
    for seed in range(6):
        embedded = Engine(home(3), seed)
        graph = embedded.graph
        milk = next(n for n, node in sorted(graph.nodes.items()) if node.class_name == "waterglass")
        room = graph.room_of(milk)
        assert room is not None
        for scene in (graph, remote_graph := home(3)):
            place = scene.nodes[milk].box
            assert place is not None
            for who in scene.characters:
                mine = scene.nodes[who].box
                assert mine is not None
                scene.nodes[who].box = mine._replace(center=(place.center[0], mine.center[1], place.center[2]))
                scene.unlink(who, "INSIDE")
                scene.link(who, "INSIDE", room)
        remote = simulators(remote_graph, seed)
        both = {1: Primitive("grab", milk), 2: Primitive("grab", milk)}
        expected = embedded.step(both)
        assert remote.step(both) == expected


def test_an_episode_goes_on_after_another_one_was_begun(simulators: RemoteSimulators) -> None:
    embedded, first = Engine(home(4), 4), simulators(home(4), 4)
    walk = {1: Primitive("walktowards", embedded.graph.rooms[2])}
    embedded.step(walk)
    first.step(walk)
    simulators(home(5), 5).step(walk)
    assert first.step(walk) == embedded.step(walk)
    assert first.graph.to_dict() == embedded.graph.to_dict()


def test_the_apartment_of_the_simulator_can_be_read(simulators: RemoteSimulators) -> None:
    base = simulators.base()
    assert base.characters == []
    assert {base.nodes[room].class_name for room in base.rooms} >= {"kitchen", "livingroom", "bedroom", "bathroom"}


def test_more_people_than_virtualhome_can_number_are_refused(simulators: RemoteSimulators) -> None:
    graph = homes.build_home("0", 20, Random(1)).graph
    for number in range(1, 12):
        homes.add_character(graph, Random(number), number, graph.rooms[0])
    with pytest.raises(SimulatorError, match="people 1 to 10"):
        simulators(graph, 0)


def test_a_simulator_that_is_not_there_is_named_with_its_address(free_port: int) -> None:
    simulators = RemoteSimulators(SimulatorSession(RunningSimulator(f"http://127.0.0.1:{free_port}")))
    try:
        with pytest.raises(SimulatorError, match=f"failed 3 times.*{free_port}.*cannot be reached") as caught:
            simulators(home(1), 1)
        assert caught.value.kind == "lost"
    finally:
        simulators.close()


async def test_a_step_that_was_cancelled_did_not_happen(served: Beside) -> None:
    session = SimulatorSession(RunningSimulator(served.url))
    embedded = Engine(home(1), 1)
    graph = home(1)
    await session.begin(graph, 1)
    before = graph.to_dict()
    walk = {1: Primitive("walktowards", graph.rooms[2])}
    for turns in (1, 5, 20, 60):  # of the event loop, so that it is met in the script, in the reading, or not at all
        task = asyncio.create_task(session.step(walk, 0))
        for _ in range(turns):
            await asyncio.sleep(0)
        if not task.cancel():
            break
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert graph.to_dict() == before
    results, _ = await session.step(walk, 0)
    assert results == embedded.step(walk)
    assert graph.to_dict() == embedded.graph.to_dict()
    await session.close()
