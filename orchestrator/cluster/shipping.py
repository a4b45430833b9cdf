"""What the machines of a cluster get from the one where a run is started: this package and the user's own modules.

They need not be installed there. Packages of others are: `orchestrator.cluster.machine_check` says which are missing.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
import tomllib
from importlib import import_module
from pathlib import Path

PACKAGE = "housemates"
LAYERS = ("actors", "env", "orchestrator")


def shipped(staging: Path) -> list[str]:
    """What Ray's `py_modules` takes: a copy of this package, and what was imported from the working directory.

    In a checkout the layers lie beside the package, when it is installed in it: the copy is as if it were installed.

    Args:
        staging: a folder for the copy, which nobody needs once Ray has taken it.
    """
    copy = staging / PACKAGE
    copy.mkdir()
    for path in _folder(PACKAGE).glob("*.py*"):
        if path.is_file():
            shutil.copy(path, copy)
    for layer in LAYERS:
        leave = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_folder(f"{PACKAGE}.{layer}"), copy / layer, ignore=leave)
    return [str(copy), *_users_modules(Path.cwd())]


def requirements() -> list[str]:
    """The packages that this one depends on, as its distribution (or, in a checkout, its pyproject.toml) names them."""
    project = _folder(PACKAGE).parent / "pyproject.toml"
    if project.is_file() and (_folder(PACKAGE).parent / "orchestrator").is_dir():
        return list(tomllib.loads(project.read_text())["project"]["dependencies"])
    return [line for line in importlib.metadata.requires(PACKAGE) or () if "extra ==" not in line]


def _users_modules(here: Path) -> list[str]:
    """Modules and packages that lie in a folder and are in use: whatever is named `module:Class` has been imported."""
    found: set[str] = set()
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        top = name.partition(".")[0]
        if file is None or top in (PACKAGE, "__main__", "__mp_main__"):
            continue
        for path in (here / top, here / f"{top}.py"):
            if path.exists() and Path(file).resolve().is_relative_to(path.resolve()):
                found.add(str(path))
    return sorted(found)


def _folder(package: str) -> Path:
    file = import_module(package).__file__
    assert file is not None  # our packages all have an __init__.py
    return Path(file).parent
