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
            chats = self._chats.setdefault(
                (call_deadline_s, terms), Chats(deadline_s=call_deadline_s, gate=gate, terms=terms)
            )
            self._hosts[name] = self._host(specs, endpoint, chats)

    async def turns(self, name: str, letter: bytes) -> bytes:
        """See `AgentHost.turns`."""
        return await self._hosts[name].turns(letter)

    async def close(self, name: str) -> None:
        """Close a group, if it is there; the last one gives the connections to the models back."""
        self._hosts.pop(name, None)
        if not self._hosts:
            while self._chats:
                await self._chats.popitem()[1].close()

    def _host(self, specs: Sequence[AgentSpec], endpoint: Endpoint, chats: Chats) -> AgentHost:
        return AgentHost(specs, endpoint, chats)
