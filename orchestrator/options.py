"""Options that several commands of the command line share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ..env.codec import parse_json
from .errors import ConfigError


def option(*names: str, help: str, **more: Any) -> Any:
    """An option that can also come from the environment: --base-url is HOUSEMATES_BASE_URL."""
    variable = "HOUSEMATES_" + names[0].removeprefix("--").replace("-", "_").upper()
    return typer.Option(*names, help=help, envvar=variable, show_envvar=False, **more)


MaxCalls = Annotated[
    int | None,
    option("--max-calls", help="Budget: model calls of the whole run. Used up, the run ends and can go on."),
]
MaxTokens = Annotated[int | None, option("--max-tokens", help="Budget: tokens, prompts and replies together.")]
MaxCost = Annotated[
    float | None, option("--max-cost", help="Budget: dollars, at the prices of --price-in and --price-out.")
]
PriceIn = Annotated[float | None, option("--price-in", help="Dollars for a million tokens of prompts.")]
PriceOut = Annotated[float | None, option("--price-out", help="Dollars for a million tokens of replies.")]
MaxSeconds = Annotated[float | None, option("--max-seconds", help="Budget: seconds after which no model call begins.")]

AgentsPerActor = Annotated[
    str | None,
    option(
        "--agents-per-actor",
        help="Agents that share one Ray actor, or auto: one each as long as there are few. [default: 1]",
    ),
]
Households = Annotated[
    int | None,
    option("--households", help="Households at the same time, each with its agents and a seed: SEED + i. [default: 1]"),
]
WorldsPerActor = Annotated[
    str | None, option("--worlds-per-actor", help="Households whose worlds share one Ray actor. [default: auto]")
]
Conductors = Annotated[
    str | None, option("--conductors", help="Processes that conduct the households. [default: auto]")
]

Quiet = Annotated[bool, typer.Option("--quiet", help="Show only the summary, at the end.")]
Json = Annotated[
    bool, typer.Option("--json", help="Show nothing but the summary, as one JSON line with the run's folder.")
]
View = Annotated[bool, typer.Option("--view", help="Serve a page on which to watch, pause and stop it.")]
Address = Annotated[
    str,
    option(
        "--address",
        help="A Ray cluster to join: HOST:PORT, or auto. [default: a Ray of its own on this machine]",
    ),
]


def budget_settings(*values: Any) -> dict[str, Any]:
    """The settings of the budget that are given."""
    from .config import BUDGET

    return {name: value for name, value in zip(BUDGET, values, strict=True) if value is not None}


def world_arguments(texts: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` as an argument each; a value that is JSON (a number, true, a list) is that, any other a text.

    Raises:
        ConfigError: one has no name, or is there twice.
    """
    arguments: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigError(f"--world-arg: {text!r} is not of the form NAME=VALUE")
        if name in arguments:
            raise ConfigError(f"--world-arg: {name} is given twice")
        try:
            arguments[name] = parse_json(value.encode())
        except ValueError:
            arguments[name] = value
    return arguments
