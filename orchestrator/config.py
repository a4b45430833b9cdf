"""The configuration of a run: one validated tree, from flags, `HOUSEMATES_…` variables or a TOML file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import tomli_w
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..actors.agent import MASKABLE
from ..actors.limiter.budget import Budget
from ..actors.limiter.limiter import Caps
from .agent_settings import AgentSettings, GivenText, ModelChoice, check_model, known_part, learning_settings
from .errors import ConfigError
from .given import REPLAY, read_texts, recorded_config
from .own_world import WorldFacts, settled, task_name
from .private_files import write_private
from .toml_file import read_toml

FILE_NAME = "run.toml"
DEFAULT_OPENAI_MODEL = "gpt-4o-mini"
OPENAI_URL = "https://api.openai.com/v1"
KEY_VARIABLE = "OPENAI_API_KEY"
MOST_SIMULATED = 10
"""VirtualHome numbers its people from 1 to 10."""


LIMITS = ("max_concurrency", "requests_per_minute", "tokens_per_minute")
"""How fast the models of a run may be asked, per account."""

BUDGET = ("max_calls", "max_tokens", "max_cost", "price_in", "price_out", "max_seconds")
"""How much a run may spend; can be given anew when it is resumed."""

PLACE = frozenset(
    {
        "agents_per_actor",
        "base_url",
        "call_deadline_s",
        "conductors",
        "households",
        "key_env",
        "learn_base_url",
        "learn_key_env",
        "replay",
        "runtime",
        "simulator",
        "step_deadline_s",
        "world_deadline_s",
        "worlds_per_actor",
    }
    | set(LIMITS)
    | set(BUDGET)
)
"""The settings that say where, how fast and how far a run is computed, not what happens in it."""


_UNTAUGHT = ("react", "fixed")
"""Methods without lessons."""

Share = Annotated[int, BeforeValidator(lambda value: 0 if value == "auto" else value)]
"""A number of which the run itself may find the right one: 0, or `auto`."""


class RunConfig(BaseModel):
    """Everything that defines a run. `seed` and a deterministic model define its trajectory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    world: str = Field(
        "", strict=True, description="module:World, or the name an installed package gives it; empty: the household"
    )
    world_args: dict[str, JsonValue] = Field({}, description="arguments for such a world")
    apartment: str = Field("", description="the home; empty: the one the task is made for, else 0")
    task: str | dict[str, Any] = Field(
        "put_dishwasher", description="what is to be done: a name, or a task file's content"
    )
    agents: int = Field(2, ge=1, le=10_000, description="how many agents share the household")
    steps: int = Field(150, ge=1, le=1_000_000, description="horizon: steps after which an unsolved episode ends")
    simulator: str = Field(
        "", description="a VirtualHome executable, or the URL of a simulator that runs; empty: the embedded engine"
    )
    llm: str = Field("", description="openai:MODEL, local, local:PATH.gguf, scripted, or scripted:module:function")
    replay: str = Field("", description="a cassette that is played back in place of all models (--llm replay:FILE)")
    base_url: str = Field("", description="of an OpenAI-compatible endpoint (vLLM, Ollama, …), with openai:MODEL")
    key_env: str = Field("", description="variable that holds the key of openai:MODEL; empty: OPENAI_API_KEY, or none")
    seed: int = Field(0, ge=0, lt=2**63, description="of the apartment, the hidden objects and every random choice")
    method: str = Field(
        "trace",
        description="trace: learns a plan; react: the baseline; fixed: follows a given plan; or an agent of your own, "
        "module:Agent",
    )
    plan: GivenText = Field("", description="what agents start with; @FILE, or @RUN for the plans learned in a run")
    organization: GivenText = Field("", description="instructions for working together, in every prompt; or @FILE")
    optimize: str = Field("plan", description="what is learned: plan, plan+role, or module:Class")
    feedback: str = Field("return", description="what is learned from: return, return+verdicts, or module:function")
    credit_steps: int = Field(1, ge=1, le=20, description="thoughts the feedback travels back through")
    learn_every: int = Field(1, ge=1, le=1000, description="thoughts between two lessons")
    optimizer: str = Field("optoprime", description="optoprime, opro, textgrad, or module:Class")
    objective: GivenText = Field("", description="what the optimizer is asked to do, in place of its own words")
    mask: str = Field("", description=f"sections left out of OptoPrime's prompt: {', '.join(MASKABLE)}")
    learn_llm: str = Field("", description="the model to learn with, named like llm, if it is another one")
    learn_base_url: str = Field("", description="of the endpoint of learn_llm")
    learn_key_env: str = Field("", description="variable that holds the key of learn_llm")
    runtime: Literal["ray", "inline"] = Field("ray", description="ray: actors; inline: one process, for debugging")
    agents_per_actor: Share = Field(1, ge=0, description="agents that share one Ray actor (one process); 0: auto")
    households: int = Field(1, ge=1, le=10_000, description="households at the same time; number i has seed + i")
    worlds_per_actor: Share = Field(0, ge=0, description="households whose worlds share one Ray actor; 0: auto")
    conductors: Share = Field(0, ge=0, le=1000, description="processes that conduct the households; 0: auto")
    memory_size: int = Field(0, ge=0, le=100, description="past plans with their feedback shown to the optimizer")
    step_deadline_s: float = Field(900.0, gt=0, le=86_400, description="seconds an agent has for a turn")
    call_deadline_s: float = Field(300.0, gt=0, le=86_400, description="seconds for a model call with its retries")
    world_deadline_s: float = Field(900.0, gt=0, le=86_400, description="seconds the world has for a step (with Ray)")
    max_concurrency: int | None = Field(None, ge=1, le=1_000_000, description="model requests in flight, per account")
    requests_per_minute: float | None = Field(None, gt=0, le=1e9, description="model requests a minute, per account")
    tokens_per_minute: float | None = Field(None, gt=0, le=1e12, description="tokens a minute, per account")
    max_calls: int | None = Field(None, ge=1, description="budget: model calls of the whole run")
    max_tokens: int | None = Field(None, ge=1, description="budget: tokens of prompts and replies")
    max_cost: float | None = Field(None, gt=0, le=1e9, description="budget: dollars, at price_in and price_out")
    price_in: float | None = Field(None, ge=0, le=1e6, description="dollars for a million tokens of prompts")
    price_out: float | None = Field(None, ge=0, le=1e6, description="dollars for a million tokens of replies")
    max_seconds: float | None = Field(None, gt=0, le=1e9, description="budget: seconds after which no call begins")
    agent: tuple[AgentSettings, ...] = Field((), description="what is different about single agents")

    _own_world: WorldFacts | None = PrivateAttr(None)

    @model_validator(mode="wrap")
    @classmethod
    def _in_its_world(cls, values: Any, validate: ModelWrapValidatorHandler[RunConfig]) -> RunConfig:
        """A world is made to be asked, once: what needs to know of it is checked here, after all single values."""
        if not isinstance(values, Mapping):
            return validate(values)
        settings, world = settled(values)
        config = validate(settings)
        config._own_world = world
        config._check_people()
        config._check_consistent()
        return config

    @field_validator("world_args")
    @classmethod
    def _can_be_written(cls, arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            tomli_w.dumps(arguments)
        except TypeError:
            raise ValueError("a file of settings cannot hold null; leave such an argument out") from None
        return arguments

    @field_validator("task", mode="before")
    @classmethod
    def _known_task(cls, task: Any, values: ValidationInfo) -> str | dict[str, Any]:
        """A task file is read here and now: the configuration must mean the same elsewhere and later."""
        if values.data.get("world"):  # it is its own task
            return ""
        from ..env.household.tasks.families import embed_task  # here, so that `--help` does not load the household
        from ..env.world import WorldError

        try:
            return embed_task(str(task) if type(task) is int else task, values.data.get("apartment", ""))
        except WorldError as error:
            raise ValueError(str(error)) from None

    def _check_people(self) -> None:
        if self.world:
            return
        from ..env.household.tasks.families import find_task

        people = find_task(self.task, self.apartment).people
        if self.agents < people:
            raise ValueError(f"agents: task {self.task_name} takes {people} people")
        if self.simulator and self.agents > MOST_SIMULATED:
            raise ValueError(f"simulator: VirtualHome has at most {MOST_SIMULATED} people, not {self.agents}")

    @field_validator("simulator")
    @classmethod
    def _absolute(cls, simulator: str) -> str:
        """The world's process, and whoever resumes the run, may stand in another folder."""
        if "://" not in simulator:
            return str(Path(simulator).expanduser().absolute()) if simulator else ""
        parts = urlsplit(simulator)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"{simulator!r} is neither the path of an executable nor http://HOST:PORT")
        return simulator

    @field_validator("method", "optimize", "feedback", "optimizer")
    @classmethod
    def _known_name(cls, name: str, info: ValidationInfo) -> str:
        setting = str(info.field_name)  # Trace is not loaded for its own defaults
        return name if name == cls.model_fields[setting].default else known_part(setting, name)

    @field_validator("mask")
    @classmethod
    def _known_sections(cls, mask: str) -> str:
        unknown = [section for section in split_mask(mask) if section not in MASKABLE]
        if unknown:
            raise ValueError(f"unknown section {unknown[0]!r}; there are {', '.join(MASKABLE)}")
        return mask

    def _check_consistent(self) -> None:
        check_model("llm", ModelChoice(self.llm, self.base_url, self.key_env))
        if self.learn_model:
            check_model("learn_llm", self.learn_model)
        elif self.learn_base_url or self.learn_key_env:
            raise ValueError(f"{'learn_base_url' if self.learn_base_url else 'learn_key_env'} goes with learn_llm")
        if self.mask and self.optimizer == "opro":
            raise ValueError("mask: the prompt of opro has no sections")
        if (self.objective or self.mask or self.memory_size) and not learning_settings(self.optimizer):
            setting = "objective" if self.objective else "mask" if self.mask else "memory_size"
            raise ValueError(f"{setting}: {self.optimizer} has none, only optimizers like OptoPrime do")
        if self.max_cost is not None and (self.price_in is None or self.price_out is None):
            raise ValueError("max_cost goes with price_in and price_out")
        if self.households > 1:
            self._check_households()
        strangers = self._tables.keys() - set(self.names)
        if strangers:
            raise ValueError(f"agent: there is no {min(strangers)} among {self.agents} agents")
        if len(self._tables) < len(self.agent):
            raise ValueError("agent: two tables have one name")
        methods: set[str | None] = set()
        for name in self.names:
            own = self.settings(name)
            methods.add(own.method)
            if own.method == "fixed" and not (own.plan or "").strip():
                raise ValueError(f"plan: {name} is to follow a plan (method fixed), but has none")
        if self.plan and methods == {"react"}:
            raise ValueError("plan: agents of method react have none")
        learning = {self.learn_llm or own.llm for own in map(self.settings, self.names) if own.method not in _UNTAUGHT}
        if self.optimizer in ("opro", "textgrad") and "scripted" in learning:
            raise ValueError(
                f"optimizer: the scripted model does not understand {self.optimizer}, every lesson would be rejected; "
                "learn with another model (learn_llm), or with rules of your own (scripted:module:function)"
            )

    @property
    def own_world(self) -> WorldFacts | None:
        """What is known of a world of the user's own; None: it is the household."""
        return self._own_world

    def _check_households(self) -> None:
        if "://" in self.simulator:
            raise ValueError("households: one running simulator takes one household; name an executable")
        if self.simulator and self.worlds_per_actor > 1:
            raise ValueError("worlds_per_actor: every simulator has a process of its own")
        if self.replay:
            raise ValueError("households: a cassette holds one household")
        if self.seed + self.households > 2**63:
            raise ValueError("seed: that of the last household would be too large")

    @property
    def names(self) -> list[str]:
        """The agents, as the world names them."""
        if self.own_world is not None:
            return list(self.own_world.agents)
        return [f"Agent_{number}" for number in range(1, self.agents + 1)]

    @cached_property
    def _tables(self) -> dict[str, AgentSettings]:
        return {settings.name: settings for settings in self.agent}

    def settings(self, name: str) -> AgentSettings:
        """What holds for one agent, with nothing left open."""
        own = self._tables.get(name) or AgentSettings(name=name)
        return AgentSettings(
            name=name,
            method=own.method or self.method,
            llm=own.llm or self.llm,
            base_url=own.base_url if own.llm else self.base_url,
            key_env=own.key_env if own.llm else self.key_env,
            plan=self.plan if own.plan is None else own.plan,
            organization=self.organization if own.organization is None else own.organization,
        )

    @property
    def learn_model(self) -> ModelChoice | None:
        """The model all learn with, if it is not the one they act with."""
        return ModelChoice(self.learn_llm, self.learn_base_url, self.learn_key_env) if self.learn_llm else None

    @property
    def caps(self) -> Caps:
        """What an account is allowed."""
        return Caps(
            concurrency=self.max_concurrency,
            requests_per_minute=self.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute,
        )

    @property
    def budget(self) -> Budget:
        """What the run may spend."""
        return Budget(
            calls=self.max_calls,
            tokens=self.max_tokens,
            dollars=self.max_cost,
            seconds=self.max_seconds,
            price_in=self.price_in or 0.0,
            price_out=self.price_out or 0.0,
        )

    @property
    def limited(self) -> bool:
        """Whether the user limits what may be asked of models."""
        return self.budget.bounded or self.caps != Caps()

    @property
    def models(self) -> list[ModelChoice]:
        """All models of the run, each once, everybody's first."""
        own = [ModelChoice(agent.llm, agent.base_url, agent.key_env) for agent in self.agent if agent.llm]
        learn = [self.learn_model] if self.learn_model else []
        return list(dict.fromkeys([ModelChoice(self.llm, self.base_url, self.key_env), *learn, *own]))

    @property
    def task_name(self) -> str:
        """What the task is called."""
        return task_name({"world": self.world, "task": self.task})

    def write(self, path: Path) -> None:
        """Save the configuration so that `load_config` reads the same one."""
        write_private(path, tomli_w.dumps(self.model_dump(exclude_none=True)).encode())

    def identity(self) -> dict[str, Any]:
        """What defines the run's trajectory, apart from how its models answer."""
        data = self.model_dump(exclude=set(PLACE), exclude_none=True)
        data["agent"] = [{k: v for k, v in agent.items() if k not in PLACE} for agent in data["agent"]]
        return data


