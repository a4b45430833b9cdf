"""Folders and files that only their user can read, whatever the umask."""

from __future__ import annotations

import os
from pathlib import Path


def make_private(folder: Path, *, exist_ok: bool = False) -> None:
    """Make a folder, and those above it that are missing. One that is there already stays as open as its owner made it.

    Raises:
        FileExistsError: there is one, and that is not ok, or something that is no folder.
    """
    missing = [parent for parent in folder.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=exist_ok)


def write_private(path: Path, content: bytes) -> None:
    """Write a file in one piece: a reader sees the whole of it, or what was there before."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)  # left by a kill, with whatever mode
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    part.replace(path)
