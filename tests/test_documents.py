"""What the documents show is run as they show it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from housemates.orchestrator.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_every_example_runs_and_says_what_it_is_for(path: Path, tmp_path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 80
    assert path.read_text().startswith('"""')
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", README, re.S))
def test_the_python_in_the_readme_runs(code: str, tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text(code)
    done = subprocess.run([sys.executable, "shown.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["run", "film"])
def test_every_option_in_the_readme_exists(command: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "housemates.orchestrator.cli", command, "--help"], capture_output=True, text=True
    ).stdout
    lines = re.findall(rf"housemates {command} ([^`\n]*)", README)
    assert lines
    for option in {o for line in lines for o in re.findall(r"--[a-z-]+", line)}:
        assert option in shown, option


def test_every_picture_in_the_readme_is_there_and_small() -> None:
    paths = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", README)
    assert sum(path.endswith(".gif") for path in paths) == 1
    for path in paths:
        assert 0 < (ROOT / path).stat().st_size < 3_000_000, path


def test_the_commands_about_tasks_and_homes_work_in_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = README.split("## Tasks and homes\n")[1].split("\n## ")[0]
    commands = re.findall(r"^\.venv/bin/(housemates .*?)(?: > (\S+))?(?: +#.*)?$", section, re.M)
    assert len(commands) > 5
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    for name, value in {"LLM": "scripted", "RUNTIME": "inline", "STEPS": "2"}.items():
        monkeypatch.setenv(f"HOUSEMATES_{name}", value)
    for command, file in commands:
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert ended.value.code == 0, f"{command}: {err}"
        if file:
            Path(file).write_text(out)
