"""Clients of models, shared by all agents of a process."""

from __future__ import annotations

from ..limiter.gate import Granting, Terms
from ..limiter.permits import Permits
from .chat import ChatModel, Endpoint


class Chats:
    """One client for each endpoint, whoever uses it: connections are kept warm, and leave is asked for together.

    Args:
        deadline_s: seconds that a call may take.
        gate: where calls are granted; None: nothing limits them.
        terms: on which.
    """

    def __init__(self, *, deadline_s: float = 120.0, gate: Granting | None = None, terms: Terms | None = None) -> None:
        self._deadline_s = deadline_s
        self._gate = gate
        self._terms = terms or Terms()
        self._chats: dict[Endpoint, ChatModel] = {}

    def at(self, endpoint: Endpoint) -> ChatModel:
        """The client of an endpoint."""
        if endpoint not in self._chats:
            permits = Permits(self._gate.exchange, endpoint.account, self._terms) if self._gate else None
            self._chats[endpoint] = ChatModel(endpoint, deadline_s=self._deadline_s, permits=permits)
        return self._chats[endpoint]

    async def close(self) -> None:
        """Give the connections back."""
        for chat in self._chats.values():
            await chat.close()
