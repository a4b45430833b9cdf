"""What users install: the wheel and the source archive, as they are built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest
from uv import find_uv_bin

import housemates

ROOT = Path(__file__).parent.parent
LAYERS = ["actors", "benchmarks", "env", "orchestrator"]
SOURCES = [path for folder in ["housemates", *LAYERS] for path in sorted((ROOT / folder).rglob("*")) if path.is_file()]
SHIPPED = {path.relative_to(ROOT).as_posix() for path in SOURCES if "__pycache__" not in path.parts}


class Built(NamedTuple):
    wheel: Path
    sdist: Path


def uv(*arguments: str | Path) -> str:
    done = subprocess.run([find_uv_bin(), "--quiet", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_venv(folder: Path) -> Path:
    """A new environment with nothing in it; returns its Python."""
    uv("venv", "--python", sys.executable, folder)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Both archives, the wheel made from the source archive, so that what is not in that one is missed."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ["housemates", *LAYERS]:
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ["pyproject.toml", "README.md", "LICENSE"]:
        shutil.copy(ROOT / name, tree)
    uv("build", "--out-dir", tree / "dist", tree)
    return Built(next((tree / "dist").glob("*.whl")), next((tree / "dist").glob("*.tar.gz")))


@pytest.fixture(scope="module")
def unpacked(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages as they are installed."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built.wheel) as wheel:
        wheel.extractall(folder)
    return folder


def test_the_wheel_has_every_module_and_every_data_file_and_nothing_else(unpacked: Path) -> None:
    installed = {path.relative_to(unpacked).as_posix() for path in (unpacked / "housemates").rglob("*.*")}
    wanted = {name if name.startswith("housemates/") else f"housemates/{name}" for name in SHIPPED}
    assert installed == wanted


def test_the_source_archive_has_what_it_takes_to_build_and_the_licence(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {*SHIPPED, "pyproject.toml", "README.md", "LICENSE"} <= names


def test_every_extra_can_be_asked_for_at_once(unpacked: Path) -> None:
    metadata = next(unpacked.glob("*.dist-info/METADATA")).read_text()
    extras = {line.partition(": ")[2] for line in metadata.splitlines() if line.startswith("Provides-Extra: ")}
    everything = next(line for line in metadata.splitlines() if line.endswith('extra == "all"'))
    assert [extra for extra in extras - {"all", "dev", "docs"} if extra not in everything] == []


def test_the_layers_are_kept_and_nothing_imports_itself_by_a_detour(unpacked: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=unpacked,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_module_of_a_user_passes_a_strict_type_checker(built: Built, tmp_path: Path) -> None:
    python = make_venv(tmp_path / "venv")
    uv("pip", "install", "--python", python, "--no-deps", built.wheel)
    packages = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    (packages / "what-it-needs.pth").write_text(sysconfig.get_path("purelib"))
    (tmp_path / "theirs.py").write_text(THEIRS)
    every = ", ".join(f"housemates.{name}" for name in housemates.__all__)
    (tmp_path / "every_name.py").write_text(f"import housemates\n\nNAMES = ({every})\n")
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "exclude": ["venv"]}')
    checked = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", python, "--project", tmp_path],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout


THEIRS = '''
"""A module of a user: a world, an agent, and a run that is looked into."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from housemates import (
    Agent, AgentSpec, ChatModel, Endpoint, HouseholdWorld, Message, Observation, Outcome, RunConfig, StepResult,
    TraceAgent, World, WorldError, check_world, load_run, make_config, read_journal, run,
)


class Corridor(World):
    """Walk to its end."""

    @property
    def agents(self) -> Sequence[str]:
        return ("walker",)

    def reset(self, seed: int) -> dict[str, Observation]:
        self.place = seed % 3
        return self.seen()

    def seen(self) -> dict[str, Observation]:
        return {"walker": Observation(text=f"You are at {self.place}. $PLAN$", choices=("go",), key=str(self.place))}

    def step(self, actions: Mapping[str, str | None]) -> StepResult:
        ok = actions["walker"] == "go"
        self.place += ok
        return StepResult(
            observations=self.seen(),
            rewards={"walker": float(ok)},
            outcomes={"walker": Outcome(ok=ok, detail="")},
            messages=(Message(sender="walker", receiver="everyone", text="…"),),
            done=self.place > 5,
            success=self.place > 5,
        )

    def snapshot(self) -> bytes:
        return bytes([self.place])

    def restore(self, snapshot: bytes) -> dict[str, Observation]:
        if len(snapshot) != 1:
            raise WorldError("no snapshot of this world")
        self.place = snapshot[0]
        return self.seen()


class Loud(TraceAgent):
    """Asks its model in capitals."""

    def prompt(self, observation: Observation) -> str:
        return super().prompt(observation).upper()


def make_agent(spec: AgentSpec, model: ChatModel) -> Agent:
    return Loud(spec, model)


def main(folder: Path) -> float:
    check_world(Corridor)
    check_world(lambda: HouseholdWorld("read_book", 1))
    config: RunConfig = make_config(llm="scripted", runtime="inline", steps=2)
    result = run(config, folder)
    kinds: list[str] = [record["kind"] for record in read_journal(folder / "journal.msgpack")]
    endpoint = Endpoint(model="a", base_url="http://localhost/v1")
    print(kinds, endpoint.model, result.summary["status"])
    return len(load_run(folder).steps)
'''


@pytest.mark.slow
@pytest.mark.parametrize("archive", ["wheel", "sdist"])
def test_what_was_built_runs_where_nothing_else_is_installed(built: Built, archive: str, tmp_path: Path) -> None:
    python = make_venv(tmp_path / "venv")
    uv("pip", "install", "--python", python, "-c", ROOT / "constraints.txt", getattr(built, archive))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    flags = ["--llm", "scripted", "--runtime", "inline", "--steps", "3", "--json"]
    done = subprocess.run(
        [python.with_name("housemates"), "run", *flags, "--out", tmp_path / "run"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_all_extras_together_can_be_resolved(built: Built, version: str, tmp_path: Path) -> None:
    (tmp_path / "asked.in").write_text(f"housemates[all] @ {built.wheel.as_uri()}\n")
    resolved = uv("pip", "compile", "--python-version", version, tmp_path / "asked.in")
    assert "xllamacpp==" in resolved and "pettingzoo==" in resolved and "matplotlib==" in resolved
