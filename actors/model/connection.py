"""HTTP to one OpenAI-compatible server, with nothing between the prompt and aiohttp.

The openai package would do the same for three times the CPU of a call, and with 0.7 s of CPU and 29 MB more for the
start of an agent's process: it builds models of requests and replies that nobody here looks at.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import certifi
from yarl import URL

from housemates import __version__

MAX_CONNECTIONS = 2000
MAX_BODY_BYTES = 16 * 2**20
"""A reply is text that a model wrote; whoever sends more is no model."""

KEEP_S = 30.0
KEEP_LOOPBACK_S = 3.0
"""Idle connections: less than the 5 s after which llama.cpp's server closes one under our feet."""

ACCOUNT_HEADERS = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
"""What says, beside OpenAI's key, who pays; the variables are those of OpenAI's own client."""

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
        self._base_url = base_url.rstrip("/")
        headers = {"Accept": "application/json", "User-Agent": f"housemates/{__version__}"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        if payer:
            headers |= {name: os.environ[given] for given, name in ACCOUNT_HEADERS.items() if os.environ.get(given)}
        self._proxy, self._proxy_headers = (None, {}) if direct else _proxy(base_url)
        if not base_url.startswith("https"):
            headers |= self._proxy_headers  # nothing is said to the proxy but the request itself
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS,
                keepalive_timeout=KEEP_LOOPBACK_S if direct else KEEP_S,
                ssl=_trusted() if base_url.startswith("https") else True,
            ),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(),  # none of its own: whoever asks has a deadline
        )
        self._urls: dict[str, URL] = {}

    async def get(self, path: str) -> str:
        """What is there.

        Raises:
            Refused, Unreachable: it is not to be had.
        """
        return await self._request("GET", path, None, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> str:
        """What the server answers to a body, which is sent as JSON.

        Raises:
            Refused, Unreachable: it does not.
            UnicodeEncodeError: there is half a character in it, which nothing can send.
        """
        return await self._request("POST", path, _encoder.encode(body).encode(), {"Content-Type": "application/json"})

    async def close(self) -> None:
        await self._session.close()

    async def _request(self, method: str, path: str, data: bytes | None, headers: Mapping[str, str] | None) -> str:
        url = self._urls.setdefault(path, URL(self._base_url + path))
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, proxy=self._proxy, proxy_headers=self._proxy_headers
            ) as response:
                received = bytearray()
                async for chunk in response.content.iter_any():
                    received += chunk
                    if len(received) > MAX_BODY_BYTES:
                        raise Unreachable("EndlessReply")
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(type(error).__name__) from None
        text = received.decode("utf-8", "replace")
        if response.status >= 400:
            raise Refused(response.status, response.headers, text)
        return text


def _proxy(base_url: str) -> tuple[URL | None, dict[str, str]]:
    """What the environment puts between us and a server, and our leave to pass there."""
    url, proxies = urlsplit(base_url), urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(url.hostname or ""):
        return None, {}
    where = URL(proxy if "://" in proxy else f"http://{proxy}")
    if where.user is None:
        return where, {}
    leave = aiohttp.encode_basic_auth(where.user, where.password or "")
    return where.with_user(None), {"Proxy-Authorization": leave}


def _trusted() -> ssl.SSLContext:
    """Whom the machine trusts, and whom the web does: not every Python finds its machine's certificates."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
