"""What may be configured of learning and of single agents, where texts come from, and what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from housemates.actors.agent import MAX_GIVEN_CHARS, Learning
from housemates.actors.cassette import read_cassette
from housemates.actors.model.chat import Endpoint
from housemates.actors.reply_limits import TIGHT_LIMITS
from housemates.orchestrator.config import RunConfig, load_config, make_config
from housemates.orchestrator.errors import ConfigError, StartError
from housemates.orchestrator.journal.log import read_journal
from housemates.orchestrator.playing import agent_specs
from housemates.orchestrator.run import run


def config_of(**values: Any) -> RunConfig:
    return make_config(**{"llm": "scripted", "runtime": "inline"} | values)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder of a run, and the plans its agents had learned at its end."""
    folder = tmp_path_factory.mktemp("learned") / "run"
    run(config_of(steps=8), folder)
    (lesson,) = [r for r in read_journal(folder / "journal.msgpack") if r["kind"] == "lesson"]
    return folder, {agent: part["turn"]["plan"] for agent, part in lesson["agents"].items()}


def test_the_defaults_are_the_tutorials() -> None:
    (spec, _) = agent_specs(config_of())
    learning = spec.learning
    assert (spec.method, spec.plan, learning.optimize, learning.optimizer) == ("trace", "", "plan", "optoprime")
    assert (learning.credit_steps, learning.learn_every, learning.memory_size, learning.mask) == (1, 1, 0, ())
    assert config_of().feedback == "return" and learning.objective == ""


def test_texts_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("kitchen first\n")
    (tmp_path / "rules.txt").write_text("Agent_1 leads.")
    config = config_of(plan=f"@{tmp_path / 'plan.txt'}", organization=f"@{tmp_path / 'rules.txt'}")
    assert (config.plan, config.organization) == ("kitchen first", "Agent_1 leads.")


def test_the_plans_learned_in_a_run_go_to_the_agents_of_the_same_names(learned: tuple[Path, dict[str, str]]) -> None:
    folder, plans = learned
    config = config_of(plan=f"@{folder}", method="fixed")
    assert {spec.name: spec.plan for spec in agent_specs(config)} == plans and all(plans.values())


def test_a_single_agent_may_have_a_learned_plan(learned: tuple[Path, dict[str, str]]) -> None:
    folder, plans = learned
    one, two = agent_specs(config_of(agent=[{"name": 2, "method": "fixed", "plan": f"@{folder}"}]))
    assert (one.method, one.plan) == ("trace", "") and (two.method, two.plan) == ("fixed", plans["Agent_2"])


def test_single_agents_may_differ(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'llm = "scripted"\nagents = 3\norganization = "Agent_2 leads."\n'
        '[[agent]]\nname = "Agent_1"\nmethod = "react"\norganization = ""\n'
        '[[agent]]\nname = 3\nllm = "openai:big"\nbase_url = "http://127.0.0.1:9/v1"\nplan = "sing"\n'
    )
    config = make_config(**load_config(tmp_path / "c.toml"))
    scripted, big = Endpoint(base_url="http://127.0.0.1:8/v1", model="s"), Endpoint(base_url="http://a/v1", model="big")
    specs = agent_specs(config, dict(zip(config.models, [scripted, big], strict=True)))
    assert [(s.method, s.plan, s.organization, s.endpoint) for s in specs] == [
        ("react", "", "", scripted),
        ("trace", "", "Agent_2 leads.", scripted),
        ("trace", "sing", "Agent_2 leads.", big),
    ]
    config.write(tmp_path / "again.toml")
    assert RunConfig(**load_config(tmp_path / "again.toml")) == config


