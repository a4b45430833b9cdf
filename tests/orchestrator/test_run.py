"""Whole runs with the scripted model over real HTTP, in one process and on a real Ray."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from housemates.actors.model.chat import Endpoint
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator import replay
from housemates.orchestrator.barrier import Barrier
from housemates.orchestrator.cluster.own import local_ray
from housemates.orchestrator.config import RunConfig, make_config
from housemates.orchestrator.episode import Episode
from housemates.orchestrator.errors import ConfigError, StartError
from housemates.orchestrator.journal.log import read_journal
from housemates.orchestrator.playing import agent_specs, make_runtime
from housemates.orchestrator.protocol import End
from housemates.orchestrator.run import run
from housemates.orchestrator.summary import Tally

TASKS = ["read_book", "put_dishwasher", "prepare_food"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with scripted_server() as server:
        yield Endpoint(base_url=server.url, model="scripted")


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[None]:
    with local_ray():
        yield


def config_of(**values: Any) -> RunConfig:
    return make_config(**{"llm": "scripted", "runtime": "inline"} | values)


def play(config: RunConfig, endpoint: Endpoint, tally: Tally | None = None) -> tuple[End, Tally]:
    """An episode without a run folder; the tally holds its figures and its digest."""
    tally = tally or Tally()

    async def episode() -> End:
        specs = agent_specs(config)
        runtime = make_runtime(config, specs, endpoint, Path())
        try:
            await runtime.start()
            barrier = Barrier([s.name for s in specs], config.steps, config.step_deadline_s)
            head = {
                "kind": "begin",
                "config": config.model_dump(),
                "model": "scripted",
                "agents": [s.name for s in specs],
            }
            return await Episode(barrier, runtime, config.seed, tally.add).run(head)
        finally:
            await runtime.close()

    return asyncio.run(episode()), tally


@pytest.mark.parametrize("agents", [1, 2, 4])
@pytest.mark.parametrize("task", TASKS)
def test_the_scripted_model_solves_every_task(task: str, agents: int, endpoint: Endpoint) -> None:
    for seed in range(10):
        config = config_of(task=task, agents=agents, seed=seed)
        end, tally = play(config, endpoint)
        assert end == End(success=True), f"seed {seed}"
        assert tally.fallbacks == 0, f"seed {seed}"
        assert tally.failures == 0, f"seed {seed}"


@pytest.mark.ray
@pytest.mark.parametrize(("task", "agents", "seed"), [("put_dishwasher", 2, 0), ("read_book", 4, 3)])
def test_the_trajectory_does_not_depend_on_where_the_agents_live(
    task: str, agents: int, seed: int, endpoint: Endpoint, ray_cluster: None
) -> None:
    values = {"task": task, "agents": agents, "seed": seed}
    digests = {
        (runtime, packed): play(config_of(**values, runtime=runtime, agents_per_actor=packed), endpoint)[
            1
        ].digest.hexdigest()
        for runtime, packed in [("inline", 1), ("ray", 1), ("ray", 2)]
    }
    assert len(set(digests.values())) == 1, digests


@pytest.mark.ray
def test_an_agent_process_that_is_killed_is_restored_and_the_trajectory_is_the_same(
    endpoint: Endpoint, ray_cluster: None
) -> None:
    class Killer(Tally):
        killed = 0

        def add(self, record: Mapping[str, Any]) -> None:
            super().add(record)
            if record["kind"] == "step" and record["step"] == 5:
                for process in psutil.Process().children(recursive=True):
                    if process.name().startswith("ray::AgentHost"):
                        process.kill()
                        self.killed += 1

    config = config_of(agents=2, seed=4)
    _, undisturbed = play(config, endpoint)
    killer = Killer()
    end, _ = play(config_of(agents=2, seed=4, runtime="ray"), endpoint, killer)
    assert killer.killed == 2
    assert end.success
    assert killer.digest.hexdigest() == undisturbed.digest.hexdigest()


def test_seeds_tasks_and_methods_make_different_trajectories(endpoint: Endpoint) -> None:
    variants = [{}, {"seed": 1}, {"task": "read_book"}, {"method": "react"}, {"agents": 3}]
    digests = {play(config_of(steps=15, **values), endpoint)[1].digest.hexdigest() for values in variants}
    assert len(digests) == len(variants)


def test_a_run_leaves_its_configuration_journal_and_summary(tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = run(config_of(agents=2, seed=1), out)
    assert sorted(p.name for p in out.iterdir()) == ["journal.msgpack", "model-server.log", "run.toml", "summary.json"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    summary = json.loads((out / "summary.json").read_text())
    assert summary == result.summary
    assert (summary["task"], summary["agents"], summary["method"], summary["model"], summary["seed"]) == (
        "put_dishwasher",
        2,
        "trace",
        "scripted",
        1,
    )
    assert summary["success"] and summary["status"] == "completed"
    llm, optimizer = summary["llm"], summary["optimizer"]
    assert llm["calls"] == llm["act_calls"] + llm["learn_calls"] and llm["failures"] == 0
    assert llm["learn_calls"] == optimizer["accepted"] + optimizer["unchanged"] + sum(optimizer["rejected"].values())
    assert optimizer["accepted"] > 0
    assert summary["returns"]["Agent_1"] == summary["returns"]["Agent_2"] > 0
    assert replay.digest(out) == summary["digest"]


def test_the_summary_counts_what_the_journal_holds(tmp_path: Path) -> None:
    result = run(config_of(agents=2, seed=2), tmp_path / "run")
    steps = [r for r in read_journal(tmp_path / "run" / "journal.msgpack") if r["kind"] == "step"]
    actions = [part["turn"]["action"] for r in steps for part in r["agents"].values()]
    spoken = [a for a in actions if a is not None and a.startswith("[send_message]")]
    assert result.summary["steps"] == len(steps)
    assert result.summary["messages"] == len(spoken)
    assert result.summary["actions"] == len([a for a in actions if a is not None]) - len(spoken)


def test_a_plan_that_was_rewritten_is_acted_on_and_recorded(tmp_path: Path) -> None:
    run(config_of(agents=1, seed=0, steps=10), tmp_path / "run")
    records = list(read_journal(tmp_path / "run" / "journal.msgpack"))
    turns = [r["agents"]["Agent_1"]["turn"] for r in records if r["kind"] == "step"]
    assert turns[0]["plan"] == ""
    accepted = [t for t in turns if t["update"] and t["update"]["verdict"] == "accepted"]
    assert accepted and all(t["plan"] for t in accepted)


def test_the_replay_tells_the_episode(tmp_path: Path) -> None:
    run(config_of(agents=2, seed=1), tmp_path / "run")
    text = "\n".join(replay.story(tmp_path / "run"))
    assert "2 trace agents, task put_dishwasher, model scripted, seed 1" in text
    assert "Agent_1 plan: " in text and "reward 2, return 2" in text
    assert text.endswith("completed, solved")
    lines = [json.loads(line) for line in replay.json_lines(tmp_path / "run")]
    assert [line["step"] for line in lines] == list(range(len(lines)))


def test_two_runs_cannot_share_a_folder(tmp_path: Path) -> None:
    run(config_of(steps=1), tmp_path / "run")
    before = (tmp_path / "run" / "journal.msgpack").read_bytes()
    with pytest.raises(ConfigError, match="holds a run already"):
        run(config_of(steps=1), tmp_path / "run")
    assert (tmp_path / "run" / "journal.msgpack").read_bytes() == before


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="not empty"):
        run(config_of(steps=1), tmp_path)


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot make the run folder"):
        run(config_of(steps=1), tmp_path / "file" / "run")


def test_an_unreachable_endpoint_stops_the_run_before_the_first_step(tmp_path: Path) -> None:
    config = config_of(llm="openai:m", base_url="http://127.0.0.1:9/v1")
    with pytest.raises(StartError, match=r"127\.0\.0\.1:9"):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run" / "journal.msgpack").exists()


def test_after_a_failed_start_the_same_folder_may_be_used(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        run(config_of(llm="openai:m", base_url="http://127.0.0.1:9/v1"), tmp_path / "run")
    assert run(config_of(steps=1), tmp_path / "run").summary["steps"] == 1


def test_openai_without_a_key_is_a_configuration_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        run(config_of(llm="openai:gpt-4o-mini"), tmp_path / "run")
