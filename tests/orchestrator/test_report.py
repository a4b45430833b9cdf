"""Reports on real runs of the scripted model: tables, figures and pages that agree with the journals."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from housemates.orchestrator.config import make_config
from housemates.orchestrator.errors import ConfigError
from housemates.orchestrator.report.groups import group
from housemates.orchestrator.report.intervals import mean, share
from housemates.orchestrator.report.rows import Prices, Results, read_results
from housemates.orchestrator.report.writing import write_report
from housemates.orchestrator.run import run
from housemates.orchestrator.timing import STEP_PARTS


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parent = tmp_path_factory.mktemp("runs")
    for method in ("trace", "react"):
        for seed in range(3):
            config = make_config(llm="scripted", runtime="inline", method=method, seed=seed)
            run(config, parent / f"{method}-{seed}")
    return parent


@pytest.fixture(scope="module")
def results(runs: Path) -> Results:
    return read_results([runs], Prices(prompt=1.0, completion=10.0))


def test_there_is_a_row_per_episode_that_agrees_with_its_summary(runs: Path, results: Results) -> None:
    assert len(results.episodes) == 6
    for row in results.episodes:
        summary = json.loads((Path(row["episode"]) / "summary.json").read_text())
        assert (row["actions"], row["messages"], row["digest"]) == (
            summary["actions"],
            summary["messages"],
            summary["digest"],
        )
        llm = summary["llm"]
        assert row["cost_usd"] == pytest.approx((llm["prompt_tokens"] + 10 * llm["completion_tokens"]) / 1e6)


def test_runs_that_differ_in_method_and_seed_are_grouped_by_method(results: Results) -> None:
    assert results.varied == ("seed", "method")
    assert [(one.label, len(one.rows)) for one in group(results)] == [("react", 3), ("trace", 3)]


def test_a_report_is_pages_figures_and_tables(results: Results, tmp_path: Path) -> None:
    written = write_report(results, tmp_path / "report")
    assert {path.name for path in written} == {
        "report.md",
        "report.html",
        "actions.png",
        "messages.png",
        "success.png",
        "plans.png",
        "episodes.parquet",
        "plans.parquet",
        "times.parquet",
        "times-steps.png",
        "times-agents.png",
    }
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in written if path.suffix == ".png")
    assert pq.read_table(tmp_path / "report" / "episodes.parquet").num_rows == 6
    text = (tmp_path / "report" / "report.md").read_text()
    actions = [row["actions"] for row in results.episodes if row["method"] == "trace"]
    assert f"{sum(actions) / 3:.1f} (" in text
    assert "specialisation" in text


def test_a_report_tells_where_the_time_went(results: Results, tmp_path: Path) -> None:
    write_report(results, tmp_path)
    text = (tmp_path / "report.md").read_text()
    section = text.split("## Where the time went")[1]
    assert "learning, %" in section
    assert "optimizer, %" in section
    rows = [row for row in results.episodes if row["method"] == "trace"]
    step = sum(row["step_mean_s"] for row in rows) / len(rows)
    assert f"| {step:.3f} (" in section
    for row in results.episodes:
        parts = [row[f"step_{name}"] for name in STEP_PARTS]
        assert sum(parts) == pytest.approx(row["step_mean_s"])
    table = pq.read_table(tmp_path / "times.parquet").to_pylist()
    assert {row["agent"] for row in table} == {"Agent_1", "Agent_2"}
    assert {"act_s", "barrier_s", "waited_for", "delay_s"} <= set(table[0])


def test_journals_without_times_are_reported_without_them(results: Results, tmp_path: Path) -> None:
    old = [{**row, **dict.fromkeys(k for k in row if k.startswith(("step_", "agent_")))} for row in results.episodes]
    old = [{**row, "efficiency": None} for row in old]
    written = write_report(Results("old", ("method",), old), tmp_path)
    assert not [path for path in written if path.name.startswith("times-")]
    assert "Where the time went" not in (tmp_path / "report.md").read_text()


def test_the_page_needs_nothing_from_elsewhere(results: Results, tmp_path: Path) -> None:
    write_report(results, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "http" not in page
    assert page.count("data:image/png;base64,") == 6


def test_equal_results_give_equal_bytes(results: Results, tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_report(results, tmp_path / "a")]
    assert first == [path.read_bytes() for path in write_report(results, tmp_path / "b")]


def test_names_cannot_smuggle_markup_into_a_page(results: Results, tmp_path: Path) -> None:
    rows = [{**row, "method": "<script>|x"} for row in results.episodes]
    write_report(Results("<b>title</b>", ("method",), rows, missing={"<i>": "a|b"}), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<script>" not in page
    assert "<b>title" not in page
    assert "\\<script\\>\\|x" in (tmp_path / "report.md").read_text()


def test_failed_and_missing_episodes_are_named_and_not_counted(results: Results, tmp_path: Path) -> None:
    failed = {**results.episodes[0], "episode": "broken", "status": "failed", "error": "no such model"}
    write_report(Results("t", ("method",), [*results.episodes, failed], missing={"gone": "not begun"}), tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert "| broken | failed: no such model |" in text
    assert "| gone | not begun |" in text


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds neither a run nor a study"):
        read_results([tmp_path], Prices())


def test_nothing_finished_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no episode is completed"):
        write_report(Results("t", ()), tmp_path)


def test_intervals_are_students_and_wilsons() -> None:
    assert mean([]) is None
    one = mean([4.0])
    assert one is not None
    assert not one.bounded
    three = mean([1.0, 2.0, 3.0])
    assert three is not None
    assert (three.low, three.high) == (pytest.approx(-0.4842, abs=1e-3), pytest.approx(4.4842, abs=1e-3))
    ten = share([True] * 8 + [False] * 2)
    assert ten is not None
    assert (ten.low, ten.high) == (pytest.approx(0.4902, abs=1e-3), pytest.approx(0.9433, abs=1e-3))