def test_the_model_for_learning_gets_its_own_limits() -> None:
    (spec, _) = agent_specs(config_of(llm="local", learn_llm="openai:big", learn_base_url="http://127.0.0.1:9/v1"))
    assert spec.limits.act_tokens == TIGHT_LIMITS.act_tokens and spec.limits.plan_chars > TIGHT_LIMITS.plan_chars


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"optimizer": "sgd"}, "optimizer: unknown optimizer 'sgd'; there are optoprime, opro, textgrad, module:Class"),
        ({"optimizer": "none.such:X"}, "optimizer: cannot import none.such:X: ModuleNotFoundError"),
        ({"feedback": "praise"}, "feedback: unknown feedback 'praise'"),
        ({"optimize": "all"}, "optimize: unknown optimize 'all'"),
        ({"optimize": "tests.actors.own:PolicyWithCode"}, "optimize: number0 is trainable but no text"),
        ({"optimize": "tests.actors.own:PolicyThatBreaks"}, "optimize: ArithmeticError in tests.actors.own:PolicyThat"),
        ({"credit_steps": 0}, "credit-steps: "),
        ({"credit_steps": 21}, "credit-steps: "),
        ({"learn_every": 0}, "learn-every: "),
        ({"mask": "others,everything"}, "mask: unknown section 'everything'; there are code, documentation"),
        (
            {"memory_size": 3, "optimizer": "textgrad"},
            "memory_size: textgrad has none, only optimizers like OptoPrime do",
        ),
        ({"mask": "others", "optimizer": "opro"}, "mask: the prompt of opro has no sections"),
        (
            {"optimizer": "opro"},
            "optimizer: the scripted model does not understand opro, every lesson would be rejected",
        ),
        ({"optimizer": "textgrad"}, "optimizer: the scripted model does not understand textgrad"),
        ({"learn_llm": "gpt"}, "learn_llm: 'gpt' is none of openai:MODEL"),
        ({"learn_base_url": "http://x/v1"}, "learn_base_url goes with learn_llm"),
        ({"plan": "x" * (MAX_GIVEN_CHARS + 1)}, f"plan: {MAX_GIVEN_CHARS + 1} characters are too many"),
        ({"organization": "obey $PLAN$"}, "organization: a text must not contain $PLAN$"),
        ({"plan": "@none.txt"}, "none.txt: No such file or directory"),
        ({"plan": "@/"}, "/ holds no run"),
        ({"plan": "p", "method": "react"}, "plan: agents of method react have none"),
        ({"method": "fixed"}, "plan: Agent_1 is to follow a plan (method fixed), but has none"),
        ({"agent": [{"name": 3}]}, "agent: there is no Agent_3 among 2 agents"),
        ({"agent": [{"name": 1}, {"name": "Agent_1"}]}, "agent: two tables have one name"),
        ({"agent": [{"name": 1, "colour": "red"}]}, "agent.0.colour: no such setting"),
        ({"agent": [{"method": "react"}]}, "agent.0.name: "),
        ({"agent": [{"name": 1, "llm": "gpt"}]}, "'gpt' is none of"),
        ({"agent": [{"name": 1, "base_url": "http://x/v1"}]}, "base_url goes with an llm of the agent's own"),
        ({"agent": [5]}, "agent.0: "),
        ({"agent": "Agent_1"}, "agent: "),
    ],
)
def test_a_mistake_is_told_in_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(**values)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00plan", b"x" * 50_000])
def test_a_plan_file_that_is_no_text_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "plan.bin").write_bytes(content)
    with pytest.raises(ConfigError, match="plan"):
        config_of(plan=f"@{tmp_path / 'plan.bin'}")


def test_a_run_without_such_an_agent_is_named(learned: tuple[Path, dict[str, str]]) -> None:
    with pytest.raises(ConfigError, match="has no plan of Agent_3"):
        config_of(plan=f"@{learned[0]}", agents=3)


def test_a_household_of_different_agents_runs(learned: tuple[Path, dict[str, str]], tmp_path: Path) -> None:
    agents = [{"name": 1, "method": "react"}, {"name": 2, "method": "fixed", "plan": f"@{learned[0]}"}]
    run(config_of(agents=3, steps=6, agent=agents, organization="Agent_3 leads."), tmp_path / "run")
    steps = [r for r in read_journal(tmp_path / "run" / "journal.msgpack") if r["kind"] == "step"]
    plans = [[r["agents"][f"Agent_{i}"]["turn"]["plan"] for r in steps] for i in (1, 2, 3)]
    assert set(plans[0]) == {""} and set(plans[1]) == {learned[1]["Agent_2"]} and plans[2][-1]


