"""Studies: planned, run side by side, gone on with, and ended by a budget."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from housemates.actors.limiter.budget import Budget
from housemates.orchestrator import replay
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError
from housemates.orchestrator.folder_lock import locked
from housemates.orchestrator.observer import Record
from housemates.orchestrator.report.rows import Prices, read_results
from housemates.orchestrator.run import run
from housemates.orchestrator.study.plan import (
    Cell,
    StudyPlan,
    cells_of,
    episode_folder,
    estimate,
    load_study,
    make_plan,
    read_plan,
)
from housemates.orchestrator.study.running import StudyObserver, StudyResult, open_study, run_study
from housemates.orchestrator.summary import Tally

COMMON: dict[str, Any] = {"llm": "scripted", "runtime": "inline", "steps": 30}


def plan_of(**vary: list[Any]) -> StudyPlan:
    return make_plan({"vary": vary, "run": COMMON}, "here")


def study(plan: StudyPlan, folder: Path, **options: Any) -> StudyResult:
    return run_study(open_study(plan, folder), folder, **{"parallel": 3} | options)


class Watch(StudyObserver):
    """Notes which episodes were begun; presses Ctrl-C at the given number of committed records."""

    def __init__(self, interrupt_at: int = 0) -> None:
        self.begun: list[str] = []
        self.records = 0
        self._interrupt_at = interrupt_at

    def began(self, cell: Cell) -> None:
        self.begun.append(cell.name)

    def committed(self, cell: Cell, record: Record, tally: Tally) -> None:
        self.records += 1
        if self.records == self._interrupt_at:
            signal.raise_signal(signal.SIGINT)


def test_a_plan_is_every_combination_the_first_setting_slowest() -> None:
    cells = cells_of(plan_of(task=["read_book", "prepare_food"], seed=[0, 1]))
    assert [cell.name for cell in cells] == [
        "read_book_seed=0",
        "read_book_seed=1",
        "prepare_food_seed=0",
        "prepare_food_seed=1",
    ]
    assert cells[3].config == make_config(task="prepare_food", seed=1, **COMMON)


def test_models_are_named_by_what_tells_them_apart_and_fit_for_a_folder() -> None:
    names = [cell.name for cell in cells_of(make_plan({"vary": {"llm": ["local:/some/where/a.gguf", "scripted"]}}, ""))]
    assert names == ["a.gguf", "scripted"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"very": {}}, "very: there is no such key; a study has [vary] and [run]"),
        ({"vary": {"seed": []}}, "seed has no values"),
        ({"vary": {"seed": [1, 1]}}, "seed has a value twice"),
        ({"vary": {"tasks": ["read_book"]}}, "tasks: no such setting"),
        ({"vary": {"task": ["read_book", "dance"]}}, "dance"),
        ({"vary": {"seed": [1]}, "run": {"seed": 2}}, "seed is both in [vary] and in [run]"),
        ({"vary": {"seed": list(range(1000)), "agents": list(range(1, 1000))}}, "episodes, more than"),
        ({"vary": {"seed": [1]}, "run": {"households": 2}}, "households: an episode is one household"),
        ({"vary": {"llm": ["local:a/x.gguf", "local:b/x.gguf"]}}, "two episodes would both be called x.gguf"),
    ],
)
def test_a_bad_plan_is_refused_in_one_line_that_names_what(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        cells_of(make_plan(values, "plan.toml"))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_plan_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    plan = plan_of(task=["read_book"], seed=[0, 3], step_deadline_s=[1.5])
    open_study(plan, tmp_path / "study")
    assert load_study(tmp_path / "study") == plan
    with pytest.raises(ConfigError, match=r"study\.toml"):
        load_study(tmp_path)
    (tmp_path / "bad.toml").write_text("[vary\n")
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        read_plan(tmp_path / "bad.toml")


def test_each_episode_is_the_run_that_it_would_be_alone(tmp_path: Path) -> None:
    result = study(plan_of(method=["trace", "react"], seed=[0, 1]), tmp_path / "study")
    assert not result.failed
    for cell in cells_of(load_study(tmp_path / "study")):
        alone = run(cell.config, tmp_path / cell.name)
        assert result.finished[cell.name]["digest"] == alone.summary["digest"]
        assert replay.digest(episode_folder(result.folder, cell)) == alone.summary["digest"]


def test_finished_episodes_are_not_repeated(tmp_path: Path) -> None:
    plan = plan_of(seed=[0, 1])
    first = study(plan, tmp_path / "study")
    again = Watch()
    second = study(plan, tmp_path / "study", observer=again)
    assert again.begun == []
    assert second.finished == first.finished


def test_an_interrupted_study_goes_on_to_what_an_undisturbed_one_gives(tmp_path: Path) -> None:
    plan = plan_of(seed=[0, 1, 2, 3])
    broken = study(plan, tmp_path / "broken", observer=Watch(interrupt_at=30), parallel=2)
    assert broken.interrupted
    assert len(broken.finished) < 4
    result = study(plan, tmp_path / "broken")
    whole = study(plan, tmp_path / "whole")
    assert digests(result.finished) == digests(whole.finished)
    assert len(result.finished) == 4


def digests(finished: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {name: summary["digest"] for name, summary in finished.items()}


def test_an_episode_that_was_killed_while_it_started_begins_anew(tmp_path: Path) -> None:
    plan = plan_of(seed=[0])
    open_study(plan, tmp_path / "study")
    folder = episode_folder(tmp_path / "study", cells_of(plan)[0])
    folder.mkdir(parents=True)
    (folder / "journal.msgpack").write_bytes(b"housemates journal 2\n")
    assert list(study(plan, tmp_path / "study").finished) == ["seed=0"]


def test_a_used_up_budget_ends_the_study_and_a_larger_one_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plan = plan_of(seed=[0, 1, 2])
    small = study(plan, tmp_path / "study", budget=Budget(calls=20), parallel=2)
    gc.collect()
    assert not caplog.records, "no task of a stopped study complains that nobody heard of its end"
    assert "the budget of 20 model calls" in small.stopped
    assert len(small.finished) < 3
    spent = sum(
        json.loads(path.read_text())["llm"]["calls"] for path in (tmp_path / "study").glob("episodes/*/summary.json")
    )
    assert 20 <= spent <= 20 + 2 * 2 * 2, "two episodes of two agents were at it, two calls a turn"
    assert study(plan, tmp_path / "study", budget=Budget(calls=20)).stopped, "what was used stays used"
    assert len(study(plan, tmp_path / "study", budget=Budget(calls=100_000)).finished) == 3


def test_what_a_killed_episode_has_used_counts(tmp_path: Path) -> None:
    plan = plan_of(seed=[0])
    study(plan, tmp_path / "study", observer=Watch(interrupt_at=8))
    (episode_folder(tmp_path / "study", cells_of(plan)[0]) / "summary.json").unlink()  # as after a kill
    again = Watch()
    assert study(plan, tmp_path / "study", budget=Budget(calls=5), observer=again).stopped
    assert again.begun == []


def test_dollars_are_counted_at_the_given_prices(tmp_path: Path) -> None:
    budget = Budget(dollars=0.01, price_in=1.0, price_out=10.0)
    result = study(plan_of(seed=[0, 1]), tmp_path / "study", budget=budget, parallel=1)
    assert "the budget of $0.01" in result.stopped


def test_one_episode_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    common = {name: value for name, value in COMMON.items() if name != "llm"}
    plan = make_plan({"vary": {"llm": ["scripted", "openai:nobody"]}, "run": common}, "here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        result = study(plan, tmp_path / "study")
    assert list(result.finished) == ["scripted"]
    assert "127.0.0.1:9" in result.failed["openai-nobody"]
    results = read_results([tmp_path / "study"], Prices())
    assert results.missing == result.failed, "the report knows why"


def test_another_plan_does_not_get_into_a_study(tmp_path: Path) -> None:
    open_study(plan_of(seed=[0]), tmp_path / "study")
    with pytest.raises(ConfigError, match="another plan"):
        open_study(plan_of(seed=[1]), tmp_path / "study")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(ConfigError, match="not empty"):
        open_study(plan_of(seed=[1]), tmp_path / "other")
    with pytest.raises(ConfigError, match="nothing to vary"):
        open_study(None, tmp_path / "none")


def test_the_estimate_is_the_worst_case_and_then_the_mean() -> None:
    cells = cells_of(plan_of(seed=[0, 1, 2], agents=[2]))
    assert estimate(cells, []).most_calls == 3 * 2 * (2 * 30 + 1)
    summary = {"llm": {"calls": 10, "prompt_tokens": 100, "completion_tokens": 20}}
    rest = estimate(cells, [summary, {"llm": {"calls": 20, "prompt_tokens": 0, "completion_tokens": 0}}])
    assert (rest.likely_calls, rest.likely_tokens) == (45, 180)


def cli(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "housemates.orchestrator.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)


def test_from_the_command_line_a_study_is_planned_run_and_reported(tmp_path: Path) -> None:
    flags = ["--methods", "trace,react", "--seeds", "2", "--llm", "scripted", "--runtime", "inline", "--out", "s"]
    dry = cli("study", *flags, "--dry-run", cwd=tmp_path)
    assert dry.stdout.splitlines()[0] == "4 episodes, 0 finished, 4 to run"
    assert not (tmp_path / "s").exists()
    done = cli("study", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "4 episodes completed, 0 failed" in done.stdout
    again = cli("study", "--out", "s", cwd=tmp_path)
    assert "4 episodes, 4 finished, 0 to run" in again.stdout
    assert cli("report", "s", cwd=tmp_path).returncode == 0
    assert (tmp_path / "s" / "report" / "report.html").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study"], "nothing to vary"),
        (["study", "missing.toml"], "missing.toml"),
        (["study", "--seeds", "many"], "--seeds: 'many' is no list of whole numbers"),
        (["study", "--tasks", "dance", "--llm", "scripted"], "dance"),
        (["study", "--seeds", "2", "--llm", "scripted", "--max-cost", "1"], "--max-cost needs prices"),
        (["report", "nowhere"], "nowhere holds neither a run nor a study"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    done = cli(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.ray
def test_on_ray_the_episodes_are_the_same(tmp_path: Path) -> None:
    common = COMMON | {"runtime": "ray", "agents_per_actor": 2}
    on_ray = make_plan({"vary": {"seed": [0, 1]}, "run": common}, "here")
    ray = study(on_ray, tmp_path / "ray", parallel=2)
    assert digests(ray.finished) == digests(study(plan_of(seed=[0, 1]), tmp_path / "inline").finished)


def test_a_recorded_study_is_done_again_from_its_cassettes_without_any_model(tmp_path: Path) -> None:
    plan = plan_of(method=["trace", "react"], seed=[0, 1])
    recorded = study(plan, tmp_path / "recorded", record=True)
    cassettes = [episode_folder(recorded.folder, cell) / "cassette" for cell in cells_of(plan)]
    for number, path in enumerate(cassettes):
        path.rename(tmp_path / f"{number}.cassette")
    played = make_plan(
        {
            "vary": {"llm": [f"replay:{tmp_path}/{number}.cassette" for number in range(4)]},
            "run": {"runtime": "inline"},
        },
        "here",
    )
    again = study(played, tmp_path / "again")
    assert sorted(digests(again.finished).values()) == sorted(digests(recorded.finished).values())
    results = read_results([tmp_path / "again"], Prices())
    assert results.varied == ("seed", "method"), "the report compares what was varied when it was recorded"


def test_a_recorded_episode_that_was_interrupted_begins_anew(tmp_path: Path) -> None:
    plan = plan_of(seed=[0])
    assert study(plan, tmp_path / "study", record=True, observer=Watch(interrupt_at=5)).interrupted
    result = study(plan, tmp_path / "study", record=True)
    folder = episode_folder(result.folder, cells_of(plan)[0])
    assert json.loads((folder / "summary.json").read_text())["resumes"] == 0
    assert (folder / "cassette").is_file()


def test_of_two_processes_that_run_one_study_the_second_is_refused_and_spoils_nothing(tmp_path: Path) -> None:
    plan = plan_of(seed=[0])
    open_study(plan, tmp_path / "study")
    with locked(tmp_path / "study"), pytest.raises(ConfigError, match="is being run already"):
        study(plan, tmp_path / "study", record=True)
    assert not (tmp_path / "study" / "episodes").exists()
    assert len(study(plan, tmp_path / "study", record=True).finished) == 1
