"""What is set about single agents: their models, their texts, and the parts they are made of."""

from __future__ import annotations

import re
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from ..actors.agent import MAX_GIVEN_CHARS, Learning
from ..actors.feedback import find_feedback
from ..actors.own_agent import METHODS
from ..actors.own_agent import try_out as try_out_agent
from ..env.plugin import PluginError, is_path
from ..env.world import PLAN_TOKEN

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")


class ModelChoice(NamedTuple):
    """A model as the user names it, and where it is and which variable holds its key if that needs saying."""

    llm: str
    base_url: str = ""
    key_env: str = ""


def _given_text(text: str) -> str:
    """Plans and the organization are anybody's text: bounded, and nothing that a prompt would mistake for its own."""
    if len(text) > MAX_GIVEN_CHARS:
        raise ValueError(f"{len(text)} characters are too many; at most {MAX_GIVEN_CHARS}")
    if text.startswith("@"):
        raise ValueError("a text must not begin with @")
    if PLAN_TOKEN in text:
        raise ValueError(f"a text must not contain {PLAN_TOKEN}")
    text.encode()  # a lone surrogate is a ValueError, too
    return text


GivenText = Annotated[str, AfterValidator(_given_text)]


class AgentSettings(BaseModel):
    """What is different about one agent (a table `[[agent]]`); what is not given is as for all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Agent_2, or its number")
    method: str | None = None
    llm: str = ""
    base_url: str = ""
    key_env: str = ""
    plan: GivenText | None = None
    organization: GivenText | None = None

    @field_validator("name", mode="before")
    @classmethod
    def _named(cls, name: object) -> object:
        return f"Agent_{name}" if isinstance(name, int) else name

    @field_validator("method")
    @classmethod
    def _known_method(cls, method: str | None) -> str | None:
        return method if method is None else known_part("method", method)

    @model_validator(mode="after")
    def _known_model(self) -> AgentSettings:
        if self.llm:
            check_model("llm", ModelChoice(self.llm, self.base_url, self.key_env))
        elif self.base_url or self.key_env:
            raise ValueError(f"{'base_url' if self.base_url else 'key_env'} goes with an llm of the agent's own")
        return self


def check_model(setting: str, choice: ModelChoice) -> None:
    """Refuse a model that cannot be meant; a ValueError says why, and which setting names it."""
    llm, base_url, key_env = choice
    if not llm.isprintable():
        raise ValueError(f"{setting}: the name has characters that cannot be written down")
    kind, _, name = llm.partition(":")
    if kind not in ("openai", "local", "scripted") or (kind == "openai" and not name) or llm == "local:":
        raise ValueError(f"{setting}: {llm!r} is none of openai:MODEL, local, local:PATH.gguf, scripted")
    if kind == "scripted" and llm != "scripted" and not is_path(name):
        raise ValueError(f"{setting}: {llm!r} is not of the form scripted:module:function")
    if base_url:
        if kind != "openai":
            raise ValueError(f"base_url goes with openai:MODEL, not with {llm}")
        if not base_url.startswith(("http://", "https://")):
            raise ValueError(f"base_url: {base_url!r} does not start with http:// or https://")
    if key_env:
        if kind != "openai":
            raise ValueError(f"key_env goes with openai:MODEL, not with {llm}")
        if not _VARIABLE.fullmatch(key_env):  # what was given is not repeated: it may be a key
            raise ValueError("key_env: the name of an environment variable is meant (like MY_KEY), not a key")


def known_part(setting: str, name: str) -> str:
    """The name of a part that is there and can be used.

    Raises:
        ValueError: it is not, or cannot.
    """
    try:
        _find(setting, name)
    except PluginError as error:
        raise ValueError(str(error)) from None
    return name


def _find(setting: str, name: str) -> None:
    """Check that a named part of the agents or their learning is there and can be used.

    Raises:
        PluginError: it is not, or cannot.
    """
    if setting == "feedback":
        find_feedback(name)
        return
    if setting == "method":
        if name not in METHODS:  # our own need not be loaded to know that they are there
            try_out_agent(name)
        return
    from ..actors.optimizer import try_out  # Trace's parts, which `--help` must not load

    try_out(Learning(optimize=name) if setting == "optimize" else Learning(optimizer=name))


def learning_settings(optimizer: str) -> bool:
    """Whether an optimizer has a memory, an objective and a prompt with sections."""
    if optimizer in ("optoprime", "opro"):  # Trace is not loaded for what is known
        return True
    from ..actors.optimizer import has_settings

    return has_settings(optimizer)
