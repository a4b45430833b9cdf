"""The figures of episodes as rows of tables: one per episode, and one per plan an agent had."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ...env.codec import parse_json
from ..config import PLACE, RunConfig
from ..emergence import measure
from ..errors import ConfigError
from ..households.folder import HOUSEHOLDS, is_households
from ..journal.log import FILE_NAME as JOURNAL_NAME
from ..journal.log import JournalError
from ..own_world import task_name
from ..replay import records
from ..study.plan import EPISODES, FAILURES_NAME, cells_of, episode_folder, load_study
from ..study.plan import FILE_NAME as STUDY_NAME
from ..summary import Tally
from ..timing import AGENT_PARTS, TimeTally

Row = dict[str, Any]


@dataclass(slots=True)
class Results:
    """What is known of a set of episodes.

    Attributes:
        title: the folder it was read from.
        varied: the settings in which the episodes differ; they name the groups of the report.
        episodes: a row per episode with a readable journal.
        plans: a row per change of an agent's plan.
        times: a row per agent of an episode: where its time went, in seconds.
        missing: episodes that could not be read or were never begun, with the reason.
    """

    title: str
    varied: tuple[str, ...] = ()
    episodes: list[Row] = field(default_factory=list[Row])
    plans: list[Row] = field(default_factory=list[Row])
    times: list[Row] = field(default_factory=list[Row])
    missing: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in dollars."""

    prompt: float = 0.0
    completion: float = 0.0

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """In dollars."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


def read_results(folders: Sequence[Path], prices: Prices) -> Results:
    """Read runs, studies, or folders that hold runs.

    Raises:
        ConfigError: a folder holds neither a run nor a study.
    """
    found: dict[str, Path] = {}
    missing: dict[str, str] = {}
    for folder in folders:
        if (folder / STUDY_NAME).is_file():
            plan = load_study(folder)
            failures = _failures(folder)
            for cell in cells_of(plan):
                place = episode_folder(folder, cell)
                if (place / JOURNAL_NAME).is_file():
                    found[cell.name] = place
                else:
                    missing[cell.name] = failures.get(cell.name, "not begun")
        else:
            for run in _runs_in(folder):
                found[str(run)] = run
    results = Results(", ".join(map(str, folders)), missing=missing)
    for name, place in found.items():
        try:
            _read_episode(results, name, place, prices)
        except JournalError as error:
            missing[name] = str(error)
    results.varied = tuple(_differing(results.episodes))
    return results


def _failures(study: Path) -> dict[str, str]:
    """Why episodes failed, by name."""
    path = study / FAILURES_NAME
    if not path.is_file():
        return {}
    try:
        reasons = parse_json(path.read_bytes())
    except ValueError as error:
        raise ConfigError(f"{path} is damaged ({error}); remove it") from None
    return {str(name): str(why) for name, why in reasons.items()} if isinstance(reasons, dict) else {}


def _runs_in(folder: Path) -> Iterator[Path]:
    if (folder / JOURNAL_NAME).is_file():
        yield folder
        return
    place = folder / HOUSEHOLDS if is_households(folder) else folder
    runs = sorted(path.parent for path in place.glob(f"*/{JOURNAL_NAME}"))
    if not runs:
        raise ConfigError(f"{folder} holds neither a run nor a study ({JOURNAL_NAME}, {STUDY_NAME}, {EPISODES}/)")
    yield from runs


def _read_episode(results: Results, name: str, place: Path, prices: Prices) -> None:
    tally, history = Tally(), list[Mapping[str, Any]]()
    config: Mapping[str, Any] = {}
    plans: dict[str, str] = {}
    for record in records(place):
        tally.add(record)
        if record["kind"] == "begin":
            config = record["config"]
        if record["kind"] in ("begin", "step", "lesson"):
            history.append(_lean(record))
        if record["kind"] in ("step", "lesson"):
            results.plans += _plan_rows(name, record, plans)
    results.times += _time_rows(name, tally.times)
    summary = tally.summary()
    llm, optimizer, returns = summary["llm"], summary["optimizer"], list(summary["returns"].values())
    measures = asdict(measure(history))
    results.episodes.append(
        {
            "episode": name,
            **{key: value for key, value in config.items() if isinstance(value, str | int | float | bool)},
            "task": task_name(config),
            "model": summary["model"],
            "status": summary["status"],
            "error": summary["error"],
            "success": summary["success"],
            "steps_taken": summary["steps"],
            "actions": summary["actions"],
            "messages": summary["messages"],
            "mean_return": sum(returns) / len(returns),
            "calls": llm["calls"],
            "failed_calls": llm["failures"],
            "prompt_tokens": llm["prompt_tokens"],
            "completion_tokens": llm["completion_tokens"],
            "cost_usd": prices.cost(llm["prompt_tokens"], llm["completion_tokens"]),
            "fallbacks": summary["fallbacks"],
            "plans_accepted": optimizer["accepted"],
            "plans_unchanged": optimizer["unchanged"],
            "plans_rejected": sum(optimizer["rejected"].values()),
            "wall_s": summary["wall_s"],
            "digest": summary["digest"],
            **_step_times(tally.times),
            **measures,
            "deliveries": json.dumps(measures["deliveries"]),
        }
    )


def _step_times(times: TimeTally) -> Row:
    """Of a mean step: its seconds by part, and of a mean agent; None in journals that tell no times."""
    per_step = 1 / times.count if times.count else None
    agents = list(times.agents.values())
    return {
        "efficiency": times.efficiency if per_step else None,
        "step_mean_s": per_step and times.seconds * per_step,
        **{f"step_{name}": per_step and seconds * per_step for name, seconds in times.steps.items()},
        **{
            f"agent_{name}": sum(one.parts[name] for one in agents) * per_step / len(agents)
            if per_step and agents
            else None
            for name in AGENT_PARTS
        },
    }


def _time_rows(name: str, times: TimeTally) -> Iterator[Row]:
    for agent, one in times.agents.items():
        yield {"episode": name, "agent": agent, **one.parts, "waited_for": one.waited_for, "delay_s": one.delay_s}


def _lean(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record without the states and texts that no measure needs, so that long episodes fit into memory."""
    if record["kind"] == "begin":
        return {"kind": "begin", "agents": record["agents"]}
    agents = {agent: {**part, "state": None} for agent, part in record["agents"].items()}
    result = record["result"]
    if result is not None:
        seen = {agent: {"info": o["info"]} for agent, o in result["observations"].items()}
        result = {"observations": seen, "messages": result["messages"]}
    return {"kind": record["kind"], "agents": agents, "result": result}


def _plan_rows(name: str, record: Mapping[str, Any], plans: dict[str, str]) -> Iterator[Row]:
    for agent, part in record["agents"].items():
        turn = part["turn"]
        update = turn and turn["update"]
        if update:
            changed = turn["plan"] != plans.get(agent, "")
            plans[agent] = turn["plan"]
            yield {
                "episode": name,
                "step": record["step"],
                "agent": agent,
                "verdict": update["verdict"],
                "reason": update["reason"],
                "plan": turn["plan"] if changed else None,
            }


def _differing(rows: Sequence[Row]) -> Iterator[str]:
    """The settings in which episodes differ, apart from where they were computed; the task first."""
    for name in RunConfig.model_fields:
        if name not in PLACE and len({row.get(name) for row in rows}) > 1:
            yield name
