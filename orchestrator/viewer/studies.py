"""A study's folder at a glance: its episodes and how far each is, and the figures of its report."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

from ..config import FILE_NAME as CONFIG_NAME
from ..errors import ConfigError
from ..households.folder import HOUSEHOLDS
from ..journal.log import FILE_NAME as JOURNAL_NAME
from ..run_folder import SUMMARY_NAME
from ..study.plan import EPISODES
from ..study.plan import FILE_NAME as STUDY_NAME
from .texts import label

REPORT = "report"
MAX_EPISODES = 20_000
"""More are not listed."""
_SETTINGS = ("task", "method", "agents", "llm", "seed")


def is_study(folder: Path) -> bool:
    """Whether a folder holds a study, or at least runs side by side, and no run itself."""
    return not (folder / JOURNAL_NAME).exists() and ((folder / STUDY_NAME).is_file() or bool(episodes_in(folder)))


def episodes_in(folder: Path) -> list[str]:
    """The names of the episodes that have begun, in the order of the folder's listing by name."""
    place = episodes_folder(folder)
    if not place.is_dir():
        return []
    return sorted(path.parent.name for path in place.glob(f"*/{JOURNAL_NAME}"))[:MAX_EPISODES]


def episodes_folder(folder: Path) -> Path:
    """Where a study keeps its episodes, or a run its households; any other folder keeps its runs in itself."""
    if (folder / STUDY_NAME).is_file():
        return folder / EPISODES
    return folder / HOUSEHOLDS if (folder / HOUSEHOLDS).is_dir() else folder


def figures_in(folder: Path) -> list[str]:
    """The names of the figures of the study's report, if one was written."""
    return sorted(path.name for path in (folder / REPORT).glob("*.png"))


def overview(folder: Path) -> dict[str, Any]:
    """What the page shows of a study."""
    return {
        "name": folder.resolve().name,
        "plan": _plan(folder),
        "episodes": [_episode(episodes_folder(folder) / name) for name in episodes_in(folder)],
        "figures": figures_in(folder),
    }


def _plan(folder: Path) -> dict[str, Any]:
    try:
        plan = tomllib.loads((folder / STUDY_NAME).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    vary = plan.get("vary", {})
    return {"vary": vary} if isinstance(vary, dict) else {}


def _episode(folder: Path) -> dict[str, Any]:
    """A row of the table, from the two small files beside the journal; the journal itself is not opened."""
    row: dict[str, Any] = {"name": folder.name, "status": "unfinished", "error": ""}
    try:
        config = tomllib.loads((folder / CONFIG_NAME).read_text())
        row |= {name: label(_said(config[name])) for name in _SETTINGS if name in config}
    except OSError as error:
        row["error"] = f"{CONFIG_NAME}: {error.strerror}"
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        row["error"] = label(f"{CONFIG_NAME}: {error}")
    try:
        row["quiet_s"] = max(0.0, time.time() - (folder / JOURNAL_NAME).stat().st_mtime)
        summary = json.loads((folder / SUMMARY_NAME).read_text())
        returns = summary["returns"].values()
        row |= {
            "status": label(str(summary["status"])),
            "success": bool(summary["success"]),
            "steps": int(summary["steps"]),
            "messages": int(summary["messages"]),
            "mean_return": sum(returns) / len(returns),
            "wall_s": float(summary["wall_s"]),
            "error": row["error"] or label(str(summary["error"])),
        }
    except FileNotFoundError:
        pass  # it is going on, or was killed
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError, AttributeError) as error:
        row["error"] = label(f"{SUMMARY_NAME}: {error!r}")
    return row


def _said(value: Any) -> str:
    """A setting in a word; a task that stands in the configuration in full is called by its name."""
    return str(value.get("name", "")) if isinstance(value, dict) else str(value)


def find_episode(folder: Path, name: str) -> Path:
    """The folder of an episode of a study.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in episodes_in(folder):
        raise ConfigError(f"{folder.name} has no episode {label(name)}")
    return episodes_folder(folder) / name
