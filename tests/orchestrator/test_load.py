"""A recorded run as a person in a notebook sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from housemates.orchestrator.config import make_config
from housemates.orchestrator.journal.log import FILE_NAME, read_journal
from housemates.orchestrator.load import load_run
from housemates.orchestrator.run import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("load") / "run"
    run(make_config(llm="scripted", runtime="inline", agents=2, seed=1), folder)
    return folder


def test_the_steps_are_those_of_the_journal(folder: Path) -> None:
    told = [record for record in read_journal(folder / FILE_NAME) if record["kind"] in ("step", "lesson")]
    loaded = load_run(folder)
    assert list(loaded.steps) == told
    assert loaded.steps[-1] == told[-1] and loaded.steps[3:6] == told[3:6]
    assert (loaded.agents, loaded.model, loaded.status) == (["Agent_1", "Agent_2"], "scripted", "completed")


def test_the_summary_is_the_one_in_the_folder(folder: Path) -> None:
    assert load_run(folder).summary() == json.loads((folder / "summary.json").read_text())


def test_the_turns_are_a_row_per_agent_and_step(folder: Path) -> None:
    loaded = load_run(folder)
    turns = loaded.turns().to_pandas()
    assert len(turns) == 2 * len(loaded.steps)
    assert turns["reward"].sum() == sum(loaded.summary()["returns"].values())
    assert turns["prompt_tokens"].sum() == loaded.summary()["llm"]["prompt_tokens"]


def test_the_plans_are_a_row_per_lesson(folder: Path) -> None:
    loaded = load_run(folder)
    verdicts = loaded.plans().to_pandas()["verdict"].value_counts()
    assert verdicts["accepted"] == loaded.summary()["optimizer"]["accepted"]


def test_a_table_has_its_columns_even_if_nothing_happened(tmp_path: Path) -> None:
    run(make_config(llm="scripted", runtime="inline", agents=1, steps=1), tmp_path / "run")
    messages = load_run(tmp_path / "run").messages()
    assert messages.num_rows == 0 and messages.column_names == ["step", "sender", "receiver", "text"]


def test_the_figures_are_drawn(folder: Path) -> None:
    loaded = load_run(folder)
    returns, times = loaded.draw_returns(), loaded.draw_times()
    assert len(returns.axes[0].lines) == len(loaded.agents) + 1
    assert list(times.axes[0].lines[0].get_xdata()) == list(range(len(loaded.steps)))
