"""The page of the command line, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from housemates.orchestrator.cli import app

INTRODUCTION = """# Commands

`housemates COMMAND --help` prints the same. Options of `run` can also be set as variables and in a file:
[settings](settings.md).
"""


def cli_page() -> str:
    """All commands, in the order of `housemates --help`, as Markdown."""
    root: Any = typer.main.get_command(app)
    context = root.make_context("housemates", [], resilient_parsing=True)
    return "\n".join([INTRODUCTION, *_sections("housemates", root, context)])


def _sections(path: str, command: Any, parent: Any) -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from _sections(f"{path} {name}", child, parent)
        return
    context = command.make_context(path, [], parent=parent, resilient_parsing=True)
    yield f"## {path}\n"
    yield f"```text\n{path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield _prose(command.help or "")
    rows = [row for parameter in command.params if (row := _row(parameter, context))]
    if rows:
        yield "| argument or option | meaning |\n|---|---|"
        yield from rows
        yield ""
    if command.epilog:
        yield _prose(command.epilog)


def _row(parameter: Any, context: Any) -> str:
    """An argument or option as a row of a table; "" if it is hidden."""
    if parameter.param_type_name == "argument":
        return f"| `{parameter.metavar or parameter.name.upper()}` | {_cell(parameter.help or '')} |"
    record = parameter.get_help_record(context)
    return f"| `{record[0]}` | {_cell(record[1])} |" if record else ""


def _cell(text: str) -> str:
    return _literal(" ".join(text.split())).replace("|", "\\|")


def _prose(text: str) -> str:
    """Help text as Markdown; what \\b keeps in its lines is a block."""
    parts = [part for part in text.strip().split("\n\n") if part.strip()]
    return "".join(
        f"```text\n{part.removeprefix(chr(8)).strip()}\n```\n\n"
        if part.startswith("\b")
        else _literal(" ".join(part.split())) + "\n\n"
        for part in parts
    )


def _literal(text: str) -> str:
    """Text in which nothing is markup."""
    for character in "\\`*_[]":
        text = text.replace(character, f"\\{character}")
    return text.replace("&", "&amp;").replace("<", "&lt;")