def test_every_update_is_in_the_journal_with_its_version_and_diff(learned: tuple[Path, dict[str, str]]) -> None:
    before, version = "", 0
    for record in read_journal(learned[0] / "journal.msgpack"):
        if record["kind"] not in ("step", "lesson"):
            continue
        turn = record["agents"]["Agent_1"]["turn"]
        if turn["update"] is not None:
            accepted = turn["update"]["verdict"] == "accepted"
            version += accepted
            assert turn["update"]["version"] == version
            assert bool(turn["update"]["diff"]) == accepted == (turn["plan"] != before)
            if accepted:
                assert f"+{turn['plan']}" in turn["update"]["diff"].split("\n")
        before = turn["plan"]
    assert version > 0


def test_what_became_of_an_action_is_in_the_feedback(tmp_path: Path) -> None:
    run(config_of(agents=1, steps=3, feedback="return+verdicts"), tmp_path / "run", record=tmp_path / "c")
    exchanges = [e for es in read_cassette(tmp_path / "c").reels["Agent_1"].exchanges.values() for e in es]
    lessons = [text for e in exchanges if "#Feedback" in (text := e.request["messages"][-1]["content"])]
    assert lessons and all("Task Return: 0.0\nLast action: [g" in text and "carried out" in text for text in lessons)


def test_feedback_of_ones_own_that_fails_ends_the_run_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"feedback tests\.actors\.own:stumble failed: ZeroDivisionError: no reward"):
        run(config_of(feedback="tests.actors.own:stumble"), tmp_path / "run")


DOCUMENT = (Path(__file__).parents[2] / "docs" / "learning.md").read_text()


def test_the_document_names_every_setting_of_learning() -> None:
    of_learning = {"method", "plan", "organization", "learn_llm", "learn_base_url", "feedback"}
    of_learning |= {field.name for field in fields(Learning)}
    settings = [name for name in RunConfig.model_fields if name in of_learning]
    assert settings and [name for name in settings if f"`{name}`" not in DOCUMENT] == []


def test_the_policy_in_the_document_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", DOCUMENT, re.S) if "class Polite" in block)
    (tmp_path / "shown_policy.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert config_of(optimize="shown_policy:Polite").optimize == "shown_policy:Polite"


def test_the_table_of_agents_in_the_document_is_read(tmp_path: Path, learned: tuple[Path, dict[str, str]]) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.S)
    (tmp_path / "c.toml").write_text(text.replace("@runs/yesterday", f"@{learned[0]}"))
    config = make_config(**load_config(tmp_path / "c.toml"))
    assert [spec.method for spec in agent_specs(config)] == ["trace", "fixed", "react"]


@pytest.mark.ray
def test_parts_of_ones_own_in_the_working_directory_are_found_by_the_actors(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from housemates.actors.policy import Policy\n"
        "from housemates.actors.trace_import import trace\n"
        "class Mine(Policy):\n"
        "    def __init__(self, plan=''):\n"
        "        super().__init__(plan)\n"
        "        self.rule = trace.node('Hurry.', name='rule', trainable=True)\n"
        "    def text(self):\n"
        "        return self.plan + ' ' + self.rule\n"
        "def praise(consequence):\n"
        "    return f'Well done, {consequence.agent}.'\n"
    )
    command = [sys.executable, "-m", "housemates.orchestrator.cli", "run", "--llm", "scripted", "--steps", "3"]
    command += ["--optimize", "mine:Mine", "--feedback", "mine:praise", "--out", "run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    records = list(read_journal(tmp_path / "run" / "journal.msgpack"))
    assert records[1]["agents"]["Agent_1"]["turn"]["plan"] == " Hurry."
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["optimizer"]["accepted"] > 0