def split_mask(mask: str) -> tuple[str, ...]:
    """The sections in a comma-separated list."""
    return tuple(section.strip() for section in mask.split(",") if section.strip())


def make_config(**values: Any) -> RunConfig:
    """A configuration from the given values; None means the default. Chooses a model if none is named.

    With `llm="replay:FILE"` the defaults are those of the recorded run. Texts that are given as `@FILE` or
    `@RUN` are read.

    Raises:
        ConfigError: a value is out of range, unknown, or contradicts another; a file cannot be read.
    """
    given = read_texts({name: value for name, value in values.items() if value is not None})
    if str(given.get("llm", "")).startswith(REPLAY):
        given = recorded_config(given)
    elif given.get("replay"):
        pass  # the configuration of a replayed run names the models that were recorded
    elif not given.get("llm"):
        given["llm"], given["base_url"] = default_model(given.get("base_url", ""), os.environ)
    elif str(given["llm"]).startswith("openai:") and not given.get("base_url"):
        given["base_url"] = os.environ.get("OPENAI_BASE_URL", "")
    if not given.get("key_env") and _is_the_variables(given.get("base_url")) and os.environ.get(KEY_VARIABLE):
        given["key_env"] = KEY_VARIABLE
    config = validated(given)
    _rehearse(config)
    return config


