"""What is told of a run while it goes on: a live table on a terminal, counts of many agents, silence for scripts."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from housemates.orchestrator.config import make_config
from housemates.orchestrator.summary import Tally
from housemates.orchestrator.terminal.live import RunConsole
from housemates.orchestrator.terminal.progress import NAMED_AGENTS, Progress
from housemates.orchestrator.terminal.telling import action_words, duration, verb_of

COMMAND = [sys.executable, "-m", "housemates.orchestrator.cli"]
SCRIPTED = ["--llm", "scripted", "--runtime", "inline"]
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


def environment() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "HOUSEMATES_"))}
    return kept | {"TERM": "xterm-256color"}


def housemates(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment())


class Terminal:
    """A command on a pseudo-terminal of 100 by 40 characters."""

    def __init__(self, *arguments: str | Path) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        self.before = termios.tcgetattr(self._master)
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.seen = ""

    @property
    def words(self) -> str:
        """What is seen, without colours and movements of the cursor."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.seen)

    def read_until(self, pattern: str, within_s: float = 60.0) -> None:
        """Read what appears; without a match when the command ends or the time is over, fail."""
        end = time.monotonic() + within_s
        while not re.search(pattern, self.words, re.S):
            assert time.monotonic() < end and self._read(), self.seen[-3000:]

    def read_to_the_end(self) -> int:
        while self._read():
            pass
        after = termios.tcgetattr(self._master)
        assert after == self.before, "the terminal's modes are as they were"
        os.close(self._master)
        return self.process.wait(30)

    def press_ctrl_c(self) -> None:
        os.write(self._master, b"\x03")

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 30)[0]:
            self.process.send_signal(signal.SIGKILL)
            return False
        try:
            text = os.read(self._master, 65536).decode(errors="replace")
        except OSError:  # the other end is closed
            return False
        self.seen += text
        return bool(text)


