"""The command line as a user meets it: real processes, exit codes, one line for every mistake."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator.config import RunConfig
from housemates.orchestrator.printing import one_line

COMMAND = [sys.executable, "-m", "housemates.orchestrator.cli"]
PR_SET_CHILD_SUBREAPER = 36


def environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "HOUSEMATES_"))}
    return kept | more


def housemates(*arguments: str | Path, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=cwd, env=environment(**more))


def scripted_run(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return housemates("run", "--llm", "scripted", "--runtime", "inline", "--out", out, *more)


def started_run(cwd: Path, until: str, *arguments: str) -> subprocess.Popen[str]:
    """A run as a child process that has already printed `until`."""
    process = subprocess.Popen(
        [*COMMAND, "run", *arguments],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if until in line:
            return process
    raise AssertionError(f"the run ended before it printed {until!r}: {process.communicate()[1]}")


@pytest.fixture
def orphans() -> Iterator[set[int]]:
    """The processes that are ours before the test; orphaned ones are adopted, so that none is lost from sight."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield {p.pid for p in psutil.Process().children(recursive=True)}
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def left_behind(before: set[int]) -> list[str]:
    found = []
    for process in psutil.Process().children(recursive=True):
        if process.pid not in before and process.status() != psutil.STATUS_ZOMBIE:
            found.append(" ".join(process.cmdline()))
    return found


def test_help_teaches_every_option_quickly_and_without_ray_or_trace() -> None:
    code = "import sys, housemates.orchestrator.cli as c; print([m for m in ('ray', 'opto') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
    text = housemates("run", "--help").stdout
    for option in [
        "--task",
        "--agents",
        "--steps",
        "--llm",
        "--base-url",
        "--seed",
        "--agents-per-actor",
        "--runtime",
        "--method",
        "--out",
        "--config",
    ]:
        assert option in text


