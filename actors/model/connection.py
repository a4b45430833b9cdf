"""HTTP to one OpenAI-compatible server, by the openai package over aiohttp.

Requests go in as bytes and replies come out as text: the package's models of both, which nobody here looks at, are most
of what a call of it costs (half a millisecond of CPU instead of one; aiohttp alone takes a fifth).
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MAX_CONNECTIONS = 2000

KEEP_S = 30.0
KEEP_LOOPBACK_S = 3.0
"""Idle connections: less than the 5 s after which llama.cpp's server closes one under our feet."""

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class Refused(Exception):
    """The server answered with an error.

    Attributes:
        status: of HTTP.
        headers: of the answer.
        complaint: everything the server says about it, for matching only: it may quote the prompt or the key.
        message: its own words for people, "" if it has none; they may quote as well.
    """

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.complaint = text.strip()
        self.message = ""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            return
        said = data.get("error", data) if isinstance(data, dict) else data
        self.complaint = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False) if said else ""
        message = said.get("message") if isinstance(said, dict) else None
        self.message = message if isinstance(message, str) else ""


class Unreachable(Exception):
    """The request did not get through, or its answer did not; the text is the kind of fault, in one word."""


class Connection:
    """The connections to one server, for the tasks of one event loop; make it within that loop.

    Args:
        base_url: of the API.
        key: goes into every request; None for servers without.
        payer: names the account's organization and project, too, if the environment does.
        direct: no proxy stands between, whatever the environment says.
    """

    def __init__(self, base_url: str, key: str | None, *, payer: bool, direct: bool) -> None:
        self.key = key
        self._client = _client(base_url, key or "none", direct=direct)
        # The package itself would name them to whoever is asked, or to nobody, from version to version.
        self._client.organization = os.environ.get("OPENAI_ORG_ID") if payer else None
        self._client.project = os.environ.get("OPENAI_PROJECT_ID") if payer else None
        self._options: Any = {"headers": {"Content-Type": "application/json"} | _leave(key)}

    async def get(self, path: str) -> str:
        """What is there.

        Raises:
            Refused, Unreachable: it is not to be had.
        """
        return await _answered(self._client.get(path, cast_to=str, options=self._options))

    async def post(self, path: str, body: Mapping[str, Any]) -> str:
        """What the server answers to a body, which is sent as JSON.

        Raises:
            Refused, Unreachable: it does not.
            UnicodeEncodeError: there is half a character in it, which nothing can send.
        """
        content = _encoder.encode(body).encode()
        return await _answered(self._client.post(path, cast_to=str, content=content, options=self._options))

    async def close(self) -> None:
        """Close them."""
        await self._client.close()


def _leave(key: str | None) -> dict[str, Any]:
    """What says that we may ask, beside what the client says by itself: nothing at all for servers without keys."""
    from .openai_import import Omit

    return {} if key else {"Authorization": Omit()}


def _client(base_url: str, key: str, *, direct: bool) -> AsyncOpenAI:
    # Imported here: it takes the better part of a second, and most commands never call a model.
    from .bounded import bound
    from .openai_import import DEFAULT_CONNECTION_LIMITS, AsyncOpenAI, DefaultAioHttpClient

    limits = type(DEFAULT_CONNECTION_LIMITS)(
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=MAX_CONNECTIONS,
        keepalive_expiry=KEEP_LOOPBACK_S if direct else KEEP_S,
    )
    hooks = {"response": [bound]}
    # No time of its own: whoever asks has a deadline.
    http = DefaultAioHttpClient(limits=limits, timeout=None, trust_env=not direct, event_hooks=hooks)
    return AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0, timeout=None, http_client=http)


async def _answered(request: Awaitable[str]) -> str:
    from .bounded import EndlessReply
    from .openai_import import APIConnectionError, APIStatusError

    try:
        return await request
    except APIStatusError as error:
        raise Refused(error.status_code, error.response.headers, error.response.text) from None
    except APIConnectionError as error:
        raise Unreachable(type(error.__cause__ or error).__name__) from None
    except EndlessReply:
        raise Unreachable(EndlessReply.__name__) from None
