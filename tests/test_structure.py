"""The structure the architecture promises: contracts without Ray, sizes, names. Layers: see test_packaging.py."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import housemates

ROOT = Path(__file__).parent.parent
LAYERS = ["orchestrator", "actors", "env"]
RAY_ALLOWED = {
    "env/actor.py",
    "actors/actor.py",
    "actors/limiter/actor.py",
    "orchestrator/cluster/access.py",
    "orchestrator/cluster/connecting.py",
    "orchestrator/cluster/joined.py",
    "orchestrator/cluster/machines.py",
    "orchestrator/cluster/own.py",
    "orchestrator/cluster/processes.py",
    "orchestrator/cluster/remote.py",
    "orchestrator/households/actor.py",
    "orchestrator/metrics.py",
}
FILES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}


def imported(path: Path) -> set[str]:
    """Top-level names of absolute imports."""
    names: set[str] = set()
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


def test_ray_is_touched_only_at_the_edge() -> None:
    assert {str(path.relative_to(ROOT)) for path in FILES if "ray" in imported(path)} <= RAY_ALLOWED


def test_asking_for_help_loads_nothing_heavy() -> None:
    """What it may cost in seconds is measured by benchmarks/startup.py."""
    code = (
        "import sys; from housemates.orchestrator.cli import main; sys.argv = ['housemates', '--help']\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"aiohttp", "matplotlib", "numpy", "openai", "opto", "pandas", "PIL", "pydantic", "ray"}
    assert "Usage" in done.stdout
    assert heavy & set(done.stderr.split()) == set()


@pytest.mark.parametrize("name", ["env/world.py", "actors/agent.py", "orchestrator/barrier.py"])
def test_a_contract_is_read_in_ten_minutes(name: str) -> None:
    assert len((ROOT / name).read_text().splitlines()) < 250


def test_no_file_outgrows_a_reader() -> None:
    assert {p.name: n for p in FILES if (n := len(p.read_text().splitlines())) > 500} == {}


def test_every_public_name_says_what_it_is() -> None:
    assert [name for path, tree in TREES.items() for name in undocumented(path, tree)] == []


def undocumented(path: Path, tree: ast.Module) -> Iterator[str]:
    """The module, its public classes and functions, and their methods, as far as nothing says what they are.

    What overrides a method, or is asked for by a protocol, is described there; what a Trace operator is, its
    description says, which models read.
    """
    where = path.relative_to(ROOT)
    if not ast.get_docstring(tree):
        yield str(where)
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node) and not any("description=" in ast.unparse(d) for d in node.decorator_list):
            yield f"{where}: {node.name}"
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, Function) and not method.name.startswith("_"):
                described = is_described(node, method.name) or any(is_described(p, method.name) for p in PROTOCOLS)
                if not described:
                    yield f"{where}: {node.name}.{method.name}"


def is_described(owner: ast.ClassDef, method: str) -> bool:
    """Whether a class or one of its bases says what a method does; a protocol may do so in its own docstring."""
    for node in owner.body:
        if isinstance(node, Function) and node.name == method and (ast.get_docstring(node) or owner in PROTOCOLS):
            return True
    return any(is_described(base, method) for name in bases(owner) for base in CLASSES.get(name, ()))


def bases(owner: ast.ClassDef) -> list[str]:
    return [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in owner.bases]


Function = ast.FunctionDef | ast.AsyncFunctionDef
CLASSES: dict[str, list[ast.ClassDef]] = {}
for each in (node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
    CLASSES.setdefault(each.name, []).append(each)
PROTOCOLS = [found for same in CLASSES.values() for found in same if "Protocol" in bases(found)]


def test_every_public_name_is_there() -> None:
    for name in housemates.__all__:
        assert getattr(housemates, name).__doc__, name


def test_a_checkout_is_importable_without_being_installed() -> None:
    code = (
        "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]; "
        f"sys.path.insert(0, {str(ROOT)!r}); import housemates.env.world, housemates.orchestrator.config"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
