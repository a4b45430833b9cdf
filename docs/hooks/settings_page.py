"""The page of the settings, from the fields of `RunConfig`."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from housemates.orchestrator.config import BUDGET, LIMITS, PLACE, AgentSettings, RunConfig
from pydantic.fields import FieldInfo

INTRODUCTION = """# Settings

Every setting of a run has one name in four places:

| where | example |
|---|---|
| a flag of `housemates run` | `--learn-every 3` |
| a variable | `HOUSEMATES_LEARN_EVERY=3` |
| a TOML file, read with `--config` | `learn_every = 3` |
| Python | `housemates.make_config(learn_every=3)` |

Two differ: `world_args` is the flag `--world-arg NAME=VALUE`, given as often as there are arguments, and has no
variable; `replay` is set by `--llm replay:FILE`. `--agent` is another name of `--method`.

A flag wins over a variable, a variable over the file. An unknown name, or a value that is out of range, is one line on
stderr and exit code 2. The `run.toml` in a run's folder is such a file, with everything that was defaulted.
"""
PLACES = """## Where, how fast and how far

These say where a run is computed, not what happens in it: with a deterministic model the digest is the same
whatever they are. A replay may change them.
"""
AGENTS = """## Single agents

In the file, a table `[[agent]]` says
[what is different about one agent](../learning.md#different-agents-in-one-household).
"""
VARIABLES = """## Other variables

| variable | meaning |
|---|---|
| `OPENAI_API_KEY` | the key of OpenAI and of the endpoint of `OPENAI_BASE_URL`; sent to no other |
| `OPENAI_BASE_URL` | the endpoint of `openai:MODEL` where `base_url` is not given |
| `OPENAI_ORG_ID`, `OPENAI_PROJECT_ID` | who pays, sent with that key |
| `HOUSEMATES_OUT`, `HOUSEMATES_RECORD`, `HOUSEMATES_ADDRESS`, `HOUSEMATES_CONFIG` | these options, which no file has |
| `HOUSEMATES_CACHE` | where the embedded model is kept; else `$XDG_CACHE_HOME/housemates` or `~/.cache/housemates` |
"""


def settings_page() -> str:
    """All settings as Markdown."""
    fields = {name: field for name, field in RunConfig.model_fields.items() if name != "agent"}
    where = PLACE | set(LIMITS) | set(BUDGET)
    return "\n".join(
        [
            INTRODUCTION,
            "## What happens\n",
            *_table({name: field for name, field in fields.items() if name not in where}),
            PLACES,
            *_table({name: field for name, field in fields.items() if name in where}),
            AGENTS,
            *_table(AgentSettings.model_fields),
            VARIABLES,
        ]
    )


def _table(fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield "| setting | value | default | meaning |\n|---|---|---|---|"
    for name, field in fields.items():
        default = "required" if field.is_required() else _shown(field.default)
        meaning = (field.description or "as for all").replace("|", "\\|")
        yield f"| `{name}` | {_values(field)} | {default} | {meaning} |"
    yield ""


def _shown(value: Any) -> str:
    return "" if value in (None, "", ()) else f"`{value}`"


def _values(field: FieldInfo) -> str:
    """What a setting may be: its type and its bounds, or its words."""
    kinds = [kind for kind in _options(field.annotation) if kind is not type(None)]
    words = [f"`{word}`" for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)]
    if words:
        return ", ".join(words)
    named = {int: "whole number", float: "number", str: "text"}
    text = " or ".join(named.get(get_origin(kind) or kind, "table") for kind in kinds)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    bounds = [f"{signs[key]} {bound:,}" for rule in field.metadata for key, bound in _bounds(rule) if key in signs]
    return ", ".join([text, *bounds])


def _options(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _bounds(rule: Any) -> Iterator[tuple[str, Any]]:
    """The bounds in one piece of a field's metadata."""
    for key in ("ge", "gt", "le", "lt"):
        if (bound := getattr(rule, key, None)) is not None:
            yield key, bound
