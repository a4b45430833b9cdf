"""Calls to a language model: one async client for any OpenAI-compatible endpoint.

Everything that can go wrong between a prompt and a reply is decided here and nowhere
else: one deadline around the whole call, one place that classifies failures, one that
waits, one attempt counter. Nothing below retries, so the counts are the truth.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from ..limiter.limiter import Outcome
from ..limiter.permits import BudgetExceeded, Permits
from .connection import Connection, Refused, Unreachable
from .dialect import Dialect, Request, is_context_error, retry_after

ErrorKind = Literal["rate_limit", "transient", "fatal", "refused", "timeout", "budget"]

BACKOFF_S = 0.5  # the first wait; doubled for every further failure
BACKOFF_MAX_S = 8.0
CHECK_S = 10.0  # a reachability check must not hold up a start-up longer than this
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

CHARS_PER_TOKEN = 4
"""A guess, for what has not been counted yet and for servers that do not count."""

_MAX_TOKENS = 2**53
_RATE_LIMITED = frozenset({429, 529})
_FATAL_HINTS = {
    401: "the key was refused",
    403: "the key may not use this model",
    404: "no such model or path; check the model name, and that the base URL ends in /v1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model is served.

    Attributes:
        base_url: of the OpenAI-compatible API, normally ending in `/v1`.
        model: the name the server knows the model by.
        key_env: the environment variable that holds the key; None for servers without one.
            The key itself is read when it is needed and never becomes part of this object.
        ours: the server was started by us, for these runs alone.
    """

    base_url: str
    model: str
    key_env: str | None = None
    ours: bool = False

    def __post_init__(self) -> None:
        text = self.base_url
        parts = urlsplit(text)
        odd = not text.isascii() or not text.isprintable() or " " in text
        if odd or parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("a base URL must look like http://host:port/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("a base URL must not contain a key; put it into a variable and name that as key_env")
        if not self.model:
            raise ValueError("the name of the model is missing")

    @property
    def loopback(self) -> bool:
        """Whether the server is this machine, so that no proxy may stand between."""
        return urlsplit(self.base_url).hostname in LOOPBACK

    @property
    def account(self) -> str:
        """Whose limits apply to calls: the server, and a digest of the key that gives nothing of it away."""
        key = os.environ.get(self.key_env or "", "").strip()
        digest = hashlib.sha256(f"housemates/{key}".encode("utf-8", "replace")).hexdigest()[:8] if key else "none"
        return f"{urlsplit(self.base_url).netloc}/{digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. Tokens are as the server counts them (0 if it does not); `attempts` are HTTP requests.

    `seconds` are those of the call itself, `waited_s` of them between attempts; before it began it had waited
    `queued_s` for leave to begin.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    attempts: int
    finish_reason: str
    queued_s: float = 0.0
    waited_s: float = 0.0


class ChatError(Exception):
    """A call that brought no reply.

    Attributes:
        kind: `rate_limit` and `transient` may work later, `timeout` met the deadline,
            `refused` will never work with this prompt (too long, not acceptable),
            `fatal` will never work with any without a change by the user, `budget` needs a larger budget.
        attempts: HTTP requests made.
        seconds: how long the caller waited, from when the call began, if it did.
        queued_s, waited_s: as of a `Reply`; of a call that never began all `seconds` are waiting.
    """

    def __init__(self, message: str, *, kind: ErrorKind, attempts: int = 0, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.kind = kind
        self.attempts = attempts
        self.seconds = seconds
        self.queued_s = self.waited_s = 0.0

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_error, (str(self), self.kind), self.__dict__


def _rebuild_error(message: str, kind: ErrorKind) -> ChatError:
    return ChatError(message, kind=kind)


class _Unusable(Exception):
    """The server said 200 but sent no usable reply."""


@dataclass(slots=True)
class _Call:
    """One logical call on its way. `until` is when it must be over; its own time begins with the first request.

    `paused` counts the seconds between its requests.
    """

    caller: str
    until: float
    attempts: int = 0
    asked: float = field(default_factory=time.monotonic)
    began: float | None = None
    paused: float = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - (self.asked if self.began is None else self.began)

    @property
    def queued_s(self) -> float:
        return self.began - self.asked if self.began is not None else 0.0

    @property
    def waited_s(self) -> float:
        return self.paused if self.began is not None else self.seconds

    def told(self, error: ChatError) -> ChatError:
        """The error, with what the call has taken until now."""
        error.attempts, error.seconds = self.attempts, self.seconds
        error.queued_s, error.waited_s = self.queued_s, self.waited_s
        return error


class ChatModel:
    """One model behind one endpoint, for any number of concurrent tasks of one event loop.

    What the endpoint turns out not to understand (structured output, `max_tokens`,
    `temperature`, `seed`) is learned from its 400 answers once and remembered.

    Args:
        endpoint: where the model is.
        deadline_s: seconds for a whole call, with all its attempts and waits.
        max_attempts: requests per call. Finding out what the endpoint understands
            costs a few more, once.
        permits: where leave is asked before every request; without them nothing is limited.
    """

    def __init__(
        self, endpoint: Endpoint, *, deadline_s: float = 120.0, max_attempts: int = 4, permits: Permits | None = None
    ) -> None:
        if deadline_s <= 0 or max_attempts < 1:
            raise ValueError("deadline_s must be positive and max_attempts at least 1")
        self.endpoint = endpoint
        self.deadline_s = deadline_s
        self.max_attempts = max_attempts
        self._permits = permits
        self._dialect = Dialect()
        self._connection: Connection | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jitter = random.Random()

    def __repr__(self) -> str:
        return f"ChatModel({self.endpoint!r})"

    async def complete(
        self,
        messages: list[dict[str, str]],
        *,
        schema: dict[str, Any] | None,
        max_tokens: int,
        seed: int | None = None,
        temperature: float = 0.0,
        deadline_s: float | None = None,
        caller: str = "",
    ) -> Reply:
        """Ask for one reply.

        Args:
            messages: the chat so far, as `{"role": …, "content": …}`.
            schema: JSON schema the reply must keep, as far as the endpoint can enforce it.
            max_tokens: upper bound of the reply.
            seed: for servers that sample with one.
            temperature: 0 for the most likely reply.
            deadline_s: seconds for this call with its retries, if fewer than the model's own. Waiting for leave to
                begin counts here, but not for the model's own.
            caller: the agent that asks; where leave has to be waited for, agents take turns.

        Raises:
            ChatError: no reply; see its `kind`.
        """
        request = Request(messages=messages, schema=schema, max_tokens=max_tokens, seed=seed, temperature=temperature)
        limit_s = self.deadline_s if deadline_s is None or deadline_s == math.inf else deadline_s
        if self._permits is None:
            limit_s = min(limit_s, self.deadline_s)
        call = _Call(caller, until=time.monotonic() + limit_s)
        if self._permits is None:
            call.began = call.asked  # there is nothing to wait for
        scope = asyncio.timeout(limit_s)
        try:
            async with scope:
                text, usage, finish = await self._attempts(request, call, scope)
        except TimeoutError:
            if not scope.expired():
                raise
            had_s = call.until - (call.began or call.asked)
            what = f"no reply within {had_s:.3g} s; allow more time or choose a faster model"
            if call.began is None:
                what = f"no leave to ask within {limit_s:.3g} s; the limits of the account are tight for so many agents"
            raise self._error(what, "timeout", call) from None
        except BudgetExceeded as error:
            raise ChatError(str(error), kind="budget") from None
        except ChatError as error:
            call.told(error)
            raise
        return Reply(
            text=text,
            prompt_tokens=_tokens(usage, "prompt_tokens"),
            completion_tokens=_tokens(usage, "completion_tokens"),
            seconds=call.seconds,
            attempts=call.attempts,
            finish_reason=finish,
            queued_s=call.queued_s,
            waited_s=call.waited_s,
        )

    async def check(self) -> None:
        """Find out before a run whether the endpoint answers and knows the model.

        Raises:
            ChatError: fatal, in one line that says what to change.
        """
        connection = self._connected()  # imports its client, which on a busy machine takes longer than the check may
        call = _Call("", until=time.monotonic() + CHECK_S, attempts=1)
        known: list[str] = []
        try:
            async with asyncio.timeout(CHECK_S):
                text = await connection.get("/models")
            known = [str(entry["id"]) for entry in json.loads(text)["data"] or ()]
        except (TimeoutError, Unreachable):
            what = "cannot be reached; is the server running, and the base URL right?"
            raise self._error(what, "fatal", call) from None
        except Refused as error:
            if error.status in (401, 403) or error.status >= 500:
                refusal = self._refusal(error, (), call)
                refusal.kind = "fatal"  # a run must not start on a server that is not well
                raise refusal from None
            return  # many compatible servers have no such list
        except (ValueError, KeyError, TypeError, RecursionError):
            what = "does not answer like an OpenAI-compatible API; does the base URL end in /v1?"
            raise self._error(what, "fatal", call) from None
        wanted = self.endpoint.model
        # A gateway may list patterns (`openai/*`); then only a call can tell.
        if known and not any("*" in k or k in (wanted, wanted + ":latest") or k.endswith("/" + wanted) for k in known):
            offered = ", ".join(name[:80] for name in sorted(known)[:10]) + (", …" if len(known) > 10 else "")
            raise self._error(f"has no such model; it offers {offered}", "fatal", call)

    async def close(self) -> None:
        """Close the connections. May be called more than once; a later call opens new ones."""
        if self._permits is not None:
            await self._permits.close()
        connection, self._connection = self._connection, None
        if connection is not None and self._loop is asyncio.get_running_loop():
            await connection.close()

    async def _attempts(
        self, request: Request, call: _Call, scope: asyncio.Timeout
    ) -> tuple[str, Mapping[str, Any], str]:
        failures = 0
        connection = self._connected()
        while True:
            dialect = self._dialect
            body = dialect.body(self.endpoint.model, request)
            try:
                return await self._send(connection, body, request, call, scope)
            except Refused as error:
                if error.status in (400, 422) and self._adapt(dialect, error.complaint, body):
                    continue
                failure = self._refusal(error, request.messages, call)
                wait = retry_after(error.headers)
            except Unreachable as error:
                failure = self._error(f"connection failed ({error}); is the server running?", "transient", call)
                wait = None
            except _Unusable as error:
                failure, wait = self._error(f"{error}; try another model", "transient", call), None
            failures += 1
            if failure.kind in ("fatal", "refused") or failures >= self.max_attempts:
                raise failure
            if wait is None:
                wait = min(BACKOFF_MAX_S, BACKOFF_S * 2 ** (failures - 1)) * self._jitter.uniform(0.5, 1.0)
            if time.monotonic() + wait >= call.until:
                raise failure  # the wait asked for would outlast the call
            paused = time.monotonic()
            await asyncio.sleep(wait)
            call.paused += time.monotonic() - paused

    async def _send(
        self, connection: Connection, body: dict[str, Any], request: Request, call: _Call, scope: asyncio.Timeout
    ) -> tuple[str, Mapping[str, Any], str]:
        """One HTTP request, as soon as it may begin; the call's own time runs from the first one on."""
        permits, number = self._permits, 0
        if permits is not None:
            asked = time.monotonic()
            call.asked = asked if call.began is None else call.asked
            number = await permits.begin(call.caller, _estimate(request), first=call.attempts == 0)
            call.paused += time.monotonic() - asked if call.began is not None else 0.0
        if call.began is None:
            call.began = time.monotonic()
            call.until = min(call.until, call.began + self.deadline_s)
            scope.reschedule(asyncio.get_running_loop().time() + call.until - call.began)
        call.attempts += 1
        outcome, used = Outcome("fault"), (0, 0)
        try:
            text, usage, finish = _parse(await connection.post("/chat/completions", body))
            used = (
                _tokens(usage, "prompt_tokens") or _prompt_tokens(request),
                _tokens(usage, "completion_tokens") or len(text) // CHARS_PER_TOKEN,
            )
            outcome = Outcome("ok", sum(used))
            return text, usage, finish
        except Exception as error:
            outcome = _outcome(error)
            raise
        finally:
            if permits is not None:
                permits.end(number, outcome, *used)

    def _adapt(self, sent: Dialect, complaint: str, body: Mapping[str, Any]) -> bool:
        """Learn from a 400; True if the request is worth sending again in another dialect."""
        if self._dialect is not sent:
            return True  # a concurrent call has learned something since this one was sent
        simpler = sent.simpler(complaint, body)
        if simpler is None:
            return False
        self._dialect = simpler
        return True

    def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        if self._connection is not None and self._loop is loop:
            return self._connection
        key_env, key = self.endpoint.key_env, None
        if key_env is not None:
            key = os.environ.get(key_env, "").strip()
            if not key.isascii():
                raise self._error(f"needs a key; what {key_env} holds is none", "fatal")
            if not key:
                raise self._error(f"needs a key; set {key_env}", "fatal")
        payer, direct = key_env == "OPENAI_API_KEY", self.endpoint.loopback
        self._connection = Connection(self.endpoint.base_url, key, payer=payer, direct=direct)
        self._loop = loop
        return self._connection

    def _refusal(self, error: Refused, messages: Sequence[Mapping[str, str]], call: _Call) -> ChatError:
        """The one place that classifies HTTP failures."""
        status, text = error.status, error.complaint
        if "insufficient_quota" in text:
            return self._error("the account has no quota left; add credit or use another key", "fatal", call)
        if status in _RATE_LIMITED:
            return self._error(f"{status} rate limited; run fewer agents at once", "rate_limit", call)
        if status >= 500 or status in (408, 409):
            return self._error(f"{status} from the server; try again later", "transient", call)
        if is_context_error(text):
            hint = "the prompt is longer than the model's context; use a model with a larger one"
            return self._error(f"{status}: {hint}", "refused", call)
        hint = _FATAL_HINTS.get(status, "the server refused the request")
        if status in (401, 403) and self.endpoint.key_env:
            hint += f"; check {self.endpoint.key_env}"
        elif status == 401:
            hint = "it wants a key; name the variable that holds it (--key-env)"
        elif status not in (401, 403):  # servers quote parts of the key there
            hint += _quote(error.message, [m["content"] for m in messages], self._connected().key or "")
        kind: ErrorKind = "fatal" if status in _FATAL_HINTS else "refused"
        return self._error(f"{status}: {hint}", kind, call)

    def _error(self, what: str, kind: ErrorKind, call: _Call | None = None) -> ChatError:
        error = ChatError(f"model {self.endpoint.model!r} at {self.endpoint.base_url}: {what}", kind=kind)
        return error if call is None else call.told(error)


def _parse(text: str) -> tuple[str, Mapping[str, Any], str]:
    try:
        data = json.loads(text)
        choice = data["choices"][0]
        content = choice["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        raise _Unusable("the reply is not a chat completion") from None
    if not isinstance(content, str):
        raise _Unusable("the reply has no text")
    # Lone surrogates, which JSON can spell, can be neither stored nor sent.
    content = content.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    usage = data.get("usage")
    return content, usage if isinstance(usage, dict) else {}, str(choice.get("finish_reason") or "")[:100]


def _tokens(usage: Mapping[str, Any], name: str) -> int:
    """A token count as the server states it; nonsense counts as nothing."""
    count = usage.get(name)
    return count if isinstance(count, int) and 0 <= count < _MAX_TOKENS else 0


def _prompt_tokens(request: Request) -> int:
    return sum(len(message["content"]) for message in request.messages) // CHARS_PER_TOKEN


def _estimate(request: Request) -> int:
    """How many tokens a request may use: what it asks for, and all that it allows."""
    return _prompt_tokens(request) + request.max_tokens


def _outcome(error: Exception) -> Outcome:
    """What a failed request says about the account's limits."""
    if not isinstance(error, Refused):
        return Outcome("fault")
    wait_s = retry_after(error.headers)
    if error.status in _RATE_LIMITED:
        return Outcome("rate_limit", 0, wait_s)
    return Outcome("fault" if error.status >= 500 or error.status in (408, 409) else "ok", 0, wait_s)


def _quote(said: str, contents: list[str], key: str) -> str:
    """The server's own words, if they fit one short line and give away neither prompt nor key."""
    line = " ".join(said.split())[:200]
    if not line:
        return ""
    if any(line[i : i + 6] in key for i in range(len(line) - 5)):
        return ""
    if any(line[i : i + 24] in content for content in contents for i in range(max(1, len(line) - 23))):
        return ""
    return f" ({line})"
