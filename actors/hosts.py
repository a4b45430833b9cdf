"""Groups of agents in one process, of one episode or of several: a plain class, which `actors.actor` makes an actor."""

from __future__ import annotations

from collections.abc import Sequence

from ..env.collecting import collect_seldom
from .agent import AgentSpec
from .host import AgentHost
from .limiter.gate import Granting, Terms
from .model.chat import Endpoint
from .model.chats import Chats


class AgentHosts:
    """Groups by name, each served by a host of its own; those that ask on the same terms share clients of models.

    Every call may arrive more than once.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, AgentHost] = {}
        self._chats: dict[tuple[float, Terms | None], Chats] = {}

    async def ready(self) -> None:
        """Make the process fit for what is to come; answers when it is there."""
        collect_seldom()

    async def open(
        self,
        name: str,
        specs: Sequence[AgentSpec],
        endpoint: Endpoint,
        *,
        call_deadline_s: float,
        gate: Granting | None = None,
        terms: Terms | None = None,
    ) -> None:
        """Make a group, unless there is one of that name already. See `Chats` for the terms."""
        if name not in self._hosts:
            if (call_deadline_s, terms) not in self._chats:
                self._chats[call_deadline_s, terms] = Chats(deadline_s=call_deadline_s, gate=gate, terms=terms)
            self._hosts[name] = self._host(specs, endpoint, self._chats[call_deadline_s, terms])

    async def turns(self, name: str, letter: bytes) -> bytes:
        """See `AgentHost.turns`."""
        return await self._hosts[name].turns(letter)

    async def close(self, name: str) -> None:
        """Close a group, if it is there, and break off what it does; with the last one connections to models end."""
        host = self._hosts.pop(name, None)
        if host is not None:
            await host.stop()
        if not self._hosts:
            unused, self._chats = self._chats, {}
            for chats in unused.values():
                await chats.close()

    def _host(self, specs: Sequence[AgentSpec], endpoint: Endpoint, chats: Chats) -> AgentHost:
        return AgentHost(specs, endpoint, chats)
