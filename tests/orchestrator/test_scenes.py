"""The household of a recorded run at any step is the one the run was in."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from housemates.env.world import WorldError
from housemates.orchestrator.config import make_config
from housemates.orchestrator.house import scenes as module
from housemates.orchestrator.house.scenes import Scenes, household_of
from housemates.orchestrator.journal.index import JournalIndex
from housemates.orchestrator.journal.log import FILE_NAME, Journal, read_journal
from housemates.orchestrator.run import run

FAR = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes") / "run"
    run(make_config(llm="scripted", runtime="inline", agents=2, seed=1), folder)
    return folder


@pytest.fixture(scope="module")
def snapshots(folder: Path) -> list[bytes]:
    """The household after each number of steps, from playing the run once from end to end."""
    index = JournalIndex(folder)
    world = household_of(index.head["config"])
    world.reset(index.head["config"]["seed"])
    taken = [world.snapshot()]
    for number in range(len(index.moments) - 1):
        parts = index.step(number)["agents"].items()
        world.step({agent: part["turn"]["action"] for agent, part in parts})
        taken.append(world.snapshot())
    return taken


@pytest.mark.parametrize("every", [1, 4, 1000])
def test_going_to_and_fro_gives_the_same_scenes_as_going_through(
    folder: Path, snapshots: list[bytes], monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    monkeypatch.setattr(module, "SNAPSHOT_STEPS", every)
    scenes = Scenes(JournalIndex(folder))
    for step in random.Random(0).choices(range(len(snapshots)), k=20):
        assert scenes.advance(step, FAR)
        assert scenes.world.snapshot() == snapshots[step]


def test_snapshots_are_given_up_rather_than_filling_the_memory(
    folder: Path, snapshots: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SNAPSHOT_STEPS", 1)
    monkeypatch.setattr(module, "SNAPSHOT_BYTES", 4 * len(snapshots[0]))
    scenes = Scenes(JournalIndex(folder))
    last = len(snapshots) - 1
    assert scenes.advance(last, FAR) and scenes.advance(7, FAR) and scenes.advance(last, FAR)
    assert scenes.world.snapshot() == snapshots[last]


def test_a_long_way_is_gone_in_pieces(folder: Path, snapshots: list[bytes]) -> None:
    scenes = Scenes(JournalIndex(folder))
    assert not scenes.advance(20, 0.0)
    while not scenes.advance(20, 0.001):
        assert not scenes.fault
    assert scenes.world.snapshot() == snapshots[20]


def edited(folder: Path, copy: Path, kind: str, change: Any) -> JournalIndex:
    copy.mkdir()
    journal = Journal(copy / FILE_NAME)
    for record in read_journal(folder / FILE_NAME):
        if record["kind"] == kind:
            change(record)
        journal.append(record)
    journal.close()
    return JournalIndex(copy)


def test_a_household_that_begins_elsewhere_is_refused(folder: Path, tmp_path: Path) -> None:
    index = edited(folder, tmp_path / "run", "begin", lambda record: record["config"].update(seed=99))
    with pytest.raises(WorldError, match="another household"):
        Scenes(index)


def test_a_household_that_goes_another_way_is_told(folder: Path, tmp_path: Path) -> None:
    def move(record: dict[str, Any]) -> None:
        if record["step"] == 6:
            record["result"]["observations"]["Agent_2"]["info"]["position"] = [0.0, 0.0]

    scenes = Scenes(edited(folder, tmp_path / "run", "step", move))
    assert not scenes.advance(10, FAR)
    assert "from step 6 on" in scenes.fault
    assert scenes.advance(3, FAR)
