"""T18: what a test leaves behind is noticed; `tests/conftest.py` looks after every module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import leftovers
from .leftovers import LIBRARIES, Watch


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = leftovers.until
    monkeypatch.setattr(leftovers, "until", lambda true, within_s=0.0: waits(true, 0.2))


def test_nothing_is_nothing() -> None:
    assert Watch().left() == ""


def test_a_process_that_runs_on_is_named() -> None:
    watch = Watch()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        assert str(process.pid) in watch.left()
        process.kill()
    assert watch.left() == ""


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are listed in /proc")
def test_files_that_stay_open_are_named(tmp_path: Path) -> None:
    watch = Watch()
    files = [(tmp_path / str(number)).open("w") for number in range(LIBRARIES + 1)]
    assert str(tmp_path / "0") in watch.left()
    for file in files:
        file.close()
    assert watch.left() == ""
