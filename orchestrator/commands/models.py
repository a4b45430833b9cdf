"""`housemates models`: the embedded model on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

models_app = typer.Typer(help="The embedded model.", rich_markup_mode=None)


@models_app.command()
def pull(
    force: Annotated[bool, typer.Option("--force", help="Fetch it again even if it is there.")] = False,
) -> None:
    """Fetch the embedded model (98 MB, once) into the user's cache."""
    from ...actors.model import weights as models

    path = models.pull(typer.echo, force=force)
    typer.echo(f"the embedded model is at {path}")


@models_app.command("list")
def list_models() -> None:
    """Show the models that can be embedded, and which are here."""
    from ...actors.model import weights as models

    for model in models.list_models():
        here = "here" if model.present else "not pulled"
        typer.echo(f"{model.name}  {model.size_bytes / 1e6:.0f} MB  {model.licence}  {here}  {model.path}")