def _is_the_variables(base_url: object) -> bool:
    """Whether an endpoint is that of OPENAI_BASE_URL, which OPENAI_API_KEY belongs to. It is sent to no other."""
    return bool(base_url) and base_url == os.environ.get("OPENAI_BASE_URL")


def _rehearse(config: RunConfig) -> None:
    """Check that the home is there and has what the task needs, and the simulator is one, before anything starts."""
    if config.world:  # it has been made already
        return
    from ..env.household.tasks.families import find_task, rehearse
    from ..env.world import WorldError

    try:
        rehearse(find_task(config.task, config.apartment))
    except WorldError as error:
        raise ConfigError(str(error)) from None
    if config.simulator and "://" not in config.simulator:
        from ..env.virtualhome.checkup import look_at_file

        wrong = look_at_file(Path(config.simulator))
        if wrong is not None:
            raise ConfigError(f"simulator: {wrong.text}" + (f"; {wrong.remedy}" if wrong.remedy else ""))


def changed(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """A configuration with some settings changed.

    Raises:
        ConfigError: it makes no sense with them.
    """
    return validated(config.model_dump() | dict(settings))


def validated(values: Mapping[str, Any]) -> RunConfig:
    """A configuration from complete values.

    Raises:
        ConfigError: a value is out of range, unknown, or contradicts another.
    """
    try:
        return RunConfig(**values)
    except ValidationError as error:
        raise ConfigError(_one_line(error)) from None


def load_config(path: Path) -> dict[str, Any]:
    """The values in a TOML file, not yet validated.

    Raises:
        ConfigError: as `read_toml`.
    """
    return read_toml(path)


def default_model(base_url: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """(llm, base URL) when the user named no model: OpenAI if its key or a base URL is set, else the embedded one."""
    base_url = base_url or environment.get("OPENAI_BASE_URL", "")
    if base_url or environment.get(KEY_VARIABLE):
        return f"openai:{DEFAULT_OPENAI_MODEL}", base_url
    return "local", ""


def _one_line(error: ValidationError) -> str:
    """The first fault as `name: what is wrong`, the way it is spelled on the command line."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]).replace("_", "-")[:200]
    message = first["msg"].removeprefix("Value error, ")[:1000]
    if first["type"] == "extra_forbidden":
        message = "no such setting"
    return f"{where}: {message}" if where else message
