"""Keeps the Ray that we start to ourselves: on loopback, behind a token that only this user can read.

Left to itself Ray 2.60 listens on all interfaces even for one machine, opens its session folder to every user, and
keeps its token where every user may read it. What stays open all the same is told in SECURITY.md.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import RuntimeFailure

LOOPBACK = "127.0.0.1"
_TOKEN_NAME = "token"
_OWN = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@contextmanager
def private_access(session: Path) -> Generator[None]:
    """A Ray started within the context is ours alone; processes started meanwhile can reach it.

    Args:
        session: a folder private to this user; the token is written into it.
    """
    path = session / _TOKEN_NAME
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    before = {name: os.environ.pop(name, None) for name in _OWN}
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN_PATH=str(path))
    try:
        _take_in()
        with _on_loopback():
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _take_in()


def check_loopback() -> None:
    """Make sure that the Ray that is up cannot be reached from elsewhere.

    Raises:
        RuntimeFailure: it can.
    """
    import ray

    address = ray.util.get_node_ip_address()
    if address != LOOPBACK:
        raise RuntimeFailure(f"Ray listens at {address} instead of {LOOPBACK}; it would be open to the network")


@contextmanager
def _on_loopback() -> Generator[None]:
    """Ray replaces 127.0.0.1 by the machine's address unless it believes it is on a system without clusters."""
    from ray._private import ray_constants

    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _take_in() -> None:
    """Ray reads mode and token once in a process; have it read them again."""
    native: Any = import_module("ray._raylet")  # compiled, without types
    native.Config.initialize("")
    native.AuthenticationTokenLoader.instance().reset_cache()
