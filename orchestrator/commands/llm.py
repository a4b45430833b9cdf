"""`housemates llm`: the scripted model as a server of its own, for trying out, tests and clusters."""

from __future__ import annotations

import os
from typing import Annotated

import typer

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def llm(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.")] = 8089,
    latency: Annotated[float, typer.Option("--latency", min=0.0, help="Seconds before each reply.")] = 0.0,
    faults: Annotated[
        str, typer.Option("--faults", metavar="SPEC", help="What it does wrong: 429:0.1,hang:0.01,… (docs/faults.md).")
    ] = "",
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on. One that other machines reach needs --key-env.")
    ] = LOOPBACK[0],
    key_env: Annotated[
        str, typer.Option("--key-env", metavar="NAME", help="The variable that holds the key clients must send.")
    ] = "",
) -> None:
    """Serve the scripted model over the OpenAI protocol until Ctrl-C."""
    from ...actors.model.faults import Faults
    from ...actors.model.scripted_server import serve

    key = os.environ.get(key_env, "").strip()
    if key_env and not key:
        raise typer.BadParameter(f"--key-env: {key_env} is not set")
    if host not in LOOPBACK and not key:
        raise typer.BadParameter(f"--host {host} lets others in; put a key into a variable and name it with --key-env")

    def ready(url: str) -> None:
        more = f" --key-env {key_env}" if key_env else ""
        typer.echo(
            f"the scripted model answers at {url}\n  housemates run --llm openai:scripted --base-url {url}{more}"
        )

    try:
        Faults(faults)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    serve(port, latency, on_ready=ready, faults=faults, host=host, key=key)
