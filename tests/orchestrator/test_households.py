"""Many households in one run: each is the run that it would be alone, and none depends on another."""

from __future__ import annotations

import asyncio
import errno
import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from housemates.actors.model.scripted_server import scripted_server
from housemates.env.host import WorldHost
from housemates.env.hosts import WorldHosts
from housemates.env.household.household import HouseholdWorld
from housemates.orchestrator import recorder, replay, sizing
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError, RuntimeFailure
from housemates.orchestrator.folder_lock import locked
from housemates.orchestrator.households.books import Ended, News, outcome
from housemates.orchestrator.households.command import told
from housemates.orchestrator.households.conducting import conduct
from housemates.orchestrator.households.folder import HOUSEHOLDS, Household, households_of
from housemates.orchestrator.households.running import (
    HouseholdsObserver,
    resume_households,
    run_households,
)
from housemates.orchestrator.journal.log import FILE_NAME
from housemates.orchestrator.report.rows import Prices, read_results
from housemates.orchestrator.run import resume, run
from housemates.orchestrator.run_folder import write_summary
from housemates.orchestrator.viewer.studies import is_study, overview

BASE: dict[str, Any] = {"llm": "scripted", "runtime": "inline", "task": "put_dishwasher", "steps": 12, "seed": 5}
COUNT = 3
Settings = dict[str, Any]


@pytest.fixture(scope="module")
def settings() -> Generator[Settings]:
    """One model for all tests: to start it takes longer than to run households with it."""
    with scripted_server() as server:
        yield BASE | {"llm": "openai:scripted", "base_url": server.url}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> dict[str, str]:
    """The digests of runs of their own, with the seeds of the households."""
    place = tmp_path_factory.mktemp("alone")
    seeds = range(5, 5 + COUNT)
    return {
        f"{number:03}": run(make_config(**settings | {"seed": seed}), place / str(seed)).summary["digest"]
        for number, seed in enumerate(seeds)
    }


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Path:
    return run_households(make_config(**settings, households=COUNT), tmp_path_factory.mktemp("t") / "run").folder


