"""Cuts off replies that do not end. Imported with the HTTP client, not before it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from httpx2 import AsyncByteStream

MAX_BODY_BYTES = 16 * 2**20
"""A reply is text that a model wrote; whoever sends more is no model."""


class EndlessReply(Exception):
    """More than `MAX_BODY_BYTES`."""


class _Bounded(AsyncByteStream):
    """A body, read up to the bound."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        async for chunk in self._stream:
            received += len(chunk)
            if received > MAX_BODY_BYTES:
                raise EndlessReply
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def bound(response: Any) -> None:
    """Have a body refused that does not end: a hook for responses."""
    response.stream = _Bounded(response.stream)
