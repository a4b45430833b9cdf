"""Who may ask the server what: only pages of its own address, and control only with the token."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import web

TOKEN_HEADER = "X-Housemates-Token"
_NAMES = ("127.0.0.1", "localhost", "[::1]")

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Sent with every answer: nothing but our own files is run or loaded, and no other site may embed them."""


@web.middleware
async def guarded(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuse requests that reach us under another name.

    A page of another site can make its own name point to this machine, and would then be of our origin to the
    browser; but the browser still says in `Host` which name it used.
    """
    if not names_us(request):
        response: web.StreamResponse = web.Response(status=403, text="this server answers under 127.0.0.1 only\n")
    else:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = error
    if not response.prepared:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
    if isinstance(response, web.HTTPException):
        raise response
    return response


def names_us(request: web.Request) -> bool:
    """Whether the request was sent to the loopback name and port that we listen on."""
    address = request.transport and request.transport.get_extra_info("sockname")
    return bool(address) and request.headers.get("Host", "").lower() in {f"{name}:{address[1]}" for name in _NAMES}


def may_control(request: web.Request, token: str) -> bool:
    """Whether the request has the token; an empty token is had by nobody."""
    given = request.headers.get(TOKEN_HEADER, "")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())
