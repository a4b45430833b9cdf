"""Snapshots: a restored world is the same world, and damage is noticed before anything changes."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import msgpack
import pytest
from housemates.env.household import HouseholdWorld
from housemates.env.household.homes import Home
from housemates.env.household.tasks.families import find_task
from housemates.env.world import Observation, World, WorldError
from hypothesis import given, settings
from hypothesis import strategies as st

from .block import build_block
from .chores import CHORES, Household


class Block(Household):
    """Chores in a building of three flats."""

    def build_home(self, first_id: int, rng: Random) -> Home:
        return build_block(3, first_id, rng)


WORLDS: dict[str, Callable[[], World]] = {
    "read_book": lambda: HouseholdWorld("read_book", 2),
    **{chores: lambda chores=chores: Household(chores, 2) for chores in CHORES},
    "block": lambda: Block("everything", 4),
}


def unseal(snapshot: bytes) -> Any:
    return msgpack.unpackb(msgpack.unpackb(snapshot)["state"], strict_map_key=False)


def seal(state: object) -> bytes:
    """A snapshot of a made-up state, with a right checksum."""
    packed = msgpack.packb(state)
    return msgpack.packb({"kind": "household/2", "checksum": zlib.crc32(packed), "state": packed})


def play(world: World, observations: dict[str, Observation], rng: Random, steps: int) -> dict[str, Observation]:
    """Random choices, messages among them, for some steps or until the end."""
    for _ in range(steps):
        actions = {name: seen.reflex or rng.choice([*seen.choices, None]) for name, seen in observations.items()}
        actions = {name: action and action.replace(": text", ": hello") for name, action in actions.items()}
        result = world.step(actions)
        observations = dict(result.observations)
        if result.done:
            break
    return observations


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(WORLDS)), st.integers(0, 1000), st.integers(0, 60))
def test_an_equal_snapshot_means_an_equal_future(name: str, seed: int, steps: int) -> None:
    world, twin = WORLDS[name](), WORLDS[name]()
    rng = Random(seed)
    now = play(world, world.reset(seed), rng, steps)
    snapshot = world.snapshot()
    assert twin.restore(snapshot) == now
    assert twin.snapshot() == snapshot
    state = rng.getstate()
    try:
        future = play(world, now, rng, 15)
    except WorldError as error:
        assert "over" in str(error)
        return
    rng.setstate(state)
    assert play(twin, now, rng, 15) == future
    assert twin.snapshot() == world.snapshot()


def test_they_are_small_msgpack() -> None:
    world = HouseholdWorld("read_book", 2)
    world.reset(0)
    snapshot = world.snapshot()
    assert unseal(snapshot)["task"] == "read_book" and len(snapshot) < 4_000


def test_any_seed_survives() -> None:
    world = HouseholdWorld("read_book", 2)
    assert HouseholdWorld("read_book", 2).restore((world.reset(2**80), world.snapshot())[1]) == world.reset(2**80)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (HouseholdWorld("prepare_food", 2), "the snapshot has task"),
        (HouseholdWorld("read_book", 3), "the snapshot has agents"),
        (HouseholdWorld("read_book", 2, "1"), "the snapshot has apartment '0', this world has '1'"),
    ],
)
def test_they_fit_their_kind_of_world_only(other: HouseholdWorld, complaint: str) -> None:
    world = HouseholdWorld("read_book", 2)
    world.reset(0)
    with pytest.raises(WorldError, match=complaint):
        other.restore(world.snapshot())


def test_the_apartment_is_the_given_one_or_else_the_task_s_own() -> None:
    task = replace(find_task("read_book"), home="2")
    for world, home in ((HouseholdWorld(task, 1), "2"), (HouseholdWorld(task, 1, "3"), "3")):
        world.reset(0)
        assert unseal(world.snapshot())["apartment"] == home


def test_another_goal_in_the_same_home_is_another_world() -> None:
    world = Household("clean table")
    world.reset(0)
    with pytest.raises(WorldError, match="another version"):
        Household("watch tv").restore(world.snapshot())


@pytest.fixture(scope="module")
def world() -> HouseholdWorld:
    world = HouseholdWorld("read_book", 2)
    play(world, world.reset(0), Random(0), 20)
    return world


class TestDamage:
    def refuses(self, world: HouseholdWorld, snapshot: bytes, complaint: str | None = None) -> None:
        before = world.snapshot()
        with pytest.raises(WorldError, match=complaint):
            world.restore(snapshot)
        assert world.snapshot() == before

    @settings(max_examples=200, deadline=None)
    @given(st.data())
    def test_no_changed_byte_goes_unnoticed(self, world: HouseholdWorld, data: st.DataObject) -> None:
        snapshot = bytearray(world.snapshot())
        at = data.draw(st.integers(0, len(snapshot) - 1))
        change = data.draw(st.sampled_from(["flip", "cut", "insert"]))
        if change == "flip":
            snapshot[at] ^= data.draw(st.integers(1, 255))
        elif change == "cut":
            del snapshot[at:]
        else:
            snapshot[at:at] = data.draw(st.binary(min_size=1, max_size=4))
        self.refuses(world, bytes(snapshot))

    @given(st.one_of(st.binary(max_size=40), st.integers().map(repr).map(str.encode)))
    def test_rubbish_is_no_snapshot(self, world: HouseholdWorld, rubbish: bytes) -> None:
        self.refuses(world, rubbish, "no snapshot of a household")

    def test_another_kind_is_named(self, world: HouseholdWorld) -> None:
        self.refuses(world, msgpack.packb({"kind": "office/1"}), "but 'office/1'")

    def test_nothing_may_be_missing(self, world: HouseholdWorld) -> None:
        state = unseal(world.snapshot())
        for key in state:
            self.refuses(world, seal({k: v for k, v in state.items() if k != key}))
        self.refuses(world, seal(state | {"home": 0}), "another version")
        self.refuses(world, seal([1, 2]), "damaged")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("room", 999),
            ("unchecked", []),
            ("ungrabbed", [[11, 5]]),
            ("history", [None]),
            ("holding", [999]),
            ("steps", None),
            ("known", []),
            ("target_rooms", [[999, [11]]]),
            ("mates", [[2, "attic", [], 0, False]]),
        ],
    )
    def test_a_memory_that_makes_no_sense_is_noticed(self, world: HouseholdWorld, field: str, value: object) -> None:
        state = unseal(world.snapshot())
        state["teams"][0][2][0][field] = value
        self.refuses(world, seal(state), "damaged")

    @pytest.mark.parametrize(
        "change",
        [{"steps": None}, {"teams": []}, {"executed": []}, {"things": [[15, [], None, [0, 0, 0, 1], [["ON", [999]]]]]}],
    )
    def test_a_scene_that_makes_no_sense_is_noticed(self, world: HouseholdWorld, change: dict[str, object]) -> None:
        self.refuses(world, seal(unseal(world.snapshot()) | change), "damaged")

    @settings(max_examples=100, deadline=None)
    @given(st.data())
    def test_a_made_up_state_is_refused_or_taken_never_a_crash(
        self, world: HouseholdWorld, data: st.DataObject
    ) -> None:
        state = unseal(world.snapshot())
        spot: Any = state
        while isinstance(spot, (dict, list)) and spot:
            key = data.draw(st.sampled_from(sorted(spot, key=repr) if isinstance(spot, dict) else range(len(spot))))
            parent, spot = spot, spot[key]
            if data.draw(st.booleans()):
                break
        parent[key] = data.draw(st.sampled_from([None, -1, 10**9, "x", [], {}, [[1, 2, 3]], 3.5, b""]))
        before = world.snapshot()
        fresh = HouseholdWorld("read_book", 2)
        try:
            fresh.restore(seal(state))
        except WorldError:
            with pytest.raises(WorldError, match="not begun"):
                fresh.snapshot()
        assert world.snapshot() == before


def test_of_two_containers_around_a_thing_the_same_one_counts_after_restoring() -> None:
    world, twin = Nested("read_book", 1), Nested("read_book", 1)
    world.reset(0)
    graph = world.scene()
    milk, outer = Nested.milk, Nested.outer
    assert graph.parent(milk) == outer
    world._running().simulator.touched.add(milk)
    twin.restore(world.snapshot())
    assert twin.scene().parent(milk) == outer


class Nested(HouseholdWorld):
    """A home as a file may have it: the larger container around a thing is listed last, and has the smaller id."""

    milk = 0
    outer = 0

    def build_home(self, first_id: int, rng: Random) -> Home:
        home = super().build_home(first_id, rng)
        graph = home.graph
        Nested.outer, inner = sorted(n for n, node in graph.nodes.items() if node.class_name == "kitchencabinet")[:2]
        Nested.milk = next(n for n, node in sorted(graph.nodes.items()) if graph.parent(n) == inner)
        graph.link(Nested.milk, "INSIDE", Nested.outer)
        return home
