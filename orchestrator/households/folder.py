"""The folder of a run with many households: its settings, its summary, and a complete run folder for each household."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ..config import FILE_NAME as CONFIG_NAME
from ..config import RunConfig, load_config, validated
from ..errors import ConfigError
from ..journal.log import FILE_NAME as JOURNAL_NAME
from ..private_files import make_private
from ..run_folder import LEFT_BY_A_FAILED_START, new_run_folder, read_summary

HOUSEHOLDS = "households"
"""Where the households' own folders are."""


class Household(NamedTuple):
    """One of the households of a run: its number as text, its folder, and its settings, those of a run of its own."""

    name: str
    folder: Path
    config: RunConfig


def is_households(folder: Path) -> bool:
    """Whether a folder is that of a run with many households."""
    return (folder / HOUSEHOLDS).is_dir() and (folder / CONFIG_NAME).is_file() and not (folder / JOURNAL_NAME).exists()


def households_of(config: RunConfig, folder: Path) -> list[Household]:
    """The households of a run, in order. Number i has the seed of the run plus i."""
    digits = max(3, len(str(config.households - 1)))
    found: list[Household] = []
    for number in range(config.households):
        name = f"{number:0{digits}}"
        own = config.model_copy(update={"households": 1, "seed": config.seed + number})
        found.append(Household(name, folder / HOUSEHOLDS / name, own))
    return found


def create_folder(out: Path | None, config: RunConfig) -> Path:
    """Make the folder of a run with many households: `out`, which must be new or empty, or a new one under `runs/`.

    Raises:
        ConfigError: it holds something already, or cannot be written.
    """
    try:
        folder = new_run_folder(out, config)
        held = {path.name for path in folder.iterdir()}
        if HOUSEHOLDS in held:
            raise ConfigError(
                f"--out {folder} holds a run already; name another folder, or, if it was interrupted: "
                f"housemates resume {folder}"
            )
        if held - LEFT_BY_A_FAILED_START:
            raise ConfigError(f"--out {folder} is not empty; name a new folder")
        make_private(folder / HOUSEHOLDS)  # fails for the second of two runs that want the folder at once
        config.write(folder / CONFIG_NAME)
    except OSError as error:
        raise ConfigError(f"--out: cannot make the run folder: {error}") from None
    return folder


def give_back_folder(folder: Path) -> None:
    """Undo `create_folder` after a start that failed, unless a household has begun."""
    place = folder / HOUSEHOLDS
    if any(place.glob(f"*/{JOURNAL_NAME}")):
        return
    for empty in (*place.iterdir(), place):
        with suppress(OSError):  # the log of a simulator stays
            empty.rmdir()
    (folder / CONFIG_NAME).unlink(missing_ok=True)


def read_settings(folder: Path) -> RunConfig:
    """The settings of a run with many households.

    Raises:
        ConfigError: there is none, or they are damaged.
    """
    if not is_households(folder):
        raise ConfigError(f"{folder} holds no run with many households (no {HOUSEHOLDS}/ there)")
    try:
        config = validated(load_config(folder / CONFIG_NAME))
    except ConfigError as error:
        raise ConfigError(f"{folder / CONFIG_NAME}: {error}") from None
    if config.households < 2:
        raise ConfigError(f"{folder / CONFIG_NAME}: households: the settings of a single household")
    return config


def summaries(households: list[Household]) -> dict[str, Mapping[str, Any]]:
    """The summaries of the households that have one, by name.

    Raises:
        ConfigError: one is damaged.
    """
    found: dict[str, Mapping[str, Any]] = {}
    for household in households:
        summary = read_summary(household.folder)
        if summary:
            found[household.name] = summary
    return found
