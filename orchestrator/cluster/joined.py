"""A cluster that somebody else started, joined for the time of a run."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from ...actors.model.chat import Endpoint
from ..errors import RuntimeFailure
from .connecting import connect, idle_ray
from .machine_check import lacks
from .machines import machines
from .own import local_ray
from .shipping import requirements, shipped

REACH_S = 5.0
"""Seconds within which a cluster must be reachable."""

CHECK_S = 120.0
"""Seconds the machines of a cluster have to take our code in and to say what they lack."""

HEAD_S = 10.0
"""Seconds without a connection after which the head of a cluster is given up."""

HEAD_POLL_S = 1.0

_head = ""  # where the head of the cluster is that is joined


def ray_at(address: str = "", endpoints: Iterable[Endpoint] = ()) -> AbstractContextManager[None]:
    """A Ray of our own, or the cluster at an address (HOST:PORT, or `auto` for the one this machine belongs to).

    `endpoints` are those of the models that actors will ask.
    """
    return joined_ray(address, endpoints) if address else local_ray()


@contextmanager
def joined_ray(address: str, endpoints: Iterable[Endpoint] = ()) -> Generator[None]:
    """A cluster that somebody else started, joined for as long as the context lasts.

    Its machines are sent this package and the user's modules, and asked for what they lack.

    Raises:
        RuntimeFailure: there is none, it does not let us in, a machine lacks something, or a Ray is up in this process.
    """
    if address.startswith("ray://"):
        raise RuntimeFailure(
            f"{address}: Ray Client is not supported; run on a machine of the cluster (--address auto), or from "
            "elsewhere with: ray job submit --address http://HEAD:8265 -- housemates run --address auto …"
        )
    global _head
    ray = idle_ray()
    try:
        try:
            if address != "auto":  # Ray itself would try for minutes
                host, _, port = address.rpartition(":")
                socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
            with tempfile.TemporaryDirectory(prefix="housemates-shipped-") as staging:
                connect(address=address, runtime_env={"py_modules": shipped(Path(staging))})
        except (OSError, RuntimeError, ValueError) as error:
            raise RuntimeFailure(f"cannot join the Ray cluster at {address}: {error}") from None
        _head = ray.get_runtime_context().gcs_address
        _check_machines(endpoints)
        yield
    finally:
        _head = ""
        ray.shutdown()


async def head_loss() -> str:
    """Waits until the head of the joined cluster is gone, for ever if none is joined; says so in one line.

    Without a head nothing new can be made in a cluster. Ray itself would wait for a minute, and end the process then.
    """
    host, _, port = _head.rpartition(":")
    heard = time.monotonic()
    while not _head or time.monotonic() - heard < HEAD_S:
        await asyncio.sleep(HEAD_POLL_S)
        with contextlib.suppress(OSError, TimeoutError):
            if _head:
                async with asyncio.timeout(HEAD_S):
                    _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
                writer.close()
            heard = time.monotonic()
    return f"the head of the Ray cluster at {_head} is gone"


def _check_machines(endpoints: Iterable[Endpoint]) -> None:
    """Ask every machine what it lacks.

    Raises:
        RuntimeFailure: something, or it does not answer.
    """
    import ray
    from ray.exceptions import GetTimeoutError, RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    models = sorted({(endpoint.base_url, endpoint.key_env) for endpoint in endpoints}, key=str)
    ask: Any = ray.remote(lacks)
    asked = {
        name: ask.options(
            num_cpus=0, max_retries=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)
        ).remote(requirements(), models)
        for node, name in machines().items()
    }
    ray.wait(list(asked.values()), num_returns=len(asked), timeout=CHECK_S)
    for name, answer in asked.items():
        try:
            wrong: list[str] = ray.get(answer, timeout=0)
        except GetTimeoutError:
            wrong = [f"did not take our code in within {CHECK_S:g} s"]
        except RayError as error:
            wrong = [f"does not run our code: {str(error).strip().splitlines()[-1]}"]
        if wrong:
            raise RuntimeFailure(f"the machine {name} of the cluster {'; '.join(wrong)} (see docs/cluster.md)")
