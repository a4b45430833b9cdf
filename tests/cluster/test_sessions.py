"""Folders of Rays whose processes are all gone are taken away when the next run starts, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from housemates.orchestrator.cluster.session import ABANDONED_S, LOCK_NAME, Session, sweep

HOLDER = """
import sys, time
from pathlib import Path
from housemates.orchestrator.cluster.session import Session
print(Session(Path(sys.argv[1])).folder, flush=True)
time.sleep(60)
"""


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def starter(code: str, *arguments: str | Path, **how: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **how))  # type: ignore[call-overload]
        return started[-1]

    yield starter
    for process in started:
        process.kill()
        process.communicate()


Start = Callable[..., "subprocess.Popen[str]"]


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_killed_run_s_folder_is_taken_away(tmp_path: Path, start: Start) -> None:
    run = start(HOLDER, tmp_path)
    folder = Path(line_of(run))
    (folder / "ray").mkdir()
    sweep(tmp_path)
    assert (folder / "ray").is_dir(), "the run lives"
    run.kill()
    run.wait()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_supervisor_is_at_work_stays(tmp_path: Path, start: Start) -> None:
    session = Session(tmp_path)
    start("input()", stdin=subprocess.PIPE, pass_fds=(session.lock,))
    session.release()
    sweep(tmp_path)
    assert session.folder.is_dir()


def test_a_folder_in_which_a_ray_still_writes_stays(tmp_path: Path, start: Start) -> None:
    session = Session(tmp_path)
    session.release()
    raylet = start(
        "import sys; f = open(sys.argv[1], 'w'); print('open', flush=True); input()",
        session.folder / "raylet.out",
        stdin=subprocess.PIPE,
    )
    assert line_of(raylet) == "open"
    sweep(tmp_path)
    assert session.folder.is_dir()


def test_a_folder_without_a_lock_stays_until_it_has_rested(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.release()
    (session.folder / LOCK_NAME).unlink()
    sweep(tmp_path)
    assert session.folder.is_dir()
    before = session.folder.stat().st_mtime - ABANDONED_S - 1
    os.utime(session.folder, (before, before))
    sweep(tmp_path)
    assert not session.folder.exists()


def test_what_is_no_session_stays(tmp_path: Path) -> None:
    for name in ("housemates-0", "housemates-my-things", "other"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / "housemates-abcdefgh").write_text("a file")
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_new_session_is_private(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.release()
    assert session.folder.stat().st_mode & 0o777 == 0o700
