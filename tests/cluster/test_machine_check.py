"""A machine of a cluster says in words what it lacks."""

from __future__ import annotations

import importlib.metadata
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from housemates.orchestrator.cluster.machine_check import lacks

ROOT = Path(__file__).parents[2]


def test_a_machine_that_has_everything_lacks_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        assert lacks(["pydantic>=1", "winonly>1; sys_platform == 'win32'"], [(url, None)]) == []


def test_missing_packages_and_other_versions_are_named() -> None:
    (line,) = lacks(["not-there>=2", "pydantic<1"], [])
    here = importlib.metadata.version("pydantic")
    assert line == f"lacks packages: not-there>=2, pydantic<1 (it has {here})"


def test_a_key_that_is_not_there_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THERE", "secret")
    monkeypatch.setenv("https_proxy", "http://proxy:1")
    lines = lacks([], [("https://one.test/v1", "NOT_THERE"), ("https://two.test/v1", "THERE")])
    assert lines == ["has no NOT_THERE in its environment"]


def test_a_model_out_of_reach_is_named_by_its_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (line,) = lacks([], [(f"http://127.0.0.1:{port}/v1", None)])
    assert line.startswith(f"cannot reach the model at http://127.0.0.1:{port}/v1: ")
    assert "a loopback address is every machine's own" in line


def test_the_check_is_imported_where_no_package_is_installed() -> None:
    code = "import housemates.orchestrator.cluster.machine_check"
    subprocess.run([sys.executable, "-S", "-c", code], env={"PYTHONPATH": str(ROOT)}, check=True)
