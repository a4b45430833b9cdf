"""Where actors are is noted at the beginning and whenever one has been made again, and only then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from housemates.orchestrator.cluster import placing
from housemates.orchestrator.cluster.placing import Placing
from housemates.orchestrator.journal.digest import TrajectoryDigest
from housemates.orchestrator.journal.records import record_fault


class Noted:
    """A placing of actors that are only names, on machines that a test chooses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.actors: dict[str, Any] = {}
        self.machines: dict[int, str] = {}
        self.said: list[str] = []
        self.records: list[Mapping[str, Any]] = []
        self.up, self.looked = ["a", "b"], 0
        monkeypatch.setattr(placing, "machines_of", self._machines_of)
        monkeypatch.setattr(placing, "machines_up", self._machines_up)
        self.placing = Placing(lambda: self.actors, self.said.append, self.records.append)

    def make(self, name: str, machine: str) -> None:
        self.actors[name] = actor = object()
        self.machines[id(actor)] = machine

    def _machines_up(self) -> dict[str, str]:
        self.looked += 1
        return {name: name for name in self.up}

    async def _machines_of(self, actors: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.machines[id(actor)] for name, actor in actors.items() if self.machines[id(actor)]}


async def test_what_was_made_again_is_noted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted(monkeypatch)
    for name, machine in (("world", "a"), ("Agent_1", "a"), ("Agent_2", "b")):
        noted.make(name, machine)
    await noted.placing.note()
    await noted.placing.note()
    noted.make("Agent_2", "a")
    await noted.placing.note()
    assert [record["machines"] for record in noted.records] == [
        {"a": ["world", "Agent_1"], "b": ["Agent_2"]},
        {"a": ["Agent_2"]},
    ]
    assert noted.said == ["on a: world, Agent_1; on b: Agent_2", "on a: Agent_2"]


async def test_an_actor_that_did_not_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted(monkeypatch)
    noted.make("Agent_1", "")
    await noted.placing.note()
    assert noted.records == []
    noted.machines[id(noted.actors["Agent_1"])] = "b"
    await noted.placing.note()
    assert len(noted.records) == 1


async def test_on_a_single_machine_nothing_is_noted_and_ray_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted(monkeypatch)
    noted.up = ["a"]
    noted.make("world", "a")
    for _ in range(3):
        await noted.placing.note()
    assert noted.records == [] and noted.looked == 1


async def test_places_are_read_by_every_reader_and_no_part_of_the_trajectory(monkeypatch: pytest.MonkeyPatch) -> None:
    noted = Noted(monkeypatch)
    for number in range(6):
        noted.make(f"Agent_{number}", "a")
    await noted.placing.note()
    assert noted.said == ["on a: Agent_0, Agent_1, Agent_2, Agent_3 and 2 more"]
    assert record_fault(noted.records[0], ["Agent_0"]) == ""
    digest, before = TrajectoryDigest(), TrajectoryDigest().hexdigest()
    digest.add(noted.records[0])
    assert digest.hexdigest() == before
