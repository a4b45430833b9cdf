"""Where the agents' models answer: endpoints of the user's, or model servers that we start and stop."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from ..actors.model.chat import Endpoint
from ..actors.model.server_process import ServerProcess
from ..env.plugin import PluginError
from .config import KEY_VARIABLE, OPENAI_URL, ModelChoice
from .errors import ConfigError

LOG_NAME = "model-server.log"
REPLAYED_URL = "http://replayed.invalid/v1"
"""Where models are that are played back: nowhere (RFC 2606)."""


class Served(NamedTuple):
    """Where everybody's model answers, where the others do, and the servers that are ours."""

    endpoint: Endpoint
    endpoints: Mapping[ModelChoice, Endpoint]
    servers: Sequence[ServerProcess]


@contextmanager
def serving(
    choices: Sequence[ModelChoice], agents: int, run_dir: Path, say: Callable[[str], None], *, replayed: bool = False
) -> Generator[Served]:
    """The endpoints of some models, the first everybody's, up for as long as the context lasts.

    `agents` is how many ask at the same time. Models that are `replayed` are nowhere.

    The embedded model is fetched first if it is not there; `say` is told of whatever takes long. Start it
    from the main thread: a server is bound to the life of the thread that starts it.

    Raises:
        ConfigError: no key for OpenAI, or a model file that is missing or damaged.
        ServerError: a model server did not come up.
    """
    endpoints: dict[ModelChoice, Endpoint] = {}
    servers: list[ServerProcess] = []
    log_path = run_dir / LOG_NAME
    with ExitStack() as stack:
        for choice in choices:
            kind, _, name = choice.llm.partition(":")
            if replayed:
                endpoints[choice] = replayed_endpoint(choice)
            elif kind == "openai":
                endpoints[choice] = openai_endpoint(choice)
            else:
                server = stack.enter_context(_server(agents, kind, name, log_path, say))
                servers.append(server)
                endpoints[choice] = Endpoint(base_url=server.url, model=_model_name(kind, name), ours=True)
        yield Served(endpoints[choices[0]], endpoints, servers)


def replayed_endpoint(choice: ModelChoice) -> Endpoint:
    """Where a model is that is played back: nowhere, but called as when it was recorded."""
    kind, _, name = choice.llm.partition(":")
    return Endpoint(base_url=REPLAYED_URL, model=_model_name(kind, name))


def _server(agents: int, kind: str, name: str, log_path: Path, say: Callable[[str], None]) -> ServerProcess:
    if kind == "scripted":
        from ..actors.model.scripted_server import scripted_server

        try:
            return scripted_server(0.0, log_path=log_path, rules=name)
        except PluginError as error:
            raise ConfigError(f"llm: {error}") from None
    from ..actors.model import weights as models
    from ..actors.model.local import local_server

    try:
        path = Path(name).expanduser() if name else models.find() or models.pull(say)
        return local_server(path, agents, log_path=log_path)
    except models.ModelError as error:
        raise ConfigError(str(error)) from None


def _model_name(kind: str, name: str) -> str:
    """What a model is called in requests."""
    if kind == "local":
        from ..actors.model.local import model_name
        from ..actors.model.weights import model_path

        return model_name(Path(name) if name else model_path())
    return kind if kind == "scripted" else name


def openai_endpoint(choice: ModelChoice) -> Endpoint:
    """OpenAI or whatever speaks its protocol.

    A key goes to the endpoint it is for and nowhere else: OPENAI_API_KEY to OpenAI, any other where `key_env` says.

    Raises:
        ConfigError: the key is missing.
    """
    url, model = choice.base_url or OPENAI_URL, choice.llm.partition(":")[2]
    key_env = choice.key_env or (KEY_VARIABLE if url.startswith(OPENAI_URL) else None)
    if key_env and not os.environ.get(key_env):
        another = "" if choice.key_env else ", or --base-url for another endpoint"
        raise ConfigError(f"{choice.llm} needs a key: set {key_env}{another}")
    return _endpoint(url, model, key_env)


def _endpoint(url: str, model: str, key_env: str | None = None) -> Endpoint:
    try:
        return Endpoint(base_url=url, model=model, key_env=key_env)
    except ValueError as error:
        raise ConfigError(f"--base-url: {error}") from None
