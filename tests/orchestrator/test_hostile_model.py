"""A model that writes control characters wherever it can write does not reach the terminal with them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from housemates.orchestrator import replay
from housemates.orchestrator.config import make_config
from housemates.orchestrator.run import run
from housemates.orchestrator.terminal.live import TerminalObserver
from rich.console import Console

from .thread_server import ThreadServer

CONTROL = "\x1b]0;owned\x07 \x1b[2J \x9b31m \x7f \u202e back \u2028 \r over [bold]markup[/bold]"


async def hostile(request: web.Request) -> web.Response:
    body = json.loads(await request.read())
    prompt = body["messages"][-1]["content"]
    if "#Feedback" in prompt:
        text = json.dumps({"reasoning": CONTROL, "suggestion": {"plan0": f"{len(prompt)} {CONTROL}"}})
    else:
        action = f"[send_message] <Agent_{2 if 'Agent_1.' in prompt[:200] else 1}> (1): {CONTROL}"
        text = json.dumps({"thoughts": CONTROL, "action": action})
    choice = {"index": 0, "finish_reason": CONTROL, "message": {"role": "assistant", "content": text}}
    return web.json_response({"choices": [choice]})


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadServer(hostile)
    yield server.url
    server.stop()


def drives(text: str) -> set[str]:
    """The characters in a text that a terminal may obey."""
    return {char for char in text if not char.isprintable() and char != "\n"}


def test_it_shows_as_plain_text_while_it_runs_and_when_it_is_read_again(url: str, tmp_path: Path) -> None:
    shown = io.StringIO()
    config = make_config(llm="openai:m", base_url=url, runtime="inline", steps=3, agents=2)
    with TerminalObserver(Console(file=shown, width=100)) as observer:
        run(config, tmp_path / "run", observer)
    assert "owned" in shown.getvalue() and "[bold]" in shown.getvalue()
    assert drives(shown.getvalue()) == set()
    story = "\n".join(replay.story(tmp_path / "run"))
    assert "owned" in story and drives(story) == set()
    lines = "\n".join(replay.json_lines(tmp_path / "run"))
    assert not any((char < " " and char != "\n") or "\x7f" <= char <= "\x9f" for char in lines)


def test_not_even_when_it_refuses(tmp_path: Path) -> None:
    async def refuse(request: web.Request) -> web.Response:
        return web.json_response({"error": {"message": CONTROL}}, status=404)

    server = ThreadServer(refuse)
    command = [sys.executable, "-m", "housemates.orchestrator.cli", "run", "--runtime", "inline", "--steps", "2"]
    command += ["--llm", "openai:m", "--base-url", server.url, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    server.stop()
    assert done.returncode == 3 and done.stderr.count("\n") < 12
    assert drives(done.stdout + done.stderr) == set()
