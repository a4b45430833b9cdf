"""The study in examples/studies/embedded: what its report says can be made again from its cassettes."""

from __future__ import annotations

from pathlib import Path

import pytest
from housemates.orchestrator.report.rows import Prices, read_results
from housemates.orchestrator.report.writing import write_report
from housemates.orchestrator.study.plan import cells_of, make_plan, read_plan
from housemates.orchestrator.study.running import open_study, run_study

ROOT = Path(__file__).parent.parent.parent
STUDY = ROOT / "examples" / "studies" / "embedded"
MOST_BYTES = 20 * 2**20


def what_was_seen(report: Path) -> str:
    """The tables of a report, without its times, which are of the machine it was made on."""
    text = (report / "report.md").read_text()
    return text[text.index("## Outcomes") : text.index("## Where the time went")]


@pytest.fixture
def played_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)  # the plan names its cassettes from there
    plan = make_plan(read_plan(STUDY / "replay.toml"), "replay.toml")
    result = run_study(open_study(plan, tmp_path / "study"), tmp_path / "study", parallel=2)
    assert (len(result.finished), result.failed) == (18, {}), "a digest that is another one would be a failure"
    return result.folder


def test_its_report_is_made_again_without_any_model(played_again: Path, tmp_path: Path) -> None:
    write_report(read_results([played_again], Prices()), tmp_path / "report")
    assert what_was_seen(tmp_path / "report") == what_was_seen(STUDY / "report")


def test_it_is_all_of_the_study_that_was_recorded() -> None:
    recorded = cells_of(make_plan(read_plan(STUDY / "recorded.toml"), "recorded.toml"))
    replayed = cells_of(make_plan(read_plan(STUDY / "replay.toml"), "replay.toml"))
    assert sorted(cell.name.removesuffix(".cassette") for cell in replayed) == sorted(
        cell.name.replace("seed=", "") for cell in recorded
    )
    assert sum(path.stat().st_size for path in STUDY.rglob("*")) < MOST_BYTES
