"""Where the agents' model answers: an endpoint of the user's, or a model server that we start and stop."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ..actors.chat import Endpoint
from ..actors.server_process import ServerProcess
from .config import KEY_VARIABLE, OPENAI_URL, RunConfig
from .errors import ConfigError

LOG_NAME = "model-server.log"


class Served(NamedTuple):
    """Where the model answers, and the server with its log if it is one of ours."""

    endpoint: Endpoint
    server: ServerProcess | None
    log_path: Path | None


@contextmanager
def serving(config: RunConfig, run_dir: Path, say: Callable[[str], None]) -> Generator[Served]:
    """The endpoint of the configured model, up for as long as the context lasts.

    The embedded model is fetched first if it is not there; `say` is told of whatever takes long. Start it
    from the main thread: the server is bound to the life of the thread that starts it.

    Raises:
        ConfigError: no key for OpenAI, or a model file that is missing or damaged.
        ServerError: the model server did not come up.
    """
    kind, _, name = config.llm.partition(":")
    if kind == "openai":
        yield Served(openai_endpoint(config, name), None, None)
        return
    log_path = run_dir / LOG_NAME
    if kind == "scripted":
        from ..actors.scripted_server import scripted_server

        server = scripted_server(0.0, log_path=log_path)
        model = "scripted"
    else:
        from ..actors import models
        from ..actors.local import local_server, model_name

        try:
            path = Path(name).expanduser() if name else models.find() or models.pull(say)
            server = local_server(path, config.agents, log_path=log_path)
        except models.ModelError as error:
            raise ConfigError(str(error)) from None
        model = model_name(path)
    with server:
        yield Served(Endpoint(base_url=server.url, model=model), server, log_path)


def openai_endpoint(config: RunConfig, model: str) -> Endpoint:
    """OpenAI or whatever speaks its protocol; only OpenAI itself insists on a key.

    Raises:
        ConfigError: the key is missing.
    """
    url = config.base_url or OPENAI_URL
    if os.environ.get(KEY_VARIABLE):
        return _endpoint(url, model, KEY_VARIABLE)
    if url.startswith(OPENAI_URL):
        raise ConfigError(f"{config.llm} needs a key: set {KEY_VARIABLE}, or --base-url for another endpoint")
    return _endpoint(url, model)


def _endpoint(url: str, model: str, key_env: str | None = None) -> Endpoint:
    try:
        return Endpoint(base_url=url, model=model, key_env=key_env)
    except ValueError as error:
        raise ConfigError(f"--base-url: {error}") from None
