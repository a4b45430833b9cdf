"""A study: many episodes that differ in a few settings, planned before anything runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..config import RunConfig, make_config
from ..errors import ConfigError
from ..private_files import write_private
from ..toml_file import read_toml

FILE_NAME = "study.toml"
EPISODES = "episodes"
FAILURES_NAME = "failures.json"
"""Why episodes could not be run that left no record of their own."""
MAX_EPISODES = 100_000

Scalar = str | int | float | bool
_NOT_VARIED = re.compile(r"[^A-Za-z0-9_.=+-]+")


class StudyPlan(BaseModel):
    """What a study runs: every combination of the varied settings, on top of common ones.

    Attributes:
        vary: per setting of a run (`task`, `method`, `agents`, `llm`, `seed`, or any other) its values. The
            first setting varies slowest.
        run: settings common to all episodes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    vary: dict[str, list[Scalar]] = Field(default_factory=dict, description="settings with the values to try")
    run: dict[str, Any] = Field(default_factory=dict, description="settings common to all episodes")

    @field_validator("vary")
    @classmethod
    def _something_to_vary(cls, vary: dict[str, list[Scalar]]) -> dict[str, list[Scalar]]:
        for name, values in vary.items():
            if not values:
                raise ValueError(f"{name} has no values")
            if len({str(value) for value in values}) < len(values):
                raise ValueError(f"{name} has a value twice")
        return vary


@dataclass(frozen=True, slots=True)
class Cell:
    """One episode of a study: a name that is fit for a folder, what distinguishes it, and its configuration."""

    name: str
    varied: Mapping[str, Scalar]
    config: RunConfig


def read_plan(path: Path) -> dict[str, Any]:
    """The tables of a study file, not yet validated.

    Raises:
        ConfigError: as `read_toml`.
    """
    return read_toml(path)


def make_plan(values: Mapping[str, Any], where: str) -> StudyPlan:
    """A plan from the tables of a file or the flags of a command; `where` names them in errors.

    Raises:
        ConfigError: an unknown table or key, or no values.
    """
    try:
        return StudyPlan(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        what = "there is no such key; a study has [vary] and [run]" if first["type"] == "extra_forbidden" else ""
        raise ConfigError(f"{where}: {name}: {what or first['msg'].removeprefix('Value error, ')}") from None


def cells_of(plan: StudyPlan) -> list[Cell]:
    """All episodes of a plan, in order.

    Raises:
        ConfigError: a setting is unknown or out of range, is both varied and common, or there are too many episodes.
    """
    both = sorted(plan.vary.keys() & plan.run.keys())
    if both:
        raise ConfigError(f"study: {both[0]} is both in [vary] and in [run]")
    count = 1
    for values in plan.vary.values():
        count *= len(values)
    if count > MAX_EPISODES:
        raise ConfigError(f"study: {count} episodes, more than {MAX_EPISODES}")
    cells: list[Cell] = []
    for values in product(*plan.vary.values()):
        varied = dict(zip(plan.vary, values, strict=True))
        try:
            config = make_config(**plan.run, **varied)
        except ConfigError as error:
            raise ConfigError(f"study: {error}") from None
        if config.households > 1:
            raise ConfigError("study: households: an episode is one household; vary the seed instead")
        cells.append(Cell(_name(varied), varied, config))
    for name, times in Counter(cell.name for cell in cells).items():
        if times > 1:
            raise ConfigError(f"study: two episodes would both be called {name}")
    return cells


def _name(varied: Mapping[str, Scalar]) -> str:
    """Folder name of an episode: values alone where they speak for themselves, else `setting=value`."""
    parts: list[str] = []
    for setting, value in varied.items():
        text = f"{setting}={value}" if not isinstance(value, str) else value.rsplit("/", 1)[-1]
        parts.append(_NOT_VARIED.sub("-", text).strip("-") or setting)
    return "_".join(parts)[:200] or "episode"


def write_plan(plan: StudyPlan, folder: Path) -> None:
    """Save a plan so that `read_plan` and `make_plan` give the same one."""
    write_private(folder / FILE_NAME, tomli_w.dumps(plan.model_dump()).encode())


def load_study(folder: Path) -> StudyPlan:
    """The plan of the study in a folder.

    Raises:
        ConfigError: there is no study.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise ConfigError(f"{folder} holds no study (no {FILE_NAME} there)")
    return make_plan(read_plan(path), str(path))


def episode_folder(study: Path, cell: Cell) -> Path:
    """Where an episode of a study is recorded."""
    return study / EPISODES / cell.name


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a study will take at most, and what it would take at the rates seen so far.

    Attributes:
        episodes: still to be run.
        most_calls: if every agent asked its model twice in every step of every horizon.
        likely_calls, likely_tokens: at the mean of the finished episodes; None if there is none yet.
    """

    episodes: int
    most_calls: int
    likely_calls: int | None
    likely_tokens: int | None


def estimate(left: Sequence[Cell], finished: Sequence[Mapping[str, Any]]) -> Estimate:
    """Estimate the rest of a study from the summaries of its finished episodes."""
    most = sum(cell.config.agents * (2 * cell.config.steps + 1) for cell in left)
    if not finished:
        return Estimate(len(left), most, None, None)
    calls = sum(summary["llm"]["calls"] for summary in finished) / len(finished)
    tokens = sum(s["llm"]["prompt_tokens"] + s["llm"]["completion_tokens"] for s in finished) / len(finished)
    return Estimate(len(left), most, round(calls * len(left)), round(tokens * len(left)))
