"""What a cluster's machines are sent runs there without anything of ours being installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from housemates.orchestrator.cluster.shipping import requirements, shipped

from .machines import bare_python

SHIP_AGAIN = """
import sys
from pathlib import Path
import housemates.actors.host, housemates.env.household.household, housemates.actors.trace_agent
from housemates.orchestrator.cluster.shipping import shipped
print(housemates.__file__)
shipped(Path(sys.argv[1]))
"""


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in str(path)}


def test_what_is_shipped_is_the_package_as_if_it_were_installed(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    shipped(first)
    python = bare_python(tmp_path / "python")
    without = subprocess.run([python, "-c", "import housemates"], env={}, capture_output=True, text=True, cwd=tmp_path)
    assert "No module named 'housemates'" in without.stderr
    where = {"PYTHONPATH": str(first)}
    done = subprocess.run([python, "-c", SHIP_AGAIN, second], env=where, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.strip() == str(first / "housemates" / "__init__.py"), done.stderr
    assert files_in(second) == files_in(first) >= {"housemates/actors/host.py", "housemates/env/host.py"}


def test_the_user_s_modules_that_are_in_use_are_shipped_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, staging = tmp_path / "here", tmp_path / "staging"
    (here / "own_package").mkdir(parents=True)
    staging.mkdir()
    (here / "own_package" / "__init__.py").write_text("")
    (here / "own_package" / "part.py").write_text("import own_module")
    for name in ("own_module.py", "not_in_use.py", ".env", "journal.msgpack"):
        (here / name).write_text("")
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(here)
    __import__("own_package.part")
    try:
        _, *users = shipped(staging)
    finally:
        for name in ("own_package", "own_package.part", "own_module"):
            del sys.modules[name]
    assert users == [str(here / "own_module.py"), str(here / "own_package")]


def test_the_packages_of_others_are_those_of_the_distribution() -> None:
    assert {"ray>=2.60", "aiohttp>=3.14"} <= set(requirements())
    assert not any("pytest" in line for line in requirements())
