"""The command line. Heavy imports wait until a command needs them."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..env.collecting import collect_seldom
from .commands import bench, doctor, llm, serve
from .commands.models import models_app
from .commands.tasks import tasks
from .exit_codes import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OVER_BUDGET, EXIT_USAGE
from .film import command as film_cli
from .house.command import house_app
from .options import (
    Address,
    AgentsPerActor,
    Conductors,
    Households,
    Json,
    MaxCalls,
    MaxCost,
    MaxSeconds,
    MaxTokens,
    PriceIn,
    PriceOut,
    Quiet,
    View,
    WorldsPerActor,
    budget_settings,
    option,
    world_arguments,
)
from .report.command import report
from .study import command as study_cli
from .viewer.command import view

if TYPE_CHECKING:
    from .observer import Observer
    from .run import RunResult
    from .viewer.watched import ViewedRun

app = typer.Typer(
    name="housemates",
    help="Many LLM agents, each a Ray actor with a trainable plan, share a household and learn to work together.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(models_app, name="models")
app.add_typer(house_app, name="house")
app.command()(view)


@app.command(
    epilog="Every option but --world-arg, --view, --quiet and --json can also be set as HOUSEMATES_<NAME> "
    "(HOUSEMATES_BASE_URL for --base-url), and, but for --out, --record and --address too, in a TOML file (--config; "
    "the same names, with underscores; there, tables [[agent]] with a name say what is different about single agents: "
    "method, llm, base_url, key_env, plan, organization; --world-arg is a table [world_args]). A flag wins over a "
    "variable, a variable over the file. Exit code 0: the run completed; 2: bad usage or configuration; "
    "3: could not start or continue; 4: the budget was used up; 130: interrupted."
)
def run(
    context: typer.Context,
    world: Annotated[
        str | None,
        option(
            "--world",
            help="A world of your own: module:World, or the name an installed package gives it "
            "(docs/extending.md). [default: the household]",
        ),
    ] = None,
    world_arg: Annotated[
        list[str] | None,
        typer.Option("--world-arg", metavar="NAME=VALUE", help="An argument for such a world; may be given again."),
    ] = None,
    task: Annotated[
        str | None,
        option(
            "--task",
            help="What is to be done: read_book, put_dishwasher, prepare_food, put_fridge, setup_table, clean_table, "
            "unload_dishwasher or watch_tv; two or three of them joined by + (setup_table+put_fridge); a number from "
            "0 to 49 (a fixed goal in a fixed home); or a task file of your own, PATH.json (see docs/tasks.md). "
            "[default: put_dishwasher]",
        ),
    ] = None,
    apartment: Annotated[
        str | None,
        option(
            "--apartment",
            help="The home: 0 to 6, generated, generated:seed=3,rooms=6, building:4, or a scene from a file, "
            "PATH.json. [default: the task's, else 0]",
        ),
    ] = None,
    agents: Annotated[int | None, option("--agents", help="How many agents there are. [default: 2]")] = None,
    steps: Annotated[int | None, option("--steps", help="Horizon of the episode, in steps. [default: 150]")] = None,
    simulator: Annotated[
        str | None,
        option(
            "--simulator",
            help="A VirtualHome executable, which is started and ended with the run, or the URL of a simulator that "
            "runs. [default: the embedded engine]",
        ),
    ] = None,
    llm: Annotated[
        str | None,
        option(
            "--llm",
            help="openai:MODEL, local (the embedded model), local:PATH.gguf, scripted (plays by rules, for trying "
            "out and testing), scripted:module:function (by rules of your own), or replay:FILE (a recorded run, "
            "without any model). "
            "[default: OpenAI if OPENAI_API_KEY or a base URL is set, else local]",
        ),
    ] = None,
    base_url: Annotated[
        str | None, option("--base-url", help="OpenAI-compatible endpoint for openai:MODEL: vLLM, Ollama, a proxy …")
    ] = None,
    key_env: Annotated[
        str | None,
        option(
            "--key-env",
            help="The variable that holds the key of openai:MODEL. [default: OPENAI_API_KEY for OpenAI and the "
            "endpoint of OPENAI_BASE_URL, else no key]",
        ),
    ] = None,
    seed: Annotated[int | None, option("--seed", help="Of the apartment and every random choice. [default: 0]")] = None,
    method: Annotated[
        str | None,
        option(
            "--method",
            "--agent",
            help="trace: agents learn plans; react: the baseline; fixed: they follow --plan; or agents of your own: "
            "module:Agent, or the name an installed package gives them. [default: trace]",
        ),
    ] = None,
    plan: Annotated[
        str | None, option("--plan", help="What agents start with: TEXT, @FILE, or @RUN (the plans learned in a run).")
    ] = None,
    organization: Annotated[
        str | None, option("--organization", help="Instructions for working together, in every prompt: TEXT or @FILE.")
    ] = None,
    optimize: Annotated[
        str | None, option("--optimize", help="What is learned: plan, plan+role, or module:Class. [default: plan]")
    ] = None,
    feedback: Annotated[
        str | None,
        option(
            "--feedback", help="What is learned from: return, return+verdicts, or module:function. [default: return]"
        ),
    ] = None,
    credit_steps: Annotated[
        int | None, option("--credit-steps", help="Thoughts the feedback travels back through. [default: 1]")
    ] = None,
    learn_every: Annotated[
        int | None, option("--learn-every", help="Thoughts between two lessons. [default: 1]")
    ] = None,
    optimizer: Annotated[
        str | None, option("--optimizer", help="optoprime, opro, textgrad, or module:Class. [default: optoprime]")
    ] = None,
    objective: Annotated[
        str | None, option("--objective", help="What the optimizer is asked to do, in place of its own words.")
    ] = None,
    mask: Annotated[
        str | None, option("--mask", help="Sections left out of OptoPrime's prompt, for example: others,inputs")
    ] = None,
    learn_llm: Annotated[
        str | None, option("--learn-llm", help="The model to learn with, named as for --llm, if it is another one.")
    ] = None,
    learn_base_url: Annotated[
        str | None, option("--learn-base-url", help="OpenAI-compatible endpoint for --learn-llm.")
    ] = None,
    learn_key_env: Annotated[
        str | None, option("--learn-key-env", help="The variable that holds the key of --learn-llm.")
    ] = None,
    runtime: Annotated[
        str | None, option("--runtime", help="ray, or inline: one process, for debugging. [default: ray]")
    ] = None,
    agents_per_actor: AgentsPerActor = None,
    households: Households = None,
    worlds_per_actor: WorldsPerActor = None,
    conductors: Conductors = None,
    memory_size: Annotated[
        int | None, option("--memory-size", help="Past plans shown to the optimizer. [default: 0]")
    ] = None,
    step_deadline_s: Annotated[
        float | None, option("--step-deadline-s", help="Seconds an agent has for a turn. [default: 900]")
    ] = None,
    call_deadline_s: Annotated[
        float | None, option("--call-deadline-s", help="Seconds for a model call with its retries. [default: 300]")
    ] = None,
    world_deadline_s: Annotated[
        float | None, option("--world-deadline-s", help="Seconds the world has for a step, with Ray. [default: 900]")
    ] = None,
    max_concurrency: Annotated[
        int | None, option("--max-concurrency", help="Model requests in flight, per account; else what it takes.")
    ] = None,
    requests_per_minute: Annotated[
        float | None, option("--requests-per-minute", help="Model requests a minute, per account.")
    ] = None,
    tokens_per_minute: Annotated[
        float | None, option("--tokens-per-minute", help="Tokens a minute, per account.")
    ] = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    max_seconds: MaxSeconds = None,
    out: Annotated[
        Path | None, option("--out", help="The run's folder, new or empty. [default: runs/<time>-<task>-…]")
    ] = None,
    record: Annotated[
        Path | None,
        option("--record", help="A new file for all that the models were asked and answered (a cassette)."),
    ] = None,
    address: Address = "",
    config: Annotated[Path | None, option("--config", help="A TOML file with these options (but --out).")] = None,
    view: View = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Let agents do a task together, and record it."""
    from .config import load_config, make_config
    from .errors import ConfigError
    from .run import run as run_episode

    if llm is not None and not llm.startswith("openai:") and _from_environment(context, "base_url"):
        base_url = None  # meant for another model than the one asked for here
    flags = {
        "world": world,
        "world_args": world_arguments(world_arg) if world_arg else None,
        "task": task,
        "apartment": apartment,
        "agents": agents,
        "steps": steps,
        "simulator": simulator,
        "llm": llm,
        "base_url": base_url,
        "key_env": key_env,
        "seed": seed,
        "method": method,
        "plan": plan,
        "organization": organization,
        "optimize": optimize,
        "feedback": feedback,
        "credit_steps": credit_steps,
        "learn_every": learn_every,
        "optimizer": optimizer,
        "objective": objective,
        "mask": mask,
        "learn_llm": learn_llm,
        "learn_base_url": learn_base_url,
        "learn_key_env": learn_key_env,
        "runtime": runtime,
        "agents_per_actor": agents_per_actor,
        "households": households,
        "worlds_per_actor": worlds_per_actor,
        "conductors": conductors,
        "memory_size": memory_size,
        "step_deadline_s": step_deadline_s,
        "call_deadline_s": call_deadline_s,
        "world_deadline_s": world_deadline_s,
        "max_concurrency": max_concurrency,
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        **budget_settings(max_calls, max_tokens, max_cost, price_in, price_out, max_seconds),
    }
    values = load_config(config) if config else {}
    values.update((name, value) for name, value in flags.items() if value is not None)
    settings = make_config(**values)
    if out is not None and not out.name and str(out) != "/":
        raise ConfigError("--out: name a folder; the current one is not taken")
    if settings.households > 1:
        from .households import command as households_cli

        households_cli.run(
            settings, out, address, recorded=record is not None, viewed=view, quiet=quiet, as_json=as_json
        )
        return
    _show(lambda observer: run_episode(settings, out, observer, record, address), quiet, as_json, settings.llm, view)


