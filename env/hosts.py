"""Several worlds in one process: a plain class, which `env.actor` puts into a Ray actor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .collecting import collect_seldom
from .host import WorldHost
from .world import World


class WorldHosts:
    """Worlds by name, each made where it lives and served by a host of its own; none is held up by what another did.

    Every call may arrive more than once.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, WorldHost] = {}

    def ready(self) -> None:
        """Make the process fit for what is to come; answers when it is there."""
        collect_seldom()

    def open(self, name: str, factory: Callable[..., World], arguments: Mapping[str, Any]) -> None:
        """Make a world, unless there is one of that name already."""
        if name not in self._hosts:
            self._hosts[name] = WorldHost(factory, arguments)

    def once(self, name: str, number: int, method: str, *arguments: Any) -> Any:
        """See `WorldHost.once`."""
        return self._hosts[name].once(number, method, *arguments)

    def close(self, name: str) -> None:
        """Close a world, if it is there; the others stay."""
        host = self._hosts.pop(name, None)
        if host is not None:
            host.close()
