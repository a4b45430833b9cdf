"""The configuration of a run: one validated tree, from flags, `HOUSEMATES_…` variables or a TOML file."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import tomli_w
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..actors.agent import TIGHT_LIMITS, Method, ReplyLimits
from .errors import ConfigError

FILE_NAME = "run.toml"
DEFAULT_OPENAI_MODEL = "gpt-4o-mini"
OPENAI_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"


class RunConfig(BaseModel):
    """Everything that defines a run. `seed` and a deterministic model define its trajectory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apartment: str = Field("", description="the home; empty: the one the task is made for, else 0")
    task: str | dict[str, Any] = Field(
        "put_dishwasher", description="what is to be done: a name, or a task file's content"
    )
    agents: int = Field(2, ge=1, le=10_000, description="how many agents share the household")
    steps: int = Field(150, ge=1, le=1_000_000, description="horizon: steps after which an unsolved episode ends")
    llm: str = Field("", description="openai:MODEL, local, local:PATH.gguf or scripted")
    base_url: str = Field("", description="of an OpenAI-compatible endpoint (vLLM, Ollama, …), with openai:MODEL")
    seed: int = Field(0, ge=0, lt=2**63, description="of the apartment, the hidden objects and every random choice")
    method: Method = Field("trace", description="trace: learns a plan; react: thinks, then acts (the baseline)")
    runtime: Literal["ray", "inline"] = Field("ray", description="ray: actors; inline: one process, for debugging")
    agents_per_actor: int = Field(1, ge=1, description="agents that share one Ray actor (one process)")
    memory_size: int = Field(0, ge=0, le=100, description="past plans with their feedback shown to the optimizer")
    step_deadline_s: float = Field(900.0, gt=0, le=86_400, description="seconds an agent has for a turn")
    call_deadline_s: float = Field(300.0, gt=0, le=86_400, description="seconds for a model call with its retries")

    @field_validator("task", mode="before")
    @classmethod
    def _known_task(cls, task: Any, values: ValidationInfo) -> str | dict[str, Any]:
        """A task file is read here and now: the configuration must mean the same elsewhere and later."""
        from ..env.household.tasks import embed_task  # here, so that `--help` does not load the household
        from ..env.world import WorldError

        try:
            return embed_task(str(task) if type(task) is int else task, values.data.get("apartment", ""))
        except WorldError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _enough_people(self) -> RunConfig:
        from ..env.household.tasks import find_task

        people = find_task(self.task, self.apartment).people
        if self.agents < people:
            raise ValueError(f"agents: task {self.task_name} takes {people} people")
        return self

    @model_validator(mode="after")
    def _known_model(self) -> RunConfig:
        if not self.llm.isprintable():
            raise ValueError("llm: the name has characters that cannot be written down")
        kind, _, name = self.llm.partition(":")
        if kind not in ("openai", "local", "scripted") or (kind == "openai" and not name) or self.llm == "local:":
            raise ValueError(f"llm: {self.llm!r} is none of openai:MODEL, local, local:PATH.gguf, scripted")
        if self.base_url:
            if kind != "openai":
                raise ValueError(f"base_url goes with openai:MODEL, not with {self.llm}")
            if not self.base_url.startswith(("http://", "https://")):
                raise ValueError(f"base_url: {self.base_url!r} does not start with http:// or https://")
        return self

    @property
    def task_name(self) -> str:
        """What the task is called."""
        return task_name(self.task)

    @property
    def limits(self) -> ReplyLimits:
        """How much the agents' model may write."""
        return TIGHT_LIMITS if self.llm.startswith("local") else ReplyLimits()

    def write(self, path: Path) -> None:
        """Save the configuration so that `load_config` reads the same one."""
        path.write_bytes(tomli_w.dumps(self.model_dump()).encode())


def make_config(**values: Any) -> RunConfig:
    """A configuration from the given values; None means the default. Chooses a model if none is named.

    Raises:
        ConfigError: a value is out of range, unknown, or contradicts another.
    """
    given = {name: value for name, value in values.items() if value is not None}
    if not given.get("llm"):
        given["llm"], given["base_url"] = default_model(given.get("base_url", ""), os.environ)
    elif str(given["llm"]).startswith("openai:") and not given.get("base_url"):
        given["base_url"] = os.environ.get("OPENAI_BASE_URL", "")
    try:
        config = RunConfig(**given)
    except ValidationError as error:
        raise ConfigError(_one_line(error)) from None
    _rehearse(config)
    return config


def task_name(task: str | Mapping[str, Any]) -> str:
    """What the task of a configuration is called."""
    return task if isinstance(task, str) else str(task["name"])


def _rehearse(config: RunConfig) -> None:
    """Check that the home is there and has what the task needs, before anything starts."""
    from ..env.household.tasks import find_task, rehearse
    from ..env.world import WorldError

    try:
        rehearse(find_task(config.task, config.apartment))
    except WorldError as error:
        raise ConfigError(str(error)) from None


def load_config(path: Path) -> dict[str, Any]:
    """The values in a TOML file, not yet validated.

    Raises:
        ConfigError: no such file, or no TOML.
    """
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def default_model(base_url: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """(llm, base URL) when the user named no model: OpenAI if its key or a base URL is set, else the embedded one."""
    base_url = base_url or environment.get("OPENAI_BASE_URL", "")
    if base_url or environment.get(KEY_VARIABLE):
        return f"openai:{DEFAULT_OPENAI_MODEL}", base_url
    return "local", ""


def _one_line(error: ValidationError) -> str:
    """The first fault as `name: what is wrong`, the way it is spelled on the command line."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]).replace("_", "-")
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = "no such setting"
    return f"{where}: {message}" if where else message
