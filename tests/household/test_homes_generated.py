"""Generated flats and buildings: plausible for every seed, as asked for, and connected."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from housemates.env.household.homes import Home, build_home, find_places, scatter

from .plausibility import faults, reachable
from .test_homes import EVERY_APARTMENT, EVERY_HOME, GOALS, HIDE_IN, HIDE_ON

SEEDS = [seed if seed % 7 == 0 else pytest.param(seed, marks=pytest.mark.slow) for seed in range(200)]
"""All two hundred with `-m "slow or not slow"`; by default every seventh, so all sizes and levels of clutter too."""


def options(seed: int) -> str:
    """Every seed another combination."""
    size, level = ("small", "medium", "large")[seed // 9 % 3], ("low", "medium", "high")[seed // 27 % 3]
    return f"seed={seed},rooms={4 + seed % 9},size={size},clutter={level}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_generated_flat_is_plausible_and_has_all_that_tasks_need(seed: int) -> None:
    graph = build_home(f"generated:{options(seed)}", 11, Random(seed)).graph
    assert faults(graph) == []
    there = Counter(node.class_name for node in graph.nodes.values())
    assert not EVERY_APARTMENT - there
    assert set(EVERY_HOME) <= set(there)
    assert len(graph.rooms) == 4 + seed % 9


@pytest.mark.parametrize("seed", range(0, 200, 10))
def test_a_generated_flat_has_room_for_whatever_a_task_hides(seed: int) -> None:
    graph, rng = build_home(f"generated:{options(seed)}", 11, Random(seed)).graph, Random(seed)
    places = find_places(graph, HIDE_ON, HIDE_IN)
    assert all(scatter(graph, rng, rng.choice(GOALS), places) is not None for _ in range(8))
    assert faults(graph) == []


def test_seeds_and_sizes_make_different_flats() -> None:
    def area(name: str) -> float:
        graph = build_home(name, 11, Random(0)).graph
        boxes = [graph.nodes[room].box for room in graph.rooms]
        return sum(box.size[0] * box.size[2] for box in boxes if box is not None)

    assert len({area(f"generated:seed={seed}") for seed in range(20)}) == 20
    small, medium, large = (
        sum(area(f"generated:seed={seed},rooms=5,size={size}") for seed in range(10))
        for size in ("small", "medium", "large")
    )
    assert small < medium < large


def test_the_level_of_clutter_is_as_asked_for() -> None:
    low, medium, high = (
        len(build_home(f"generated:seed=1,clutter={level}", 11, Random(0)).graph.nodes)
        for level in ("low", "medium", "high")
    )
    assert low + 20 < medium < high - 20


@pytest.fixture(scope="module", params=[1, 2, 10, 23])
def building(request: pytest.FixtureRequest) -> Home:
    return build_home(f"building:{request.param}", 101, Random(0))


class TestBuildings:
    def test_are_plausible_and_connected(self, building: Home) -> None:
        graph = building.graph
        assert faults(graph) == []
        assert reachable(graph, graph.rooms[0]) == set(graph.rooms)

    def test_every_flat_has_its_own_rooms_and_then_its_corridor(self, building: Home) -> None:
        graph = building.graph
        own = [room for flat in building.flats for room in flat.rooms[:-1]]
        assert len(own) == len(set(own))
        for flat in building.flats:
            kinds = [graph.nodes[room].class_name for room in flat.rooms]
            assert set(EVERY_HOME) <= set(kinds[:-1])
            assert kinds[-1] == "corridor" and "corridor" not in kinds[:-1]
        assert {graph.nodes[room].class_name for room in set(graph.rooms) - set(own)} == {"corridor"}

    def test_one_door_leads_from_a_flat_to_its_corridor(self, building: Home) -> None:
        graph = building.graph
        for flat in building.flats:
            *own, corridor = flat.rooms
            doors = [n for n in graph.sources(corridor, "BETWEEN") if set(graph.targets(n, "BETWEEN")) & set(own)]
            assert [graph.nodes[number].class_name for number in doors] == ["door"]
            assert graph.nodes[doors[0]].states == ("OPEN",)

    def test_every_flat_has_all_that_tasks_need(self, building: Home) -> None:
        graph = building.graph
        for flat in building.flats:
            there = Counter(graph.nodes[n].class_name for room in flat.rooms for n in graph.contents(room))
            assert not EVERY_APARTMENT - there

    def test_furniture_stands_flat_by_flat(self, building: Home) -> None:
        graph = building.graph
        sofas = [graph.room_of(n) for n, node in sorted(graph.nodes.items()) if node.class_name == "sofa"]
        flats = [next(n for n, flat in enumerate(building.flats) if room in flat.rooms) for room in sofas]
        assert flats == sorted(flats)


def test_the_seed_decides_what_a_building_is_like() -> None:
    first, second = (build_home(f"building:2,seed={seed}", 11, Random(0)).graph.to_dict() for seed in (1, 2))
    assert first != second
    assert build_home("building:2,seed=1", 11, Random(0)).graph.to_dict() == first
