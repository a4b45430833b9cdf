"""`housemates study`."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import ConfigError
from ..exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OVER_BUDGET

if TYPE_CHECKING:
    from .plan import Cell, StudyPlan

_AXES = {"tasks": "task", "methods": "method", "agents": "agents", "models": "llm", "seeds": "seed"}
EPILOG = (
    "\b\nExamples:\n"
    "  housemates study --tasks read_book,put_dishwasher --methods trace,react --seeds 5 --llm scripted\n"
    "  housemates study plan.toml --dry-run       what it would run and cost\n"
    "  housemates study --out DIR                 go on with the study in DIR\n"
    "\n"
    "A study file has two tables: [vary] gives settings of `housemates run` with the values to try (task, method, "
    "agents, llm, seed, or any other), [run] those common to all episodes. "
    "Exit code 0: all episodes are completed; 2: bad usage or configuration; 3: some failed; 4: the budget is used "
    "up; 130: interrupted."
)


def study(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="A study file (TOML).")] = None,
    tasks: Annotated[str | None, typer.Option("--tasks", help="Tasks, comma-separated.")] = None,
    methods: Annotated[str | None, typer.Option("--methods", help="Methods: trace,react,fixed.")] = None,
    agents: Annotated[str | None, typer.Option("--agents", help="Numbers of agents, for example 1,2,4.")] = None,
    models: Annotated[str | None, typer.Option("--models", help="Models, named as for run --llm.")] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="How many seeds (5 means 0,1,2,3,4), or a list of them (7,11).")
    ] = None,
    llm: Annotated[str | None, typer.Option("--llm", help="The model of all episodes.")] = None,
    base_url: Annotated[str | None, typer.Option("--base-url", help="The endpoint of all episodes.")] = None,
    key_env: Annotated[str | None, typer.Option("--key-env", help="The variable that holds its key.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", help="Horizon of all episodes.")] = None,
    runtime: Annotated[str | None, typer.Option("--runtime", help="ray or inline, as for run.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The study's folder. [default: studies/<time>]")] = None,
    parallel: Annotated[
        int | None, typer.Option("--parallel", min=1, max=1000, help="Episodes at the same time. [default: by model]")
    ] = None,
    max_calls: Annotated[int | None, typer.Option("--max-calls", min=0, help="Model calls it may make.")] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", min=0, help="Tokens it may use.")] = None,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", min=0, help="Dollars it may cost, at --price-in and --price-out.")
    ] = None,
    price_in: Annotated[float, typer.Option("--price-in", min=0, help="Dollars per million prompt tokens.")] = 0.0,
    price_out: Annotated[float, typer.Option("--price-out", min=0, help="Dollars per million reply tokens.")] = 0.0,
    record: Annotated[
        bool, typer.Option("--record", help="Put each episode's model traffic on a cassette in its folder.")
    ] = False,
    address: Annotated[
        str, typer.Option("--address", help="A Ray cluster to join: HOST:PORT, or auto. [default: one of its own]")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be run, and what it takes.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show only the outcome, at the end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Show nothing but the outcome, as one JSON line with the study's folder.")
    ] = False,
) -> None:
    """Run many episodes that differ in task, method, agents, model or seed; finished ones are never repeated."""
    from ...actors.limiter.budget import Budget
    from ..cluster.own import end_own_ray
    from ..interrupt import bounded_interrupt
    from ..terminal.live import RunConsole
    from .plan import cells_of
    from .running import StudyObserver, finished_episodes, open_study, run_study
    from .terminal import StudyTerminal, estimate_lines, outcome_lines

    if dry_run and (quiet or as_json):
        raise typer.BadParameter("--dry-run has nothing to be silent about: leave out --quiet and --json")
    if max_cost is not None and not (price_in or price_out):
        raise ConfigError("--max-cost needs prices: --price-in and --price-out")
    axes = {"tasks": tasks, "methods": methods, "agents": agents, "models": models, "seeds": seeds}
    common = {"llm": llm, "base_url": base_url, "key_env": key_env, "steps": steps, "runtime": runtime}
    plan = _plan(file, axes, {name: value for name, value in common.items() if value is not None})
    folder = out or Path("studies") / f"{datetime.now():%Y%m%d-%H%M%S}"
    budget = Budget(calls=max_calls, tokens=max_tokens, dollars=max_cost, price_in=price_in, price_out=price_out)
    console = RunConsole(file=sys.stdout)
    if dry_run:
        if plan is None:
            plan = open_study(None, folder)
        cells = cells_of(plan)
        for line in estimate_lines(cells, finished_episodes(folder, cells), budget):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        return
    if plan is not None:
        cells_of(plan)  # before a folder is made for it
    plan = open_study(plan, folder)

    def last_resort() -> None:
        console.give_back()
        end_own_ray()

    with (
        redirect_stdout(sys.stderr),  # what Ray has to say of its own accord
        bounded_interrupt(last_resort),
        nullcontext(StudyObserver()) if quiet or as_json else StudyTerminal(console, folder, budget) as observer,
    ):
        side_by_side = parallel or _parallel(cells_of(plan))
        options: dict[str, Any] = {"budget": budget, "observer": observer, "record": record, "address": address}
        result = run_study(plan, folder, parallel=side_by_side, **options)
    if as_json:
        typer.echo(json.dumps(asdict(result), default=str))
    else:
        for line in outcome_lines(result):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if result.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)
    if result.stopped:
        raise typer.Exit(EXIT_OVER_BUDGET)
    if result.failed:
        raise typer.Exit(EXIT_FAILED)


def _plan(file: Path | None, axes: dict[str, str | None], common: dict[str, Any]) -> StudyPlan | None:
    """What the user asks to run; flags win over the file. None: nothing, so what is in the folder."""
    from .plan import make_plan, read_plan

    values = read_plan(file) if file else {}
    vary: dict[str, Any] = {**values.get("vary", {})}
    run: dict[str, Any] = {**values.get("run", {}), **common}
    for flag, text in axes.items():
        if text is not None:
            vary[_AXES[flag]] = _values(flag, text)
            run.pop(_AXES[flag], None)
    for name in common:
        vary.pop(name, None)
    if not file and not vary:
        if common:
            raise ConfigError("nothing to vary: name a study file, --tasks, --methods, --agents, --models or --seeds")
        return None
    return make_plan({**values, "vary": vary, "run": run}, str(file) if file else "study")


def _values(flag: str, text: str) -> list[str] | list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if flag not in ("seeds", "agents"):
        return parts
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        raise ConfigError(f"--{flag}: {text!r} is no list of whole numbers") from None
    if flag == "seeds" and len(numbers) == 1:
        return list(range(numbers[0]))
    return numbers


def _parallel(cells: list[Cell]) -> int:
    """How many episodes at the same time, if nobody says: the embedded model is busy with one."""
    import os

    local = any(choice.llm.startswith("local") for cell in cells for choice in cell.config.models)
    return 1 if local else min(8, 2 * (os.cpu_count() or 1))
