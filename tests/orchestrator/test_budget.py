"""T25: a run stops when its budget is used up, cleanly, and goes on with a larger one as if nothing had happened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator import replay
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError, StartError
from housemates.orchestrator.journal.log import FILE_NAME, read_journal
from housemates.orchestrator.run import resume, run

SETTINGS: dict[str, Any] = {"llm": "scripted", "runtime": "inline", "task": "put_dishwasher", "agents": 3, "seed": 5}
PRICES = {"price_in": 1.0, "price_out": 4.0}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(make_config(**SETTINGS), tmp_path_factory.mktemp("undisturbed") / "run").folder


@pytest.mark.parametrize(
    ("budget", "larger"),
    [
        ({"max_calls": 20}, {"max_calls": 1000}),
        ({"max_tokens": 20_000}, {"max_tokens": 10_000_000}),
        ({"max_cost": 0.02, **PRICES}, {"max_cost": 100.0}),
    ],
)
def test_a_run_ends_when_its_budget_is_used_up_and_goes_on_with_a_larger_one(
    tmp_path: Path, undisturbed: Path, budget: dict[str, Any], larger: dict[str, Any]
) -> None:
    result = run(make_config(**SETTINGS | budget), tmp_path / "run")
    summary, llm = result.summary, result.summary["llm"]
    assert result.over_budget and not result.interrupted
    assert (summary["status"], summary["success"]) == ("budget_exceeded", False)
    flag = "--" + next(iter(budget)).replace("_", "-")
    assert flag in summary["error"]
    one = (llm["prompt_tokens"] + llm["completion_tokens"]) / llm["calls"]
    if "max_calls" in budget:
        assert llm["calls"] == 20
    elif "max_tokens" in budget:
        assert 20_000 <= one * llm["calls"] <= 20_000 + 3 * 2 * one
    else:
        assert 0.02 <= llm["cost"] <= 0.02 + 3 * 2 * llm["cost"] / llm["calls"]
    with pytest.raises(ConfigError, match=flag):
        resume(tmp_path / "run")
    again = resume(tmp_path / "run", budget=larger)
    assert again.summary["status"] == "completed"
    assert again.summary["digest"] == replay.digest(undisturbed)
    kinds = [record["kind"] for record in read_journal(tmp_path / "run" / FILE_NAME)]
    assert kinds.count("abandoned") == 1


def test_what_was_spent_before_counts_against_the_larger_budget(tmp_path: Path) -> None:
    run(make_config(**SETTINGS | {"max_calls": 12}), tmp_path / "run")
    again = resume(tmp_path / "run", budget={"max_calls": 20})
    assert again.over_budget
    assert again.summary["llm"]["calls"] == 20
    with pytest.raises(ConfigError, match="20 model calls"):
        resume(tmp_path / "run")


def test_a_budget_of_time_ends_a_run(tmp_path: Path) -> None:
    result = run(make_config(**SETTINGS | {"max_seconds": 0.03}), tmp_path / "run")
    assert result.over_budget
    assert "--max-seconds" in result.summary["error"]


def test_with_the_last_lesson_unpaid_the_run_is_not_complete(tmp_path: Path, undisturbed: Path) -> None:
    calls = [
        sum(len((part["turn"] or {"calls": ()})["calls"]) for part in record["agents"].values())
        for record in read_journal(undisturbed / FILE_NAME)
        if record["kind"] in ("step", "lesson")
    ]
    result = run(make_config(**SETTINGS | {"max_calls": sum(calls[:-1])}), tmp_path / "run")
    assert (result.over_budget, result.summary["success"]) == (True, True)
    assert resume(tmp_path / "run", budget={"max_calls": 1000}).summary["digest"] == replay.digest(undisturbed)


def test_limits_do_not_change_what_happens(tmp_path: Path, undisturbed: Path) -> None:
    limits = {"max_concurrency": 1, "requests_per_minute": 60_000, "tokens_per_minute": 1e9}
    result = run(make_config(**SETTINGS | limits), tmp_path / "run")
    assert result.summary["digest"] == replay.digest(undisturbed)


def test_an_account_without_quota_ends_the_run_with_a_named_error(tmp_path: Path, undisturbed: Path) -> None:
    with scripted_server(faults="quota@20") as server:
        settings = SETTINGS | {"llm": "openai:scripted", "base_url": server.url}
        with pytest.raises(StartError, match="no quota left"):
            run(make_config(**settings), tmp_path / "run")
    assert any(record["kind"] == "step" for record in read_journal(tmp_path / "run" / FILE_NAME))


def test_a_cost_needs_prices() -> None:
    with pytest.raises(ConfigError, match="price_in and price_out"):
        make_config(**SETTINGS | {"max_cost": 1.0})


def test_the_command_says_how_to_go_on_and_exits_with_4(tmp_path: Path) -> None:
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in SETTINGS.items()]
    command = [sys.executable, "-m", "housemates.orchestrator.cli"]
    done = subprocess.run(
        [*command, "run", *flags, "--max-calls=10", f"--out={tmp_path / 'run'}"], capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "housemates resume" in done.stdout and "10 model calls is used up" in done.stderr
    done = subprocess.run([*command, "resume", str(tmp_path / "run")], capture_output=True, text=True)
    assert done.returncode == 2
    done = subprocess.run(
        [*command, "resume", str(tmp_path / "run"), "--max-calls=500"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.ray
def test_with_ray_the_actors_share_one_budget_and_one_limit(tmp_path: Path, undisturbed: Path) -> None:
    settings = SETTINGS | {"runtime": "ray", "max_calls": 20, "max_concurrency": 2}
    result = run(make_config(**settings), tmp_path / "run")
    assert result.over_budget and result.summary["llm"]["calls"] == 20
    again = resume(tmp_path / "run", budget={"max_calls": 1000})
    assert again.summary["digest"] == replay.digest(undisturbed)
