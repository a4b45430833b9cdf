"""A world or an agent of the user's own takes the household's place, everywhere."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from functools import wraps
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from housemates.env import plugin
from housemates.env.testing import check_agents, check_determinism, check_observations, check_steps
from housemates.orchestrator.config import RunConfig, load_config, make_config
from housemates.orchestrator.errors import ConfigError, StartError
from housemates.orchestrator.film.footage import Footage
from housemates.orchestrator.given import recorded_config
from housemates.orchestrator.journal.log import FILE_NAME, read_journal
from housemates.orchestrator.playing import agent_specs
from housemates.orchestrator.replay import story
from housemates.orchestrator.report.rows import Prices, read_results
from housemates.orchestrator.run import RunResult, resume, run
from housemates.orchestrator.study.plan import cells_of, make_plan
from housemates.orchestrator.study.running import open_study, run_study
from housemates.orchestrator.viewer.server import Viewer

from .own_worlds import HERE, Counting
from .test_cli import housemates
from .test_resume import StopAfter

WORLD = f"{HERE}:Counting"


def config_of(**values: Any) -> RunConfig:
    return make_config(**{"llm": "scripted", "runtime": "inline", "world": WORLD, "steps": 30} | values)


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunResult, Path]:
    """A run in such a world, and its cassette."""
    folder = tmp_path_factory.mktemp("counted")
    return run(config_of(agents=3, world_args={"until": 4}), folder / "run", record=folder / "c"), folder / "c"


def test_the_world_of_these_tests_keeps_the_contract() -> None:
    for check in (check_agents, check_observations, check_steps, check_determinism):
        check(Counting, 0, 10)


def test_a_run_in_a_world_of_ones_own_goes_to_its_end(counted: tuple[RunResult, Path]) -> None:
    summary = counted[0].summary
    assert summary["success"] and summary["agents"] == 3 and summary["task"] == WORLD
    assert list(summary["returns"]) == ["Counter 1", "Counter 2", "Counter 3"]
    assert summary["optimizer"]["accepted"] > 0, "its agents learn plans"


def test_the_world_says_who_is_in_it_and_what_they_are_told() -> None:
    specs = agent_specs(config_of())
    assert [(spec.name, spec.instruction) for spec in specs] == [
        ("Counter 1", "You count."),
        ("Counter 2", "You count."),
    ]
    assert agent_specs(config_of(world="household"))[0].name == "Agent_1"


@pytest.mark.parametrize(
    ("values", "agents", "arguments"),
    [
        ({}, 2, {"agents": 2}),
        ({"agents": 5}, 5, {"agents": 5}),
        ({"world_args": {"agents": 4}}, 4, {"agents": 4}),
        ({"world": f"{HERE}:Pair"}, 2, {}),
        ({"world": f"{HERE}:trio"}, 3, {}),
    ],
)
def test_a_world_has_as_many_agents_as_it_is_asked_for_or_as_it_has(
    values: dict[str, Any], agents: int, arguments: dict[str, Any], tmp_path: Path
) -> None:
    config = config_of(**values)
    assert config.agents == agents == len(config.names)
    config.write(tmp_path / "run.toml")
    again = RunConfig(**load_config(tmp_path / "run.toml"))
    assert again == config and again.own_world is not None and again.own_world.arguments == arguments


def test_a_world_is_made_once_to_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Counting] = []
    make = Counting.__init__

    @wraps(make)
    def noted(self: Counting, *given: Any, **named: Any) -> None:
        made.append(self)
        make(self, *given, **named)

    monkeypatch.setattr(Counting, "__init__", noted)
    specs = agent_specs(config_of(agents=3, agent=[{"name": "Counter 2", "plan": "Count."}]))
    assert len(specs) == 3 and len(made) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"world": "counting"}, "world: unknown world 'counting'; there are household, module:Class"),
        ({"world": f"{HERE}:Absent"}, f"world: cannot import {HERE}:Absent: AttributeError"),
        ({"world": f"{HERE}:HERE"}, f"world: {HERE}:HERE is neither a World class nor a function"),
        ({"world": f"{HERE}:nothing"}, f"world: {HERE}:nothing made a NoneType, not a housemates.env.world.World"),
        ({"world": f"{HERE}:Namesakes"}, f"world: agents of {HERE}:Namesakes need different names"),
        ({"world": 5}, "world: Input should be a valid string"),
        ({"world_args": {"until": 0}}, "world: nobody counts to 0"),
        ({"world_args": {"speed": 0}}, f"world: {WORLD} cannot be made: TypeError: "),
        ({"world_args": {"house": None}}, "world-args: a file of settings cannot hold null"),
        ({"world_args": 5}, "world-args: Input should be a valid dictionary"),
        ({"world": "", "world_args": {"until": 0}}, "world_args: the household has settings of its own"),
        ({"world": f"{HERE}:Pair", "agents": 3}, f"agents: {HERE}:Pair has 2 agents, not 3"),
        ({"world_args": {"agents": 3}, "agents": 2}, "has 3 agents, not 2"),
        ({"task": "read_book"}, f"task: goes with the household, not with the world {WORLD}"),
        ({"apartment": "3"}, "apartment: goes with the household"),
        ({"simulator": "http://127.0.0.1:1"}, "simulator: goes with the household"),
        ({"agent": [{"name": "Agent_1", "method": "react"}]}, "agent: there is no Agent_1 among 2 agents"),
        ({"method": "fly"}, "method: unknown method 'fly'; there are trace, react, fixed, module:Class"),
        ({"method": WORLD}, f"method: {WORLD} is not a subclass of housemates.actors.agent.Agent"),
        ({"method": f"{HERE}:Clumsy"}, f"method: {HERE}:Clumsy cannot be made: ZeroDivisionError: no agent today"),
        ({"agent": [{"name": "Counter 1", "method": "fly"}]}, "agent.0.method: unknown method 'fly'"),
        ({"llm": "scripted:rules"}, "llm: 'scripted:rules' is not of the form scripted:module:function"),
    ],
)
def test_a_mistake_is_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config_of(**values)
    assert str(caught.value).startswith(message) or message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_agent_of_ones_own_has_the_household_s_or_any_other_world_s_prompts(tmp_path: Path) -> None:
    own = f"{HERE}:Polite"
    config = config_of(agent=[{"name": "Counter 2", "method": own}])
    assert [spec.method for spec in agent_specs(config)] == ["trace", own]
    assert run(config_of(method=own), tmp_path / "run").summary["success"]
    assert run(make_config(llm="scripted", runtime="inline", method=own, steps=3), tmp_path / "home").summary["steps"]


def test_installed_packages_may_offer_worlds_and_agents_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("counting", WORLD, "housemates.worlds"),
        EntryPoint("polite", f"{HERE}:Polite", "housemates.agents"),
    ]
    monkeypatch.setattr(plugin, "entry_points", lambda group: [p for p in points if p.group == group])
    config = config_of(world="counting", method="polite")
    assert config.names == ["Counter 1", "Counter 2"] and config.method == "polite"
    with pytest.raises(ConfigError, match="there are trace, react, fixed, polite, module:Class"):
        config_of(method="rude")


def test_a_file_may_describe_the_world_and_its_agents(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        f'llm = "scripted"\nworld = "{WORLD}"\n[world_args]\nuntil = 7\n[[agent]]\nname = "Counter 2"\nmethod = "react"'
    )
    config = make_config(**load_config(tmp_path / "c.toml"))
    assert config.world_args == {"until": 7} and config.settings("Counter 2").method == "react"


def test_an_interrupted_run_goes_on_to_the_same_end(counted: tuple[RunResult, Path], tmp_path: Path) -> None:
    config = config_of(agents=3, world_args={"until": 4})
    assert run(config, tmp_path / "run", StopAfter(1)).interrupted
    assert resume(tmp_path / "run").summary["digest"] == counted[0].summary["digest"]


def test_a_cassette_replays_it_only_if_the_world_is_named_again(
    counted: tuple[RunResult, Path], tmp_path: Path
) -> None:
    cassette = f"replay:{counted[1]}"
    with pytest.raises(ConfigError, match=f"was recorded with world {WORLD}; to replay it, name it: --world"):
        make_config(llm=cassette, runtime="inline")
    again = run(make_config(llm=cassette, world=WORLD, runtime="inline"), tmp_path / "run")
    assert again.summary["digest"] == counted[0].summary["digest"]


def test_a_cassette_does_not_say_which_agents_are_imported(tmp_path: Path) -> None:
    own = f"{HERE}:Polite"
    table = {"name": "Counter 1", "method": own}
    run(config_of(agent=[table]), tmp_path / "run", record=tmp_path / "c")
    given: dict[str, Any] = {"llm": f"replay:{tmp_path / 'c'}", "world": WORLD}
    with pytest.raises(ConfigError, match=f"was recorded with method {own}; to replay it, name it"):
        recorded_config(given)
    assert recorded_config(given | {"agent": [table]})["replay"]


def test_the_plans_learned_in_a_run_go_to_agents_of_the_same_names(counted: tuple[RunResult, Path]) -> None:
    config = config_of(plan=f"@{counted[0].folder}", method="fixed", agents=3)
    assert [table.name for table in config.agent] == ["Counter 1", "Counter 2", "Counter 3"]
    assert all(config.settings(name).plan for name in config.names)


def test_it_is_told_and_reported_like_any_other(counted: tuple[RunResult, Path]) -> None:
    folder = counted[0].folder
    assert next(story(folder)).startswith(f"3 trace agents, task {WORLD}, ")
    (row,) = read_results([folder], Prices()).episodes
    assert (row["task"], row["success"], row["delivery_balance"]) == (WORLD, True, None)


def test_there_is_no_film_of_it(counted: tuple[RunResult, Path]) -> None:
    with pytest.raises(ConfigError, match=f"only the household can be drawn, not the world {WORLD}"):
        Footage(counted[0].folder)


@pytest.fixture
def viewed(counted: tuple[RunResult, Path]) -> Iterator[str]:
    """The address of a viewer of the run, served by another thread's loop."""
    import threading

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    viewer = Viewer(counted[0].folder)
    yield asyncio.run_coroutine_threadsafe(viewer.start(), loop).result(10)
    asyncio.run_coroutine_threadsafe(viewer.close(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_the_viewer_shows_it_without_a_map(viewed: str) -> None:
    def get(path: str) -> tuple[int, bytes]:
        with urllib.request.urlopen(f"{viewed.rstrip('/')}/api/runs/run/{path}") as response:
            return response.status, response.read()

    status, _ = get("steps/0/map?theme=light")
    assert status == 204
    rows = json.loads(get("steps/0")[1])["rows"]
    assert [row["agent"] for row in rows] == ["Counter 1", "Counter 2", "Counter 3"]
    panel = json.loads(get("steps/0/agents/Counter%201")[1])
    assert panel["progress"] == {} and panel["holding"] == []


def test_a_study_may_compare_in_any_world(tmp_path: Path) -> None:
    common = {"world": WORLD, "llm": "scripted", "runtime": "inline", "steps": 10}
    plan = make_plan({"vary": {"method": ["react", f"{HERE}:Polite"], "agents": [1, 2]}, "run": common}, "study")
    cells = cells_of(plan)
    assert [cell.config.agents for cell in cells] == [1, 2, 1, 2]
    result = run_study(open_study(plan, tmp_path / "study"), tmp_path / "study", parallel=2)
    assert len(read_results([tmp_path / "study"], Prices()).episodes) == 4, result


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("raises", r"Faulty failed to step: KeyError: 'no such shelf' \(own_worlds\.py, line \d+\)"),
        ("rewards", "Faulty: there is nothing about Counter 2 in its rewards"),
        ("outcomes", "Faulty: there is nothing about Counter 2 in its outcomes"),
        ("observations", "Faulty: there is nothing about Counter 2 in its observations"),
    ],
)
def test_a_world_with_a_fault_ends_its_run_in_one_line(fault: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=message):
        run(config_of(world=f"{HERE}:Faulty", world_args={"name": fault}), tmp_path / "run")
    assert [record["kind"] for record in read_journal(tmp_path / "run" / FILE_NAME)][-2:] == ["abandoned", "end"]


