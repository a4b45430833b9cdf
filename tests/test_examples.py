"""Every example runs as its docstring says, and shows what it promises."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from housemates.actors.model.scripted_server import scripted_server
from housemates.orchestrator.commands.serve import write_executable

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
PROMISES = {
    "cluster.py": "the same as in one process: True",
    "endpoint.py": "Agent_2: Search order",
    "hello.py": "plans rewritten",
    "many_households.py": "the second one alone is the same: True",
    "own_task.py": "there is no class 'plaet'",
    "own_world.py": "carried: True",
    "record_replay.py": "the same run: True",
    "resume.py": "the same as undisturbed: True",
    "study_and_report.py": "report.html",
    "unity.py": "12 steps on",
}
"""What must be among the lines of an example; others must print something."""


@contextmanager
def surroundings(name: str, folder: Path) -> Iterator[dict[str, str]]:
    """What an example says has to be there: a model server, a simulator, a cluster."""
    if name == "endpoint.py":
        with scripted_server() as server:
            yield {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "a-key", "MODEL": "scripted"}
    elif name == "unity.py":
        yield {"SIMULATOR": str(write_executable(folder / "linux_exec"))}
    elif name == "cluster.py":
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
        try:
            yield {"RAY_ADDRESS": cluster.address}
        finally:
            cluster.shutdown()
    else:
        yield {}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.ray] if path.name == "cluster.py" else []) for path in EXAMPLES],
    ids=lambda path: path.name,
)
def test_an_example_runs(path: Path, tmp_path: Path) -> None:
    with surroundings(path.name, tmp_path) as variables:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        done = subprocess.run(
            [sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180
        )
    assert done.returncode == 0, done.stderr
    assert PROMISES.get(path.name, "\n") in done.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_short_and_says_what_it_is_for(path: Path) -> None:
    assert path.read_text().startswith('"""')
    assert len(path.read_text().splitlines()) <= 80


def test_no_promise_is_about_an_example_that_is_gone() -> None:
    assert PROMISES.keys() <= {path.name for path in EXAMPLES}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_listed_in_the_documentation(path: Path) -> None:
    assert f"`{path.name}`" in (ROOT / "docs" / "index.md").read_text()
