"""What the documents show is run as they show it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator.cli import app

from .shown_blocks import PAGES, ROOT, Block, commands, read_blocks
from .shown_session import ShownWrongly, parse, session

README = (ROOT / "README.md").read_text()
SHOWN = {page: list(read_blocks(page)) for page in PAGES}
LANGUAGES = {"sh", "console", "python", "pycon", "toml", "json", "text"}
"""The first four are run; another name for one of them would go unnoticed."""


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    with scripted_server() as server:
        yield server.url


def play(blocks: list[Block], folder: Path, model_url: str) -> None:
    with session(folder, model_url) as page:
        for block in blocks:
            page.run(block)


def marked(page: Path) -> Any:
    on_ray = any("--runtime ray" in block.text for block in SHOWN[page])
    return pytest.param(page, marks=[pytest.mark.ray] if on_ray else [], id=named(page))


@pytest.mark.parametrize("page", [marked(page) for page in PAGES if SHOWN[page]])
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, model_url: str) -> None:
    blocks = [block for block in SHOWN[page] if "not run" not in block.marks]
    if named(page) == "README.md":  # its Python is run below, each block alone
        blocks = [block for block in blocks if block.language != "python"]
    play(blocks, tmp_path, model_url)


LEFT_OUT = [block for page in PAGES for block in SHOWN[page] if "not run" in block.marks]


@pytest.mark.parametrize("block", LEFT_OUT, ids=lambda block: block.place)
def test_what_is_not_run_here_says_why_and_names_options_that_there_are(block: Block) -> None:
    assert len(block.marks["not run"]) > 10
    if block.language == "python":
        compile(block.text, block.place, "exec")
    elif block.language in ("sh", "console"):
        for command, _ in commands(block):
            parse(command)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_names_its_language_and_in_one_way(page: Path) -> None:
    shown = [block for block in SHOWN[page] if block.language not in ("run", "set")]
    assert [f"{block.place} {block.language}" for block in shown if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_option_named_in_passing_exists(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for command in re.findall(r"`housemates ([^`]*)`", text):
        words = command.split()
        options = [word.partition("=")[0] for word in words if re.fullmatch(r"--[a-z-]+(=.*)?", word)]
        name = " ".join(words[:2]) if words[:1] in (["house"], ["models"]) else " ".join(words[:1])
        for option in options:
            if name and not name.startswith("-"):
                assert option in options_of(name), f"housemates {name} has no {option}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_that_are_merely_indented_are_parsed(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for command in re.findall(r"^    (?:\$ )?((?:\S+/)?housemates .*)$", text, re.M):
        parse(command)


@cache
def options_of(command: str) -> set[str]:
    place: Any = typer.main.get_command(app)
    for name in command.split():
        place = place.commands[name]
    return {option for parameter in place.params for option in parameter.opts} | {"--help"}


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.S))
def test_the_python_in_the_readme_runs(code: str, tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(code)
    done = subprocess.run([sys.executable, "shown.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_every_picture_in_the_readme_is_there_and_small() -> None:
    paths = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", README)
    assert sum(path.endswith(".gif") for path in paths) == 1
    for path in paths:
        assert 0 < (ROOT / path).stat().st_size < 3_000_000, path


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_shown_json_is_json(page: Path) -> None:
    for block in SHOWN[page]:
        if block.language == "json":
            json.loads(block.text)


WRONG = {
    "another output": "```console\n$ housemates tasks\nnothing\n```\n",
    "another exit code": "```sh\nhousemates replay nowhere\n```\n",
    "an option that there is not": "```sh\nhousemates run --agentss 3\n```\n",
    "Python that prints something else": "```pycon\n>>> 1 + 1\n3\n```\n",
    "a server that does not start": "```sh\nhousemates view nowhere\n```\n",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG)
def test_a_page_that_shows_what_does_not_happen_is_found_out(text: str, tmp_path: Path, model_url: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ShownWrongly):
        play(list(read_blocks(page)), tmp_path / "there", model_url)


@pytest.mark.parametrize("command", ["housemates run --agentss 3", "housemates walk", "housemates run --agents many"])
def test_a_command_that_is_only_parsed_is_found_out_as_well(command: str) -> None:
    with pytest.raises(ShownWrongly):
        parse(command)


def test_a_comment_that_says_how_to_run_a_block_stands_before_one(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- file: mine.py -->\nText.\n")
    with pytest.raises(ValueError, match=r"page.md:2"):
        list(read_blocks(page))
