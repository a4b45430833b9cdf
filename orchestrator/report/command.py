"""`housemates report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Runs, studies, or folders that hold runs.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the report goes. [default: <first DIR>/report]")
    ] = None,
    price_in: Annotated[float, typer.Option("--price-in", min=0, help="Dollars per million prompt tokens.")] = 0.0,
    price_out: Annotated[float, typer.Option("--price-out", min=0, help="Dollars per million reply tokens.")] = 0.0,
) -> None:
    """Compare episodes: actions, messages, success, cost and emergence, as pages, figures and tables."""
    from ..private_files import make_private
    from .rows import Prices, read_results
    from .writing import write_report

    results = read_results(folders, Prices(price_in, price_out))
    if out is None:  # a place that the user names has the user's own rules
        make_private(folders[0] / "report", exist_ok=True)
    for path in write_report(results, out or folders[0] / "report"):
        if out is None:
            path.chmod(0o600)
        typer.echo(path)
