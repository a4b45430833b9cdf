"""The embedded model: llama.cpp's own HTTP server in a child process that belongs to us.

The server runs outside the agents' processes because one set of weights serves them all,
and because a crash in native code must not take an agent with it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .server_process import SUPERVISED, ServerProcess, be_supervised
from .weights import ModelError, verify

CONTEXT_TOKENS = 4096
"""Room for one prompt with its reply. The longest prompts, the optimizer's, come to about 3,000 tokens."""

MAX_SLOTS = 16
MAX_SLOTS_LARGE = 4
_LARGE_BYTES = 500_000_000  # from here on 16 contexts of a model may need more memory than its weights
_START_S = 300.0  # a model of many GB is read from disk first
_POOL_THREADS = 8
# Threads that wait for each other spin for a millisecond before they sleep. As soon as anything else wants a
# core, and the agents do, calls became more than ten times slower that way. A short spin keeps the speed of an
# idle machine; none at all halves the tokens written per second.
_SHORT_SPINS = {"GOMP_SPINCOUNT": "1000"}
_LOG_LEVEL = 2  # warnings and errors; prompts would be logged at higher levels


def slots_for(agents: int, *, large: bool = False) -> int:
    """How many prompts the server keeps and works on at once.

    Two per agent: the prompts to act and to learn share no beginning, and a slot that
    serves both in turn would read each of them anew every time.
    """
    return max(2, min(2 * agents, MAX_SLOTS_LARGE if large else MAX_SLOTS))


def model_name(path: Path) -> str:
    """What the server calls the model in a file, and what `Endpoint.model` must be."""
    return path.stem


def usable_cores() -> int:
    """The cores this process may run on (a container or `taskset` may allow fewer than there are)."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local_server(path: Path, agents: int = 2, log_path: Path | None = None) -> ServerProcess:
    """A server for the GGUF model at `path`, sized for `agents`. Not started yet.

    Args:
        path: the model file; pulled models are checked against their hash.
        agents: how many agents share it.
        log_path: where llama.cpp's log goes.

    Raises:
        ModelError: the engine is not installed, or the file is missing or wrong.
    """
    if find_spec("xllamacpp") is None:
        raise ModelError("the embedded model needs xllamacpp; install it: pip install 'housemates[local]'")
    verify(path)
    slots = slots_for(agents, large=path.stat().st_size >= _LARGE_BYTES)
    arguments = ["--model", str(path.resolve()), "--slots", str(slots)]
    return ServerProcess(__name__, arguments, environment=_SHORT_SPINS, log_path=log_path, start_timeout_s=_START_S)


def parameters(path: str, slots: int) -> Any:
    """llama.cpp's settings. Its defaults for batch sizes and flash attention measured best, and are kept."""
    p = _engine().CommonParams()
    p.model.path = path
    p.model_alias = {model_name(Path(path))}
    p.hostnames = ["127.0.0.1"]
    p.port = 0
    p.n_parallel = slots
    p.n_ctx = slots * CONTEXT_TOKENS
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = usable_cores()
    p.cache_prompt = True
    p.cache_ram_mib = 0  # a second copy of prompts that the slots already keep
    p.n_threads_http = max(_POOL_THREADS, slots + 2)
    # Nothing but the completions: no web page, no other origins, no view of the prompts of others.
    p.ui = False
    p.cors_origins = ""
    p.cors_origins_explicit = True
    p.cors_credentials = False
    p.endpoint_slots = False
    p.endpoint_props = False
    p.endpoint_metrics = False
    p.verbosity = _LOG_LEVEL
    return p


def _engine() -> Any:
    """xllamacpp, which is native code without types."""
    return import_module("xllamacpp")


def main() -> None:
    """Serve the embedded model until told to end; how we start it as a child process."""
    parser = argparse.ArgumentParser(prog="python -m housemates.actors.model.local", description=__doc__)
    parser.add_argument("--model", required=True, help="a GGUF file")
    parser.add_argument("--slots", type=int, default=slots_for(2), help="prompts at once")
    parser.add_argument(SUPERVISED, action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    announce = be_supervised() if options.supervised else None

    server = _engine().Server(parameters(options.model, options.slots))
    port = urlsplit(server.listening_address).port
    if announce is not None and port is not None:
        announce(port)
    while True:  # the server has its own threads; this one only stays alive for signals
        time.sleep(3600)


if __name__ == "__main__":
    main()
