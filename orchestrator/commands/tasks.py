"""`housemates tasks`: what there is to do."""

from __future__ import annotations

from typing import Annotated

import typer


def tasks(
    as_schema: Annotated[bool, typer.Option("--schema", help="The JSON schema of task files instead.")] = False,
) -> None:
    """List the tasks: the families, then the numbered ones with their homes."""
    from ...env.household.tasks.families import FIFTY, TASKS
    from ...env.household.tasks.task_file import schema

    if as_schema:
        typer.echo(schema())
        return
    for task in TASKS.values():
        typer.echo(f"{task.name:18} {task.summary}")
    for task in FIFTY.values():
        typer.echo(f"{task.name:2} in home {task.home:5} {task.description}: {task.summary}")