def test_the_help_states_the_defaults_that_hold() -> None:
    text = " ".join(housemates("run", "--help").stdout.split())
    for name, field in RunConfig.model_fields.items():
        if field.default not in ("", (), None) and name != "world_args":
            described = re.split(rf"--{name.replace('_', '-')}(?:, --\w+)? <", text, maxsplit=1)[1]
            default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            default = "auto" if name in ("worlds_per_actor", "conductors") and field.default == 0 else default
            assert described.split("[default: ", 1)[1].split("]", 1)[0] == default, name


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--task", "fly"], 2, "unknown task 'fly'"),
        (["run", "--task", "fly.json"], 2, "fly.json: there is no such task file"),
        (["run", "--task", "setup_table+clean_table"], 2, "and for its opposite"),
        (["run", "--agents", "0"], 2, "agents: Input should be greater than or equal to 1"),
        (["run", "--agents", "two"], 2, "--agents"),
        (["run", "--steps", "-3"], 2, "steps"),
        (["run", "--llm", "gpt-4o"], 2, "openai:MODEL, local, local:PATH.gguf, scripted"),
        (["run", "--llm", "openai:gpt-4o-mini"], 2, "OPENAI_API_KEY"),
        (["run", "--llm", "openai:m", "--base-url", "http://127.0.0.1:9/v1"], 3, "127.0.0.1:9"),
        (["run", "--llm", "openai:m", "--base-url", "ftp://x"], 2, "does not start with http"),
        (["run", "--llm", "local:no-such.gguf"], 2, "no-such.gguf"),
        (["run", "--llm", "scripted", "--out", "/proc/self/runs"], 2, "/proc/self/runs"),
        (["run", "--config", "none.toml"], 2, "none.toml"),
        (["run", "--colour", "red"], 2, "--colour"),
        (["replay", "nowhere"], 2, "nowhere holds no run"),
        (["replay", ".", "--json", "--digest"], 2, "exclude each other"),
        (["frobnicate"], 2, "frobnicate"),
        (["run", "--llm", "scripted", "--out", ""], 2, "--out"),
        (["run", "--llm", "openai:m", "--base-url", "http://a\nb/v1"], 2, "base URL"),
        (["run", "--llm", "openai:m", "--base-url", "http://127.0.0.1:99999/v1"], 2, "--base-url"),
        (["run", "--llm", "openai:m\udcff"], 2, "cannot be written down"),
    ],
)
def test_a_mistake_gets_one_line_and_its_exit_code(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    done = housemates(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stderr.startswith("housemates: ") and done.stderr.count("\n") == 1


def test_a_mistake_in_a_task_file_names_file_field_and_reason(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"name": "mine", "wants": [{"kind": "hold", "class": "aple"}]}')
    done = housemates("run", "--llm", "scripted", "--task", "mine.json", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "mine.json: wants[0].class: there is no class 'aple'; did you mean apple" in done.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "mine.json"]


def test_the_tasks_are_listed_and_the_schema_of_task_files_is_printed(tmp_path: Path) -> None:
    lines = housemates("tasks", cwd=tmp_path).stdout.splitlines()
    assert len(lines) == 8 + 50
    assert "8  in home 3     read_book: on coffeetable: 1 apple, 1 wine, 1 pudding" in lines
    assert json.loads(housemates("tasks", "--schema", cwd=tmp_path).stdout)["title"] == "TaskFile"


def test_a_model_file_with_the_wrong_hash_is_refused(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    (models / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF" + bytes(1000))
    done = housemates("run", "--llm", "local", cwd=tmp_path, HOUSEMATES_CACHE=str(tmp_path))
    assert done.returncode in (2, 3)
    assert "sha256" in done.stderr and done.stderr.count("\n") == 1


def test_an_out_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    assert scripted_run(tmp_path / "run", "--steps", "1").returncode == 0
    done = scripted_run(tmp_path / "run", "--steps", "1")
    assert done.returncode == 2 and "holds a run already" in done.stderr


def test_flags_win_over_variables_and_variables_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'llm = "scripted"\nruntime = "inline"\nsteps = 1\nagents = 5\nseed = 5\ntask = "read_book"'
    )
    done = housemates(
        "run",
        "--config",
        "c.toml",
        "--seed",
        "7",
        "--out",
        "run",
        cwd=tmp_path,
        HOUSEMATES_AGENTS="3",
        HOUSEMATES_SEED="6",
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["task"], summary["agents"], summary["seed"]) == ("read_book", 3, 7)


def test_a_run_says_what_it_does_how_it_ended_and_what_to_do_next(tmp_path: Path) -> None:
    done = scripted_run(tmp_path / "run", "--seed", "1")
    assert done.returncode == 0
    for words in (
        "step 1/150",
        "LLM calls",
        "tokens",
        "Agent_1  [g",
        "plan: ",
        "put_dishwasher: solved",
        "housemates replay",
    ):
        assert words in done.stdout, words
    digest = housemates("replay", tmp_path / "run", "--digest").stdout.strip()
    assert digest == json.loads((tmp_path / "run" / "summary.json").read_text())["digest"]
    assert digest in done.stdout


def test_a_torn_journal_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    scripted_run(tmp_path / "run", "--steps", "5")
    path = tmp_path / "run" / "journal.msgpack"
    path.write_bytes(path.read_bytes()[:-200])
    done = housemates("replay", tmp_path / "run")
    assert done.returncode == 0 and "step 0" in done.stdout


@pytest.mark.parametrize("runtime", ["inline", pytest.param("ray", marks=pytest.mark.ray)])
@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_ends_a_run_soon_and_leaves_its_record_and_no_process(
    runtime: str, blow: signal.Signals, tmp_path: Path, orphans: set[int]
) -> None:
    with scripted_server(0.3) as server:
        orphans.add(server.pid or 0)
        arguments = ["--llm", "openai:scripted", "--base-url", server.url, "--runtime", runtime, "--out", "run"]
        process = started_run(tmp_path, "step 2/", *arguments)
        process.send_signal(blow)
        process.communicate(timeout=10)  # three seconds are promised; a busy machine must not fail the suite
    assert process.returncode == 130
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["status"] == "interrupted" and summary["steps"] >= 2
    assert housemates("replay", tmp_path / "run", "--digest").stdout.strip() == summary["digest"]
    assert left_behind(orphans) == []


@pytest.mark.ray
@pytest.mark.parametrize("delay_s", [1.0, 3.0])
def test_an_interrupt_while_ray_starts_leaves_no_process(delay_s: float, tmp_path: Path, orphans: set[int]) -> None:
    process = started_run(tmp_path, "starting Ray", "--llm", "scripted", "--out", "run")
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert left_behind(orphans) == []


def test_a_base_url_in_the_environment_is_not_meant_for_another_model(tmp_path: Path) -> None:
    arguments = ["run", "--llm", "scripted", "--runtime", "inline", "--steps", "1", "--out", "run"]
    assert housemates(*arguments, cwd=tmp_path, HOUSEMATES_BASE_URL="http://127.0.0.1:9/v1").returncode == 0


def test_a_reader_that_leaves_does_not_end_the_run(tmp_path: Path) -> None:
    command = " ".join([*COMMAND, "run --llm scripted --runtime inline --steps 8 --out run | head -1"])
    subprocess.run(command, shell=True, cwd=tmp_path, env=environment(), capture_output=True, timeout=60)
    for _ in range(100):
        if (tmp_path / "run" / "summary.json").exists():
            break
        time.sleep(0.1)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["status"] == "completed"


def test_a_terminal_without_unicode_is_served(tmp_path: Path) -> None:
    arguments = ["run", "--llm", "scripted", "--runtime", "inline", "--steps", "30", "--out", "run"]
    assert housemates(*arguments, cwd=tmp_path, PYTHONIOENCODING="ascii").returncode == 0


def test_of_two_runs_that_want_one_folder_one_gets_it_whole(tmp_path: Path) -> None:
    command = [*COMMAND, "run", "--llm", "scripted", "--runtime", "inline", "--steps", "3", "--out", "run", "--seed"]
    both = [
        subprocess.Popen([*command, seed], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True)
        for seed in ("1", "2")
    ]
    errors = [process.communicate(timeout=60)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 2], errors
    winner = 1 + [process.returncode for process in both].index(0)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["seed"] == winner
    assert f"seed = {winner}" in (tmp_path / "run" / "run.toml").read_text()


def test_the_death_of_the_model_server_ends_the_run_and_names_its_log(tmp_path: Path) -> None:
    arguments = ["--llm", "scripted", "--runtime", "inline", "--task", "read_book", "--agents", "64", "--out", "run"]
    process = started_run(tmp_path, "step 1/", *arguments)
    (server,) = [p for p in psutil.Process(process.pid).children() if "scripted_server" in " ".join(p.cmdline())]
    server.kill()
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 3
    assert "model server ended" in errors and "model-server.log" in errors
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("content", [b"housemates journal 1\n", b"something else\n"])
def test_a_journal_without_a_run_is_told_in_one_line(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "journal.msgpack").write_bytes(content)
    for option in ("--digest", "--json"):
        done = housemates("replay", tmp_path, option)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1


def test_what_a_server_says_cannot_drive_the_terminal(tmp_path: Path) -> None:
    assert one_line("a\x1b[31m\x07b\u202ec\nd", 50) == "a [31m b c d"
    assert one_line("x" * 100, 10) == "x" * 9 + "…"
