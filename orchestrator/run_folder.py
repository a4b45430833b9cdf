"""The folder of a run: made once, private to its user, never shared by two runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from ..actors.model.server_process import OLDER
from ..env.codec import parse_json
from .config import FILE_NAME as CONFIG_NAME
from .config import RunConfig
from .endpoint import LOG_NAME
from .errors import ConfigError
from .journal.log import FILE_NAME as JOURNAL_NAME
from .journal.log import Journal, JournalError, read_journal, whole_bytes
from .private_files import make_private, write_private

SUMMARY_NAME = "summary.json"
SIMULATOR_LOG_NAME = "simulator.log"
"""What a simulator executable writes; what it wrote before, and a Unity executable's own log, lie beside it."""

LEFT_BY_A_FAILED_START = {LOG_NAME, LOG_NAME + OLDER, *(SIMULATOR_LOG_NAME + more for more in ("", ".1", ".unity"))}


def create_run_folder(out: Path | None, config: RunConfig) -> tuple[Path, Journal]:
    """Make the folder of a run: `out`, which must be new or empty, or a new one under `runs/`.

    A folder whose run was killed before its first record is as good as empty. Its journal is created with it, which
    no two runs can do: whoever has the journal has the folder.

    Raises:
        ConfigError: it holds something already, or cannot be written.
    """
    try:
        out = new_run_folder(out, config)
        held = {path.name for path in out.iterdir()}
        if never_began(out):
            journal = Journal(out / JOURNAL_NAME, after=whole_bytes(out / JOURNAL_NAME))
            config.write(out / CONFIG_NAME)
            return out, journal
        if JOURNAL_NAME in held:
            raise ConfigError(
                f"--out {out} holds a run already; name another folder, or: housemates replay {out}, or, if it was "
                f"interrupted: housemates resume {out}"
            )
        if held - LEFT_BY_A_FAILED_START:
            raise ConfigError(f"--out {out} is not empty; name a new folder")
        journal = Journal(out / JOURNAL_NAME)
        config.write(out / CONFIG_NAME)
        return out, journal
    except (FileExistsError, JournalError) as error:
        raise ConfigError(f"--out {out}: another run has just taken it ({error})") from None
    except OSError as error:
        raise ConfigError(f"--out: cannot make the run folder: {error}") from None


def never_began(folder: Path) -> bool:
    """Whether a run was killed there, or is starting just now, before anything of it was written down."""
    path = folder / JOURNAL_NAME
    try:
        return next(read_journal(path), None) is None
    except FileNotFoundError:
        return False
    except JournalError:  # the first line is torn as well, or it is another file
        return False


def new_run_folder(out: Path | None, config: RunConfig) -> Path:
    """`out`, made if it is not there, or a folder of a new name under `runs/`.

    Raises:
        OSError: it cannot be made.
    """
    if out is None:
        stem = f"{datetime.now():%Y%m%d-%H%M%S}-{config.task_name}-{config.agents}x{re.split('[:/]', config.llm)[0]}"
        return _new_folder(Path("runs"), stem)
    make_private(out, exist_ok=True)
    return out


def give_back(folder: Path, journal: Journal) -> None:
    """Undo `create_run_folder` after a start that failed: the folder can be used again. The logs of servers stay."""
    journal.close()
    (folder / JOURNAL_NAME).unlink(missing_ok=True)
    (folder / CONFIG_NAME).unlink(missing_ok=True)


def write_summary(run_dir: Path, summary: Mapping[str, Any]) -> None:
    """Write `summary.json` in one piece: a reader sees the whole of it or none."""
    write_private(run_dir / SUMMARY_NAME, (json.dumps(summary, indent=2, ensure_ascii=False) + "\n").encode())


def read_summary(run_dir: Path) -> dict[str, Any] | None:
    """What `write_summary` wrote; None if there is none.

    Raises:
        ConfigError: what is there is something else.
    """
    path = run_dir / SUMMARY_NAME
    if not path.is_file():
        return None
    try:
        summary = parse_json(path.read_bytes())
        counts = [summary["llm"][name] for name in ("calls", "prompt_tokens", "completion_tokens")]
        if not isinstance(summary["status"], str) or not all(type(count) is int for count in counts):
            raise ValueError("a status or a count is missing")
    except (ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"{path} is damaged ({type(error).__name__}: {error}); remove it") from None
    return summary


def _new_folder(parent: Path, stem: str) -> Path:
    """Two runs started in the same second get two folders."""
    for number in range(1, 1000):
        folder = parent / (stem if number == 1 else f"{stem}-{number}")
        try:
            make_private(folder)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(f"a thousand runs called {stem}")