class Interrupt(HouseholdsObserver):
    """Presses Ctrl-C when so many steps are committed."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def news(self, news: News) -> None:
        self._left -= news.steps
        if self._left <= 0 and news.steps:
            self._left = 1_000_000
            signal.raise_signal(signal.SIGINT)


def digests(folder: Path) -> dict[str, str]:
    return {place.name: replay.digest(place) for place in sorted((folder / HOUSEHOLDS).iterdir())}


def test_each_household_is_the_run_that_it_would_be_alone(together: Path, alone: dict[str, str]) -> None:
    summary = json.loads((together / "summary.json").read_text())
    assert summary["status"] == "completed"
    assert summary["completed"] == COUNT
    assert summary["digests"] == digests(together) == alone


@pytest.mark.parametrize(
    "spread",
    [
        pytest.param({}, marks=pytest.mark.slow),  # an actor for each agent
        {"agents_per_actor": 2 * COUNT, "worlds_per_actor": COUNT},
        pytest.param({"agents_per_actor": 2, "worlds_per_actor": 1}, marks=pytest.mark.slow),
        pytest.param({"agents_per_actor": "auto", "worlds_per_actor": 2, "conductors": 2}, marks=pytest.mark.slow),
    ],
    ids=["dedicated", "together", "packed", "conductors"],
)
@pytest.mark.ray
def test_on_ray_the_same_happens_however_it_is_spread(
    spread: dict[str, Any], tmp_path: Path, settings: Settings, alone: dict[str, str]
) -> None:
    config = make_config(**settings | {"runtime": "ray", "households": COUNT} | spread)
    result = run_households(config, tmp_path / "run")
    assert result.status == "completed", result.summary["failed"]
    assert digests(result.folder) == alone


class KillWorlds(HouseholdsObserver):
    """Kills the process with the worlds when the first steps are committed."""

    def __init__(self) -> None:
        self.killed = 0

    def news(self, news: News) -> None:
        if news.steps and not self.killed:
            for process in psutil.Process().children(recursive=True):
                if process.name().startswith("ray::WorldHost"):
                    process.kill()
                    self.killed += 1


@pytest.mark.ray
@pytest.mark.slow
def test_worlds_that_are_lost_together_are_each_made_again(
    tmp_path: Path, settings: Settings, alone: dict[str, str]
) -> None:
    more = {"runtime": "ray", "households": COUNT, "agents_per_actor": 2, "worlds_per_actor": COUNT}
    killing = KillWorlds()
    result = run_households(make_config(**settings | more), tmp_path / "run", killing)
    assert killing.killed == 1
    assert result.status == "completed", result.summary["failed"]
    assert digests(result.folder) == alone


def test_each_household_has_a_complete_run_folder_with_its_own_seed(together: Path) -> None:
    place = together / HOUSEHOLDS / "002"
    assert {path.name for path in place.iterdir()} == {"journal.msgpack", "run.toml", "summary.json"}
    summary = json.loads((place / "summary.json").read_text())
    assert (summary["seed"], summary["status"]) == (7, "completed")
    with pytest.raises(ConfigError, match="the run is complete"):
        resume(place)


def test_a_run_that_was_interrupted_goes_on_with_all_its_households(
    tmp_path: Path, settings: Settings, alone: dict[str, str]
) -> None:
    config = make_config(**settings, households=COUNT)
    first = run_households(config, tmp_path / "run", Interrupt(2))
    assert first.status == "interrupted"
    again = resume_households(tmp_path / "run")
    assert again.status == "completed"
    assert digests(tmp_path / "run") == alone
    with pytest.raises(ConfigError, match="the run is complete"):
        resume_households(tmp_path / "run")


def command(settings: Settings, folder: Path) -> list[str]:
    flags = ["--llm", settings["llm"], "--base-url", settings["base_url"], "--runtime", "inline", "--steps", "12"]
    more = ["--seed", "5", "--households", str(COUNT), "--json", "--out", str(folder)]
    return [sys.executable, "-m", "housemates.orchestrator.cli", "run", *flags, *more]


def test_a_run_that_was_killed_goes_on_with_all_its_households(
    tmp_path: Path, settings: Settings, alone: dict[str, str]
) -> None:
    process = subprocess.Popen(command(settings, tmp_path / "run"), stdout=subprocess.DEVNULL)
    journals = [tmp_path / "run" / HOUSEHOLDS / name / FILE_NAME for name in alone]
    while process.poll() is None and not any(path.is_file() and path.stat().st_size > 3000 for path in journals):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert resume_households(tmp_path / "run").status == "completed"
    assert digests(tmp_path / "run") == alone


def test_a_household_that_fails_is_told_of_and_does_not_stop_the_others(
    tmp_path: Path, settings: Settings, together: Path
) -> None:
    class Damage(HouseholdsObserver):
        def starting(self, what: str) -> None:
            place = tmp_path / "run" / HOUSEHOLDS / "001"
            place.mkdir(exist_ok=True)
            (place / "something").write_text("in the way")

    result = run_households(make_config(**settings, households=COUNT), tmp_path / "run", Damage())
    assert result.status == "failed"
    assert result.summary["completed"] == COUNT - 1
    assert "is not empty" in result.summary["failed"]["001"]


def test_a_household_whose_end_the_disk_does_not_take_does_not_stop_the_others(
    tmp_path: Path, settings: Settings, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(folder: Path, summary: Mapping[str, Any]) -> None:
        if folder.name == "001":
            raise OSError(errno.ENOSPC, "No space left on device")
        write_summary(folder, summary)

    monkeypatch.setattr(recorder, "write_summary", full)
    result = run_households(make_config(**settings, households=COUNT), tmp_path / "run")
    assert result.status == "failed" and list(result.summary["failed"]) == ["001"]
    assert "does not take its record" in result.summary["failed"]["001"]
    monkeypatch.undo()
    resume_households(tmp_path / "run")
    assert digests(tmp_path / "run") == alone


def test_all_households_spend_one_budget(tmp_path: Path, settings: Settings, alone: dict[str, str]) -> None:
    result = run_households(make_config(**settings, households=COUNT, max_calls=25), tmp_path / "run")
    assert result.status == "budget_exceeded"
    assert result.summary["llm"]["calls"] == 25
    with pytest.raises(ConfigError, match="--max-calls"):
        resume_households(tmp_path / "run")
    again = resume_households(tmp_path / "run", budget={"max_calls": 10_000})
    assert again.status == "completed"
    assert digests(tmp_path / "run") == alone


def test_the_folder_of_many_households_is_read_by_replay_report_and_view(together: Path, alone: dict[str, str]) -> None:
    assert list(told(together, False, True)) == [f"{name} {digest}" for name, digest in alone.items()]
    assert [json.loads(line)["household"] for line in told(together, True, False)] == list(alone)
    assert "household 001, seed 6: completed" in "\n".join(told(together, False, False))
    assert [row["seed"] for row in read_results([together], Prices()).episodes] == [5, 6, 7]
    assert is_study(together)
    assert [row["name"] for row in overview(together)["episodes"]] == list(alone)


def test_two_processes_never_run_the_households_of_one_folder(together: Path) -> None:
    with locked(together), pytest.raises(ConfigError, match="is being run already"):
        resume_households(together)


def test_a_folder_that_holds_a_run_is_not_taken(together: Path, settings: Settings) -> None:
    with pytest.raises(ConfigError, match="holds a run already"):
        run_households(make_config(**settings, households=COUNT), together)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replay": "tape"}, "households: a cassette holds one household"),
        ({"seed": 2**63 - 1}, "seed: that of the last household would be too large"),
        ({"simulator": "http://localhost:8080"}, "households: one running simulator takes one household"),
        ({"worlds_per_actor": "few"}, "worlds-per-actor: "),
    ],
)
def test_what_makes_no_sense_for_many_households_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(**BASE | {"households": 2} | values)
    assert message in str(caught.value)


def test_worlds_in_one_process_are_apart() -> None:
    hosts, single = WorldHosts(), WorldHost(HouseholdWorld, {"task": "put_dishwasher", "agents": 2})
    for name in "ab":
        hosts.open(name, HouseholdWorld, {"task": "put_dishwasher", "agents": 2})
        hosts.once(name, 1, "reset", 7)
    seen = single.reset(7)
    action = {"Agent_1": seen["Agent_1"].choices[0]}
    hosts.open("a", HouseholdWorld, {})  # a message that came twice makes no second world
    hosts.close("b")
    hosts.close("b")
    assert hosts.once("a", 2, "step", action) == single.step(action)


def test_a_conductor_that_is_lost_does_not_stop_the_others(tmp_path: Path) -> None:
    class Lost:
        async def play(self, households: Sequence[Household]) -> None:
            raise RuntimeFailure("killed")

        async def news(self) -> News:
            return News()

        async def stop(self) -> None: ...

    class Good(Lost):
        async def play(self, households: Sequence[Household]) -> None:
            self.ended = {one.name: Ended("completed", {}, "") for one in households}

        async def news(self) -> News:
            return News(ended=self.ended)

    heard = News()
    households = households_of(make_config(**BASE, households=4), tmp_path)
    asyncio.run(conduct([Lost(), Good()], households, heard.add))
    assert {name: end.status for name, end in heard.ended.items()} == {
        "000": "failed",
        "001": "completed",
        "002": "failed",
        "003": "completed",
    }
    assert outcome(heard.ended, interrupted=False) == "failed"
    assert "housemates resume" in heard.ended["000"].error


@pytest.mark.parametrize(
    ("agents", "households", "cores", "expected"),
    [
        (2, 1, 2, 1),
        (16, 1, 2, 1),
        (64, 1, 2, 16),
        (100, 100, 2, 2500),
        (100, 10, 2, 300),
        (100, 100, 64, 79),
        (2, 8, 2, 1),
        (2, 100, 2, 50),
    ],
)
def test_auto_gives_few_agents_their_own_actors_and_packs_many(
    agents: int, households: int, cores: int, expected: int
) -> None:
    assert sizing.agents_per_actor(agents, households, cores) == expected


def test_one_process_conducts_until_its_core_would_be_full() -> None:
    assert sizing.conductors(10, 10, 64) == 1
    assert sizing.conductors(100, 100, 2) == 1, "half the cores are for the agents"
    assert sizing.conductors(100, 100, 64) > 1
    assert sizing.conductors(100_000, 2, 64) == 2, "a household is conducted by one process"