@pytest.fixture
def slow_model() -> Any:
    """The scripted model, half a second a call."""
    process = subprocess.Popen(
        [*COMMAND, "llm", "--port", "0", "--latency", "0.5"], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout
    url = re.search(r"http://\S+", process.stdout.readline())
    assert url
    yield url[0]
    process.terminate()
    process.wait(30)


def test_a_terminal_shows_a_live_table_and_is_clean_after_ctrl_c(slow_model: str, tmp_path: Path) -> None:
    model = ["--llm", "openai:scripted", "--base-url", slow_model, "--runtime", "inline"]
    terminal = Terminal("run", "--agents", "3", "--out", tmp_path / "run", *model)
    terminal.read_until(
        r"step \d+/150.*at\s+most\s+\d+\s+min\s+to\s+go"
        r".*3\s+thinking\s+for\s+\d+\s+s:\s+Agent_1.*agent +action +plan.*Agent_3"
    )
    assert HIDE in terminal.seen
    terminal.press_ctrl_c()
    assert terminal.read_to_the_end() == 130
    after = terminal.seen.rsplit(SHOW, 1)
    assert len(after) == 2 and HIDE not in after[1], "the cursor is back"
    assert "not solved (interrupted)" in after[1] and "housemates resume" in after[1]


def test_the_cursor_is_given_back_when_a_run_is_ended_by_force() -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stdout:
        RunConsole(file=stdout).give_back()
        assert os.read(master, 100).decode() == SHOW
    os.close(master)


def test_many_agents_are_counted_on_the_terminal(tmp_path: Path) -> None:
    agents = str(NAMED_AGENTS + 1)
    terminal = Terminal("run", "--agents", agents, "--steps", "3", "--out", tmp_path / "run", *SCRIPTED)
    assert terminal.read_to_the_end() == 0
    assert re.search(r"\d+ acted, \d+ spoke, \d+ did nothing", terminal.words)
    assert "plan" not in terminal.words.partition("not solved")[0]


def test_without_a_terminal_each_step_is_plain_lines(tmp_path: Path) -> None:
    done = housemates("run", "--agents", "2", "--steps", "2", "--out", tmp_path / "run", *SCRIPTED)
    assert done.returncode == 0 and "\x1b" not in done.stdout
    assert re.search(r"^step 2/2  .*\n  Agent_1  .*\n  Agent_2  ", done.stdout, re.M)


def test_quiet_shows_only_the_summary(tmp_path: Path) -> None:
    done = housemates("run", "--quiet", "--steps", "2", "--out", tmp_path / "run", *SCRIPTED)
    assert done.returncode == 0
    assert done.stdout.lstrip().startswith("task ") and "step 1" not in done.stdout


def test_json_is_one_line_with_the_summary_and_nothing_else(tmp_path: Path) -> None:
    done = housemates("run", "--json", "--steps", "2", "--out", tmp_path / "run", *SCRIPTED)
    (line,) = done.stdout.splitlines()
    kept = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert json.loads(line) == {"folder": str(tmp_path / "run"), **kept}


def test_json_of_a_study_is_one_line_and_a_mistake_leaves_stdout_empty(tmp_path: Path) -> None:
    which = ["--tasks", "read_book", "--seeds", "1", "--steps", "2"]
    first = housemates("study", "--json", *which, "--out", tmp_path / "s", *SCRIPTED)
    assert first.returncode == 0, first.stderr
    (line,) = first.stdout.splitlines()
    told = json.loads(line)
    assert told["folder"] == str(tmp_path / "s") and len(told["finished"]) == 1 and not told["failed"]
    wrong = housemates("resume", "--json", tmp_path / "nowhere")
    assert wrong.returncode == 2 and wrong.stdout == "" and wrong.stderr.count("\n") == 1


class Clock:
    """Time that passes when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def step(number: int, step_s: float, **actions: str | None) -> dict[str, Any]:
    turns = {agent: {"action": action, "how": "exact", "plan": ""} for agent, action in actions.items()}
    parts = {agent: {"turn": turn, "verdict": "ok", "detail": "", "total": 0.0} for agent, turn in turns.items()}
    return {"kind": "step", "step": number, "step_s": step_s, "agents": parts}


def progress(clock: Clock, thinking: list[str], agents: int = 3) -> Progress:
    following = Progress(clock)
    following.started(make_config(agents=agents, steps=10, llm="scripted"), lambda: thinking)
    return following


def test_who_is_waited_for_is_named_with_the_time_since_the_step_began() -> None:
    clock, thinking = Clock(), ["Agent_1", "Agent_2", "Agent_3"]
    following = progress(clock, thinking)
    clock.now += 14
    assert following.slow() == "3 thinking for 14 s: Agent_1, Agent_2, Agent_3"
    thinking[:] = ["Agent_2"]
    assert following.slow() == "1 thinking for 14 s, 2 waiting: Agent_2"
    following.committed(step(0, 14.0, Agent_1=None), Tally())
    clock.now += 2
    assert following.slow() == "1 thinking for 2 s, 2 waiting: Agent_2"
    thinking.clear()
    assert following.slow() == "the world moves"


def test_the_time_left_is_that_of_the_remaining_steps_at_the_recent_pace() -> None:
    following, tally = progress(Clock(), []), Tally()
    assert following.time_left() == ""
    tally.steps = 4
    following.committed(step(3, 30.0), tally)
    assert following.time_left() == "at most 3 min to go"
    tally.steps = 10
    following.committed(step(9, 30.0), tally)
    assert following.time_left() == ""


def test_actions_are_counted_by_kind_and_by_verb() -> None:
    following = progress(Clock(), [])
    grabs = {f"Agent_{n}": "[gograb] <plate> (7)" for n in (1, 2, 3)}
    talk = "[send_message] <everyone> (0): hello"
    following.committed(step(0, 1.0, **grabs, Agent_4="[goput] <sink> (8)", Agent_5=talk, Agent_6=None), Tally())
    assert following.counts() == [
        "4 acted, 1 spoke, 1 did nothing",
        "3 gograb, 1 goput, 1 nothing, 1 send_message",
    ]


def test_hostile_actions_cannot_drive_the_terminal() -> None:
    part = step(0, 1.0, Agent_1="[\x1b[2J]\n<plate>")["agents"]["Agent_1"]
    assert "\x1b" not in action_words(part, 80) + verb_of(part)


@pytest.mark.parametrize(("seconds", "words"), [(45, "45 s"), (170, "3 min"), (7800, "2 h 10 min")])
def test_times_are_written_for_people(seconds: float, words: str) -> None:
    assert duration(seconds) == words