@app.command()
def resume(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of an interrupted run.")],
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_cost: MaxCost = None,
    price_in: PriceIn = None,
    price_out: PriceOut = None,
    max_seconds: MaxSeconds = None,
    address: Address = "",
    view: View = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Go on with a run that was interrupted or killed, or used up its budget, where its last committed step ended."""
    from .households import command as households_cli
    from .households.folder import is_households
    from .run import resume as resume_run

    budget = budget_settings(max_calls, max_tokens, max_cost, price_in, price_out, max_seconds)
    if is_households(folder):
        if view:
            raise typer.BadParameter(f"--view shows one run; look at all households with: housemates view {folder}")
        households_cli.resume(folder, budget, address, quiet=quiet, as_json=as_json)
        return
    _show(lambda observer: resume_run(folder, observer, budget, address), quiet, as_json, view=view)


def _show(
    conduct: Callable[[Observer], RunResult], quiet: bool, as_json: bool, llm: str = "", view: bool = False
) -> None:
    """Show a run while it goes on, and its summary."""
    from .cluster.own import end_own_ray
    from .interrupt import bounded_interrupt
    from .observer import Observer
    from .terminal.live import RunConsole, TerminalObserver
    from .terminal.summary_table import summary_table

    console = RunConsole(file=sys.stdout)

    def last_resort() -> None:
        console.give_back()
        end_own_ray()

    try:
        with (
            redirect_stdout(sys.stderr),  # what Ray has to say of its own accord
            bounded_interrupt(last_resort),
            nullcontext(Observer()) if quiet or as_json else TerminalObserver(console) as observer,
        ):
            viewed = _viewed(observer) if view else None
            result = conduct(viewed or observer)
    except KeyboardInterrupt:
        _complain("interrupted before the first step", EXIT_INTERRUPTED)
        os._exit(EXIT_INTERRUPTED)  # all is stopped; a Ray that was half started would crash at the orderly exit
    if as_json:
        typer.echo(json.dumps({"folder": str(result.folder), **result.summary}))
    else:
        console.print()
        console.print(summary_table(result.summary))
        console.print(f"\nrun folder  {result.folder}", markup=False, highlight=False, soft_wrap=True)
        for line in _what_next(result, llm):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    if viewed is not None:
        viewed.keep(result.interrupted)
    if result.over_budget:
        _complain(result.summary["error"], EXIT_OVER_BUDGET)
        raise typer.Exit(EXIT_OVER_BUDGET)
    if result.interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _viewed(observer: Observer) -> ViewedRun:
    from .viewer.watched import ViewedRun

    return ViewedRun(observer, observer.starting)


def _from_environment(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "ENVIRONMENT"


def _what_next(result: RunResult, llm: str) -> list[str]:
    lines = [f"read it     housemates replay {result.folder}"]
    if not result.summary["world"]:
        lines.append("more agents housemates run --agents 4")
    if result.interrupted:
        lines.insert(0, f"go on       housemates resume {result.folder}")
    if result.over_budget:
        lines.insert(0, f"go on       housemates resume {result.folder} --max-calls N   (or whichever budget it was)")
    if llm.startswith("local"):
        lines.append(
            "The embedded model is tiny: it shows the machinery, not wisdom. For a strong one:\n"
            "            OPENAI_API_KEY=… housemates run --llm openai:gpt-4o-mini\n"
            "            housemates run --llm openai:MODEL --base-url http://HOST:PORT/v1   (vLLM, Ollama, …)"
        )
    return lines


app.command(epilog=study_cli.EPILOG)(study_cli.study)
app.command()(report)
app.command(epilog=film_cli.EPILOG)(film_cli.film)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run.")],
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line per step.")] = False,
    as_digest: Annotated[bool, typer.Option("--digest", help="Only the trajectory digest.")] = False,
) -> None:
    """Print a run as text, from its journal alone."""
    from . import replay as replaying
    from .households import command as households_cli
    from .households.folder import is_households

    if as_json and as_digest:
        raise typer.BadParameter("--json and --digest exclude each other")
    if is_households(folder):
        for line in households_cli.told(folder, as_json, as_digest):
            typer.echo(line)
        return
    if as_digest:
        typer.echo(replaying.digest(folder))
        return
    for line in replaying.json_lines(folder) if as_json else replaying.story(folder):
        typer.echo(line)


app.command()(tasks)
app.command()(llm.llm)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(serve.serve)
app.command()(doctor.doctor)
app.command(epilog=bench.EPILOG)(bench.bench)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from housemates import __version__

        typer.echo(__version__)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """The console script: every error a user can cause is one line on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character must not end a run
    collect_seldom()
    # A shell that starts us in the background has SIGINT ignored; Ctrl-C and `kill -INT` must end a run anyway.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = app(standalone_mode=False)
    except typer.Exit as request:
        code = request.exit_code
    except typer.TyperException as error:
        code = _complain(error.format_message(), EXIT_USAGE)
    except (KeyboardInterrupt, typer.Abort):
        code = _complain("interrupted", EXIT_INTERRUPTED)
    except (BrokenPipeError, SystemExit) as error:
        # The reader had enough (housemates replay … | head). Typer makes an exit of that, with a failure's code.
        if not isinstance(error, BrokenPipeError) and not isinstance(error.__context__, BrokenPipeError):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        code = _known(error)
    sys.exit(code or 0)


def _known(error: Exception) -> int:
    """The exit code of an error that is not a fault of ours; raises all others."""
    from ..actors.model.weights import ModelError
    from .errors import ConfigError, StartError
    from .journal.log import JournalError

    if isinstance(error, ConfigError | JournalError):
        return _complain(str(error), EXIT_USAGE)
    if isinstance(error, StartError | ModelError | OSError):
        return _complain(str(error), EXIT_FAILED)
    raise error


def _complain(message: str, code: int) -> int:
    from .printing import one_line

    typer.echo(f"housemates: {one_line(message, 1000)}", err=True)
    return code


if __name__ == "__main__":
    main()