def test_a_world_with_a_fault_does_not_stop_the_others_of_a_study(tmp_path: Path) -> None:
    common = {"llm": "scripted", "runtime": "inline", "steps": 3, "world_args": {"name": "raises"}}
    plan = make_plan({"vary": {"world": [f"{HERE}:Faulty"], "seed": [0, 1]}, "run": common}, "study")
    result = run_study(open_study(plan, tmp_path / "study"), tmp_path / "study", parallel=1)
    assert len(result.failed) == 2 and all("no such shelf" in why for why in result.failed.values())


def test_the_command_takes_a_world_with_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(Path(__file__).with_name("own_worlds.py").read_text())
    arguments = ["run", "--world", "mine:Counting", "--world-arg", "until=2", "--agent", "mine:Polite"]
    done = housemates(*arguments, "--llm", "scripted", "--runtime", "inline", "--json", "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head = next(read_journal(tmp_path / "r" / FILE_NAME))
    assert head["config"]["world_args"] == {"until": 2} and head["config"]["method"] == "mine:Polite"
    for bad, line in (
        (["--world-arg", "speed"], "housemates: --world-arg: 'speed' is not of the form NAME=VALUE"),
        (["--task", "read_book"], "housemates: task: goes with the household, not with the world mine:Counting"),
    ):
        failed = housemates(*arguments, "--llm", "scripted", *bad, cwd=tmp_path)
        assert failed.returncode == 2 and failed.stderr.strip() == line


@pytest.mark.ray
def test_on_ray_a_module_in_the_working_directory_is_found_by_all_actors(
    tmp_path: Path, counted: tuple[RunResult, Path]
) -> None:
    (tmp_path / "mine.py").write_text(Path(__file__).with_name("own_worlds.py").read_text())
    arguments = ["run", "--world", "mine:Counting", "--world-arg", "until=4", "--agents", "3", "--steps", "30"]
    done = housemates(*arguments, "--llm", "scripted", "--json", "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["digest"] == counted[0].summary["digest"]
