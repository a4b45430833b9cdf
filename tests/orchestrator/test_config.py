"""The configuration: one tree, the same names everywhere, bad input in one line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from housemates.orchestrator.cli import app
from housemates.orchestrator.config import RunConfig, load_config, make_config
from housemates.orchestrator.errors import ConfigError
from housemates.orchestrator.own_world import task_name

TASK = {"name": "mine", "wants": [{"kind": "on", "class": "mug", "count": 2, "target": {"class": "desk"}}]}


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_everything_has_a_default_and_the_model_is_the_embedded_one() -> None:
    config = make_config()
    assert (config.task, config.agents, config.method, config.runtime, config.llm) == (
        "put_dishwasher",
        2,
        "trace",
        "ray",
        "local",
    )


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_an_openai_account_or_base_url_is_used_when_there_is_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://example.test/v1")
    assert make_config().llm.startswith("openai:")


def test_a_base_url_alone_means_an_openai_compatible_endpoint() -> None:
    config = make_config(base_url="http://127.0.0.1:9/v1")
    assert config.llm.startswith("openai:") and config.base_url == "http://127.0.0.1:9/v1"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"task": "fly"}, "task: unknown task 'fly'; there are read_book, put_dishwasher, prepare_food"),
        ({"task": "fly.json"}, "task: fly.json: there is no such task file"),
        ({"task": 1.5}, "task: a task is a name, a number, a path or a table, not float"),
        ({"task": {"name": "mine", "wants": []}}, "task: wants: List should have at least 1 item"),
        (
            {"task": TASK | {"wants": [{"kind": "hold", "class": "sofa"}]}},
            "task: mine: wants[0]: a sofa cannot be held",
        ),
        (
            {"task": TASK | {"wants": [{"kind": "hold", "class": "mug", "count": 3}]}},
            "agents: task mine takes 3 people",
        ),
        ({"task": TASK | {"wants": [{"kind": "switch_on", "target": "kettle"}]}}, "can be carried away itself"),
        (
            {"task": TASK | {"wants": [{"kind": "on", "class": "mug", "target": "diningtable"}]}},
            "task mine in home 0: there is no diningtable",
        ),
        ({"agents": 0}, "agents: Input should be greater than or equal to 1"),
        ({"steps": 0}, "steps: "),
        ({"seed": -1}, "seed: "),
        ({"llm": "gpt"}, "llm: 'gpt' is none of openai:MODEL, local, local:PATH.gguf, scripted"),
        ({"llm": "openai:"}, "none of"),
        ({"llm": "local:"}, "none of"),
        ({"llm": "local", "base_url": "http://x/v1"}, "base_url goes with openai:MODEL, not with local"),
        ({"llm": "openai:m", "base_url": "x/v1"}, "does not start with http"),
        ({"method": "magic"}, "method: "),
        ({"runtime": "spark"}, "runtime: "),
        ({"agents_per_actor": -1}, "agents-per-actor: "),
        ({"colour": "red"}, "colour: no such setting"),
    ],
)
def test_bad_values_give_one_line_that_names_them(values: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(**values)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_what_is_written_is_read_as_the_same_configuration(tmp_path: Path) -> None:
    config = make_config(llm="scripted", agents=3, seed=7, step_deadline_s=12.5)
    config.write(tmp_path / "run.toml")
    assert RunConfig(**load_config(tmp_path / "run.toml")) == config


@pytest.mark.parametrize("task", ["put_dishwasher", "8", 8, "setup_table+put_fridge", "watch_tv"])
def test_a_task_is_a_family_a_number_or_a_combination(task: str | int) -> None:
    config = make_config(task=task, apartment="4", llm="scripted")
    assert config.task == config.task_name == str(task) and config.apartment == "4"


def test_a_task_file_is_read_into_the_configuration_so_that_it_means_the_same_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(TASK))
    config = make_config(task=str(path), llm="scripted")
    config.write(tmp_path / "run.toml")
    path.unlink()
    again = make_config(**load_config(tmp_path / "run.toml"))
    assert again == config and again.task == TASK and again.task_name == "mine"
    assert task_name(again.model_dump()) == "mine"
    assert str(tmp_path) not in (tmp_path / "run.toml").read_text()


@pytest.mark.parametrize("content", [b"agents = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        load_config(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        load_config(tmp_path / "none.toml")


def test_the_help_of_run_names_the_options_that_no_variable_gives() -> None:
    command: Any = typer.main.get_command(app)
    run = command.commands["run"]
    without = {option.opts[0] for option in run.params if not option.envvar}
    named, _ = run.epilog.split(" can also be set as")
    assert without == set(re.findall(r"--[a-z-]+", named))
