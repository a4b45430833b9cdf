"""The structure the architecture promises: layers, contracts without Ray, sizes, public names."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import housemates

ROOT = Path(__file__).parent.parent
LAYERS = ["orchestrator", "actors", "env"]  # each may import from itself and from those after it
RAY_ALLOWED = {
    "env/actor.py",
    "actors/actor.py",
    "actors/limiter/actor.py",
    "orchestrator/runtime.py",
    "orchestrator/cluster.py",
    "orchestrator/ray_access.py",
    "orchestrator/metrics.py",
}
FILES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of absolute imports, and layers that relative imports reach."""
    names: set[str] = set()
    depth = len(path.relative_to(ROOT).parts) - 1
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level > depth:
            names.update((node.module or alias.name).split(".")[0] for alias in node.names)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    forbidden = set(LAYERS[: LAYERS.index(layer)])
    assert not imported(path) & forbidden


def test_ray_is_touched_only_at_the_edge() -> None:
    assert {str(path.relative_to(ROOT)) for path in FILES if "ray" in imported(path)} <= RAY_ALLOWED


@pytest.mark.parametrize("name", ["env/world.py", "actors/agent.py", "orchestrator/barrier.py"])
def test_a_contract_is_read_in_ten_minutes(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) < 250


def test_no_file_outgrows_a_reader() -> None:
    assert {p.name: n for p in FILES if (n := len(p.read_text().splitlines())) > 500} == {}


def test_every_public_name_is_there() -> None:
    for name in housemates.__all__:
        assert getattr(housemates, name).__doc__, name


def test_a_checkout_is_importable_without_being_installed() -> None:
    code = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]; "
        f"sys.path.insert(0, {str(ROOT)!r}); import housemates.env.world, housemates.orchestrator.config"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
