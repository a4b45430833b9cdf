"""What a configuration takes from files: plans and instructions, plans learned in a run, a recorded run's settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..actors.agent import MAX_GIVEN_CHARS
from ..actors.cassette import CassetteError, read_cassette
from ..actors.own_agent import METHODS
from ..env.plugin import is_path
from .errors import ConfigError
from .journal.log import JournalError
from .own_world import agent_names
from .replay import records

REPLAY = "replay:"
"""What a cassette's path follows in place of a model's name."""

PARTS = ("optimize", "feedback", "optimizer")
"""Settings of learning that may name users' own code."""


def read_texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with every text `@FILE` read, and `plan = "@RUN"` turned into a plan for each agent.

    Raises:
        ConfigError: a file is missing or no text, a folder holds no run, or a run has no such agent.
    """
    given = dict(values)
    tables = [dict(table) if isinstance(table, Mapping) else table for table in _listed(given.get("agent"))]
    for table in [given, *(table for table in tables if isinstance(table, dict))]:
        for name in ("plan", "organization", "objective"):
            text = table.get(name)
            if isinstance(text, str) and text.startswith("@") and not (name == "plan" and Path(text[1:]).is_dir()):
                table[name] = _read(Path(text[1:]))
    everybodys = given.get("plan")
    if isinstance(everybodys, str) and everybodys.startswith("@"):
        del given["plan"]
        try:
            names = agent_names(given)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        for name in names:
            own = next((t for t in tables if _called(t.get("name")) == name), None)
            if own is None:
                own = {"name": name}
                tables.append(own)
            own.setdefault("plan", everybodys)
    for table in tables:
        plan = table.get("plan") if isinstance(table, dict) else None
        if isinstance(plan, str) and plan.startswith("@"):
            table["plan"] = _learned(Path(plan[1:]), _called(table.get("name")))
    return given | ({"agent": tables} if tables else {})


def recorded_config(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a recorded run, with what is given over them; `llm` names its cassette.

    Raises:
        ConfigError: there is no such cassette, it is damaged, or it was recorded with code that is not named here.
    """
    path = str(given["llm"]).removeprefix(REPLAY)
    try:
        recorded = read_cassette(Path(path)).config
    except CassetteError as error:
        raise ConfigError(f"llm: {error}") from None
    named = _own_code(given)
    for name, code in sorted(_own_code(recorded)):
        if (name, code) not in named:
            # A cassette may come from anybody: it must not say what is imported here.
            raise ConfigError(f"{path} was recorded with {name} {code}; to replay it, name it: --{name}")
    replaced = {"llm", "base_url", "key_env", "learn_base_url", "learn_key_env"}
    return recorded | {k: v for k, v in given.items() if k not in replaced} | {"replay": path}


def _own_code(settings: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The code that settings name and that is not ours: pairs of setting and name."""
    agents = [table.get("method") for table in _listed(settings.get("agent")) if isinstance(table, Mapping)]
    own = {("method", str(method)) for method in (settings.get("method"), *agents) if method and method not in METHODS}
    own |= {(name, path) for name in PARTS if is_path(path := str(settings.get(name, "")))}
    return own | ({("world", str(settings["world"]))} if settings.get("world") else set())


def _called(name: Any) -> str:
    """An agent may be named by its number in the household."""
    return f"Agent_{name}" if isinstance(name, int) else str(name)


def _listed(tables: Any) -> list[Any]:
    return list(tables) if isinstance(tables, list | tuple) else []


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(4 * MAX_GIVEN_CHARS + 1)
        return data.decode().strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is no text (UTF-8) of at most {MAX_GIVEN_CHARS} characters") from None


def _learned(run: Path, agent: str) -> str:
    """The last plan of an agent in the run in a folder."""
    plan = None
    try:
        for record in records(run):
            if record["kind"] in ("step", "lesson") and agent in record["agents"]:
                turn = record["agents"][agent]["turn"]
                plan = plan if turn is None else str(turn["plan"])
    except (JournalError, OSError) as error:
        raise ConfigError(f"plan: {error}") from None
    if plan is None:
        raise ConfigError(f"plan: {run} has no plan of {agent}")
    return plan
