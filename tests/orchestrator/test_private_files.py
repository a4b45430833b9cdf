"""What a run, a study and a report leave behind is readable by their user alone, even with umask 0 (T29)."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from housemates.orchestrator.config import make_config
from housemates.orchestrator.private_files import make_private, write_private
from housemates.orchestrator.run import run


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def open_to_others(place: Path) -> list[str]:
    """Everything in a folder, itself included, that anybody but its owner may read, write or enter."""
    return [str(path) for path in [place, *place.rglob("*")] if path.lstat().st_mode & 0o077]


def test_a_run_folder_with_all_that_is_in_it(tmp_path: Path) -> None:
    config = make_config(llm="scripted", runtime="inline", steps=3)
    run(config, tmp_path / "runs" / "one", record=tmp_path / "runs" / "tape")
    assert len(list((tmp_path / "runs" / "one").iterdir())) == 4
    assert open_to_others(tmp_path / "runs") == []


def test_a_study_and_its_report(tmp_path: Path) -> None:
    def housemates(*arguments: str) -> None:
        command = [sys.executable, "-m", "housemates.orchestrator.cli", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    housemates("study", "--seeds", "2", "--llm", "scripted", "--runtime", "inline", "--steps", "2", "--out", "s/study")
    housemates("report", "s/study")
    assert (tmp_path / "s/study/report/report.html").is_file()
    assert (tmp_path / "s/study/failures.json").is_file()
    assert open_to_others(tmp_path / "s") == []
    housemates("report", "s/study", "--out", "published")
    assert stat.S_IMODE((tmp_path / "published/report.html").stat().st_mode) == 0o666


def test_a_folder_that_is_there_stays_as_its_owner_made_it(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o775)
    make_private(shared / "mine" / "run")
    assert stat.S_IMODE(shared.stat().st_mode) == 0o775
    assert open_to_others(shared / "mine") == []
    with pytest.raises(FileExistsError):
        make_private(shared / "mine" / "run")


def test_a_file_is_replaced_whole_and_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"kept")
    (tmp_path / "file").symlink_to(elsewhere)
    (tmp_path / "file.part").symlink_to(elsewhere)
    write_private(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new" and not (tmp_path / "file").is_symlink()
    assert elsewhere.read_bytes() == b"kept"
