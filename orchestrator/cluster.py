"""Ray: one of our own on this machine, quietly and for this run alone, or a cluster that is there already."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import count, islice
from pathlib import Path
from random import randrange
from typing import Any

import psutil

from ..actors.model.chat import Endpoint
from .errors import RuntimeFailure
from .machine_check import lacks
from .ray_access import check_loopback, private_access
from .session import Session, sweep
from .shipping import requirements, shipped
from .supervisor import Supervisor

OBJECT_STORE_BYTES = 128 * 1024 * 1024
"""Turns are a few kilobytes, which Ray sends without its object store."""

SESSION_PARENT = "/tmp"
"""Where Ray's sockets and logs live for the time of a run; a socket's path must stay below 107 bytes."""

SWEEPS = 5
"""A process that is killed may just have started another one, so we look again until there is none."""

REACH_S = 5.0
"""Seconds within which a cluster must be reachable."""

CHECK_S = 120.0
"""Seconds the machines of a cluster have to take our code in and to say what they lack."""

LOCATE_S = 2.0
"""Seconds an actor has to say where it is."""

STARTS = 2
"""How often a Ray of our own is started if it does not come up."""

HEAD_S = 10.0
"""Seconds without a connection after which the head of a cluster is given up."""

HEAD_POLL_S = 1.0

STOP_S = 1.0
"""Seconds all sweeps may take."""

_PR_SET_CHILD_SUBREAPER = 36

_session: str | None = None  # the folder of the Ray of ours that is up
_turns = count(randrange(1000))  # which machine comes first: another one for each run, and in each process of a run
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
    ray = _idle_ray()
    try:
        try:
            if address != "auto":  # Ray itself would try for minutes
                host, _, port = address.rpartition(":")
                socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_S).close()
            with tempfile.TemporaryDirectory(prefix="housemates-shipped-") as staging:
                _connect(address=address, runtime_env={"py_modules": shipped(Path(staging))})
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


def machines() -> dict[str, str]:
    """The name of each machine that is up, by its id in Ray. A name that several have is told apart."""
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    names = [node["NodeName"] for node in nodes]
    return {
        node["NodeID"]: name if names.count(name) == 1 else f"{name}#{node['NodeID'][:6]}"
        for node, name in zip(nodes, names, strict=True)
    }


def places(first: int, turns: Iterator[int] | None = None) -> Iterator[dict[str, Any]]:
    """Options for one actor after another: with the first ones the machines take turns, later ones go where Ray likes.

    Args:
        first: so many take turns.
        turns: the numbers of theirs; None: they begin with another machine than those before.

    Ray's SPREAD and soft affinity leave machines out when there are few actors. Affinity that is strict cannot be had
    for actors that are made again: their machine may be the one that died.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    # The actors wait for models most of the time: cores are no measure of how many fit on a machine.
    up = sorted(machines())
    for turn in islice(turns or count(next(_turns)), first):
        strategy = NodeAffinitySchedulingStrategy(up[turn % len(up)], soft=False)
        yield {"num_cpus": 0, "scheduling_strategy": strategy}
    while True:
        yield {"num_cpus": 0, "scheduling_strategy": "SPREAD"}


async def machines_of(actors: Mapping[str, Any]) -> dict[str, str]:
    """The machine of each Ray actor by the actors' names.

    Actors that are gone, or that do not answer within `LOCATE_S`, are left out.
    """
    names = machines()
    own = {id(actor): actor for actor in actors.values()}
    asked = {key: asyncio.ensure_future(_machine_of(actor)) for key, actor in own.items()}
    await asyncio.wait(asked.values(), timeout=LOCATE_S)
    at: dict[int, str] = {}
    for key, answer in asked.items():
        if answer.done() and answer.result() in names:
            at[key] = names[answer.result()]
        answer.cancel()
    return {name: at[id(actor)] for name, actor in actors.items() if id(actor) in at}


async def _machine_of(actor: Any) -> str:
    """The id of an actor's machine; "" if it is gone."""
    import ray
    from ray.exceptions import RayError

    def here(_: object) -> str:
        return ray.get_runtime_context().get_node_id()

    try:
        return await actor.__ray_call__.remote(here)
    except RayError:
        return ""


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


@contextmanager
def local_ray() -> Generator[None]:
    """A Ray of our own, up for as long as the context lasts, all of its processes gone afterwards.

    Start it from the main thread: Ray's processes are bound to the life of the thread that starts them.
    One at a time in a process.
    """
    global _session
    ray = _idle_ray()
    sweep(Path(SESSION_PARENT))
    session = Session(Path(SESSION_PARENT))
    _session = str(session.folder)
    supervisor = Supervisor(_session, session.lock)
    _adopt_orphans(True)
    doors = ExitStack()
    try:
        doors.enter_context(private_access(Path(_session)))
        _start_own(_session)
        check_loopback()
        yield
    finally:
        ray.shutdown()
        end_own_ray()
        doors.close()
        supervisor.dismiss()
        session.release()
        _session = None
        _adopt_orphans(False)


def _start_own(session: str) -> None:
    """Start a Ray with all that it writes below the session's folder, and connect to it.

    Raises:
        RuntimeFailure: it does not come up.
    """
    import ray

    for left in reversed(range(STARTS)):
        try:
            _connect(
                address="local",
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                _temp_dir=f"{session}/ray",  # Ray opens it to all users of the machine
            )
            return
        except Exception as error:  # Ray raises just that when one of its processes dies or is too slow
            if not left:
                raise RuntimeFailure(f"Ray did not start: {' '.join(str(error).split())}") from None
            ray.shutdown()
            _kill_processes(session)


def _idle_ray() -> Any:
    """The module, with nothing connected.

    Raises:
        RuntimeFailure: a Ray is up in this process.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no network access nobody asked for
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns of its own plans
    import ray

    if ray.is_initialized():
        raise RuntimeFailure("Ray is already running in this process; end it first (ray.shutdown())")
    return ray


def _connect(**where: Any) -> None:
    import ray

    on_sigterm = signal.getsignal(signal.SIGTERM)
    ray.init(log_to_driver=False, logging_level=logging.ERROR, namespace="housemates", **where)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray's own ends the process without a word


def end_own_ray() -> None:
    """End what Ray's own shutdown leaves behind, above all when it was interrupted while starting."""
    if _session is None:
        return
    _kill_processes(_session)
    _bury_adopted()
    shutil.rmtree(_session, ignore_errors=True)


def _kill_processes(session: str) -> None:
    for _ in range(SWEEPS):
        left = [child for child in psutil.Process().children(recursive=True) if _is_rays(child, session)]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=STOP_S / SWEEPS)


def _bury_adopted() -> None:
    """Reap the dead among the processes we adopted; whoever starts one of our own waits for it."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError, ChildProcessError):
            if child.status() == psutil.STATUS_ZOMBIE and os.getpgid(child.pid) not in (os.getpgrp(), child.pid):
                os.waitpid(child.pid, os.WNOHANG)


def _is_rays(process: psutil.Process, session: str) -> bool:
    """Ray's processes name the session in their arguments, or call themselves `ray::…`."""
    try:
        return process.name().startswith("ray::") or any(session in argument for argument in process.cmdline())
    except psutil.Error:  # gone meanwhile, or a zombie
        return False


def _adopt_orphans(adopt: bool) -> None:
    """Have the children of dead children become ours (Linux), so that none is lost from sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(adopt), 0, 0, 0)


def cores() -> int:
    """Of all machines of the Ray that is up, as far as Ray may use them; at least one."""
    import ray

    return max(1, int(ray.cluster_resources().get("CPU", 1)))
