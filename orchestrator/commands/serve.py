"""`housemates serve`: our engine where a client expects the VirtualHome executable."""

from __future__ import annotations

import logging
import re
import shlex
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

import housemates

from ..errors import ConfigError

_UNITY_FLAG = re.compile(r"--?(?P<name>[A-Za-z][A-Za-z-]*)(?:[= ](?P<value>.*))?", re.S)
_OWN_ROOT = Path(housemates.__file__).parent.parent


class UnityFlags(NamedTuple):
    """What a launcher of the executable may say that matters to us."""

    port: int | None = None
    log_path: Path | None = None


def read_unity_flags(arguments: Sequence[str]) -> UnityFlags:
    """The flags of the Unity executable, in any order; those we have no use for are ignored, with their values.

    `-http-port=N` and `--http-port=N` name the port; `-logFile PATH` the log, also as the one argument
    `"-logFile PATH"` that the public launcher makes of it.

    Raises:
        ConfigError: a port that is no number, a long option that nobody knows, or a stray word.
    """
    port: int | None = None
    log_path: Path | None = None
    flag = ""
    for argument in arguments:
        match = _UNITY_FLAG.fullmatch(argument)
        if match is None or not argument.startswith("-"):
            if not flag:
                raise ConfigError(f"serve: unexpected argument {argument!r}")
            log_path = Path(argument) if flag == "logFile" else log_path
            flag = ""
            continue
        flag, value = match["name"], match["value"]
        if flag == "http-port":
            if not (value or "").isdecimal() or int(value) > 65535:
                raise ConfigError(f"serve: {argument!r} names no port; write -http-port=8080")
            port = int(value)
        elif argument.startswith("--"):
            raise ConfigError(f"serve: no such option: --{flag}")
        if value is not None:
            log_path = Path(value) if flag == "logFile" else log_path
            flag = ""
    return UnityFlags(port, log_path)


def write_executable(path: Path, arguments: Sequence[str] = ()) -> Path:
    """Write a small executable file that starts our server with this Python, for launchers that want a file.

    It needs no environment: launchers of VirtualHome wipe it.

    Returns:
        The file; `.x86_64` is appended unless the name ends with it, because launchers look for that.
    """
    if path.suffix != ".x86_64":
        path = path.with_name(path.name + ".x86_64")
    command = [sys.executable, "-P", "-m", "housemates.orchestrator.cli", "serve", *arguments]
    path.write_text(
        "#!/bin/sh\n# Starts the housemates server in place of VirtualHome's Unity executable.\n"
        f'PYTHONPATH={shlex.quote(str(_OWN_ROOT))} exec {shlex.join(command)} "$@"\n'
    )
    path.chmod(0o755)
    return path


def open_to_others(host: str) -> bool:
    """Whether other machines can reach a server that listens there."""
    return host != "localhost" and not ip_address(host).is_loopback


def serve(
    context: typer.Context,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="0: any free one. [default: 8080]")
    ] = None,
    apartment: Annotated[int, typer.Option("--apartment", min=0, max=49, help="The one that is loaded at first.")] = 0,
    host: Annotated[
        str, typer.Option("--host", help="The address to listen on. Nothing in the protocol asks who a client is.")
    ] = "127.0.0.1",
    make_executable: Annotated[
        Path | None,
        typer.Option("--make-executable", metavar="PATH", help="Write a file that starts this server, and end."),
    ] = None,
) -> None:
    """Serve the household over VirtualHome's protocol, until Ctrl-C.

    Also takes the flags of the Unity executable: -batchmode -http-port=N -logFile PATH; others are ignored.
    """
    flags = read_unity_flags(context.args)
    if make_executable is not None:
        typer.echo(f"wrote {write_executable(make_executable, ['--apartment', str(apartment)])}")
        return
    if port is not None and flags.port is not None and port != flags.port:
        raise ConfigError(f"serve: two ports, {port} and {flags.port}")
    from ...env.virtualhome.server import serve as serve_forever
    from ...env.virtualhome.wire import DEFAULT_PORT

    try:
        if open_to_others(host):
            typer.echo(f"WARNING: whoever reaches {host} can use and change this household; nobody is asked", err=True)
    except ValueError:
        raise ConfigError(f"--host: {host!r} is no address") from None
    if flags.log_path is not None:
        flags.log_path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=flags.log_path, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    def ready(url: str) -> None:
        logging.getLogger(__name__).info("VirtualHome protocol at %s", url)
        typer.echo(f"the household answers at {url}\n  UnityCommunication(port='{url.rpartition(':')[2]}')")

    wanted = next((given for given in (port, flags.port) if given is not None), DEFAULT_PORT)
    serve_forever(host, wanted, apartment, ready)
