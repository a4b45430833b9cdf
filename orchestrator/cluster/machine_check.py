"""What a machine of a cluster lacks for our actors. Runs there, before anything else of ours can: it needs no package
but `packaging`, which Ray brings along."""

from __future__ import annotations

import importlib.metadata
import os
import socket
import urllib.request
from collections.abc import Sequence
from urllib.parse import urlsplit

REACH_S = 5.0
"""Seconds within which a model's server must take a connection."""


def lacks(requirements: Sequence[str], models: Sequence[tuple[str, str | None]]) -> list[str]:
    """What is missing on this machine, each in some words that go on after its name.

    Args:
        requirements: packages, as distributions name what they depend on.
        models: base URLs, each with the variable that holds its key, or None.
    """
    packages = [wrong for requirement in requirements if (wrong := _package(requirement))]
    keys = [f"has no {key} in its environment" for _, key in models if key and not os.environ.get(key)]
    return [
        *(["lacks packages: " + ", ".join(packages)] if packages else []),
        *keys,
        *(wrong for url, _ in models if (wrong := _out_of_reach(url))),
    ]


def _package(requirement: str) -> str:
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    if wanted.marker is not None and not wanted.marker.evaluate():
        return ""
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return f"{wanted.name}{wanted.specifier}"
    if wanted.specifier.contains(version, prereleases=True):
        return ""
    return f"{wanted.name}{wanted.specifier} (it has {version})"


def _out_of_reach(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return ""  # only the proxy knows
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=REACH_S).close()
    except OSError as error:
        hint = " (a loopback address is every machine's own)" if host in ("127.0.0.1", "localhost", "::1") else ""
        return f"cannot reach the model at {url}: {error.strerror or error}{hint}"
    return ""
